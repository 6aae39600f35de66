"""The dates of a case under the national rules, counted by hand from the State Council's notice for 2026.

Spring Festival: rest from 15 to 23 February, work on Saturdays 14 and 28 February. National Day: rest from 1 to 7
October, work on Sunday 20 September and Saturday 10 October.
"""

from datetime import datetime
from typing import Any

import pytest

from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.registrations.clocks import Dates, act_dates, filing_dates, is_renewable, renewal_window
from marketplace.registrations.records import Case
from marketplace.rulebooks import EVALUATION, LAWFUL, rulebook_named
from marketplace.rulebooks.calendar import SHANGHAI

BOOK = rulebook_named(LAWFUL)
NAME = "0x" + "11" * 32


def at(text: str) -> int:
    """Unix seconds of a time in Shanghai."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp())


def noon(day: str) -> int:
    return at(f"{day}T12:00:00")


def end(day: str) -> int:
    """The last second of a day."""
    return at(f"{day}T23:59:59")


def case(**changes: Any) -> Case:
    fields: dict[str, Any] = {"asset_id": NAME, "applicant": "0x" + "aa" * 20, "kind": Kind.FIRST}
    fields |= {"procedure": Procedure.ORDINARY, "state": CaseState.UNDER_REVIEW, "form_digest": NAME}
    fields |= {"rulebook_digest": BOOK.digest, "stated_at": noon("2026-09-28"), "due_at": 0}
    return Case(**{**fields, "decide_by": end("2026-10-15"), **changes})


def test_silence_accepts_on_the_working_day_after_a_weekend_that_is_worked() -> None:
    """Three days to accept end on Friday the 13th; silence counts from Saturday the 14th; ten days more."""
    found = filing_dates(BOOK, Procedure.ORDINARY, noon("2026-02-10"))
    assert found == Dates(end("2026-02-13"), end("2026-03-06"))


def test_silence_changes_no_date_that_the_filing_stated() -> None:
    waiting = case(state=CaseState.SUBMITTED, due_at=end("2026-02-13"), decide_by=end("2026-03-06"))
    assert act_dates(BOOK, waiting, Step.ACCEPT_BY_SILENCE, noon("2026-02-14")) == Dates(0, end("2026-03-06"))


def test_review_counts_make_up_days_and_no_holidays() -> None:
    found = act_dates(BOOK, case(state=CaseState.SUBMITTED), Step.ACCEPT, noon("2026-02-12"))
    assert found == Dates(0, end("2026-03-04"))


def test_public_data_are_reviewed_in_twenty_days() -> None:
    own = case(procedure=Procedure.PUBLIC_DATA, state=CaseState.SUBMITTED)
    assert act_dates(BOOK, own, Step.ACCEPT, noon("2026-06-01")) == Dates(0, end("2026-06-30"))


def test_an_extension_begins_where_the_case_would_have_ended() -> None:
    running = case(decide_by=end("2026-09-29"))
    assert act_dates(BOOK, running, Step.EXTEND, noon("2026-09-21")) == Dates(0, end("2026-10-19"))


@pytest.mark.parametrize(
    ("paused", "resumed", "ends"),
    [
        ("2026-09-29", "2026-10-09", "2026-10-20"),  # 30 September, 8 and 9 October
        ("2026-09-29", "2026-10-10", "2026-10-21"),  # and the Saturday that is worked
        ("2026-09-19", "2026-09-20", "2026-10-16"),  # the Sunday that is worked
        ("2026-10-01", "2026-10-07", "2026-10-15"),  # holidays alone stop nothing
        ("2026-09-29", "2026-09-29", "2026-10-15"),
        ("2026-10-09", "2026-10-11", "2026-10-16"),
    ],
)
def test_the_clock_stands_still_for_a_supplement(paused: str, resumed: str, ends: str) -> None:
    waiting = case(state=CaseState.SUPPLEMENT_REQUESTED, paused_at=noon(paused))
    assert act_dates(BOOK, waiting, Step.SUPPLEMENT, noon(resumed)) == Dates(0, end(ends))


def test_the_clock_stands_still_for_public_notice() -> None:
    """Five days from Monday 28 September: 29, 30, 8, 9 and Saturday 10 October; the case gets as many more."""
    assert act_dates(BOOK, case(), Step.OPEN_NOTICE, noon("2026-09-28")) == Dates(end("2026-10-10"), end("2026-10-22"))


def test_after_an_objection_notice_and_case_get_back_what_it_took() -> None:
    objected = case(
        state=CaseState.OBJECTION_PENDING,
        paused_at=noon("2026-10-09"),
        notice_end=end("2026-10-10"),
        decide_by=end("2026-10-22"),
    )
    assert act_dates(BOOK, objected, Step.REJECT, noon("2026-10-14")) == Dates(end("2026-10-15"), end("2026-10-28"))


def test_a_late_objection_has_no_notice_to_go_on_with() -> None:
    late = case(procedure=Procedure.LATE_OBJECTION, kind=Kind.LATE_OBJECTION, paused_at=noon("2026-10-09"))
    assert act_dates(BOOK, late, Step.REJECT, noon("2026-10-14")) == Dates(0, late.decide_by)


@pytest.mark.parametrize(
    ("step", "ends"),
    [
        (Step.REQUEST_CORRECTION, "2026-10-19"),
        (Step.REQUEST_SUPPLEMENT, "2026-10-19"),
        (Step.OBJECT, "2026-10-19"),
    ],
)
def test_a_period_that_somebody_else_has_leaves_the_case_where_it_was(step: Step, ends: str) -> None:
    """Ten days from Tuesday 29 September: 30, 8 to 10, 12 to 16 and 19 October."""
    assert act_dates(BOOK, case(), step, noon("2026-09-29")) == Dates(end(ends), end("2026-10-15"))


def test_an_application_that_comes_again_starts_anew_and_loses_no_time() -> None:
    again = act_dates(BOOK, case(decide_by=end("2026-02-27")), Step.RESUBMIT, noon("2026-02-10"))
    assert again == Dates(end("2026-02-13"), end("2026-03-06"))
    longer = case(decide_by=end("2026-12-01"))
    assert act_dates(BOOK, longer, Step.RESUBMIT, noon("2026-02-10")).decide_by == end("2026-12-01")


@pytest.mark.parametrize(
    ("kind", "procedure", "until"),
    [
        (Kind.FIRST, Procedure.ORDINARY, "2031-10-12T12:00:00"),
        (Kind.RENEWAL, Procedure.ORDINARY, "2031-10-12T12:00:00"),
        (Kind.FIRST, Procedure.PUBLIC_DATA, "2029-10-12T12:00:00"),
        (Kind.RENEWAL, Procedure.PUBLIC_DATA, "2029-11-30T09:00:00"),  # on from where the last one ended
        (Kind.CHANGE, Procedure.ORDINARY, "2026-11-30T09:00:00"),  # a change keeps the certificate's end
    ],
)
def test_until_when_a_deposit_is_good(kind: Kind, procedure: Procedure, until: str) -> None:
    cleared = case(kind=kind, procedure=procedure, state=CaseState.CLEARED)
    found = act_dates(BOOK, cleared, Step.DEPOSIT, noon("2026-10-12"), at("2026-11-30T09:00:00"))
    assert found == Dates(at(until), cleared.decide_by)


def test_renewal_may_be_asked_for_within_its_window() -> None:
    ends = at("2026-08-31T10:00:00")
    window = renewal_window(BOOK, Procedure.ORDINARY, ends)
    assert window == (at("2026-02-28T10:00:00"), at("2026-08-30T10:00:00")), "February has no 31st"
    for moment, may in ((window[0] - 1, False), (window[0], True), (window[1], True), (window[1] + 1, False)):
        assert is_renewable(BOOK, Procedure.ORDINARY, ends, moment) is may
    assert renewal_window(BOOK, Procedure.PUBLIC_DATA, ends)[0] == ends - 60 * 86_400


def test_clocks_of_seconds_pause_by_the_second() -> None:
    book = rulebook_named(EVALUATION)
    waiting = case(state=CaseState.SUPPLEMENT_REQUESTED, paused_at=1_000, decide_by=5_000)
    assert act_dates(book, waiting, Step.SUPPLEMENT, 1_007) == Dates(0, 5_007)
    assert act_dates(book, case(decide_by=5_000), Step.OPEN_NOTICE, 1_000) == Dates(1_002, 5_002)
    assert filing_dates(book, Procedure.ORDINARY, 1_000) == Dates(1_120, 1_721)
