"""From a question to the numbers that answer it: which cells of which sealed column each number adds up.

A pure function of manifest and query, so buyer, panel, vault and auditor all arrive at the same plan and digest.
Cells are numbered in mixed radix over the dimensions in declared order, the last one fastest. Numbers come group by
group (first category combination first), within a group column by column in the manifest's order.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import digest_json, sha256
from marketplace.documents import MAX_NUMBERS, Document, blob_digests, cell_count, column_names
from marketplace.errors import RuleError
from marketplace.queries.lexicon import choices, dimension, measure, positions
from marketplace.queries.query import Query
from marketplace.queries.terms import Term
from marketplace.types import Digest

Cells = NDArray[np.int64]
_NEEDS = {
    "COUNT": ("n",),
    "SUM": ("sum",),
    "MEAN": ("n", "sum"),
    "VARIANCE": ("n", "sum", "sumsq"),
    "STDDEV": ("n", "sum", "sumsq"),
}


@dataclass(frozen=True)
class Number:
    """One number to release.

    Args:
        group: categories of the group-by dimensions; empty without GROUP BY.
        column: "rows", "n:<measure>", "sum:<measure>" or "sumsq:<measure>".
        cells: sorted cell indices, int64, shared by all numbers of the group.
    """

    group: tuple[str, ...]
    column: str
    cells: Cells = field(repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """What evaluating a query means.

    Args:
        numbers: in the order of the result document.
        columns: distinct columns, in the manifest's order; they share epsilon equally.
        groups: the groups that have any cell, in order.
        epsilon: budget of the whole query, in millionths.
        digest: names the question: same manifest data, same numbers, same epsilon. Not the order, buyer or sequence.
    """

    numbers: tuple[Number, ...]
    columns: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    epsilon: int
    digest: Digest

    def group_cells(self) -> dict[tuple[str, ...], Cells]:
        """Cells of each group."""
        return {number.group: number.cells for number in self.numbers}


def columns_of(term: Term) -> tuple[str, ...]:
    """Columns that a computation needs; n, sum and sumsq count, add and square only values that are present.

    Raises:
        RuleError: `statistic_not_sealed`.
    """
    if term.measure is None and term.op in ("COUNT", "CONTINGENCY"):
        return ("rows",)
    if term.op not in _NEEDS:
        raise RuleError(
            "statistic_not_sealed",
            f"the data set was sealed without what {term.op} needs",
            zh=f"数据集密封时未包含 {term.op} 所需的统计量",
            rule="queries.forms",
            expected=choices(_NEEDS),
            got=term.op,
        )
    return tuple(f"{part}:{term.measure}" for part in _NEEDS[term.op])


def make_plan(manifest: Mapping[str, Any], query: Mapping[str, Any]) -> Plan:
    """The plan of the query document `query` on the data set of the validated `manifest`.

    Raises:
        InvalidInputError: an undeclared dimension, measure or category.
        RuleError: `empty_selection`, `too_many_numbers`, `statistic_not_sealed`.
    """
    typed = Query.from_document(query)
    for term in typed.terms:
        for name in term.measures:
            measure(manifest, name)
    needed = {column for term in typed.terms for column in columns_of(term)}
    columns = tuple(column for column in column_names(manifest) if column in needed)
    chosen = selected_cells(manifest, query["where"])
    if not chosen.any():
        raise _empty()
    _check_size(manifest, typed.groups, columns)
    grouped = dict(_groups(manifest, chosen, typed.groups))
    numbers = tuple(Number(group, column, cells) for group, cells in grouped.items() for column in columns)
    name = _question(manifest, numbers, int(query["epsilon"]))
    return Plan(numbers, columns, tuple(grouped), int(query["epsilon"]), name)


def selected_cells(manifest: Mapping[str, Any], condition: Document | None) -> NDArray[np.bool_]:
    """One boolean for each cell: whether the filter takes it."""
    shape = tuple(len(item["categories"]) for item in manifest["dimensions"])
    if condition is None:
        return np.ones(cell_count(manifest), dtype=np.bool_)
    return np.ascontiguousarray(np.broadcast_to(_evaluate(manifest, condition), shape)).reshape(-1)


def _evaluate(manifest: Mapping[str, Any], condition: Document) -> NDArray[np.bool_]:
    word, inner = next(iter(condition.items()))
    if word == "in":
        return _along(manifest, inner["dimension"], inner["values"])
    if word == "not":
        return ~_evaluate(manifest, inner)
    join = np.logical_and if word == "and" else np.logical_or
    result = _evaluate(manifest, inner[0])
    for item in inner[1:]:
        result = join(result, _evaluate(manifest, item))
    return result


def _along(manifest: Mapping[str, Any], name: str, values: Sequence[str]) -> NDArray[np.bool_]:
    # Size one along every other dimension: broadcasting keeps a condition on one dimension small.
    names = [item["name"] for item in manifest["dimensions"]]
    taken = np.zeros(len(dimension(manifest, name)["categories"]), dtype=np.bool_)
    taken[positions(manifest, name, values)] = True
    return taken.reshape([taken.size if other == name else 1 for other in names])


def _groups(
    manifest: Mapping[str, Any], chosen: NDArray[np.bool_], by: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Cells]]:
    names = [item["name"] for item in manifest["dimensions"]]
    shape = [len(item["categories"]) for item in manifest["dimensions"]]
    indices = np.arange(chosen.size, dtype=np.int64).reshape(shape)
    axes = [names.index(name) for name in by]
    # Grouped axes first, in the query's order; the rest keeps its order, so cells come out sorted after one sort.
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    indices, mask = indices.transpose(axes + rest), chosen.reshape(shape).transpose(axes + rest)
    labels = itertools.product(*(manifest["dimensions"][axis]["categories"] for axis in axes))
    for label, place in zip(labels, np.ndindex(*(shape[axis] for axis in axes)), strict=True):
        cells = np.sort(indices[place][mask[place]].reshape(-1))
        if cells.size:
            yield tuple(label), cells


def _question(manifest: Mapping[str, Any], numbers: Sequence[Number], epsilon: int) -> Digest:
    named = [
        {"column": number.column, "cells": "0x" + sha256(number.cells.astype(">u4").tobytes()).hex()}
        for number in numbers
    ]
    blobs = "0x" + sha256(b"".join(blob_digests(manifest))).hex()
    return Digest("0x" + digest_json({"blobs": blobs, "epsilon": epsilon, "numbers": named}).hex())


def _check_size(manifest: Mapping[str, Any], by: Sequence[str], columns: Sequence[str]) -> None:
    total = len(columns)
    for name in by:
        total *= len(dimension(manifest, name)["categories"])
    if total > MAX_NUMBERS:
        raise RuleError(
            "too_many_numbers",
            f"the query asks for {total} numbers; at most {MAX_NUMBERS} are released at once",
            zh=f"查询要求 {total} 个数值;一次最多发布 {MAX_NUMBERS} 个",
            rule="queries.size",
            expected=f"at most {MAX_NUMBERS} groups times columns ({choices(columns)})",
            got=total,
            hint="group by fewer dimensions, or filter",
            hint_zh="减少分组维度或加筛选条件",
        )


def _empty() -> RuleError:
    return RuleError(
        "empty_selection",
        "the filter leaves no cell of the data set",
        zh="筛选条件未选中任何单元",
        rule="queries.selection",
        expected="a filter that some category combination meets",
    )
