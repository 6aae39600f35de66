"""Sealing a batch row by row with the same number of places for the rows of every public cell.

Which rows belong to a cell is public in a form of rows, and with it how many there may be. So the number of places is
declared, the same for every cell, and places without a row hold zeros: the layout follows from the declaration alone,
and nobody learns how many rows a cell has. What it costs is room: a column takes cells x places values, however few
rows there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import SALT, check_places, column_names
from marketplace.errors import InvalidInputError
from marketplace.vault.sealing.placement import Placement
from marketplace.vault.sealing.row_sealing import Joints, Seal, column_values
from marketplace.vault.sealing.rows import Rows, Shape
from marketplace.vault.sealing.totals import Integers
from marketplace.vault.sealing.work import Columns, Work
from marketplace.words import Words


@dataclass(frozen=True)
class Places:
    """Where rows that are sorted by public cell stand.

    Args:
        counts: rows of each public cell. each: places of each cell.
    """

    counts: NDArray[np.int64]
    each: int

    @property
    def size(self) -> int:
        """Values of a column."""
        return self.counts.size * self.each

    def before(self, place: int) -> int:
        """How many rows stand before a place."""
        cell, offset = divmod(place, self.each)
        if cell == self.counts.size:
            return int(self.counts.sum())
        return int(self._starts[cell]) + min(offset, int(self.counts[cell]))

    def of_rows(self, first: int, cells: Integers) -> Integers:
        """The places of neighbouring rows: the number of the first among all rows, and the public cell of each."""
        return cells * self.each + np.arange(first, first + cells.size) - self._starts[cells]

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """How many rows stand before each cell."""
        return np.cumsum(self.counts) - self.counts


def seal_places(work: Work, position: int, size: int, salt: bytes, seal: Seal) -> Columns:
    """The columns of the form.

    Args:
        work: the batch. position: of the form. size: values of a chunk. salt: of the sheets, public.
        seal: seals one chunk of one column.
    Raises:
        InvalidInputError: `too_few_places`; `malformed_document`, more places than a column can have.
    """
    source, draft, counts = work.source, work.draft, work.statistics.columns["rows"]
    places = Places(counts, int(work.frame["forms"][position]["places"]))
    check_places("schema.rows.perCell", counts.size, places.each)
    _check_rows_fit(places)
    placement = Placement(source.path, source.schema, counts, draft)
    for done, total in placement.place():
        source.progress("placing", done, total)
    draft.chunk((position, SALT, 0), lambda: salt)
    names, shape = [name for name in column_names(work.frame, position) if name != SALT], Shape.of(source.schema)
    chunks = range(-(-places.size // size))
    first = next((index for index in chunks if not all(draft.has((position, name, index)) for name in names)), None)
    for index, start, rows in _pieces(placement, places, size, chunks[first:] if first is not None else range(0)):
        at = places.of_rows(start, shape.public_of(rows.cells)) - index * size
        held = _Held(shape, source.schema.joints, rows, at, min(size, places.size - index * size))
        for name in names:
            draft.chunk((position, name, index), partial(_sealed, seal, (name, index), held))
        source.progress("sealing rows", start + rows.cells.size, work.statistics.rows)
    return [
        {"form": position, "name": name, "chunks": draft.chunks(position, name)}
        for name in column_names(work.frame, position)
    ]


def _pieces(placement: Placement, places: Places, size: int, chunks: range) -> Iterator[tuple[int, int, Rows]]:
    """For each chunk: its index, the number of its first row among all, and its rows."""
    if not chunks:
        return
    start = places.before(chunks.start * size)
    incoming, held = placement.rows_from(start), Rows.none(placement.measures)
    for index in chunks:
        end = places.before(min((index + 1) * size, places.size))
        while held.cells.size < end - start:
            held = Rows.joined([held, next(incoming)])
        yield index, start, held.take(slice(0, end - start))
        held, start = held.take(slice(end - start, None)), end


@dataclass(frozen=True)
class _Held:
    """The rows of one chunk, and their places in it; `count` places in all."""

    shape: Shape
    joints: Joints
    rows: Rows
    at: Integers
    count: int


def _sealed(seal: Seal, place: tuple[str, int], held: _Held) -> bytes:
    values = np.zeros(held.count, dtype=np.int64)
    values[held.at] = column_values(held.shape, held.rows, place[0], held.joints)
    return seal(*place, values)


def _check_rows_fit(places: Places) -> None:
    most = int(places.counts.max())
    if most > places.each:
        raise InvalidInputError(
            "too_few_places",
            f"a public cell has {most} rows, and {places.each} places were declared for each",
            zh=f"某公开单元有 {most} 行，而每单元只声明了 {places.each} 个位置",
            rule="vault.places",
            expected=Words(
                f"at most {places.each} rows of every combination of public categories",
                f"每个公开类别组合至多 {places.each} 行",
            ),
            got=most,
            hint="declare more places, or split the rows into batches; do not follow the data row by row: places are"
            " public",
            hint_zh="增加声明的位置数，或分批封存；位置数是公开的，不要随数据逐行调整",
        )
