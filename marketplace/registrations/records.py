"""What the register of cases holds, in the words and numbers of contracts/src/interfaces/IRegistrations.sol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.procedures import FINAL, WAIVABLE, CaseState, Kind, Procedure
from marketplace.refusals import refuse
from marketplace.rulebooks.bounds import NO_BOUNDS, Bounds, Lane
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST


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
    counterparty: str = ZERO_ADDRESS
    objector: str = ZERO_ADDRESS
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
    """What the register says of an asset. `disputes`: late objections whose mark is on; `upheld` of them were found to
    be right, and their mark stays until the entry is changed, passes to another, or ends.
    """

    holder: str = ZERO_ADDRESS
    valid_until: int = 0
    disputes: int = 0
    upheld: int = 0
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

    @property
    def bounds_in_force(self) -> Bounds:
        """Those of the rulebook that a case filed now follows."""
        return self.bounds.get(self.rulebook, NO_BOUNDS)

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

    def require_term(self, case: Case, deposited_at: int, until: int) -> None:
        """Refuse an entry that stands longer than any lawful one."""
        most = self.bounds.get(case.rulebook_digest, NO_BOUNDS).longest_term(case.procedure)
        if most and until > deposited_at + most:
            raise refuse("RegistrationsTerm", validUntil=until, latest=deposited_at + most)

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
