"""What signs for an account: contracts/src/Keys.sol in Python, verb by verb, and the one home of the question "may this
key sign this act for this account at this time?"

An account's address is its identity for good. What signs for it are its keys: until the first change its own address
alone. A key's powers never change and an address is a key once, so every key has one span of time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from eth_abi.abi import encode

from crypto.canonical import keccak256, to_hex
from marketplace.events import Event
from marketplace.intents import INTENTS
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.types import NO_LIMIT, ZERO_ADDRESS, Act, RecoveryStatus, Role

DAY_SECONDS = 86_400
MAX_GUARDIANS = 8
MIN_DELAY_SECONDS = DAY_SECONDS
MAX_DELAY_SECONDS = 30 * DAY_SECONDS
REGISTRAR_DELAY_SECONDS = 14 * DAY_SECONDS
ALL_ACTS = int(sum(Act))

NONE, PROPOSED, NOTICE = RecoveryStatus.NONE, RecoveryStatus.PROPOSED, RecoveryStatus.NOTICE
# verb -> {status before: statuses after}; what is not in the table is refused.
RECOVERY_CHANGES: dict[str, dict[RecoveryStatus, tuple[RecoveryStatus, ...]]] = {
    "recover": {NONE: (PROPOSED, NOTICE), PROPOSED: (PROPOSED, NOTICE)},
    "veto": {PROPOSED: (RecoveryStatus.VETOED,), NOTICE: (RecoveryStatus.VETOED,)},
    "completeRecovery": {NOTICE: (RecoveryStatus.COMPLETED,)},
}


@dataclass(frozen=True)
class Key:
    """What a key may sign for its account.

    Args:
        acts: bits of `marketplace.types.Act`; 0 for no key.
        limit: most that it may sign for, in fen; NO_LIMIT for any amount.
        valid_from, valid_until: unix seconds, the first included, the second not; NO_LIMIT for no end.
    """

    acts: int = 0
    limit: int = 0
    valid_from: int = 0
    valid_until: int = 0

    def is_live(self, now: int, grace: int = 0) -> bool:
        """Whether it signs at `now` (unix seconds), or ended less than `grace` seconds before."""
        return self.acts != 0 and self.valid_from <= now < self.valid_until + grace


OWN_ADDRESS = Key(ALL_ACTS, NO_LIMIT, 0, NO_LIMIT)


@dataclass(frozen=True)
class Ring:
    """What is common to an account's keys."""

    version: int = 0


@dataclass(frozen=True)
class Guardians:
    """Who may recover an account. `number` counts the namings; `delay` is the notice in seconds."""

    number: int = 0
    threshold: int = 0
    delay: int = 0
    members: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Recovery:
    """One recovery; `ready_at` is the end of its notice, unix seconds, 0 before that begins."""

    account: str
    new_key: str
    threshold: int
    delay: int
    guardians: frozenset[str]
    status: RecoveryStatus = PROPOSED
    approved: frozenset[str] = frozenset()
    ready_at: int = 0


@dataclass
class KeyRing:
    """The state of the contract: all keys, guardians and recoveries."""

    rings: dict[str, Ring] = field(default_factory=dict)
    held: dict[tuple[str, str], Key] = field(default_factory=dict)
    account_of: dict[str, str] = field(default_factory=dict)
    guardians: dict[str, Guardians] = field(default_factory=dict)
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    on_notice: dict[str, str] = field(default_factory=dict)

    def ring(self, account: str) -> Ring:
        """What is common to the keys of `account`."""
        return self.rings.get(account, Ring())

    def key_of(self, account: str, key: str) -> Key:
        """What `key` may sign for `account`, and until when; an empty Key for no key of it."""
        return self.held.get((account, key)) or (OWN_ADDRESS if key == account else Key())

    def owner(self, key: str) -> str:
        """The account that `key` is or was a key of: itself, unless it was given to another account."""
        return self.account_of.get(key, key)


@dataclass(frozen=True)
class Register:
    """What the rules of keys ask of the register: is it on it, and is it active with these roles (bits; 0 for any)?"""

    is_registered: Callable[[str], bool]
    is_active: Callable[[str, int], bool]


def require_signer(
    ring: KeyRing, name: str, message: Message, account: str, *, key: str, now: int, amount: int = 0, grace: int = 0
) -> None:
    """The one question: may `key` sign the intent `name` with this message for `account` at `now`?

    A voucher may be of a key that ended a short time ago (`IntentType.grace`): or a buyer could take its answers and
    then end the key. That is for the ledger and for auditors; who is asked to answer looks at `is_live` too.

    Args:
        key: the address that the signature recovers to.
        now: unix seconds.
        amount: fen that are signed for, where what the intent names has the amount and not the intent itself.
        grace: seconds more for which the signature outlives its key.
    Raises:
        RuleError: `intent_signature_invalid`, `act_not_permitted`, `act_over_limit`.
    """
    intent, held = INTENTS[name], ring.key_of(account, key)
    if not held.is_live(now, intent.grace + grace):
        raise refuse("IntentBatchSignatureInvalid", signer=account)
    require_act(held, account, key, intent.act, message[intent.amount] if intent.amount else amount)


def require_act(held: Key, account: str, key: str, act: Act, amount: int = 0) -> None:
    """The powers of a live key cover `act` over `amount` fen. Raises `act_not_permitted`, `act_over_limit`."""
    if held.acts & act != act:
        raise refuse("IntentBatchActNotPermitted", account=account, key=key, act=int(act))
    if held.limit != NO_LIMIT and amount > held.limit:
        raise refuse("IntentBatchOverLimit", key=key, amount=amount, limit=held.limit)


def add_key(state: KeyRing, register: Register, addition: Message, now: int) -> list[Event]:
    """Give an account another key.

    Args:
        addition: the intent AddKey, signed by an administering key of the account and by the new key.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, key = addition["account"], addition["key"]
    require_in_time(addition, now)
    giver = _require_administrator(state, register, account, addition["by"], now)
    ring = state.ring(account)
    require_version(ring.version, addition)
    if addition["acts"] == 0 or addition["acts"] & ~giver.acts:
        raise refuse("KeysActs", acts=addition["acts"])
    if addition["limit"] > giver.limit:
        raise refuse("KeysLimit", limit=addition["limit"])
    _require_term(addition, now)
    _require_free(state, register, key, account)

    state.rings[account] = replace(ring, version=ring.version + 1)
    given = Key(addition["acts"], addition["limit"], now, addition["validUntil"])
    _give(state, account, key, given)
    names = ("account", "key", "acts", "limit", "validUntil", "personDigest", "by")
    return [_event("KeyAdded", addition, names, validFrom=now, version=ring.version + 1)]


def end_key(state: KeyRing, register: Register, ending: Message, now: int) -> list[Event]:
    """End a key of an account.

    Args:
        ending: the intent EndKey, signed by another, administering key of the account that may do no less.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, key = ending["account"], ending["key"]
    require_in_time(ending, now)
    ender = _require_administrator(state, register, account, ending["by"], now)
    ring = state.ring(account)
    require_version(ring.version, ending)
    if key == ending["by"]:
        raise refuse("KeysOwnKey", key=key)
    held = _require_live(state, account, key, now)
    if held.acts & ~ender.acts:
        raise refuse("KeysActs", acts=held.acts)
    if held.limit > ender.limit:
        raise refuse("KeysLimit", limit=held.limit)

    state.rings[account] = replace(ring, version=ring.version + 1)
    state.held[account, key] = replace(held, valid_until=now)
    return [_event("KeyEnded", ending, ("account", "key", "reasonDigest", "by"), version=ring.version + 1)]


def rotate_key(state: KeyRing, register: Register, rotation: Message, now: int) -> list[Event]:
    """Replace a key by another with the same powers.

    Args:
        rotation: the intent RotateKey, signed by the old key and by the new one.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, old, new = rotation["account"], rotation["oldKey"], rotation["newKey"]
    require_in_time(rotation, now)
    _require_registered(register, account)
    held = _require_live(state, account, old, now)
    ring = state.ring(account)
    require_version(ring.version, rotation)
    _require_free(state, register, new, account)

    state.rings[account] = replace(ring, version=ring.version + 1)
    state.held[account, old] = replace(held, valid_until=now)
    _give(state, account, new, replace(held, valid_from=now))
    return [_event("KeyRotated", rotation, ("account", "oldKey", "newKey"), version=ring.version + 1)]


def set_guardians(state: KeyRing, register: Register, naming: Message, now: int) -> list[Event]:
    """Name who may recover an account; replaces those named before.

    Args:
        naming: the intent SetGuardians, signed by a key that may do everything, as what guardians recover may.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, members, threshold = naming["account"], naming["guardians"], naming["threshold"]
    require_in_time(naming, now)
    namer = _require_administrator(state, register, account, naming["by"], now)
    ring = state.ring(account)
    require_version(ring.version, naming)
    if namer.acts != ALL_ACTS:
        raise refuse("KeysActs", acts=namer.acts)
    if namer.limit != NO_LIMIT:
        raise refuse("KeysLimit", limit=namer.limit)
    reachable = threshold <= len(members) and (threshold == 0) == (not members)
    if len(members) > MAX_GUARDIANS or not reachable:
        raise refuse("KeysGuardians", account=account)
    if not MIN_DELAY_SECONDS <= naming["delay"] <= MAX_DELAY_SECONDS:
        raise refuse("KeysDelay", delay=naming["delay"])
    fit = account not in members and len(set(members)) == len(members)
    if not fit or not all(register.is_active(guardian, 0) for guardian in members):
        raise refuse("KeysGuardians", account=account)

    state.rings[account] = replace(ring, version=ring.version + 1)
    number = state.guardians.get(account, Guardians()).number + 1
    state.guardians[account] = Guardians(number, threshold, naming["delay"], frozenset(members))
    names = ("account", "guardians", "threshold", "delay", "by")
    return [_event("GuardiansSet", naming, names, version=ring.version + 1)]


def recover(state: KeyRing, register: Register, recovery: Message, now: int) -> list[Event]:
    """Ask for a recovery, or approve it. With the last approval that is needed, or a registrar's, the notice begins.

    Args:
        recovery: the intent Recover, signed for a guardian or registrar, and by the new key.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, by = recovery["account"], recovery["by"]
    require_in_time(recovery, now)
    if by == account:
        raise refuse("KeysOwnMatter", account=account)
    _require_registered(register, account)
    require_version(state.ring(account).version, recovery)
    _require_free(state, register, recovery["newKey"], account)
    name = recovery_id(account, recovery["newKey"], recovery["version"])
    named = state.guardians.get(account, Guardians())
    record = state.recoveries.get(name) or Recovery(
        account, recovery["newKey"], named.threshold, named.delay, named.members
    )
    if record.status not in RECOVERY_CHANGES["recover"]:
        raise refuse("KeysRecoveryStatus", recoveryId=name, current=int(record.status))
    if _is_open(state, register, account) or by in record.approved:
        raise refuse("KeysRecoveryOpen", account=account, by=by)
    record = _approved(register, record, by, now)

    state.recoveries[name] = record
    if record.status is NOTICE:
        state.on_notice[account] = name
    tally = {"approvals": len(record.approved), "threshold": record.threshold, "readyAt": record.ready_at}
    names = ("account", "newKey", "by", "reasonDigest")
    return [_event("RecoveryApproved", recovery, names, recoveryId=name, **tally)]


def veto(state: KeyRing, register: Register, objection: Message, now: int) -> list[Event]:
    """Stop a recovery.

    Args:
        objection: the intent Veto, signed by an administering key of the account.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, name = objection["account"], objection["recoveryId"]
    require_in_time(objection, now)
    _require_administrator(state, register, account, objection["by"], now)
    record = state.recoveries.get(name)
    if record is None or record.account != account:
        raise refuse("KeysNotAdministrator", account=record.account if record else ZERO_ADDRESS, by=objection["by"])
    if record.status not in RECOVERY_CHANGES["veto"]:
        raise refuse("KeysRecoveryStatus", recoveryId=name, current=int(record.status))

    ring = state.ring(account)
    state.recoveries[name] = replace(record, status=RecoveryStatus.VETOED)
    state.rings[account] = replace(ring, version=ring.version + 1)
    return [_event("RecoveryVetoed", objection, ("recoveryId", "account", "by"), version=ring.version + 1)]


def complete_recovery(state: KeyRing, register: Register, name: str, now: int) -> list[Event]:
    """End every key of an account but the new one, after the notice. Anybody may ask for it.

    Args:
        name: recovery id.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    record = state.recoveries.get(name)
    if record is None or record.status not in RECOVERY_CHANGES["completeRecovery"]:
        raise refuse("KeysRecoveryStatus", recoveryId=name, current=int(record.status if record else NONE))
    if now < record.ready_at:
        raise refuse("KeysRecoveryNotReady", recoveryId=name, readyAt=record.ready_at)
    account, key = record.account, record.new_key
    _require_free(state, register, key, account)

    version = state.ring(account).version + 1
    state.recoveries[name] = replace(record, status=RecoveryStatus.COMPLETED)
    state.rings[account] = Ring(version)
    _end_all(state, account, now)
    _give(state, account, key, Key(ALL_ACTS, NO_LIMIT, now, NO_LIMIT))
    args = {"recoveryId": name, "account": account, "newKey": key, "version": version}
    return [Event("Keys", "Recovered", args)]


def recovery_id(account: str, new_key: str, version: int) -> str:
    """The id of a recovery: it follows from whom it gives which key, and from the version of the keys before."""
    return to_hex(keccak256(encode(["address", "address", "uint64"], [account, new_key, version])))


def _end_all(state: KeyRing, account: str, now: int) -> None:
    """A recovery ends every key that has not ended; each keeps its end, whatever is recovered after."""
    for key in {account, *(key for owner, key in state.held if owner == account)}:
        held = state.key_of(account, key)
        state.held[account, key] = replace(held, valid_until=min(held.valid_until, now))


def _is_open(state: KeyRing, register: Register, account: str) -> bool:
    """A recovery whose key was taken meanwhile can never be completed, and must not keep the next one out."""
    noticed = state.recoveries.get(state.on_notice.get(account, ""))
    return noticed is not None and noticed.status is NOTICE and _is_free(state, register, noticed.new_key, account)


def _approved(register: Register, record: Recovery, by: str, now: int) -> Recovery:
    """A guardian counts as one, also where it is a registrar; a registrar who is none stands for all of them."""
    if by in record.guardians:
        if not register.is_active(by, 0):
            raise refuse("KeysNotGuardian", account=record.account, by=by)
        record = replace(record, approved=record.approved | {by})
        suffices = len(record.approved) >= record.threshold
    else:
        if not register.is_active(by, Role.REGISTRAR):
            raise refuse("KeysNotGuardian", account=record.account, by=by)
        record, suffices = replace(record, delay=REGISTRAR_DELAY_SECONDS), True
    return replace(record, status=NOTICE, ready_at=now + record.delay) if suffices else record


def _give(state: KeyRing, account: str, key: str, held: Key) -> None:
    state.account_of[key] = account
    state.held[account, key] = held


def _require_registered(register: Register, account: str) -> None:
    if not register.is_registered(account):
        raise refuse("KeysUnknown", account=account)


def _require_administrator(state: KeyRing, register: Register, account: str, by: str, now: int) -> Key:
    _require_registered(register, account)
    held = state.key_of(account, by)
    if not held.is_live(now) or not held.acts & Act.ADMINISTER:
        raise refuse("KeysNotAdministrator", account=account, by=by)
    return held


def _require_live(state: KeyRing, account: str, key: str, now: int) -> Key:
    held = state.key_of(account, key)
    if not held.is_live(now):
        raise refuse("KeysNotLive", account=account, key=key)
    return held


def _require_term(addition: Message, now: int) -> None:
    """An administrator has no end, so that an account is never without one."""
    until = addition["validUntil"]
    if not now < until <= NO_LIMIT or (addition["acts"] & Act.ADMINISTER and until != NO_LIMIT):
        raise refuse("KeysTerm", validUntil=until)


def _require_free(state: KeyRing, register: Register, key: str, account: str) -> None:
    if not _is_free(state, register, key, account):
        raise refuse("KeysTaken", key=key)


def _is_free(state: KeyRing, register: Register, key: str, account: str) -> bool:
    """What is not free never is again."""
    return key != account and key not in state.account_of and not register.is_registered(key)


def _event(name: str, intent: Message, names: tuple[str, ...], **more: object) -> Event:
    return Event("Keys", name, {item: intent[item] for item in names} | more)
