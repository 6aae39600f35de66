"""What the ledger itself keeps of a rulebook's periods: bounds in seconds that no lawful act violates.

A contract knows no working days. Whoever signs an act, the service and the auditor count them; the contract refuses
what is shorter than so many days of any calendar, and a renewal that is asked for before any lawful window opens. The
exchange states these bounds when it adopts a rulebook, and everybody computes them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from crypto.canonical import to_hex
from marketplace.rulebooks.book import PROCEDURES, Period, Rulebook

DAY = 86_400
_WIDTH = 32  # bits of a lane; a procedure has four lanes, a word two procedures
_LEAST: Mapping[str, int] = {"seconds": 1, "days": DAY, "working_days": DAY, "months": 28 * DAY, "years": 365 * DAY}
_MOST: Mapping[str, int] = {"seconds": 1, "days": DAY, "working_days": 4 * DAY, "months": 31 * DAY, "years": 366 * DAY}
_HOLIDAYS = 21 * DAY  # more than the longest run of days without work


class Lane(IntEnum):
    """Which bound of a procedure. How short the time for a correction, a supplement or the public notice (of a
    revocation: its hearing) may be, and how long before the end a renewal may be asked for; 0 for none."""

    CORRECTION = 0
    SUPPLEMENT = 1
    NOTICE = 2
    RENEWAL = 3


@dataclass(frozen=True)
class Bounds:
    """The bounds of all procedures as the ledger has them: 32 bytes of hex each.

    Args:
        entry: of the ordinary procedure and of public data. beside: of late objections and of revocations.
    """

    entry: str
    beside: str

    def of(self, procedure: int, lane: Lane) -> int:
        """A bound in seconds; 0 for none.

        Args:
            procedure: number on the ledger, from 1 in the order of PROCEDURES.
        """
        word, half = divmod(procedure - 1, 2)
        lanes = int((self.entry, self.beside)[word], 16) >> (4 * half + lane) * _WIDTH
        return lanes % (1 << _WIDTH)


NO_BOUNDS = Bounds("0x" + "00" * 32, "0x" + "00" * 32)


def bounds_of(book: Rulebook) -> Bounds:
    """The bounds that follow from a rulebook."""
    lanes = [_lanes(book, name) for name in PROCEDURES]
    return Bounds(*(_word([*lanes[place], *lanes[place + 1]]) for place in (0, 2)))


def _word(lanes: list[int]) -> str:
    return to_hex(sum(lane << place * _WIDTH for place, lane in enumerate(lanes)).to_bytes(32, "big"))


def _lanes(book: Rulebook, procedure: str) -> list[int]:
    has = book.content[procedure]
    notice = "hearing" if "hearing" in has else "notice"
    least = [_least(book.period(procedure, name)) if name in has else 0 for name in ("correct", "supplement", notice)]
    return [*least, _most(book.period(procedure, "renewal_opens")) if "renewal_opens" in has else 0]


def _least(period: Period) -> int:
    """No period of this length is shorter: the day of an event is not counted, and a period ends with its last day."""
    return period.amount * _LEAST[period.unit]


def _most(period: Period) -> int:
    return period.amount * _MOST[period.unit] + (_HOLIDAYS if period.unit == "working_days" else 0)
