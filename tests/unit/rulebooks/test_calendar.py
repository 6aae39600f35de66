"""Working days: known dates of the State Council's notices, the committed data, and what must hold of any calendar."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import ParameterError
from marketplace.rulebooks.calendar import MAX_DAYS, day_of, end_of, load_calendar, shift_months, start_of

CN = load_calendar("cn")
ROOT = Path(__file__).resolve().parents[3]
DAYS = st.dates(date(2022, 1, 1), date(2028, 12, 31))
COUNTS = st.integers(0, 60)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 9), True),  # New Year's Eve was a working day in 2024
        (date(2024, 2, 10), False),
        (date(2024, 2, 16), False),
        (date(2024, 2, 4), True),  # Sunday, worked for the Spring Festival
        (date(2024, 2, 18), True),
        (date(2024, 9, 29), True),  # Sunday, worked for National Day
        (date(2024, 10, 12), True),
        (date(2024, 10, 7), False),
        (date(2025, 1, 26), True),
        (date(2025, 1, 28), False),
        (date(2025, 2, 8), True),
        (date(2025, 10, 8), False),
        (date(2025, 9, 28), True),
        (date(2025, 10, 11), True),
        (date(2026, 2, 14), True),
        (date(2026, 2, 16), False),
        (date(2026, 2, 23), False),
        (date(2026, 2, 28), True),
        (date(2026, 9, 20), True),
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
        (date(2026, 11, 26), True),
        (date(2026, 11, 28), False),
    ],
)
def test_days_of_the_notices(day: date, works: bool) -> None:
    assert CN.is_working(day) is works
    assert CN.is_known(day)


def test_five_working_days_over_national_day() -> None:
    assert CN.add(date(2026, 9, 29), 5) == date(2026, 10, 12)  # 30 Sept., 8, 9, 10 (Saturday, worked), 12 Oct.
    assert CN.add(date(2025, 9, 30), 1) == date(2025, 10, 9)
    assert CN.between(date(2026, 9, 29), date(2026, 10, 12)) == 5


def test_beyond_the_notices_a_day_is_provisional() -> None:
    assert not CN.is_known(date(2027, 1, 1))
    assert CN.is_working(date(2027, 1, 1))  # a Friday: which holidays 2027 has is not known before its notice


@given(DAYS, COUNTS, COUNTS)
def test_adding_is_monotone_and_adds_up(day: date, one: int, two: int) -> None:
    assert CN.add(day, one) <= CN.add(day, one + two)
    assert CN.add(CN.add(day, one), two) == CN.add(day, one + two)
    assert one == 0 or CN.is_working(CN.add(day, one))


@given(DAYS, COUNTS)
def test_between_is_the_inverse_of_add(day: date, count: int) -> None:
    assert CN.between(day, CN.add(day, count)) == count


@given(DAYS, st.integers(0, 400))
def test_between_counts_each_day_once(day: date, length: int) -> None:
    end = day + timedelta(days=length)
    assert CN.between(day, end) == sum(CN.is_working(day + timedelta(days=i)) for i in range(1, length + 1))


def test_too_many_days_are_refused() -> None:
    for count in (-1, MAX_DAYS + 1):
        with pytest.raises(ParameterError):
            CN.add(date(2026, 1, 1), count)


def test_a_day_begins_and_ends_in_shanghai() -> None:
    late = int(datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC).timestamp())
    assert (day_of(late), day_of(late + 1)) == (date(2026, 11, 26), date(2026, 11, 27))
    assert end_of(date(2026, 11, 26)) == late
    assert start_of(date(2026, 11, 27)) == late + 1


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2024, 2, 29), 60, (2029, 2, 28)),
        ((2026, 11, 26), 60, (2031, 11, 26)),
        ((2026, 8, 31), -6, (2026, 2, 28)),
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
        ((2026, 1, 15), -1, (2025, 12, 15)),
    ],
)
def test_months_end_where_the_month_ends(start: tuple[int, int, int], months: int, end: tuple[int, int, int]) -> None:
    assert shift_months(start_of(date(*start)) + 3600, months) == start_of(date(*end)) + 3600


def test_the_committed_days_are_those_of_the_notices() -> None:
    """Goes stale when the package learns another year: then run scripts/make-calendar and make a new rulebook
    version.
    """
    command = [sys.executable, str(ROOT / "scripts" / "make-calendar"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
