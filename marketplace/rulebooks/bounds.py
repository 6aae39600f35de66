"""What the ledger itself keeps of a rulebook's periods: bounds in seconds that no lawful act violates.

A contract knows no working days. Whoever signs an act, the service and the auditor count them; the contract refuses
what is shorter than so many days of any calendar, a renewal that is asked for before any lawful window opens, and an
entry that stands longer than any lawful one; and nobody leaves before a notice that no calendar makes longer is over.
The exchange states these bounds when it adopts a rulebook, and everybody computes them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from crypto.canonical import to_hex
from marketplace.rulebooks.book import PROCEDURES, Period, Rulebook
from marketplace.types import Role

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


class Term(IntEnum):
    """Which bound that is no single procedure's: how long an entry may stand after its deposit, ordinary or of public
    data, and the notice of a registrar and of an exchange that leave; 0 for none."""

    ENTRY = 0
    PUBLIC_DATA = 1
    EXIT_REGISTRAR = 2
    EXIT_EXCHANGE = 3


_EXITS = ((Role.REGISTRAR, Term.EXIT_REGISTRAR), (Role.EXCHANGE, Term.EXIT_EXCHANGE))


@dataclass(frozen=True)
class Bounds:
    """The bounds of all procedures as the ledger has them: 32 bytes of hex each.

    Args:
        entry: of the ordinary procedure and of public data. beside: of late objections and of revocations.
        term: the four of Term.
    """

    entry: str
    beside: str
    term: str

    def of(self, procedure: int, lane: Lane) -> int:
        """A bound in seconds; 0 for none.

        Args:
            procedure: number on the ledger, from 1 in the order of PROCEDURES.
        """
        word, half = divmod(procedure - 1, 2)
        return _lane((self.entry, self.beside)[word], 4 * half + lane)

    def longest_term(self, procedure: int) -> int:
        """The most seconds that an entry by `procedure` may stand after its deposit; 0 for no bound.

        Args:
            procedure: number on the ledger.
        """
        public = PROCEDURES[procedure - 1] == "public_data"
        return _lane(self.term, Term.PUBLIC_DATA if public else Term.ENTRY)

    def exit_notice(self, roles: int) -> int:
        """The seconds of notice that whoever has these roles gives before it leaves."""
        return max((_lane(self.term, lane) for role, lane in _EXITS if roles & role), default=0)


def _lane(word: str, place: int) -> int:
    return (int(word, 16) >> place * _WIDTH) % (1 << _WIDTH)


NO_BOUNDS = Bounds(*["0x" + "00" * 32] * 3)


def bounds_of(book: Rulebook) -> Bounds:
    """The bounds that follow from a rulebook."""
    lanes = [_lanes(book, name) for name in PROCEDURES]
    terms = [_longest(book, name) for name in ("ordinary", "public_data")]
    exits = [_most(book.exit_notice(name)) for name in ("registrar", "exchange")]
    entry, beside = (_word([*lanes[place], *lanes[place + 1]]) for place in (0, 2))
    return Bounds(entry, beside, _word([*terms, *exits]))


def _word(lanes: list[int]) -> str:
    """A bound that has no room is the largest that has."""
    most = (1 << _WIDTH) - 1
    return to_hex(sum(min(lane, most) << place * _WIDTH for place, lane in enumerate(lanes)).to_bytes(32, "big"))


def _lanes(book: Rulebook, procedure: str) -> list[int]:
    has = book.content[procedure]
    notice = "hearing" if "hearing" in has else "notice"
    least = [_least(book.period(procedure, name)) if name in has else 0 for name in ("correct", "supplement", notice)]
    return [*least, _most(book.period(procedure, "renewal_opens")) if "renewal_opens" in has else 0]


def _longest(book: Rulebook, procedure: str) -> int:
    """A renewal that counts from the end of what it renews is deposited before that end."""
    early = book.content[procedure]["renewal_from_previous_end"]
    opens = _most(book.period(procedure, "renewal_opens")) if early else 0
    return _most(book.period(procedure, "validity")) + opens


def _least(period: Period) -> int:
    """No period of this length is shorter: the day of an event is not counted, and a period ends with its last day."""
    return period.amount * _LEAST[period.unit]


def _most(period: Period) -> int:
    return period.amount * _MOST[period.unit] + (_HOLIDAYS if period.unit == "working_days" else 0)
