"""RFC 3339 times in signed text: one strict reading, one way of writing."""

import re
from datetime import UTC, datetime

from crypto.errors import MalformedInput, ParameterError

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z


def to_text(seconds: int) -> str:
    """Unix seconds as "2026-01-31T08:00:00Z".

    Raises:
        ParameterError: not an integer of 0 .. the end of the year 9999.
    """
    if type(seconds) is not int or not 0 <= seconds <= _LAST_SECOND:
        raise ParameterError(f"time: expected unix seconds of the years 1970 to 9999, got {seconds!r:.40}")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: object, name: str = "time") -> datetime:
    """An aware time from RFC 3339 text with a zone, upper-case T and Z, and at most nine decimals (six are kept).

    Raises:
        MalformedInput: another form, or no such day or time; a leap second counts as none. The message names the field.
    Source: RFC 3339 section 5.6.
    """
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise MalformedInput(f"{name}: expected an RFC 3339 time with a zone")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MalformedInput(f"{name}: {text} does not exist") from None
