"""Registration cases for tests: the signed statements that bring an asset to its certificate, for any fixture."""

from collections.abc import Callable
from typing import Any

from marketplace.documents import Document
from marketplace.documents.ids import case_id
from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.registrations.clocks import act_dates, filing_dates
from marketplace.registrations.codes import to_ledger
from marketplace.registrations.forms import WRITTEN, make_form, make_paper, reason_digest
from marketplace.registrations.records import Case
from marketplace.rulebooks import EVALUATION, LAWFUL, Rulebook, rulebook_named
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST

REASONS = "0x" + "e1" * 32
FORM = "0x" + "f0" * 32
WAIVED = "the data set is a test's own"
FIELDS = {
    "dataName": "2013 flights of three airports, table",
    "overview": "departures and arrivals with their delays",
    "industry": "G56 air transport",
    "sourceClass": "COLLECTED_GENERATED",
    "regionScope": "CITY",
    "timeRange": "2013-01-01 to 2013-12-31",
    "updateFrequency": "YEARLY",
    "volume": "400 rows",
    "dataForm": "table, structured",
    "restrictions": "none",
    "rights": "the applicant holds, uses and operates the data",
}
#: what a first registration of public data says besides
PUBLIC_FIELDS = {
    **FIELDS,
    "productService": "monthly statistics of delays",
    "scenario": "planning of airport capacity",
    "riskAssessment": "no personal data; cells of fewer than ten flights are not released",
}


def rulebook(name: str = EVALUATION) -> Rulebook:
    """A rulebook by name."""
    return rulebook_named(name)


def code(serial: int, month: str = "202601") -> str:
    """A certificate's code as it stands on the ledger."""
    return to_ledger(f"SJ310{month}{serial:04d}")


def filing(
    asset: str,
    applicant: str,
    now: int,
    *,
    book: Rulebook | None = None,
    kind: Kind = Kind.FIRST,
    form: str = FORM,
    reasons: str = REASONS,
    **changes: Any,
) -> dict[str, Any]:
    """A File; without public notice if there are `reasons`."""
    chosen = book or rulebook()
    dates = filing_dates(chosen, Procedure(changes.get("procedure", Procedure.ORDINARY)), now)
    message: dict[str, Any] = {
        "assetId": asset,
        "kind": int(kind),
        "procedure": int(Procedure.ORDINARY),
        "applicant": applicant,
        "counterparty": ZERO_ADDRESS,
        "formDigest": form,
        "nonPublicationDigest": reasons,
        "depositDigest": ZERO_DIGEST,
        "rulebookDigest": chosen.digest,
        "statedAt": now,
        "dueAt": dates.due_at,
        "decideBy": dates.decide_by,
        "deadline": now + 3600,
        **changes,
    }
    name = case_id(message["assetId"], message["applicant"], message["formDigest"], message["statedAt"])
    return {"caseId": name, **message}


def opened(message: dict[str, Any]) -> Case:
    """The case that a filing opens."""
    return Case(
        message["assetId"],
        message["applicant"],
        Kind(message["kind"]),
        Procedure(message["procedure"]),
        CaseState.DRAFT if message["kind"] == Kind.TRANSFER else CaseState.SUBMITTED,
        message["formDigest"],
        message["rulebookDigest"],
        message["statedAt"],
        message["dueAt"],
        message["decideBy"],
        message["nonPublicationDigest"] != ZERO_DIGEST,
        message["counterparty"],
    )


def deed(name: str, case: Case, step: Step, actor: str, now: int, *, book: Rulebook | None = None) -> dict[str, Any]:
    """An Act with the dates that the rulebook gives."""
    dates = act_dates(book or rulebook(), case, step, now)
    return {
        "caseId": name,
        "step": int(step),
        "evidenceDigest": ZERO_DIGEST,
        "statedAt": now,
        "dueAt": dates.due_at,
        "decideBy": dates.decide_by,
        "actor": actor,
        "version": case.version,
        "deadline": now + 3600,
    }


def written_form(asset: str, applicant: str, store: Callable[[Document], str]) -> dict[str, str]:
    """The form of a first registration without notice, stored; digests of it and of its reasons, as `filing` takes."""
    given: dict[str, Any] = {"kind": Kind.FIRST, "procedure": Procedure.ORDINARY, "non_publication": WAIVED}
    form = make_form(rulebook(), asset=asset, applicant=applicant, fields=FIELDS, **given)
    return {"form": store(form), "reasons": reason_digest(WAIVED)}


def deposit_acts(
    asset: str,
    applicant: str,
    registrar: str,
    now: int,
    book: Rulebook | None = None,
    *,
    store: Callable[[Document], str] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(File, Acts) that bring a first registration without notice to its deposit, all at `now`; with `store`, which
    keeps a document and gives its digest, their form and paper are written.
    """
    stated: dict[str, Any] = {} if store is None else written_form(asset, applicant, store)
    message = filing(asset, applicant, now, book=book, **stated)
    case, acts = opened(message), []
    for step, state in (
        (Step.ACCEPT, CaseState.UNDER_REVIEW),
        (Step.WAIVE_NOTICE, CaseState.CLEARED),
        (Step.DEPOSIT, CaseState.DEPOSITED),
    ):
        acts.append(deed(message["caseId"], case, step, registrar, now, book=book))
        if store is not None and step in WRITTEN:
            acts[-1]["evidenceDigest"] = store(make_paper(message["caseId"], step, WAIVED))
        case.state, case.decide_by = state, acts[-1]["decideBy"]
        case.version += 1
    return message, acts


__all__ = [
    "EVALUATION",
    "FIELDS",
    "FORM",
    "LAWFUL",
    "PUBLIC_FIELDS",
    "REASONS",
    "WAIVED",
    "code",
    "deed",
    "deposit_acts",
    "filing",
    "opened",
    "rulebook",
    "written_form",
]
