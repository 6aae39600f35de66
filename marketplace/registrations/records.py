"""What the register of cases holds, in the words and numbers of contracts/src/interfaces/IRegistrations.sol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from marketplace.refusals import refuse
from marketplace.rulebooks.bounds import Bounds, Lane
from marketplace.types import ZERO_DIGEST

NOBODY = "0x" + "00" * 20


class Procedure(IntEnum):
    """Which state table a case follows: guide of 2026, measures for public data of 2025, an objection after the fact,
    or a registrar's own case for taking an entry back.
    """

    NONE = 0
    ORDINARY = 1
    PUBLIC_DATA = 2
    LATE_OBJECTION = 3
    REVOCATION = 4


class Kind(IntEnum):
    """初次、转让、变更、更正、续期、注销、撤销登记, and an objection to what was registered (异议)."""

    NONE = 0
    FIRST = 1
    TRANSFER = 2
    CHANGE = 3
    CORRECTION = 4
    RENEWAL = 5
    CANCELLATION = 6
    REVOCATION = 7
    LATE_OBJECTION = 8


KIND_WORDS = {
    "FIRST": "初次登记",
    "TRANSFER": "转让登记",
    "CHANGE": "变更登记",
    "CORRECTION": "更正登记",
    "RENEWAL": "续期登记",
    "CANCELLATION": "注销登记",
    "REVOCATION": "撤销登记",
    "LATE_OBJECTION": "事后异议",
}


class CaseState(IntEnum):
    """Where a case stands."""

    NONE = 0
    DRAFT = 1
    SUBMITTED = 2
    CORRECTION_REQUESTED = 3
    UNDER_REVIEW = 4
    SUPPLEMENT_REQUESTED = 5
    PUBLIC_NOTICE = 6
    OBJECTION_PENDING = 7
    CLEARED = 8
    DEPOSITED = 9
    CERTIFIED = 10
    REFUSED = 11
    TERMINATED = 12
    DEEMED_NOT_FILED = 13
    WITHDRAWN = 14
    DISPUTED = 15
    UPHELD = 16
    DISMISSED = 17
    ENDED = 18


class Step(IntEnum):
    """What is done in a case."""

    NONE = 0
    JOIN = 1
    ACCEPT = 2
    ACCEPT_BY_SILENCE = 3
    REQUEST_CORRECTION = 4
    RESUBMIT = 5
    DEEM_NOT_FILED = 6
    REQUEST_SUPPLEMENT = 7
    SUPPLEMENT = 8
    EXTEND = 9
    REFUSE = 10
    TERMINATE = 11
    WITHDRAW = 12
    OPEN_NOTICE = 13
    WAIVE_NOTICE = 14
    OBJECT = 15
    REPLY = 16
    UPHOLD = 17
    REJECT = 18
    DEPOSIT = 19
    CERTIFY = 20
    MARK_DISPUTED = 21
    END = 22


#: states in which nothing can happen any more
FINAL = frozenset(
    (
        *(CaseState.CERTIFIED, CaseState.REFUSED, CaseState.TERMINATED, CaseState.DEEMED_NOT_FILED),
        *(CaseState.WITHDRAWN, CaseState.UPHELD, CaseState.DISMISSED, CaseState.ENDED, CaseState.NONE),
    )
)
#: kinds that need no public notice: what corrects or ends an entry. Others need the applicant's reasons.
WAIVABLE = frozenset((Kind.CORRECTION, Kind.CANCELLATION))
#: procedures whose cases run beside the asset's others: nobody can keep them out by a case of one's own
BESIDE = frozenset((Procedure.LATE_OBJECTION, Procedure.REVOCATION))


@dataclass
class Case:
    """One case. Times in unix seconds.

    Args:
        stated_at: time of the last act. due_at: end of the period opened last. decide_by: end of the whole case.
        paused_at: since when the case's clock stands still for a supplement or an objection; 0 where it runs or never
        stood.
        notice_end: end of the public notice, objections' time included; 0 before.
        passing: first titles that a transfer hands over, bits as `marketplace.types.right_bit`.
    """

    asset_id: str
    applicant: str
    kind: Kind
    procedure: Procedure
    state: CaseState
    form_digest: str
    rulebook_digest: str
    stated_at: int
    due_at: int
    decide_by: int
    may_waive: bool = False
    counterparty: str = NOBODY
    objector: str = NOBODY
    extended: bool = False
    deposited_at: int = 0
    paused_at: int = 0
    notice_end: int = 0
    version: int = 1
    passing: int = 0


def case_from_json(row: Mapping[str, Any]) -> Case:
    """A case from its public form: a row of the read model, an answer of the service, a line of a bundle."""
    kind = Kind(row["kind"])
    return Case(
        row["assetId"],
        row["applicant"],
        kind,
        Procedure(row["procedure"]),
        CaseState(row["state"]),
        row["formDigest"],
        row["rulebookDigest"],
        row["statedAt"],
        row["dueAt"],
        row["decideBy"],
        row["nonPublicationDigest"] != ZERO_DIGEST or kind in WAIVABLE,
        row["counterparty"],
        row["objector"],
        bool(row["extended"]),
        row["depositedAt"],
        row["pausedAt"],
        row["noticeEnd"],
        row["version"],
    )


@dataclass
class Record:
    """What the register says of an asset. `disputes`: late objections whose mark is on."""

    holder: str = NOBODY
    valid_until: int = 0
    disputes: int = 0
    latest_case: str = ZERO_DIGEST
    certificate_digest: str = ZERO_DIGEST
    code: str = ZERO_DIGEST


@dataclass
class Registrations:
    """The state of the contract."""

    rulebook: str = ZERO_DIGEST
    cases: dict[str, Case] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    objected: set[tuple[str, str]] = field(default_factory=set)
    bounds: dict[str, Bounds] = field(default_factory=dict)

    def bound(self, rulebook: str, procedure: Procedure, lane: Lane) -> int:
        """A bound of a rulebook's periods, in seconds; 0 for none."""
        known = self.bounds.get(rulebook)
        return known.of(procedure, lane) if known else 0

    def require_length(self, case: tuple[str, Procedure], lane: Lane, stated_at: int, due_at: int) -> None:
        """Refuse a period that is shorter than any lawful one.

        Args:
            case: rulebook and procedure.
        """
        earliest = stated_at + self.bound(*case, lane)
        if due_at < earliest:
            raise refuse("RegistrationsShort", dueAt=due_at, earliest=earliest)

    def record_of(self, asset_id: str) -> Record:
        """The asset's record; an empty one, not kept, where there is none."""
        return self.records.get(asset_id) or Record()

    def require_not_passing(self, asset_id: str, account: str) -> None:
        """Refuse while a transfer of the asset is open that `account` applied for."""
        name = self.record_of(asset_id).latest_case
        case = self.cases.get(name)
        if case and case.kind is Kind.TRANSFER and case.applicant == account and case.state not in FINAL:
            raise refuse("RegistrationsPassing", assetId=asset_id, caseId=name)

    def require_time(self, stated_at: int, last: int, now: int) -> None:
        """Refuse a stated time ahead of the ledger's, more than an hour behind it, or before the last act."""
        if stated_at > now or stated_at + MAX_LAG_SECONDS < now or stated_at < last:
            raise refuse("RegistrationsTime", statedAt=stated_at, time=now)


MAX_LAG_SECONDS = 3600
