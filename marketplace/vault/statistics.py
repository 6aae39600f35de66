"""Exact statistics of every cell: rows, and for each measure how many values, their sum and their sum of squares.

All in 64-bit integers; before a batch is added it is proven from the declared bounds that no total can leave the range
of the sealed form, so nothing wraps.
"""

import math

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto.seal.parameters import Profile
from marketplace.documents import MAX_CELLS
from marketplace.errors import InvalidInputError
from marketplace.vault.reading import Batch
from marketplace.vault.schema import Measure, Schema
from marketplace.vault.values import categories_of, integers_of, positions_of, without_missing


class CellStatistics:
    """Totals of all cells so far.

    Args:
        schema: with every dimension's categories listed.
        profile: of the seal; its half modulus is the range.
    Raises:
        InvalidInputError: `too_many_cells`.
    """

    def __init__(self, schema: Schema, profile: Profile) -> None:
        self.schema, self.half = schema, profile.half
        self.shape = tuple(len(item.categories or ()) for item in schema.dimensions)
        if math.prod(self.shape) > MAX_CELLS:
            raise InvalidInputError(
                "too_many_cells",
                f"the categories make {math.prod(self.shape)} cells",
                zh=f"类别组合产生 {math.prod(self.shape)} 个单元",
                expected=f"at most {MAX_CELLS}",
                got=math.prod(self.shape),
            )
        parts = [f"{part}:{measure.name}" for measure in schema.measures for part in ("n", "sum", "sumsq")]
        self.columns = {name: np.zeros(math.prod(self.shape), dtype=np.int64) for name in ("rows", *parts)}
        self.rows = 0

    def add(self, batch: Batch) -> None:
        """Add the rows of a batch.

        Raises:
            InvalidInputError: a value is not as declared (see values.py), or `bounds_too_wide`.
        """
        self._check_range(self.rows + batch.table.num_rows)
        cells = self._cells(batch)
        np.add.at(self.columns["rows"], cells, 1)
        for measure in self.schema.measures:
            self._add_measure(measure, batch, cells)
        self.rows += batch.table.num_rows

    def missing(self) -> dict[str, int]:
        """For each measure, how many rows have no value."""
        return {item.name: self.rows - int(self.columns[f"n:{item.name}"].sum()) for item in self.schema.measures}

    def _cells(self, batch: Batch) -> NDArray[np.int64]:
        cells = np.zeros(batch.table.num_rows, dtype=np.int64)
        for dimension, size in zip(self.schema.dimensions, self.shape, strict=True):
            labels = categories_of(_column(batch.table, dimension.column), dimension, batch.first_row)
            cells = cells * size + positions_of(labels, dimension, batch.first_row)
        return cells

    def _add_measure(self, measure: Measure, batch: Batch, cells: NDArray[np.int64]) -> None:
        column = without_missing(_column(batch.table, measure.column), self.schema.missing)
        values, present = integers_of(column, measure, batch.first_row)
        np.add.at(self.columns[f"n:{measure.name}"], cells, present.astype(np.int64))
        np.add.at(self.columns[f"sum:{measure.name}"], cells, values)
        np.add.at(self.columns[f"sumsq:{measure.name}"], cells, values * values)

    def _check_range(self, rows: int) -> None:
        for measure in self.schema.measures:
            largest = max(abs(measure.low), abs(measure.high))
            if rows * largest * largest >= self.half:
                raise InvalidInputError(
                    "bounds_too_wide",
                    f"{rows} rows within the bounds of {measure.name} could exceed the sealed form",
                    zh=f"按 {measure.name} 的声明界限,{rows} 行可能超出密文可表示范围",
                    rule="vault.range",
                    expected=f"rows x bound^2 below {self.half}",
                    got=rows * largest * largest,
                    hint="declare narrower bounds, or fewer decimals",
                    hint_zh="收窄界限或减少小数位",
                )


def _column(table: pa.RecordBatch, name: str) -> pa.Array:
    return table.column(name)
