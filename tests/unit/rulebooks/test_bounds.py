"""Bounds of periods that the ledger keeps: as the rulebooks have them, and never in the way of a lawful act."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.procedures import Procedure
from marketplace.registrations.clocks import NAMES, is_renewable, renewal_window
from marketplace.rulebooks import EVALUATION, LAWFUL, all_rulebooks, rulebook_named
from marketplace.rulebooks.book import make_rulebook
from marketplace.rulebooks.bounds import NO_BOUNDS, Lane, bounds_of
from marketplace.types import Role
from tests.unit.rulebooks.test_book import content

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
    assert bounds.longest_term(Procedure.ORDINARY) == 5 * 366 * DAY
    assert bounds.longest_term(Procedure.PUBLIC_DATA) == (3 * 366 + 60) * DAY
    assert bounds.exit_notice(Role.EXCHANGE | Role.BUYER) == 93 * DAY
    assert bounds.exit_notice(Role.EXCHANGE | Role.REGISTRAR) == 186 * DAY
    assert bounds.exit_notice(sum(Role) - Role.EXCHANGE - Role.REGISTRAR) == 0


def test_the_evaluation_counts_seconds() -> None:
    bounds = bounds_of(rulebook_named(EVALUATION))
    assert [bounds.of(Procedure.PUBLIC_DATA, lane) for lane in Lane][:3] == [120, 120, 3]
    assert bounds.of(Procedure.REVOCATION, Lane.NOTICE) == 2
    assert bounds != NO_BOUNDS
    assert NO_BOUNDS.of(Procedure.REVOCATION, Lane.NOTICE) == 0


@pytest.mark.parametrize("name", sorted(all_rulebooks()))
@given(moment=MOMENTS, ahead=st.integers(0, 100 * DAY))
def test_no_lawful_entry_stands_longer_and_no_notice_is_longer(name: str, moment: int, ahead: int) -> None:
    book = rulebook_named(name)
    bounds = bounds_of(book)
    for procedure in (Procedure.ORDINARY, Procedure.PUBLIC_DATA):
        word, most = NAMES[procedure], moment + bounds.longest_term(procedure)
        assert book.end(moment, book.period(word, "validity")) <= most
        if book.content[word]["renewal_from_previous_end"] and is_renewable(book, procedure, moment + ahead, moment):
            assert book.end(moment + ahead, book.period(word, "validity")) <= most
    for role, named in ((Role.REGISTRAR, "registrar"), (Role.EXCHANGE, "exchange")):
        assert book.end(moment, book.exit_notice(named)) <= moment + bounds.exit_notice(role)


def test_a_bound_without_room_is_the_largest_that_has() -> None:
    notice = {"amount": 10_000, "unit": "months", "source": "guide", "article": ""}
    exits = {"registrar": notice, "exchange": {**notice, "amount": 3}}
    assert bounds_of(make_rulebook(content())).exit_notice(Role.REGISTRAR) == 0  # the first version had none
    bounds = bounds_of(make_rulebook(content() | {"exit": exits}))
    assert bounds.exit_notice(Role.REGISTRAR) == 2**32 - 1
    assert bounds.exit_notice(Role.EXCHANGE) == 93 * DAY


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
