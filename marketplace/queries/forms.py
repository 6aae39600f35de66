"""The forms in which data are sealed, as the planner sees them: what each can answer, at what cost, and the proof that
nothing wraps. A form is a row of FORM_RULES; how it is evaluated and opened stands in evaluation.py.

The cells form holds one value of every column for each public cell, so it can answer whatever does not tell the
categories of a hidden dimension apart. Where its columns are running totals along an ordered dimension, the sum of
weight w[t] at position t of that axis takes the total at t with weight w[t] - w[t+1]: a range costs two cells.

Expected times are a model of one ordinary core, in microseconds, good for comparing forms and for telling a question of
milliseconds from one of minutes.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from crypto.errors import ParameterError
from crypto.seal.headroom import prove_headroom
from crypto.seal.parameters import profile
from marketplace.documents import cell_shape, column_names, key_holders, public_shape, row_count
from marketplace.errors import RuleError
from marketplace.queries.lexicon import choices
from marketplace.queries.noise import noises_of
from marketplace.queries.numbers import Cost, Number, Weights
from marketplace.queries.selection import Cells
from marketplace.queries.sensitivity import row_sensitivity
from marketplace.queries.statistics import Statistic

Manifest = Mapping[str, Any]
_MULTIPLY_MICROSECONDS = 300  # one plaintext product with its transforms, and the additions around it
_ADD_MICROSECONDS = 30
_NUMBER_MICROSECONDS = 500  # digest and share of one number
_OPEN_MICROSECONDS_PER_MEGABYTE = 4_000
_DENSE = 8  # where more than one cell in so many is taken, differences are computed over all cells at once


@dataclass(frozen=True)
class Reach:
    """The sealed values of one column, in each batch, that a number takes.

    Args:
        index: strictly increasing. weights: of each, none zero; None where all weigh one.
    """

    index: Cells
    weights: Weights | None

    @property
    def weight(self) -> int:
        """Sum of the magnitudes of the weights: by how much the errors of the values count."""
        return self.index.size if self.weights is None else int(np.abs(self.weights).sum())

    @property
    def heaviest(self) -> int:
        """Largest magnitude of a weight."""
        return 1 if self.weights is None else int(np.abs(self.weights).max())


@dataclass(frozen=True)
class FormRules:
    """One form.

    Args:
        columns: names of the columns that it holds.
        reach: the sealed values that a number takes; raises RuleError where the form cannot tell the cells apart.
        prove: raises ParameterError where a number of the claim could wrap or be decoded inexactly.
        cost: of evaluating some numbers; the last argument is `reaches`.
    """

    columns: Callable[[Manifest, int], Collection[str]]
    reach: Callable[[Manifest, int, Number], Reach]
    prove: Callable[[Manifest, int, "Claim"], None]
    cost: Callable[[Manifest, int, Sequence[Number], "Reaches"], Cost]


Reaches = Callable[[Number], Reach]


@dataclass(frozen=True)
class Claim:
    """What is to be proven: that every number of one statistic, with noise of this scale (Noise.reserve), is exact."""

    statistic: Statistic
    numbers: Sequence[Number]
    scale: Fraction
    reach: Reaches


def reaches(manifest: Manifest, form: int) -> Reaches:
    """`FormRules.reach`, computed once for numbers that share their cells. Use it while the numbers are alive."""
    reach, known = rules_of(manifest, form).reach, dict[tuple[int, int], Reach]()

    def look(number: Number) -> Reach:
        key = (id(number.cells), id(number.weights))
        if key not in known:
            known[key] = reach(manifest, form, number)
        return known[key]

    return look


@dataclass(frozen=True)
class Survey:
    """One form of the data: what answering in it costs, or why it cannot answer."""

    form: int
    cost: Cost | None
    refusal: RuleError | None


def survey(
    manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int
) -> list[Survey]:
    """Every form in which the data are sealed, in the manifest's order."""
    found = []
    for form in range(len(manifest["forms"])):
        try:
            found.append(Survey(form, prove_form(manifest, form, numbers, statistics, epsilon), None))
        except RuleError as error:
            found.append(Survey(form, None, error))
    return found


def choose_form(manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int) -> int:
    """Position of the cheapest form that can answer, the first of two equal ones.

    Raises:
        RuleError: `statistic_not_sealed`, `dimension_hidden`, `result_may_wrap`, `epsilon_too_small`: why the first
            form cannot.
    """
    forms = survey(manifest, numbers, statistics, epsilon)
    able = [(item.cost.microseconds, item.form) for item in forms if item.cost is not None]
    if able:
        return min(able)[1]
    refusal = forms[0].refusal
    assert refusal is not None
    raise refusal


def prove_form(
    manifest: Manifest, form: int, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int
) -> Cost:
    """What answering in this form costs, after the proof that it can.

    Raises:
        RuleError: as `choose_form`.
    """
    rules = rules_of(manifest, form)
    _check_columns(statistics, rules.columns(manifest, form))
    reach = reaches(manifest, form)
    cost = rules.cost(manifest, form, numbers, reach)
    by_statistic: dict[str, list[Number]] = {}
    for number in numbers:
        by_statistic.setdefault(number.statistic, []).append(number)
    noises = noises_of(manifest, numbers, statistics, epsilon)
    for statistic in statistics:
        name, noise = statistic.name, noises[statistic.name]
        try:
            rules.prove(manifest, form, Claim(statistic, by_statistic[name], noise.reserve, reach))
        except ParameterError as error:
            raise RuleError(
                "result_may_wrap",
                f"{name} cannot be released: {error}",
                zh=f"{name} 可能超出密文可表示范围",
                rule="queries.range",
                hint="ask for more epsilon, so that the noise is smaller, or for smaller coefficients and weights",
                hint_zh="提高 epsilon 以减小噪声,或减小系数与权重",
            ) from error
    return cost


def rules_of(manifest: Manifest, form: int) -> FormRules:
    """The rules of the form at this position."""
    return FORM_RULES[manifest["forms"][form]["form"]]


def _check_columns(statistics: Sequence[Statistic], columns: Collection[str]) -> None:
    held = frozenset(columns)
    lacking = [column for item in statistics for column, _ in item.parts if column not in held]
    if lacking:
        raise RuleError(
            "statistic_not_sealed",
            f"the data are not sealed in a form that holds {lacking[0]}",
            zh=f"数据的密封形式不含 {lacking[0]}",
            rule="queries.forms",
            expected=choices(columns),
            got=choices(dict.fromkeys(lacking)),
        )


def cells_reach(manifest: Manifest, form: int, number: Number) -> Reach:
    """The sealed cells that a number takes.

    Raises:
        RuleError: `dimension_hidden`.
    """
    index, weights = _public(manifest, number.cells, number.weights)
    prefix = manifest["forms"][form]["prefix"]
    return Reach(index, weights) if prefix is None else _differences(manifest, prefix, index, weights)


def _public(manifest: Manifest, cells: Cells, weights: Weights | None) -> tuple[Cells, Weights | None]:
    """Public cells out of logical ones: a hidden dimension must be taken whole, with one weight."""
    hidden = [axis for axis, item in enumerate(manifest["dimensions"]) if item["hidden"]]
    if not hidden:
        return cells, weights
    shape, axis = cell_shape(manifest), hidden[0]
    inner = math.prod(shape[axis + 1 :])
    public = cells // (inner * shape[axis]) * inner + cells % inner
    order = np.argsort(public, kind="stable")
    found, counts = np.unique(public, return_counts=True)
    sorted_weights = None if weights is None else weights[order].reshape(-1)
    whole = bool((counts == shape[axis]).all())
    if whole and sorted_weights is not None:
        table = sorted_weights.reshape(-1, shape[axis])
        whole, sorted_weights = bool((table == table[:, :1]).all()), table[:, 0]
    if not whole:
        name = manifest["dimensions"][axis]["name"]
        raise RuleError(
            "dimension_hidden",
            f"the data are not sealed in a form that answers this about the hidden dimension {name}",
            zh=f"数据的密封形式不能就此问题区分 {name} 的类别",
            rule="queries.hidden",
            expected="a question over all categories of the hidden dimension",
            got=name,
            hint="COUNT, SUM and MEAN by a hidden dimension need the form with sealed indicators",
            hint_zh="按隐藏维度计数、求和、求均值需要带密封指示列的形式",
        )
    return found, sorted_weights


def _differences(manifest: Manifest, prefix: str, index: Cells, weights: Weights | None) -> Reach:
    """Weight w at t adds the total at t and takes away the one before it; neighbours cancel."""
    names = [item["name"] for item in manifest["dimensions"] if not item["hidden"]]
    shape, axis = public_shape(manifest), names.index(prefix)
    mine = np.ones(index.size, dtype=np.int64) if weights is None else weights
    if index.size * _DENSE > math.prod(shape):
        every = np.zeros(math.prod(shape), dtype=np.int64)
        every[index] = mine
        every = -np.diff(every.reshape(shape), axis=axis, append=0).reshape(-1)
        found = np.flatnonzero(every)
        return Reach(found, every[found])
    stride = math.prod(shape[axis + 1 :])
    later = index // stride % shape[axis] > 0
    touched = np.concatenate([index, index[later] - stride])
    found, place = np.unique(touched, return_inverse=True)
    added = np.zeros(found.size, dtype=np.int64)
    np.add.at(added, place.reshape(-1), np.concatenate([mine, -mine[later]]))
    return Reach(found[added != 0], added[added != 0])


def _prove_cells(manifest: Manifest, form: int, claim: Claim) -> None:
    """Of the worst number: weights, coefficients and batches multiply both the total and the error."""
    rows, statistic = max(row_count(manifest), 1), claim.statistic
    total = rows * row_sensitivity(manifest, statistic) * max(number.heaviest for number in claim.numbers)
    value = rows * max(row_sensitivity(manifest, Statistic(((column, 1),))) for column, _ in statistic.parts)
    factors = sum(abs(factor) for _, factor in statistic.parts)
    reaches_of = [claim.reach(number) for number in claim.numbers]
    batches, chosen = len(manifest["batches"]), profile(manifest["forms"][form]["profile"])
    largest = max(reach.heaviest for reach in reaches_of) * max(abs(factor) for _, factor in statistic.parts)
    if largest >= chosen.half:
        raise ParameterError(f"weights: expected magnitudes below {chosen.half}, got {largest}")
    prove_headroom(
        chosen,
        max(reach.index.size for reach in reaches_of) * batches * len(statistic.parts),
        -value,
        value,
        total=total,
        scale=claim.scale,
        shares=key_holders(manifest),
        weight=max(reach.weight for reach in reaches_of) * factors * batches,
    )


def _cells_cost(manifest: Manifest, form: int, numbers: Sequence[Number], reach: Reaches) -> Cost:
    degree, batches = profile(manifest["forms"][form]["profile"]).degree, len(manifest["batches"])
    chunks_of: dict[int, list[int]] = {}
    touched: dict[str, set[int]] = {}
    cells = products = 0
    for number in numbers:
        taken = reach(number).index
        if id(taken) not in chunks_of:
            chunks_of[id(taken)] = np.unique(taken // degree).tolist()
        chunks = chunks_of[id(taken)]
        cells += taken.size * len(number.parts) * batches
        products += len(chunks) * len(number.parts)
        for column, _ in number.parts:
            touched.setdefault(column, set()).update(chunks)
    fetched, additions = _bytes(manifest, form, touched), products * (batches - 1)
    spent = products * _MULTIPLY_MICROSECONDS + additions * _ADD_MICROSECONDS + len(numbers) * _NUMBER_MICROSECONDS
    return Cost(cells, products + additions, fetched, spent + fetched * _OPEN_MICROSECONDS_PER_MEGABYTE // 10**6)


def _bytes(manifest: Manifest, form: int, touched: Mapping[str, Collection[int]]) -> int:
    total = 0
    for batch in manifest["batches"]:
        for column in batch["columns"]:
            if column["form"] == form and column["name"] in touched:
                taken = touched[column["name"]]  # a column of too few chunks is found when it is opened
                total += sum(int(chunk["size"]) for place, chunk in enumerate(column["chunks"]) if place in taken)
    return total


FORM_RULES: dict[str, FormRules] = {
    "cells": FormRules(column_names, cells_reach, _prove_cells, _cells_cost),
}
