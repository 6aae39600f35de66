"""Who takes part, and as what: contracts/src/Participants.sol in Python, verb by verb."""

from dataclasses import dataclass, field, replace

from crypto.canonical import to_hex
from marketplace.events import Event
from marketplace.intents import struct_hash
from marketplace.participants.keys import KeyRing, Register
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rulebooks.bounds import Bounds
from marketplace.types import ZERO_DIGEST, ParticipantStatus, Role

S = ParticipantStatus

# verb -> {status before: statuses after}; what is not in the table is refused.
STATES: dict[str, dict[ParticipantStatus, tuple[ParticipantStatus, ...]]] = {
    "requestAdmission": {
        S.NONE: (S.SUBMITTED,),
        S.CORRECTION_REQUESTED: (S.SUBMITTED,),
        S.REJECTED: (S.SUBMITTED,),
        S.EXITED: (S.SUBMITTED,),
    },
    "admit": dict.fromkeys((S.NONE, S.SUBMITTED, S.UNDER_REVIEW, S.ACTIVE), (S.ACTIVE,)),
    "setStatus": {
        S.SUBMITTED: (S.UNDER_REVIEW,),
        S.UNDER_REVIEW: (S.CORRECTION_REQUESTED, S.REJECTED),
        S.ACTIVE: (S.SUSPENDED, S.EXPELLED),
        S.SUSPENDED: (S.ACTIVE, S.EXPELLED),
        S.EXITING: (S.EXITED, S.EXPELLED),
    },
    "resign": {S.ACTIVE: (S.EXITING,)},
}

ALL_ROLES = sum(Role)


@dataclass(frozen=True)
class Participant:
    """One record. `roles` are bits of `marketplace.types.Role`; `version` is 0 at first and grows by one;
    `exit_at` is the end of an exit's notice, unix seconds, or 0."""

    roles: int = 0
    status: ParticipantStatus = S.NONE
    version: int = 0
    exit_at: int = 0


@dataclass
class Participants:
    """The state of the contract: address to record; and what signs for whom (contracts/src/Keys.sol)."""

    records: dict[str, Participant] = field(default_factory=dict)
    keys: KeyRing = field(default_factory=KeyRing)
    joins: set[str] = field(default_factory=set)

    def of(self, account: str) -> Participant:
        """The record of `account`; an empty one for a stranger."""
        return self.records.get(account, Participant())

    @property
    def register(self) -> Register:
        """What the rules of keys ask."""
        return Register(lambda account: self.of(account).version > 0, self.is_active)

    def is_active(self, account: str, roles: int = 0) -> bool:
        """Whether `account` is active and has all of `roles`."""
        record = self.of(account)
        return record.status is S.ACTIVE and record.roles & roles == roles

    def require_active(self, account: str, roles: int = 0) -> None:
        """Refuse unless `account` is active and has all of `roles`."""
        if not self.is_active(account, roles):
            raise refuse("ParticipantsNotActive", account=account, roles=int(roles))

    def require_not_suspended(self, account: str) -> None:
        """Refuse if `account` is suspended; whoever left, was expelled, or never was a participant passes."""
        if self.of(account).status is S.SUSPENDED:
            raise refuse("ParticipantsNotActive", account=account, roles=0)


def found(state: Participants, registrar: str) -> list[Event]:
    """Enter the first registrar, as the constructor does."""
    state.records[registrar] = Participant(int(Role.REGISTRAR), S.ACTIVE, 1)
    return [_admitted(registrar, int(Role.REGISTRAR), ZERO_DIGEST, registrar, 1)]


def request_admission(state: Participants, join: Message, now: int) -> list[Event]:
    """Put an application on the ledger, for review.

    Args:
        join: the intent Join, signed by the account.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, name = join["account"], to_hex(struct_hash("Join", join))
    require_in_time(join, now)
    if join["roles"] > ALL_ROLES:
        raise refuse("ParticipantsRolesUnknown", roles=join["roles"])
    if account in state.keys.account_of:
        raise refuse("KeysTaken", key=account)
    if name in state.joins:
        raise refuse("ParticipantsJoinUsed", account=account)
    record = state.of(account)
    _require_change("requestAdmission", account, record.status, S.SUBMITTED)

    version = record.version + 1
    state.joins.add(name)
    state.records[account] = replace(record, status=S.SUBMITTED, version=version)
    names = ("account", "roles", "identityDigest")
    return [Event("Participants", "Applied", {item: join[item] for item in names} | {"version": version})]


def resign(state: Participants, leaving: Message, bounds: Bounds, now: int) -> list[Event]:
    """Announce a participant's exit; it does no new business from now on.

    Args:
        leaving: the intent Leave, signed by the account.
        bounds: of the rulebook in force, which has the notice that the account must give.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account = leaving["account"]
    require_in_time(leaving, now)
    state.require_active(account)
    record = state.of(account)
    require_version(record.version, leaving)

    exit_at = now + bounds.exit_notice(record.roles)
    version = record.version + 1
    state.records[account] = replace(record, status=S.EXITING, version=version, exit_at=exit_at)
    return [Event("Participants", "Leaving", {"account": account, "exitAt": exit_at, "version": version})]


def _require_change(verb: str, account: str, current: ParticipantStatus, asked: int) -> None:
    if asked not in STATES[verb].get(current, ()):
        raise refuse("ParticipantsStatus", account=account, current=int(current), asked=int(asked))


def admit(state: Participants, join: Message, admission: Message, now: int) -> list[Event]:
    """Admit a participant, or give an active one other roles.

    Args:
        join: the intent Join, signed by the account.
        admission: the intent Admit, signed by the registrar.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account = join["account"]
    require_in_time(join, now)
    require_in_time(admission, now)
    if any(join[name] != admission[name] for name in ("account", "roles", "identityDigest")):
        raise refuse("ParticipantsMismatch", account=account)
    if join["roles"] > ALL_ROLES:
        raise refuse("ParticipantsRolesUnknown", roles=join["roles"])
    if account in state.keys.account_of:
        raise refuse("KeysTaken", key=account)
    if admission["registrar"] == account:
        raise refuse("ParticipantsOwnMatter", account=account)
    state.require_active(admission["registrar"], Role.REGISTRAR)
    record = state.of(account)
    require_version(record.version, admission)
    _require_change("admit", account, record.status, S.ACTIVE)

    version = record.version + 1
    state.records[account] = Participant(join["roles"], S.ACTIVE, version)
    return [_admitted(account, join["roles"], join["identityDigest"], admission["registrar"], version)]


def set_status(state: Participants, change: Message, now: int) -> list[Event]:
    """Decide about an application or a participant, but for the admission.

    Args:
        change: the intent SetStatus, signed by a registrar or a regulator.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, asked = change["account"], change["status"]
    require_in_time(change, now)
    _require_decider(state, change["decider"], account)
    record = state.of(account)
    require_version(record.version, change)
    _require_change("setStatus", account, record.status, asked)
    if asked == S.EXITED and now < record.exit_at:
        raise refuse("ParticipantsExitNotDue", account=account, exitAt=record.exit_at)

    version = record.version + 1
    state.records[account] = replace(record, status=S(asked), version=version)
    names = ("account", "status", "reasonDigest", "decider")
    return [Event("Participants", "StatusChanged", {name: change[name] for name in names} | {"version": version})]


def _require_decider(state: Participants, decider: str, account: str) -> None:
    if decider == account:
        raise refuse("ParticipantsOwnMatter", account=account)
    if not state.is_active(decider, Role.REGULATOR):
        state.require_active(decider, Role.REGISTRAR)


def _admitted(account: str, roles: int, identity: str, registrar: str, version: int) -> Event:
    args = {"account": account, "roles": roles, "identityDigest": identity, "registrar": registrar, "version": version}
    return Event("Participants", "Admitted", args)
