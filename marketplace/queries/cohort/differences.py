"""Rows behind sets of atoms and behind their differences, against all earlier sets at once.

Every set and every difference is measured as two things: how many rows it COUNTS, and whether any small public cell is
apart in it (small_cells.py). It is enough if nothing is apart and it counts no rows or a cohort; or, whatever is apart,
if it counts a cohort. So no hidden category in a small public cell decides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from marketplace.queries.cohort.counts import Counts, Released
from marketplace.queries.cohort.small_cells import Asked, Numbers, SmallCells
from marketplace.queries.planning.selection import Cells

_BLOCK = 1 << 22  # entries of a table of comparisons that are held at once


class Measured:
    """True counts under a cohort.

    Args:
        counts: of every atom. minimum: k >= 1.
    """

    def __init__(self, counts: Counts, minimum: int) -> None:
        self.counts, self.minimum, self.small = counts, minimum, SmallCells.of(counts, minimum)


@dataclass(frozen=True)
class _Weight:
    """Rows, or rows with a value of one measure.

    Args:
        rows: of each atom. large: the same, zero in small public cells. small: of each small public cell.
        which: the earlier sets that it matters for.
    """

    rows: Numbers
    large: Numbers
    small: Numbers
    which: NDArray[np.bool_]


@dataclass(frozen=True)
class _Parts:
    """What earlier sets consist of: item by item, set after set.

    Args:
        owner: for each item the number of its set, ascending. items: atoms, or numbers of small cells.
    """

    owner: Numbers
    items: Numbers

    def table(self, labels: Numbers, weight: Numbers, block: slice, width: int) -> Numbers:
        """Entry (set, label): the weight of the set's items with that label; for the sets of a block."""
        mine = slice(*np.searchsorted(self.owner, [block.start, block.stop]))
        row, items = (self.owner[mine] - block.start) * width, self.items[mine]
        size = block.stop - block.start
        # Counts stay below 2^53, so sums in double precision are exact.
        return np.bincount(row + labels[items], weight[items], size * width).reshape(size, width).astype(np.int64)


class Guard:
    """Compares new sets with earlier ones, with batches and with public cells.

    Args:
        data: true counts and the cohort. measures: whose presence the new sets tell.
        earlier: every set released before; memory follows what was released.
    """

    def __init__(self, data: Measured, measures: frozenset[str], earlier: Sequence[Released]) -> None:
        self.counts, self.minimum, self._small = data.counts, data.minimum, data.small
        sizes = [item.cells.size for item in earlier]
        owner = np.repeat(np.arange(len(earlier), dtype=np.int64), sizes)
        self._earlier = _Parts(owner, np.concatenate([np.zeros(0, dtype=np.int64), *(item.cells for item in earlier)]))
        self._touched, self._whole = self._small_parts()
        # Rows matter for every earlier set, a measure's rows for the sets that it was released with.
        matters = [(self.counts.rows, np.ones(len(earlier), dtype=np.bool_))]
        for name in sorted(measures):
            which = np.array([name in item.measures for item in earlier], dtype=np.bool_)
            matters.append((self.counts.present[name], which))
        self._weights = [
            _Weight(rows, self._small.large(rows), self._small.each(rows), which) for rows, which in matters
        ]

    def _small_parts(self) -> tuple[_Parts, _Parts]:
        """The small cells that each earlier set touches, and those that it takes whole."""
        place, count = self._small.place[self._earlier.items], max(len(self._small), 1)
        pairs, taken = np.unique((self._earlier.owner * count + place)[place >= 0], return_counts=True)
        touched = _Parts(pairs // count, pairs % count)
        whole = taken == self._small.atoms.shape[1]
        return touched, _Parts(touched.owner[whole], touched.items[whole])

    def _asked(self, disjoint: Sequence[Cells]) -> Asked:
        label = np.full(self.counts.rows.size, len(disjoint), dtype=np.int64)
        for number, cells in enumerate(disjoint):
            label[cells] = number
        return Asked(self._small, label, len(disjoint))

    def counted(self, disjoint: Sequence[Cells]) -> Numbers:
        """How many rows each of some disjoint sets counts: a line for rows, then one for each measure's."""
        asked = self._asked(disjoint)
        return np.stack([self._counted(asked, weight) for weight in self._weights])

    def _counted(self, asked: Asked, weight: _Weight) -> Numbers:
        everywhere = np.ones(len(self._small), dtype=np.bool_)
        large = np.bincount(asked.label, weight.large, asked.count + 1)[: asked.count]
        return large.astype(np.int64) + asked.whole_cells(weight.small, everywhere)

    def large(self, disjoint: Sequence[Cells]) -> NDArray[np.bool_]:
        """For each of some disjoint sets, whether it counts a cohort."""
        return cast(NDArray[np.bool_], (self.counted(disjoint) >= self.minimum).all(axis=0))

    def far(self, disjoint: Sequence[Cells]) -> NDArray[np.bool_]:
        """For each of some disjoint sets, whether it is far enough from every earlier one, from batches and from
        public cells."""
        asked = self._asked(disjoint)
        far = self._far_from_batches(asked)
        if self.counts.public is not None:
            for weight in self._weights:
                far &= self._far_from_public_cells(asked, weight)
        step, earlier = max(1, _BLOCK // (asked.count + 1)), self._weights[0].which.size
        for start in range(0, earlier, step):
            block = slice(start, min(start + step, earlier))
            split = self._apart_from_earlier(asked, block)
            for weight in self._weights:
                far &= self._far_from_earlier(asked, weight, split, block)
        return far

    def _is_enough(self, rows: NDArray[Any], apart: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return cast(NDArray[np.bool_], (rows >= self.minimum) | ((rows == 0) & ~apart))

    def _far_from_batches(self, asked: Asked) -> NDArray[np.bool_]:
        far, cells = np.ones(asked.count, dtype=np.bool_), self.counts.cells
        batch, ones = self._small.atoms[:, 0] // cells, np.ones(len(self._small), dtype=np.int64)
        split = np.stack([asked.apart(ones, batch == block) for block in self.counts.blocks]) > 0
        apart = cast(NDArray[np.bool_], split.any(axis=0))
        for weight in self._weights:
            beyond = around = np.zeros(asked.count, dtype=np.int64)
            for block, cut in zip(self.counts.blocks, split, strict=True):
                mine, here = slice(block * cells, (block + 1) * cells), batch == block
                inside = np.bincount(asked.label[mine], weight.large[mine], asked.count + 1)[: asked.count]
                inside = inside.astype(np.int64) + asked.whole_cells(weight.small, here)
                rest = int(weight.rows[mine].sum()) - inside - asked.apart(weight.small, here)
                beyond = beyond + np.where((rest == 0) & ~cut, 0, inside)
                around = around + np.where((inside == 0) & ~cut, 0, rest)
            far &= self._is_enough(beyond, apart) & self._is_enough(around, apart)
        return far

    def _far_from_public_cells(self, asked: Asked, weight: _Weight) -> NDArray[np.bool_]:
        public, cells, count = cast(NDArray[np.int64], self.counts.public), self.counts.cells, asked.count
        beyond, around = np.zeros(count), np.zeros(count)
        for block in self.counts.blocks:
            mine = slice(block * cells, (block + 1) * cells)
            label, large = asked.label[mine], weight.large[mine]
            total = np.bincount(public, large)
            taken = label < count
            pairs, place = np.unique(public[taken] * count + label[taken], return_inverse=True)
            inside = np.bincount(place.reshape(-1), large[taken], pairs.size)
            whole, owner = total[pairs // count], pairs % count
            beyond += np.bincount(owner, np.where(inside == whole, 0, inside), count)
            around += np.bincount(owner, np.where(inside == 0, 0, whole - inside), count)
        own = np.isin(self._small.atoms[:, 0] // cells, self.counts.blocks)
        apart = asked.apart(np.ones(len(self._small), dtype=np.int64), own) > 0
        return self._is_enough(beyond, apart) & self._is_enough(around, apart)

    def _far_from_earlier(
        self, asked: Asked, weight: _Weight, split: tuple[NDArray[np.bool_], NDArray[np.bool_]], block: slice
    ) -> NDArray[np.bool_]:
        width, which = asked.count + 1, weight.which[block]
        # Entry (earlier set, new set): rows in both; the last column is what no new set takes.
        shared = self._earlier.table(asked.label, weight.large, block, width)
        theirs, shared = shared.sum(axis=1)[:, None], shared[:, :-1]
        mine_left, theirs_left = self._whole_left(asked, weight.small, block)
        mine = np.bincount(asked.label, weight.large, width)[:-1].astype(np.int64)
        far = self._is_enough(mine - shared + mine_left, split[0])
        far &= self._is_enough(theirs - shared + theirs_left, split[1])
        return cast(NDArray[np.bool_], far[which].all(axis=0))

    def _whole_left(self, asked: Asked, weight: Numbers, block: slice) -> tuple[Numbers, Numbers]:
        """The weight of the small cells that a new set takes whole and an earlier one leaves alone, and the other way
        round; entry (earlier set, new set)."""
        size, width = block.stop - block.start, asked.count + 1
        if not len(self._small):
            return np.zeros((size, 1), dtype=np.int64), np.zeros((size, 1), dtype=np.int64)
        every = asked.whole_cells(weight, np.ones(len(self._small), dtype=np.bool_))
        mine = every - self._touched.table(asked.whole, weight, block, width)[:, :-1]
        all_theirs = self._whole.table(np.zeros_like(weight), weight, block, 1)
        once = np.zeros(asked.label.size, dtype=np.int64)
        once[self._small.atoms] = np.where(asked.first, weight[:, None], 0)
        atoms = _Parts(
            np.repeat(self._whole.owner, self._small.atoms.shape[1]), self._small.atoms[self._whole.items].reshape(-1)
        )
        return mine, all_theirs - atoms.table(asked.label, once, block, width)[:, :-1]

    def _apart_from_earlier(self, asked: Asked, block: slice) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether any small cell is apart in what a new set has and an earlier one has not, and the other way round;
        entry (earlier set, new set): there are more of its atoms left than those of cells left whole."""
        width, atoms = asked.count + 1, (self._small.place >= 0).astype(np.int64)
        shared = self._earlier.table(asked.label, atoms, block, width)
        theirs, shared = shared.sum(axis=1)[:, None], shared[:, :-1]
        mine = np.bincount(asked.label, atoms, width)[:-1].astype(np.int64)
        size = np.full(len(self._small), self._small.atoms.shape[1], dtype=np.int64)
        mine_whole, theirs_whole = self._whole_left(asked, size, block)
        return mine - shared > mine_whole, theirs - shared > theirs_whole
