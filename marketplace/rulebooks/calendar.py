"""Working days of China: weekends, statutory holidays, and the weekend days on which people work instead.

The data are a file, calendars/<id>.json, written by scripts/make-calendar; a rulebook's digest covers it, so a
running case
counts the same days for ever. Days begin and end in Asia/Shanghai, which has had no summer time since 1991: UTC+8.

Beyond the last known day the calendar is not known before the State Council's next notice: Monday to Friday count as
working days there, and `is_known` says that such a date is provisional.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any

from crypto.errors import ParameterError

SHANGHAI = timezone(timedelta(hours=8))
_DAY = timedelta(days=1)
MAX_DAYS = 1000  # working days in one step: longer than any period of any rulebook


class Calendar:
    """One calendar file.

    Args:
        content: the file's content.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = dict(content)
        self.first, self.last = date.fromisoformat(content["first"]), date.fromisoformat(content["last"])
        self._rest = frozenset(map(date.fromisoformat, content["rest"]))
        self._work = frozenset(map(date.fromisoformat, content["work"]))

    def is_known(self, day: date) -> bool:
        """Whether the State Council's notices cover this day."""
        return self.first <= day <= self.last

    def is_working(self, day: date) -> bool:
        """Whether people work on this day; beyond the known days, whether it is Monday to Friday."""
        return day in self._work or (day.weekday() < 5 and day not in self._rest)

    def add(self, start: date, count: int) -> date:
        """The `count`-th working day after `start`, which is itself not counted (Civil Code, art. 201).

        Args:
            count: 1..MAX_DAYS; 0 gives `start`.
        Raises:
            ParameterError: `count` is out of range.
        """
        if not 0 <= count <= MAX_DAYS:
            raise ParameterError(f"{count} working days; 0 to {MAX_DAYS} are supported")
        day = start
        while count:
            day += _DAY
            count -= self.is_working(day)
        return day

    def between(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and with `end`; 0 where `end` is not later."""
        return sum(self.is_working(start + _DAY * step) for step in range(1, (end - start).days + 1))


def day_of(seconds: int) -> date:
    """The day in Shanghai of a moment in unix seconds."""
    return datetime.fromtimestamp(seconds, SHANGHAI).date()


def start_of(day: date) -> int:
    """The first second of a day in Shanghai, unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp())


def end_of(day: date) -> int:
    """The last second of a day in Shanghai, unix seconds."""
    return start_of(day + _DAY) - 1


def shift_months(seconds: int, months: int) -> int:
    """The same day and time of day in Shanghai, `months` later (or earlier); the month's last day where it has no
    such day.
    """
    moment = datetime.fromtimestamp(seconds, SHANGHAI)
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    day = min(moment.day, (following - _DAY).day)
    return int(moment.replace(year=year, month=month + 1, day=day).astimezone(UTC).timestamp())


@dataclass(frozen=True)
class Duration:
    """A length of time as people name it. Months, and years of twelve, are counted by the date, as a rulebook's are:
    from 29 February on two years end on 28 February.

    Args:
        months: first counted. seconds: counted after them.
    """

    months: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        if self.months:
            return f"{self.months}mo" if self.months % 12 else f"{self.months // 12}y"
        return f"{self.seconds}s" if self.seconds % 86_400 or not self.seconds else f"{self.seconds // 86_400}d"

    def after(self, start: int) -> int:
        """The moment that lies this long after `start`, unix seconds."""
        return (shift_months(start, self.months) if self.months else start) + self.seconds

    def before(self, end: int) -> int:
        """The moment that lies this long before `end`, unix seconds."""
        return shift_months(end, -self.months) - self.seconds if self.months else end - self.seconds

    def seconds_from(self, start: int) -> int:
        """How many seconds it has when it begins at `start`."""
        return self.after(start) - start


def days(count: int) -> Duration:
    """So many times 24 hours."""
    return Duration(seconds=count * 86_400)


@cache
def load_calendar(name: str) -> Calendar:
    """The calendar `name`.

    Raises:
        FileNotFoundError: there is none.
    """
    file = resources.files("marketplace.rulebooks") / "calendars" / f"{name}.json"
    return Calendar(json.loads(file.read_text("utf-8")))
