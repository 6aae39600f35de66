"""From a question to the numbers that answer it: which cells of which sealed columns each number adds up.

A pure function of manifest and query, so buyer, panel, vault and auditor all arrive at the same plan and digest. The
statistics of a question are sorted, its groups numbered by their first cell, common factors taken out (statistics.py):
two spellings of one question have one digest, and the second costs no privacy budget.

Of the forms in which the data are sealed the cheapest that can answer is taken, and it is proven that no number, its
noise included, can leave the range in which it is decoded exactly (forms, noise.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from crypto.canonical import digest_json, sha256
from marketplace.documents import MAX_NUMBERS, blob_digests
from marketplace.errors import RuleError
from marketplace.queries.language.lexicon import choices, dimension
from marketplace.queries.language.query import Query
from marketplace.queries.planning.forms import choose_form
from marketplace.queries.planning.numbers import Cost, Number, Plan, Weights
from marketplace.queries.planning.selection import Cells, Group, categories_of_cells, grouped_cells, selected_cells
from marketplace.queries.planning.statistics import Statistic, needs, statistic_order
from marketplace.types import Digest
from marketplace.words import Words

__all__ = ["Cells", "Cost", "Group", "Number", "Plan", "Weights", "make_plan"]
MAX_LEVELS = 64  # distinct weights of one weighted number; each is a released set


def make_plan(manifest: Mapping[str, Any], query: Mapping[str, Any]) -> Plan:
    """The plan of the query document `query` on the data set of the validated `manifest`.

    Raises:
        InvalidInputError: an undeclared dimension, measure or category.
        RuleError: `empty_selection`, `too_many_numbers`, `too_many_weights`, `joint_not_declared`, `bins_not_declared`,
            `dimension_hidden`, `statistic_not_sealed`, `too_many_products`, `result_may_wrap`, `epsilon_too_small`.
    """
    typed = Query.from_document(query)
    asked = {need.statistic for term in typed.terms for need in needs(manifest, term).values()}
    statistics = tuple(sorted(asked, key=lambda statistic: statistic_order(manifest, statistic)))
    chosen = selected_cells(manifest, query["where"])
    if not chosen.any():
        raise _empty("the filter leaves no cell of the data set", "筛选条件未选中任何单元")
    _check_size(manifest, typed.groups, statistics)
    grouped = dict(grouped_cells(manifest, chosen, typed.groups))
    numbers = tuple(_numbers(manifest, grouped, statistics))
    epsilon = int(query["epsilon"])
    form = choose_form(manifest, numbers, statistics, epsilon)
    name = _question(manifest, form, numbers, epsilon)
    return Plan(form, numbers, statistics, tuple(grouped), epsilon, name)


def _numbers(
    manifest: Mapping[str, Any], grouped: Mapping[Group, Cells], statistics: Sequence[Statistic]
) -> Iterator[Number]:
    for group, cells in sorted(grouped.items(), key=lambda item: int(item[1][0])):
        for statistic in statistics:
            taken, weights = _weighed(manifest, statistic, group, cells)
            yield Number(group, statistic.name, statistic.parts, taken, weights)


def _weighed(
    manifest: Mapping[str, Any], statistic: Statistic, group: Group, cells: Cells
) -> tuple[Cells, Weights | None]:
    weighting = statistic.weighting
    if weighting is None:
        return cells, None
    by_category = np.array(weighting.weights, dtype=np.int64)
    weights = by_category[categories_of_cells(manifest, weighting.dimension, cells)]
    taken, weights = cells[weights != 0], weights[weights != 0]
    if not taken.size:
        where = ", ".join(group) or "the selection"
        raise _empty(f"no category of {where} has a weight", f"{where} 中没有带权重的类别")
    levels = np.unique(weights).size
    if levels > MAX_LEVELS:
        raise RuleError(
            "too_many_weights",
            f"{levels} different weights in one number; at most {MAX_LEVELS}",
            zh=f"一个数值含 {levels} 种权重;最多 {MAX_LEVELS} 种",
            rule="queries.size",
            expected=Words(f"at most {MAX_LEVELS} different weights", f"至多 {MAX_LEVELS} 种不同的权重"),
            got=levels,
            hint="round the weights: the rows of each different weight must fill a cohort of their own",
            hint_zh="请将权重取整:每一种权重所涉行数均须达到最小群体",
        )
    return taken, weights


def _question(manifest: Mapping[str, Any], form: int, numbers: Sequence[Number], epsilon: int) -> Digest:
    arrays: dict[int, str] = {}  # the numbers of a group share theirs
    named = []
    for number in numbers:
        for values in (number.cells, number.weights):
            if values is not None and id(values) not in arrays:
                arrays[id(values)] = "0x" + sha256(values.astype(">i8").tobytes()).hex()
        named.append(
            {
                "parts": [[column, str(factor)] for column, factor in number.parts],
                "cells": arrays[id(number.cells)],
                "weights": None if number.weights is None else arrays[id(number.weights)],
            }
        )
    blobs = "0x" + sha256(b"".join(blob_digests(manifest))).hex()
    body = {"blobs": blobs, "form": form, "privacy": dict(manifest["privacy"]), "epsilon": epsilon, "numbers": named}
    return Digest("0x" + digest_json(body).hex())


def _check_size(manifest: Mapping[str, Any], by: Sequence[str], statistics: Sequence[Statistic]) -> None:
    total = len(statistics)
    for name in by:
        total *= len(dimension(manifest, name)["categories"])
    if total > MAX_NUMBERS:
        raise RuleError(
            "too_many_numbers",
            f"the query asks for {total} numbers; at most {MAX_NUMBERS} are released at once",
            zh=f"查询要求 {total} 个数值;一次最多发布 {MAX_NUMBERS} 个",
            rule="queries.size",
            expected=Words(
                f"at most {MAX_NUMBERS} groups times numbers ({choices(item.name for item in statistics)})",
                f"分组数乘以数值个数（{choices(item.name for item in statistics)}）至多为 {MAX_NUMBERS}",
            ),
            got=total,
            hint="group by fewer dimensions, or filter",
            hint_zh="减少分组维度或加筛选条件",
        )


def _empty(message: str, zh: str) -> RuleError:
    return RuleError(
        "empty_selection",
        message,
        zh=zh,
        rule="queries.selection",
        expected=Words("a filter that some category combination meets", "至少有一个类别组合满足的条件"),
        hint="widen the filter: no cell of the data set fits it",
        hint_zh="请放宽筛选条件：数据集中没有符合条件的单元",
    )
