"""Sealed columns without the seal: what a vault would encrypt, computed one row at a time in plain Python.

Tests plan a question on `manifest`, add up the very values that a panel would add up on ciphertext, and compare with
the rows themselves.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import Document, column_names, public_cell_count, public_shape
from marketplace.queries.answers.accuracy import deviations
from marketplace.queries.language.query import Query
from marketplace.queries.planning.forms.cells import cells_reach
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.plan import make_plan

ROOT = "0x" + "00" * 32
Row = dict[str, str]
Columns = dict[str, NDArray[Any]]


def dimension(name: str, *categories: str, ordered: bool = False, hidden: bool = False) -> dict[str, Any]:
    """A declared dimension."""
    return {"name": name, "ordered": ordered, "hidden": hidden, "categories": list(categories)}


def measure(name: str, low: int, high: int, *bins: int, scale: int = 0) -> dict[str, Any]:
    """A declared measure."""
    return {"name": name, "unit": "u", "scale": scale, "low": low, "high": high, "bins": list(bins)}


def make_manifest(
    dimensions: Sequence[dict[str, Any]],
    measures: Sequence[dict[str, Any]],
    joints: Sequence[Sequence[str]] = (),
    *,
    prefix: str | None = None,
    rows: Sequence[int] = (400,),
    missing: int = 1,
) -> Document:
    """A manifest whose blobs exist in name only.

    Args:
        rows: of each batch. missing: values of every measure that each batch lacks.
    """
    manifest: Document = {
        "type": "manifest",
        "dimensions": list(dimensions),
        "measures": list(measures),
        "joints": [list(joint) for joint in joints],
        "privacy": {"measure": "pure"},
        "forms": [{"form": "cells", "profile": "bfv-8192-cells-1", "prefix": prefix}],
        "minimumCohort": 1,
        "custodian": None,
        "series": None,
    }
    names, chunks = column_names(manifest), -(-public_cell_count(manifest) // 8192)
    manifest["batches"] = [
        {
            "name": f"b{block}",
            "block": block,
            "rows": count,
            "missing": {item["name"]: missing for item in measures},
            "columns": [{"form": 0, "name": name, "chunks": [{"blob": ROOT, "size": 1}] * chunks} for name in names],
        }
        for block, count in enumerate(rows)
    ]
    return manifest


def query_document(query: Query, epsilon: int = 1_000_000_000) -> Document:
    """A query bound to nobody's order."""
    return query.document(order=ROOT, asset=ROOT, ciphertext_root=ROOT, epsilon=epsilon, recipient=ROOT, sequence=1)


@dataclass
class PlainData:
    """Rows of some batches, under a manifest; values are texts of integers in units of 10^-scale, "" if missing."""

    manifest: Document
    batches: list[list[Row]]
    sealed: list[Columns] = field(init=False)

    def __post_init__(self) -> None:
        self.sealed = [self._seal(rows) for rows in self.batches]

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        return [row for batch in self.batches for row in batch]

    def plan(self, query: Query, epsilon: int = 1_000_000_000) -> Plan:
        """The plan of a question."""
        return make_plan(self.manifest, query_document(query, epsilon))

    def numbers(self, plan: Plan) -> dict[tuple[str, ...], dict[str, int]]:
        """What the plan's numbers are without noise, by group."""
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for number in plan.numbers:
            found.setdefault(number.group, {})[number.statistic] = self.value(plan.form, number)
        return found

    def value(self, form: int, number: Number) -> int:
        """One number from the sealed values that it takes."""
        reach = cells_reach(self.manifest, form, number)
        weights = np.ones(reach.index.size, dtype=object) if reach.weights is None else reach.weights.astype(object)
        total = 0
        for columns in self.sealed:
            for column, factor in number.parts:
                total += factor * int((columns[column].astype(object)[reach.index] * weights).sum())
        return total

    def noise(self, plan: Plan) -> dict[str, float]:
        """Standard deviation of each statistic's noise."""
        return deviations(self.manifest, plan)

    def _seal(self, rows: Sequence[Row]) -> Columns:
        shape = public_shape(self.manifest)
        columns: Columns = {name: np.zeros(int(np.prod(shape)), dtype=object) for name in column_names(self.manifest)}
        for row in rows:
            self._add(columns, row)
        prefix = self.manifest["forms"][0]["prefix"]
        if prefix is None:
            return columns
        axis = [item["name"] for item in self.manifest["dimensions"] if not item["hidden"]].index(prefix)
        return {name: values.reshape(shape).cumsum(axis=axis).reshape(-1) for name, values in columns.items()}

    def _add(self, columns: Columns, row: Row) -> None:
        cell = 0
        for item in self.manifest["dimensions"]:
            if not item["hidden"]:
                cell = cell * len(item["categories"]) + item["categories"].index(row[item["name"]])
        columns["rows"][cell] += 1
        values = {item["name"]: int(row[item["name"]]) for item in self.manifest["measures"] if row[item["name"]]}
        for item in self.manifest["measures"]:
            if item["name"] in values:
                name, value = item["name"], values[item["name"]]
                for part, power in (("n", 0), ("sum", 1), ("sumsq", 2)):
                    columns[f"{part}:{name}"][cell] += value**power
                if item["bins"]:
                    columns[f"bin:{name}:{sum(value >= edge for edge in item['bins'])}"][cell] += 1
        for index, joint in enumerate(self.manifest["joints"]):
            if all(name in values for name in joint):
                columns[f"n@{index}"][cell] += 1
                for name in joint:
                    columns[f"sum@{index}:{name}"][cell] += values[name]
                for first, second in itertools.combinations_with_replacement(joint, 2):
                    columns[f"cross@{index}:{first}:{second}"][cell] += values[first] * values[second]
