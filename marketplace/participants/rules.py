"""Who takes part, and as what: contracts/src/Participants.sol in Python, verb by verb."""

from dataclasses import dataclass, field

from marketplace.events import Event
from marketplace.participants.keys import KeyRing, Register
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.types import ZERO_DIGEST, ParticipantStatus, Role

NONE, ACTIVE, SUSPENDED = ParticipantStatus.NONE, ParticipantStatus.ACTIVE, ParticipantStatus.SUSPENDED

# verb -> {status before: status after}; what is not in the table is refused.
ADMISSION = {NONE: ACTIVE, ACTIVE: ACTIVE}
STATUS_CHANGES = {ACTIVE: SUSPENDED, SUSPENDED: ACTIVE}

ALL_ROLES = sum(Role)


@dataclass(frozen=True)
class Participant:
    """One record. `roles` are bits of `marketplace.types.Role`; `version` is 0 before admission and grows by one."""

    roles: int = 0
    status: ParticipantStatus = NONE
    version: int = 0


@dataclass
class Participants:
    """The state of the contract: address to record; and what signs for whom (contracts/src/Keys.sol)."""

    records: dict[str, Participant] = field(default_factory=dict)
    keys: KeyRing = field(default_factory=KeyRing)

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
        return record.status is ACTIVE and record.roles & roles == roles

    def require_active(self, account: str, roles: int = 0) -> None:
        """Refuse unless `account` is active and has all of `roles`."""
        if not self.is_active(account, roles):
            raise refuse("ParticipantsNotActive", account=account, roles=int(roles))


def found(state: Participants, registrar: str) -> list[Event]:
    """Enter the first registrar, as the constructor does."""
    state.records[registrar] = Participant(int(Role.REGISTRAR), ACTIVE, 1)
    return [_admitted(registrar, int(Role.REGISTRAR), ZERO_DIGEST, registrar, 1)]


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
    if not 0 < join["roles"] <= ALL_ROLES:
        raise refuse("ParticipantsRolesUnknown", roles=join["roles"])
    if account in state.keys.account_of:
        raise refuse("KeysTaken", key=account)
    _require_registrar(state, admission)
    record = state.of(account)
    require_version(record.version, admission)
    if record.status not in ADMISSION:
        raise refuse("ParticipantsStatus", account=account, current=int(record.status), asked=int(ACTIVE))

    version = record.version + 1
    state.records[account] = Participant(join["roles"], ADMISSION[record.status], version)
    return [_admitted(account, join["roles"], join["identityDigest"], admission["registrar"], version)]


def set_status(state: Participants, change: Message, now: int) -> list[Event]:
    """Suspend or reinstate a participant.

    Args:
        change: the intent SetStatus, signed by the registrar.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    account, asked = change["account"], change["status"]
    require_in_time(change, now)
    _require_registrar(state, change)
    record = state.of(account)
    require_version(record.version, change)
    if asked != STATUS_CHANGES.get(record.status):
        raise refuse("ParticipantsStatus", account=account, current=int(record.status), asked=asked)

    version = record.version + 1
    state.records[account] = Participant(record.roles, STATUS_CHANGES[record.status], version)
    names = ("account", "status", "reasonDigest", "registrar")
    return [Event("Participants", "StatusChanged", {name: change[name] for name in names} | {"version": version})]


def _require_registrar(state: Participants, intent: Message) -> None:
    if intent["registrar"] == intent["account"]:
        raise refuse("ParticipantsOwnMatter", account=intent["account"])
    state.require_active(intent["registrar"], Role.REGISTRAR)


def _admitted(account: str, roles: int, identity: str, registrar: str, version: int) -> Event:
    args = {"account": account, "roles": roles, "identityDigest": identity, "registrar": registrar, "version": version}
    return Event("Participants", "Admitted", args)
