"""Rows as integers: the logical cell of each, and for each measure its value and whether it has one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.vault.sealing.reading import Batch
from marketplace.vault.sealing.schema import Schema
from marketplace.vault.sealing.totals import Integers
from marketplace.vault.sealing.values import Present, categories_of, integers_of, positions_of, without_missing


@dataclass(frozen=True)
class Shape:
    """How logical cells are numbered: sizes of all dimensions, and the axis of the hidden one, if any."""

    sizes: tuple[int, ...]
    hidden: int | None

    @classmethod
    def of(cls, schema: Schema) -> "Shape":
        """The shape of a schema whose categories are listed."""
        hidden = [axis for axis, item in enumerate(schema.dimensions) if item.hidden]
        return cls(tuple(len(item.categories or ()) for item in schema.dimensions), hidden[0] if hidden else None)

    @property
    def logical(self) -> int:
        """Number of logical cells."""
        return math.prod(self.sizes)

    @property
    def public(self) -> int:
        """Number of public cells."""
        return self.logical // (1 if self.hidden is None else self.sizes[self.hidden])

    def public_of(self, cells: Integers) -> Integers:
        """The public cell that each logical cell belongs to: its number without the hidden digit."""
        if self.hidden is None:
            return cells
        inner = math.prod(self.sizes[self.hidden + 1 :])
        return cells // (inner * self.sizes[self.hidden]) * inner + cells % inner

    def hidden_of(self, cells: Integers) -> Integers:
        """The category of the hidden dimension of each logical cell, 0 where there is none."""
        if self.hidden is None:
            return np.zeros_like(cells)
        return cells // math.prod(self.sizes[self.hidden + 1 :]) % self.sizes[self.hidden]

    def marginal(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts of public cells out of counts of logical ones."""
        if self.hidden is None:
            return counts
        marginal: NDArray[np.int64] = counts.reshape(self.sizes).sum(axis=self.hidden).reshape(-1)
        return marginal


@dataclass(frozen=True)
class Rows:
    """Some rows.

    Args:
        cells: logical cell of each. values: of each measure; 0 where there is none. present: where there is one.
    """

    cells: Integers
    values: dict[str, Integers]
    present: dict[str, Present]

    def __repr__(self) -> str:
        return f"Rows({self.cells.size})"

    @classmethod
    def none(cls, measures: Sequence[str]) -> "Rows":
        """No rows."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, dict.fromkeys(measures, empty), dict.fromkeys(measures, empty.astype(np.bool_)))

    @classmethod
    def read(cls, schema: Schema, shape: Shape, batch: Batch) -> "Rows":
        """The rows of a batch of the file, checked.

        Raises:
            InvalidInputError: a value is not as declared (see values.py).
        """
        cells = np.zeros(batch.table.num_rows, dtype=np.int64)
        for dimension, size in zip(schema.dimensions, shape.sizes, strict=True):
            labels = categories_of(batch.table.column(dimension.column), dimension, batch.first_row)
            cells = cells * size + positions_of(labels, dimension, batch.first_row)
        values, present = {}, {}
        for measure in schema.measures:
            column = without_missing(batch.table.column(measure.column), schema.missing)
            values[measure.name], present[measure.name] = integers_of(column, measure, batch.first_row)
        return cls(cells, values, present)

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """One or more parts in a row."""
        names = parts[0].values
        return cls(
            np.concatenate([part.cells for part in parts]),
            {name: np.concatenate([part.values[name] for part in parts]) for name in names},
            {name: np.concatenate([part.present[name] for part in parts]) for name in names},
        )

    def take(self, chosen: "Integers | slice") -> "Rows":
        """The chosen rows in their order."""
        return Rows(
            self.cells[chosen],
            {name: values[chosen] for name, values in self.values.items()},
            {name: present[chosen] for name, present in self.present.items()},
        )
