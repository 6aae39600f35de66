"""Sealed columns of several chunks and batches, and plans on them, without the rest of a market.

The columns have one value for each of two dimensions' cells and are sealed under the small parameter set of rows, which
makes chunks of 4,096 values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import from_hex, sha256, to_hex
from crypto.seal.cells import open_chunk
from crypto.seal.columns import seal_column
from crypto.seal.evaluate import SealedNumber, add_columns, add_numbers, evaluate_weighted
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import ROWS
from crypto.seal.weights import weigh_cells
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.types import Digest

COLUMNS = ("a", "b")


@dataclass(frozen=True)
class Sealed:
    """The columns: values by batch and name, blobs as files of `folder`."""

    folder: Path
    key: SealingKey
    manifest: dict[str, Any]
    values: list[dict[str, NDArray[np.int64]]]

    def fetch(self, blob: str) -> bytes:
        """The blob's bytes."""
        return (self.folder / from_hex(blob, 32, "blob").hex()).read_bytes()

    def true(self, number: Number) -> int:
        """What the number opens to."""
        weights = np.ones(number.cells.size, dtype=np.int64) if number.weights is None else number.weights
        return sum(
            factor * int((batch[name][number.cells] * weights).sum())
            for batch in self.values
            for name, factor in number.parts
        )

    def uncut(self, plan: Plan) -> Iterator[SealedNumber]:
        """The plan's numbers over whole columns at once."""
        for number in plan.numbers:
            found = []
            for name, factor in number.parts:
                batches = [
                    [open_chunk(ROWS, self.fetch(blob)) for blob in self._blobs(batch, name)] for batch in (0, 1)
                ]
                weights = np.ones(number.cells.size, dtype=np.int64) if number.weights is None else number.weights
                weighed = weigh_cells(ROWS, number.cells, factor * weights)
                found.append(evaluate_weighted(ROWS, add_columns(ROWS, batches), weighed))
            yield add_numbers(ROWS, found)

    def _blobs(self, batch: int, name: str) -> list[str]:
        columns = self.manifest["batches"][batch]["columns"]
        return [item["blob"] for column in columns if column["name"] == name for item in column["chunks"]]


def seal_columns(folder: Path, shape: tuple[int, int] = (100, 203)) -> Sealed:
    """Two batches of two columns; by default of 20,300 values, which are five chunks."""
    generator, key = np.random.default_rng(5), SealingKey.generate(ROWS)
    size = shape[0] * shape[1]
    values = [{name: generator.integers(-500, 500, size) for name in COLUMNS} for _ in range(2)]
    dimensions = [
        {"name": f"d{axis}", "categories": list(map(str, range(length))), "hidden": False, "ordered": False}
        for axis, length in enumerate(shape)
    ]
    batches = [
        {"columns": [{"form": 0, "name": name, "chunks": _written(folder, key, batch[name])} for name in COLUMNS]}
        for batch in values
    ]
    form = {"form": "cells", "profile": ROWS.name, "prefix": None}
    return Sealed(folder, key, {"forms": [form], "dimensions": dimensions, "batches": batches}, values)


def _written(folder: Path, key: SealingKey, values: NDArray[np.int64]) -> list[dict[str, Any]]:
    chunks = []
    for data in seal_column(key, values):
        name = sha256(data)
        (folder / name.hex()).write_bytes(data)
        chunks.append({"blob": to_hex(name), "size": len(data)})
    return chunks


def plan_of(numbers: Sequence[Number]) -> Plan:
    """A plan that asks for these numbers."""
    return Plan(0, tuple(numbers), (), (), 0, Digest("0x" + "00" * 32))
