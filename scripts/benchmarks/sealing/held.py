"""A sealed column on disk with a question about it, as a party's evaluation gets them: manifest, blobs, plan."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import from_hex, sha256, to_hex
from marketplace.queries.evaluation import evaluate_plan, number_entry
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.types import Digest

COLUMN = "sum:x"
Entries = list[dict[str, str | None]]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """A sealed column on disk, and how to open a number of it.

    Args:
        plan: what is asked. opened: the sealed first number of the plan, opened. true: what that has to be.
    """

    name: str
    folder: Path
    manifest: dict[str, Any]
    plan: Plan
    opened: Callable[[Any], int]
    true: int

    def fetch(self, blob: str) -> bytes:
        """The blob's bytes."""
        return (self.folder / from_hex(blob, 32, "blob").hex()).read_bytes()

    def entries(self, columns: SealedColumns) -> Entries:
        """The plan's numbers as a result document has them."""
        return [number_entry(number) for number in evaluate_plan(self.manifest, self.plan, columns)]


def plan_of(groups: list[Integers], weights: list[Integers] | None = None) -> Plan:
    """A plan of one number for each group of cells, with the weights of those cells if they have any."""
    given: list[Integers | None] = [*weights] if weights else [None] * len(groups)
    numbers = tuple(
        Number((str(place),), COLUMN, ((COLUMN, 1),), cells, own)
        for place, (cells, own) in enumerate(zip(groups, given, strict=True))
    )
    return Plan(0, numbers, (), (), 0, Digest("0x" + "00" * 32))


def manifest_of(form: dict[str, Any], columns: dict[str, Any], rows: int, shape: tuple[int, ...]) -> dict[str, Any]:
    """What evaluation reads of a manifest of one form and one batch."""
    dimensions = [
        {"name": f"d{axis}", "categories": list(map(str, range(size))), "hidden": False, "ordered": False}
        for axis, size in enumerate(shape)
    ]
    held = [{"form": 0, "name": name, "chunks": chunks} for name, chunks in columns.items()]
    return {"forms": [form], "dimensions": dimensions, "batches": [{"block": 0, "rows": rows, "columns": held}]}


def write_blob(folder: Path, data: bytes) -> dict[str, Any]:
    """Store a blob; what the manifest says of it."""
    name = sha256(data)
    (folder / name.hex()).write_bytes(data)
    return {"blob": to_hex(name), "size": len(data)}
