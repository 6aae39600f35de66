"""What happened in a history, as its events tell it, and what a whole one must hold.

That is every event that the contracts can leave; every step that a state table of registration has, from every state;
every kind of case that a procedure takes, to its good end; grants out of grants; and terms that ran out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from marketplace import artifacts
from marketplace.calls import VERBS
from marketplace.procedures import ENDING, KINDS, TABLES, CaseState, Kind, Procedure, Step
from marketplace.replay import LedgerState
from marketplace.types import AssetStatus

SUB_GRANT = "titles granted out of granted ones"
LAPSED = "registrations whose term ran out"
END_OF_OBJECTION = (CaseState.UPHELD, CaseState.DISMISSED)
#: what no act of a history leaves: OpenZeppelin's events of a domain that changes and of an allowance, for which no
#: contract has a verb; and refusals, which are counted by their codes
ELSE = ("EIP712DomainChanged", "Approval", "Refused")


@dataclass
class Happenings:
    """How often what happened. A case's facts: its kind, its procedure, and its state now."""

    counts: Counter[str] = field(default_factory=Counter)
    _cases: dict[str, tuple[Kind, Procedure, CaseState]] = field(default_factory=dict)
    _granted: set[str] = field(default_factory=set)

    def note(self, events: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
        """Count events, (contract, name, arguments) each, in their order."""
        for contract, name, args in events:
            self.counts[f"{contract}.{name}"] += 1
            if contract == "Registrations" and name == "Filed":
                self._file(args["filing"])
            elif contract == "Registrations" and "caseId" in args:
                self._step(name, args)
            elif name == "TitleDerived":
                self.counts[SUB_GRANT] += args["parent"] in self._granted
                self._granted.add(args["titleId"])

    def _file(self, filing: dict[str, Any]) -> None:
        kind, procedure = Kind(filing["kind"]), Procedure(filing["procedure"])
        start = CaseState.DRAFT if kind is Kind.TRANSFER else CaseState.SUBMITTED
        self._cases[filing["caseId"]] = (kind, procedure, start)

    def _step(self, name: str, args: dict[str, Any]) -> None:
        if name not in ("Acted", "Expired", "Certified"):
            return
        kind, procedure, before = self._cases[args["caseId"]]
        step = Step.CERTIFY if name == "Certified" else Step(args["step"])
        after = CaseState.CERTIFIED if name == "Certified" else CaseState(args["state"])
        self._cases[args["caseId"]] = (kind, procedure, after)
        self.counts[_cell(procedure, before, step)] += 1
        if after in _good_ends(kind):
            self.counts[_end(procedure, kind, after)] += 1

    def count_lapsed(self, state: LedgerState, now: int) -> None:
        """Count what no event tells: registrations that nobody ended and that are over at `now`, unix seconds."""
        assets = state.rights.assets.values()
        over = [asset for asset in assets if asset.status is AssetStatus.CONFIRMED and asset.valid_until < now]
        self.counts[LAPSED] = len(over)

    def missing(self) -> list[str]:
        """What a whole history must hold and this one does not."""
        return [name for name in demanded() if not self.counts[name]]


def demanded() -> list[str]:
    """Everything that must happen in a whole history."""
    events = [
        f"{contract}.{entry['name']}"
        for contract in VERBS
        for entry in artifacts.load(contract).entries("event")
        if entry["name"] not in ELSE
    ]
    cells = [_cell(procedure, before, step) for procedure, table in TABLES.items() for before, step in table]
    ends = [
        _end(procedure, kind, end) for procedure, kinds in KINDS.items() for kind in kinds for end in _good_ends(kind)
    ]
    return [*events, *cells, *sorted(ends), SUB_GRANT, LAPSED]


def _good_ends(kind: Kind) -> tuple[CaseState, ...]:
    """What a case of this kind is filed for."""
    if kind is Kind.LATE_OBJECTION:
        return END_OF_OBJECTION
    return (CaseState.ENDED,) if kind in ENDING else (CaseState.CERTIFIED,)


def _cell(procedure: Procedure, before: CaseState, step: Step) -> str:
    return f"{procedure.name} {before.name}: {step.name}"


def _end(procedure: Procedure, kind: Kind, end: CaseState) -> str:
    return f"{procedure.name} {kind.name} {end.name}"
