"""What the register of titles holds: titles in their trees, what is on offer of them, and to whom they are pledged.

A root has its asset's term and no parent. An order's use (`number` 0) has no scope of its own: it has its listing's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.documents.ids import title_id
from marketplace.refusals import refuse
from marketplace.registrations.records import Registrations
from marketplace.types import ZERO_DIGEST, TitleDimension, TitleFault, TitleKind, TitleMark, right_bit

ALL_PURPOSES = 2**32 - 1
ALL_TERRITORIES = 2**48 - 1
ALL_FIELDS = "0x" + "ff" * 32
NO_FIELDS = "0x" + "00" * 32
LAST_MOMENT = 2**40 - 1
NO_MARKS = TitleMark(0)
MAX_PARTS = 32
MAX_DEPTH = 8
ROOTS = (TitleKind.HOLD, TitleKind.USE, TitleKind.OPERATE)

_, ENDED, EXPIRED, NOT_BEGUN, ASSET_NOT_CONFIRMED, UNKNOWN = map(int, TitleFault)
WIDER_MARKS, WIDER_PURPOSES, WIDER_FIELDS, WIDER_TERRITORIES, WIDER_TERM = map(int, TitleDimension)


@dataclass(frozen=True)
class Cell:
    """Purposes × fields × territories × time. Bit masks; `fields` as the ledger's 32 bytes in hex; unix seconds."""

    purposes: int
    fields: str
    territories: int
    valid_from: int
    valid_until: int

    def overlaps(self, other: "Cell") -> bool:
        """Whether both have a point in common."""
        return self.shares_kind_with(other) and (
            self.valid_from <= other.valid_until and other.valid_from <= self.valid_until
        )

    def shares_kind_with(self, other: "Cell") -> bool:
        """Whether both have a point in common, whatever the time."""
        fields = int(self.fields, 16) & int(other.fields, 16)
        return bool(self.purposes & other.purposes and fields and self.territories & other.territories)


@dataclass
class Title:
    """One title: who holds which right, for what, where and until when (unix seconds), and under which title.

    Args:
        valid_until: of a root 0: its term is its asset's.
        parent: id of the title that it is a part of; None for a root.
        number: its place in the order of all titles, from 1; 0 for the use of an order.
        used_until: no order's use under it runs longer.
    """

    holder: str
    kind: TitleKind
    valid_until: int
    asset_id: str
    parent: str | None = None
    marks: TitleMark = NO_MARKS
    purposes: int = 0
    fields: str = NO_FIELDS
    territories: int = 0
    valid_from: int = 0
    version: int = 1
    number: int = 0
    used_until: int = 0

    @property
    def cell(self) -> Cell:
        """What it covers."""
        return Cell(self.purposes, self.fields, self.territories, self.valid_from, self.valid_until)

    def why_over(self, now: int) -> int:
        """Why it is over or has not begun by itself: ENDED, EXPIRED, NOT_BEGUN, or 0."""
        if TitleMark.ENDED in self.marks:
            return ENDED
        if self.parent is not None and now > self.valid_until:
            return EXPIRED
        return NOT_BEGUN if now < self.valid_from else 0

    def is_over(self, now: int) -> bool:
        """Whether it ended by itself: its parent is not asked."""
        return TitleMark.ENDED in self.marks or now > self.valid_until


@dataclass
class Pledging:
    """To whom a title is or was last pledged, and the act that was last permitted."""

    pledgee: str
    permitted: str = NO_FIELDS


@dataclass
class Titles:
    """The state of the contract, which asks the register of cases whether a transfer is open."""

    records: dict[str, Title] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)
    offered: dict[str, Cell] = field(default_factory=dict)
    pledges: dict[str, Pledging] = field(default_factory=dict)
    count: int = 0
    registrations: Registrations = field(default_factory=Registrations)

    def has_part(self, asset_id: str, account: str) -> bool:
        """Whether `account` holds one of the first titles of an asset."""
        first = (self.records.get(title_id(asset_id, kind)) for kind in ROOTS)
        return any(title is not None and title.holder == account for title in first)

    def chain(self, key: str) -> Iterator[tuple[str, Title]]:
        """The title and those above it, up to the root."""
        step: str | None = key
        while step is not None:
            yield step, self.records[step]
            step = self.records[step].parent

    def why_over(self, key: str, now: int) -> tuple[int, str]:
        """The first reason, from below, why a title is over, or else why it has not begun, and the title that it comes
        from; (0, "") if none. Neither its asset's status nor its asset's term is looked at.
        """
        waiting = (0, "")
        for name, title in self.chain(key):
            cause = title.why_over(now)
            if cause in (ENDED, EXPIRED):
                return cause, name
            if cause and not waiting[0]:
                waiting = (cause, name)
        return waiting

    def require_free(self, key: str, now: int) -> int:
        """Refuse a title if it or one above it is over, seized or controlled; returns how far away its root is."""
        cause, ancestor = self.why_over(key, now)
        if cause not in (0, NOT_BEGUN):
            raise refuse("TitlesOver", titleId=key, ancestor=ancestor, cause=cause)
        above = list(self.chain(key))
        for name, title in above:
            marks = title.marks & TitleMark.ENCUMBRANCES
            if marks:
                raise refuse("TitlesEncumbered", titleId=key, ancestor=name, marks=int(marks))
        return len(above) - 1

    def in_use(self, key: str, now: int) -> tuple[str, int]:
        """The first part of a title that is not over by itself, or the zero digest for uses of orders, and its end;
        zeros if nothing. Of orders the latest end is known, whether or not they were settled or given back before.
        """
        for name in self.parts.get(key, []):
            if not self.records[name].is_over(now):
                return name, self.records[name].valid_until
        until = self.records[key].used_until
        return ZERO_DIGEST, until if until >= now else 0

    def require_unused(self, key: str, now: int) -> None:
        """Refuse to end what others hold something under."""
        part, until = self.in_use(key, now)
        if until:
            raise refuse("TitlesInUse", titleId=key, part=part, until=until)

    def require_not_passing(self, key: str) -> None:
        """Refuse a first title that passes to somebody else by a transfer case: it stays as the receiver saw it."""
        title = self.records[key]
        if title.parent is None:
            self.registrations.require_not_passing(title.asset_id, title.holder)

    def passing(self, asset_id: str, giver: str) -> int:
        """First titles that a transfer by `giver` would hand over, as bits: what it holds and has not ended."""
        held = {kind: self.records.get(title_id(asset_id, kind)) for kind in ROOTS}
        return sum(
            right_bit(kind)
            for kind, title in held.items()
            if title is not None and title.holder == giver and TitleMark.ENDED not in title.marks
        )

    def require_held(self, key: str, account: str) -> Title:
        """The title, refused unless it is not an order's and `account` holds it."""
        title = self.records.get(key)
        if title is None or title.number == 0 or title.holder != account:
            raise refuse("TitlesNotHolder", titleId=key, account=account)
        return title

    def require_permitted(self, key: str, act: str) -> None:
        """Refuse an act on a pledged title that its pledgee did not permit."""
        if TitleMark.PLEDGED in self.records[key].marks and self.pledges[key].permitted != act:
            raise refuse("TitlesPledged", titleId=key, pledgee=self.pledges[key].pledgee)

    def require_unpledged(self, key: str) -> None:
        """Refuse a title that is pledged."""
        if TitleMark.PLEDGED in self.records[key].marks:
            raise refuse("TitlesPledged", titleId=key, pledgee=self.pledges[key].pledgee)

    def require_pledged(self, key: str, account: str) -> Title:
        """The title, refused unless it is pledged to `account`."""
        title = self.records.get(key)
        if title is None or TitleMark.PLEDGED not in title.marks or self.pledges[key].pledgee != account:
            raise refuse("TitlesNotPledgee", titleId=key, account=account)
        return title


def require_covers(key: str, title: Title, purposes: int, fields: str, territories: int) -> None:
    """Refuse a scope that is empty in a dimension, or has a bit that the title has not."""
    if purposes == 0 or purposes & ~title.purposes:
        raise refuse("TitlesWider", titleId=key, dimension=WIDER_PURPOSES)
    if int(fields, 16) == 0 or int(fields, 16) & ~int(title.fields, 16):
        raise refuse("TitlesWider", titleId=key, dimension=WIDER_FIELDS)
    if territories == 0 or territories & ~title.territories:
        raise refuse("TitlesWider", titleId=key, dimension=WIDER_TERRITORIES)
