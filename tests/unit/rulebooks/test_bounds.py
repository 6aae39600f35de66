"""Bounds of periods that the ledger keeps: as the rulebooks have them, and never in the way of a lawful act."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.procedures import Procedure
from marketplace.registrations.clocks import NAMES, renewal_window
from marketplace.rulebooks import EVALUATION, LAWFUL, all_rulebooks, rulebook_named
from marketplace.rulebooks.bounds import NO_BOUNDS, Lane, bounds_of

DAY = 86_400
MOMENTS = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2031, 12, 31, tzinfo=UTC).timestamp())
)
PERIODS = {Lane.CORRECTION: "correct", Lane.SUPPLEMENT: "supplement", Lane.NOTICE: "notice"}


def test_the_bounds_of_the_law() -> None:
    bounds = bounds_of(rulebook_named(LAWFUL))
    shown = {name: [bounds.of(procedure, lane) for lane in Lane] for procedure, name in NAMES.items()}
    assert shown == {
        "ordinary": [10 * DAY, 10 * DAY, 5 * DAY, 186 * DAY],
        "public_data": [10 * DAY, 10 * DAY, 10 * DAY, 60 * DAY],
        "late_objection": [10 * DAY, 0, 0, 0],
        "revocation": [0, 0, 10 * DAY, 0],
    }


def test_the_evaluation_counts_seconds() -> None:
    bounds = bounds_of(rulebook_named(EVALUATION))
    assert [bounds.of(Procedure.PUBLIC_DATA, lane) for lane in Lane][:3] == [120, 120, 3]
    assert bounds.of(Procedure.REVOCATION, Lane.NOTICE) == 2
    assert bounds != NO_BOUNDS
    assert NO_BOUNDS.of(Procedure.REVOCATION, Lane.NOTICE) == 0


@pytest.mark.parametrize("name", sorted(all_rulebooks()))
@given(moment=MOMENTS)
def test_no_lawful_period_is_shorter_and_no_window_opens_before(name: str, moment: int) -> None:
    book = rulebook_named(name)
    bounds = bounds_of(book)
    for procedure, word in NAMES.items():
        has = book.content[word]
        for lane, period in PERIODS.items():
            named = "hearing" if (procedure, lane) == (Procedure.REVOCATION, Lane.NOTICE) else period
            if named in has:
                assert book.end(moment, book.period(word, named)) >= moment + bounds.of(procedure, lane)
            else:
                assert bounds.of(procedure, lane) == 0
        if "renewal_opens" in has:
            opens, _ = renewal_window(book, procedure, moment)
            assert opens + bounds.of(procedure, Lane.RENEWAL) >= moment
