"""Exact statistics of every cell: what the cells form seals, and the true counts that the vault keeps for its cohorts.

All in 64-bit integers; before a batch is added it is proven from the declared bounds that no total can leave the range
of the sealed form, so nothing wraps. Sealed columns have one total for each public cell, true counts one for each
logical cell.
"""

import io
import itertools

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import MAX_CELLS
from marketplace.errors import InvalidInputError
from marketplace.vault.sealing.ranges import Forms, check_ranges
from marketplace.vault.sealing.reading import Batch
from marketplace.vault.sealing.rows import Rows, Shape
from marketplace.vault.sealing.schema import Measure, Schema
from marketplace.vault.sealing.totals import Integers, counts_by_cell, totals_by_cell
from marketplace.vault.sealing.values import Present
from marketplace.words import at_most


class CellStatistics:
    """Totals of all cells so far.

    Args:
        schema: with every dimension's categories listed.
        forms: of the manifest; what they can hold is the range.
        others: rows that the data set has besides; the range holds for all together.
    Attributes:
        columns: name of a sealed column -> one total for each public cell.
        counts: "rows", a measure's name, or "@<j>" for the complete rows of joint j -> true count of each logical cell.
    Raises:
        InvalidInputError: `too_many_cells`.
    """

    def __init__(self, schema: Schema, forms: Forms, others: int = 0) -> None:
        self.schema, self._forms, self._others = schema, forms, others
        self.shape = Shape.of(schema)
        if self.shape.logical > MAX_CELLS:
            raise InvalidInputError(
                "too_many_cells",
                f"the categories make {self.shape.logical} cells",
                zh=f"类别组合产生 {self.shape.logical} 个单元",
                expected=at_most(MAX_CELLS),
                got=self.shape.logical,
            )
        self._measures = {item.name: item for item in schema.measures}
        self.columns: dict[str, Integers] = {}
        self.counts: dict[str, Integers] = {}
        self.rows = 0
        self._add(Rows.none(list(self._measures)))

    def add(self, batch: Batch) -> None:
        """Add the rows of a batch.

        Raises:
            InvalidInputError: a value is not as declared (see values.py), or as `check_ranges`.
        """
        check_ranges(self._forms, self.schema.measures, self._others + self.rows + batch.table.num_rows)
        self._add(Rows.read(self.schema, self.shape, batch))
        self.rows += batch.table.num_rows

    def to_bytes(self) -> bytes:
        """All totals so far, for `restore`. True counts: to be encrypted before it is written."""
        buffer = io.BytesIO()
        named = {f"column {name}": array for name, array in self.columns.items()}
        named |= {f"count {name}": array for name, array in self.counts.items()}
        np.savez(buffer, allow_pickle=False, rows=np.array(self.rows), **named)
        return buffer.getvalue()

    def restore(self, data: bytes) -> None:
        """Go on from what `to_bytes` of a like object gave."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            self.columns = {name: arrays[f"column {name}"] for name in self.columns}
            self.counts = {name: arrays[f"count {name}"] for name in self.counts}
            self.rows = int(arrays["rows"])

    def missing(self) -> dict[str, int]:
        """For each measure, how many rows have no value."""
        return {item.name: self.rows - int(self.counts[item.name].sum()) for item in self.schema.measures}

    def _add(self, rows: Rows) -> None:
        public = self.shape.public_of(rows.cells)
        self._count("rows", "rows", rows.cells, None)
        for measure in self.schema.measures:
            values, present = rows.values[measure.name], rows.present[measure.name]
            self._count(measure.name, f"n:{measure.name}", rows.cells, present)
            self._total(f"sum:{measure.name}", public, values, measure.largest)
            self._total(f"sumsq:{measure.name}", public, values * values, measure.largest**2)
            if measure.bins:
                self._count_bins(measure, public[present], values[present])
        for index, joint in enumerate(self.schema.joints):
            self._add_joint(index, joint, rows, public)

    def _add_joint(self, index: int, joint: tuple[str, ...], rows: Rows, public: Integers) -> None:
        complete = np.logical_and.reduce([rows.present[name] for name in joint])
        self._count(f"@{index}", f"n@{index}", rows.cells, complete)
        whole = bool(complete.all())
        public = public if whole else public[complete]
        values = {name: rows.values[name] if whole else rows.values[name][complete] for name in joint}
        for name in joint:
            self._total(f"sum@{index}:{name}", public, values[name], self._measures[name].largest)
        for first, second in itertools.combinations_with_replacement(joint, 2):
            largest = self._measures[first].largest * self._measures[second].largest
            self._total(f"cross@{index}:{first}:{second}", public, values[first] * values[second], largest)

    def _count(self, name: str, column: str, cells: Integers, chosen: Present | None) -> None:
        taken = cells if chosen is None or chosen.all() else cells[chosen]
        found = counts_by_cell(taken, self.shape.logical)
        _add_to(self.counts, name, found)
        _add_to(self.columns, column, self.shape.marginal(found))

    def _count_bins(self, measure: Measure, public: Integers, values: Integers) -> None:
        bins = len(measure.bins) + 1
        place = np.searchsorted(np.array(measure.bins, dtype=np.int64), values, side="right")
        found = counts_by_cell(public * bins + place, self.shape.public * bins).reshape(self.shape.public, bins)
        for index in range(bins):
            _add_to(self.columns, f"bin:{measure.name}:{index}", found[:, index])

    def _total(self, column: str, public: Integers, values: Integers, largest: int) -> None:
        _add_to(self.columns, column, totals_by_cell(public, values, self.shape.public, largest))


def _add_to(totals: dict[str, NDArray[np.int64]], name: str, found: NDArray[np.int64]) -> None:
    if name in totals:
        totals[name] += found
    else:
        totals[name] = found.copy()
