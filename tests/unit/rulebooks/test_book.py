"""Rulebooks: their digests, their sources, and the clocks that pause and resume."""

import copy
import tomllib
from datetime import date
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.rulebooks import EVALUATION, LAWFUL, all_rulebooks, rulebook_named, rulebook_of
from marketplace.rulebooks.book import Period, make_rulebook
from marketplace.rulebooks.calendar import day_of, end_of, start_of

BOOK, QUICK = rulebook_named(LAWFUL), rulebook_named(EVALUATION)
MOMENTS = st.integers(start_of(date(2023, 1, 1)), end_of(date(2026, 10, 31)))
PERIODS = st.builds(Period, st.integers(1, 20), st.just("working_days")) | st.builds(
    Period, st.integers(1, 10**6), st.just("seconds")
)


def content() -> dict[str, Any]:
    return tomllib.loads((resources.files("marketplace.rulebooks") / "cn-2026.toml").read_text("utf-8"))


def test_every_rulebook_is_found_by_its_digest() -> None:
    assert [book.name for book in all_rulebooks().values()] == [
        *("cn-2026 v1", "cn-2026 v2", "evaluation v1", "evaluation v2")
    ]
    assert rulebook_of(BOOK.digest) is BOOK
    for unknown in ("0x" + "00" * 32,):
        with pytest.raises(NotFoundError) as caught:
            rulebook_of(unknown)
        assert caught.value.code == "rulebook_unknown"


def test_a_name_without_a_version_is_the_newest() -> None:
    assert rulebook_named("cn-2026") is rulebook_named("cn-2026-v2") is BOOK
    assert rulebook_named("cn-2026-v1").content["version"] == 1
    assert rulebook_named("evaluation") is QUICK
    for unknown in ("cn-2026-v9", "cn", ""):
        with pytest.raises(NotFoundError):
            rulebook_named(unknown)


def test_a_published_rulebook_never_changes() -> None:
    """Cases on ledgers carry these digests. A change of a number, a form or a holiday is a new version in a new
    file.
    """
    assert {name: book.digest for name, book in all_rulebooks().items()} == {
        "cn-2026-v1": "0x5afb35e27c2570d2c6cbdc48fb33af3e8158288f74ada0dad9a0259f7c9ff5dc",
        "cn-2026-v2": "0x6f4ff454909f0646f1eec06703fe523c2215fc46b4b6d84cd6adc90e80b65754",
        "evaluation-v1": "0x90828b7ef242bd07b73d6d0d0e73ea2144371edfd2dc237fe44934384e9198e3",
        "evaluation-v2": "0x9c8152bd040746ff1586c8bfb1f4eb9e6317a6b9fa35bf6d0443124cdbacdb45",
    }


def test_the_digest_covers_every_number_and_the_calendar() -> None:
    changed = content()
    changed["ordinary"]["notice"]["amount"] = 4
    first = rulebook_named("cn-2026-v1")
    assert make_rulebook(changed).digest != first.digest
    bare = content() | {"calendar": ""}
    assert make_rulebook(bare).digest != first.digest
    assert make_rulebook(content()).digest == first.digest


def test_the_numbers_of_the_guide_and_the_measures() -> None:
    found = {
        (procedure, name): BOOK.period(procedure, name)
        for procedure in ("ordinary", "public_data")
        for name in ("accept", "review", "notice", "validity")
    }
    days = {key: value.amount for key, value in found.items()}
    assert [days["ordinary", name] for name in ("accept", "review", "notice", "validity")] == [3, 10, 5, 5]
    assert [days["public_data", name] for name in ("accept", "review", "notice", "validity")] == [3, 20, 10, 3]
    assert BOOK.content["forms"]["FIRST"]["dataName"]["longest"] == 40
    assert BOOK.content["forms"]["FIRST"]["overview"]["longest"] == 400
    assert BOOK.content["code"]["last"] == 9999


def test_the_evaluation_says_that_it_is_not_the_law() -> None:
    assert BOOK.is_lawful
    assert not QUICK.is_lawful
    assert "not the law" in QUICK.content["title"]["en"]
    assert QUICK.content["forms"] == BOOK.content["forms"]


@pytest.mark.parametrize("part", ["unsourced", "unknown field", "missing form", "bad unit"])
def test_a_rulebook_that_does_not_hold_together_is_refused(part: str) -> None:
    broken = copy.deepcopy(content())
    if part == "unsourced":
        broken["ordinary"]["accept"]["source"] = "hearsay"
    if part == "unknown field":
        broken["surprise"] = 1
    if part == "missing form":
        del broken["forms"]["TRANSFER"]
    if part == "bad unit":
        broken["ordinary"]["accept"]["unit"] = "fortnights"
    with pytest.raises(InvalidInputError):
        make_rulebook(broken)


@given(MOMENTS, PERIODS)
def test_a_period_ends_after_it_begins_and_later_starts_end_later(start: int, period: Period) -> None:
    end = BOOK.end(start, period)
    assert end > start
    assert BOOK.end(start + 3600, period) >= end


@given(MOMENTS, st.integers(0, 40 * 86_400), st.integers(0, 40 * 86_400), st.sampled_from(["working_days", "seconds"]))
def test_pausing_never_shortens(end: int, pause: int, longer: int, unit: str) -> None:
    paused = end - 86_400
    once = BOOK.shift(end, paused, paused + pause, unit)
    assert once >= end
    assert BOOK.shift(end, paused, paused + pause + longer, unit) >= once
    assert BOOK.shift(end, paused, paused, unit) == end


@given(MOMENTS, st.integers(1, 10), st.integers(1, 15))
def test_a_paused_clock_has_as_many_working_days_as_a_running_one(start: int, amount: int, days: int) -> None:
    """Whoever stops the clock for some days has the same working days left when it runs again."""
    period = Period(amount, "working_days")
    calendar = BOOK.calendar
    assert calendar is not None
    end, resumed = BOOK.end(start, period), start + days * 86_400
    shifted = BOOK.shift(end, start, resumed, "working_days")
    assert calendar.between(day_of(resumed), day_of(shifted)) == amount


def test_a_date_beyond_the_calendar_is_provisional() -> None:
    assert BOOK.is_provisional(start_of(date(2027, 1, 4)))
    assert not BOOK.is_provisional(start_of(date(2026, 12, 31)))
    assert not QUICK.is_provisional(start_of(date(2027, 1, 4)))
