"""Public cells of fewer rows than a cohort, whose hidden categories must not decide what is refused.

Where everybody knows how many rows each public cell has, a decision that turns on the category of a row in a cell of
few rows tells that category: one question over a large cell, and one over both, of which the second is refused or is
not. So rows of such a cell count only together, where a set takes the cell with all its categories (their number is
public then). Where a set takes some categories of a small cell and leaves others, the cell is APART and its rows do not
count.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from marketplace.queries.cohort.counts import Counts

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class SmallCells:
    """The public cells of all batches that hold between one row and k-1 rows, numbered.

    Args:
        atoms: atoms of each, int64, one line for a cell; no line where no dimension is hidden or counts are not public.
        place: for each atom of the series the number of its small cell, or -1.
    """

    atoms: Numbers
    place: Numbers

    @classmethod
    def of(cls, counts: Counts, minimum: int) -> "SmallCells":
        """Those of some data, under the cohort `minimum`."""
        place = np.full(counts.rows.size, -1, dtype=np.int64)
        publics = 0 if counts.public is None else int(counts.public.max()) + 1
        if counts.public is None or publics == counts.cells:
            return cls(place[:0].reshape(0, 1), place)
        cell = (np.arange(counts.rows.size // counts.cells)[:, None] * publics + counts.public).reshape(-1)
        rows = np.bincount(cell, counts.rows)
        few = np.flatnonzero((rows > 0) & (rows < minimum))
        atoms = np.argsort(cell, kind="stable").reshape(rows.size, -1)[few]
        place[atoms.reshape(-1)] = np.repeat(np.arange(few.size), atoms.shape[1])
        return cls(atoms, place)

    def __len__(self) -> int:
        return int(self.atoms.shape[0])

    def large(self, weight: Numbers) -> Numbers:
        """The weight of every atom, and zero for the atoms of small cells."""
        return np.where(self.place < 0, weight, 0)

    def each(self, weight: Numbers) -> Numbers:
        """The weight of every small cell."""
        return cast(Numbers, weight[self.atoms].sum(axis=1))


@dataclass(frozen=True)
class Asked:
    """Disjoint new sets of atoms.

    Args:
        small: the small cells. label: for each atom the number of the set that takes it, or `count`.
        count: number of sets.
    """

    small: SmallCells
    label: Numbers
    count: int

    @cached_property
    def whole(self) -> Numbers:
        """For each small cell the number of the set that takes all of it, or `count`."""
        lines = self.label[self.small.atoms]
        same = (lines == lines[:, :1]).all(axis=1)
        return cast(Numbers, np.where(same, lines[:, 0], self.count))

    @cached_property
    def first(self) -> NDArray[np.bool_]:
        """For each atom of the small cells, in their shape, whether its cell has no earlier atom of the same set."""
        lines = self.label[self.small.atoms]
        order = np.argsort(lines, axis=1, kind="stable")
        ordered = np.take_along_axis(lines, order, axis=1)
        begins = np.concatenate([np.ones((len(self.small), 1), np.bool_), ordered[:, 1:] != ordered[:, :-1]], axis=1)
        found = np.zeros(lines.shape, dtype=np.bool_)
        np.put_along_axis(found, order, begins, axis=1)
        return found

    def whole_cells(self, weight: Numbers, where: NDArray[np.bool_]) -> Numbers:
        """For each set, the weight of the small cells, of those in `where`, that it takes whole."""
        return _sums(self.whole[where], weight[where], self.count)

    def apart(self, weight: Numbers, where: NDArray[np.bool_]) -> Numbers:
        """For each set, the weight of the small cells, of those in `where`, that it takes with some categories only."""
        touched = self.first & where[:, None]
        every = np.broadcast_to(weight[:, None], touched.shape)[touched]
        return _sums(self.label[self.small.atoms][touched], every, self.count) - self.whole_cells(weight, where)


def _sums(label: Numbers, weight: Numbers, count: int) -> Numbers:
    # Sums stay below 2^53, so double precision is exact.
    return np.bincount(label, weight, count + 1)[:count].astype(np.int64)
