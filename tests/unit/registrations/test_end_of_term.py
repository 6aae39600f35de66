"""How long a registrar may let an entry stand: as long as the case's rulebook says, and no term is shortened unsaid."""

from typing import Any

import pytest

from marketplace.errors import RuleError
from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.registrations.clocks import act_dates
from marketplace.registrations.records import case_from_json
from marketplace.rulebooks import LAWFUL, rulebook_named
from marketplace.rulebooks.calendar import Duration, days, shift_months
from marketplace.sdk.registrations import end_of_term
from marketplace.types import ZERO_DIGEST

BOOK, DAY = rulebook_named(LAWFUL), 86_400
NOON = 1_791_777_600  # 2026-10-12 12:00 in Shanghai
PRESENT_END = NOON + 49 * DAY


def deposited(kind: Kind, procedure: Procedure) -> dict[str, Any]:
    """A case as the service tells it after its deposit at NOON."""
    found: dict[str, Any] = {"kind": int(kind), "procedure": int(procedure), "state": int(CaseState.CLEARED)}
    found |= dict.fromkeys(("assetId", "formDigest", "nonPublicationDigest"), ZERO_DIGEST)
    found |= dict.fromkeys(("applicant", "counterparty", "objector"), "0x" + "aa" * 20)
    found |= {"rulebookDigest": BOOK.digest, "statedAt": NOON, "dueAt": 0, "decideBy": NOON + DAY, "version": 4}
    found |= dict.fromkeys(("extended", "pausedAt", "noticeEnd"), 0) | {"depositedAt": NOON}
    dates = act_dates(BOOK, case_from_json(found), Step.DEPOSIT, NOON, PRESENT_END)
    return found | {"dueAt": dates.due_at, "state": int(CaseState.DEPOSITED)}


@pytest.mark.parametrize(
    ("kind", "procedure", "years", "start"),
    [
        (Kind.FIRST, Procedure.ORDINARY, 5, NOON),
        (Kind.RENEWAL, Procedure.ORDINARY, 5, NOON),
        (Kind.FIRST, Procedure.PUBLIC_DATA, 3, NOON),
        (Kind.RENEWAL, Procedure.PUBLIC_DATA, 3, PRESENT_END),
    ],
)
def test_a_term_is_given_as_asked_or_refused(kind: Kind, procedure: Procedure, years: int, start: int) -> None:
    found = deposited(kind, procedure)
    assert end_of_term(found, PRESENT_END, days(years * 365)) == start + years * 365 * DAY
    assert end_of_term(found, PRESENT_END, None) == shift_months(start, 24)
    assert end_of_term(found, PRESENT_END, Duration(months=years * 12)) == found["dueAt"], (
        "the whole of it, by the date"
    )
    longest = (found["dueAt"] - start) // DAY
    assert end_of_term(found, PRESENT_END, days(longest)) <= found["dueAt"]
    for term in (days(longest + 1), Duration(months=years * 12 + 1), days(0), days(-1)):
        with pytest.raises(RuleError, match=f"{BOOK.name} lets the entry stand for {years} years") as refused:
            end_of_term(found, PRESENT_END, term)
        assert refused.value.code == "certificate_term"
        assert (refused.value.expected, refused.value.got) == (f"{years}y or less", str(term))
        assert refused.value.rulebook == BOOK.name


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.TRANSFER])
def test_what_keeps_the_entry_s_end_takes_no_term(kind: Kind) -> None:
    found = deposited(kind, Procedure.ORDINARY)
    assert end_of_term(found, PRESENT_END, None) == PRESENT_END
    with pytest.raises(RuleError) as refused:
        end_of_term(found, PRESENT_END, days(30))
    assert refused.value.code == "certificate_term_kept"
