"""The cells form, as the planner sees it.

It holds one value of every column for each public cell, so it can answer whatever does not tell the categories of a
hidden dimension apart. Where its columns are running totals along an ordered dimension, the sum of weight w[t] at
position t of that axis takes the total at t with weight w[t] - w[t+1]: a range costs two cells.
"""

import math
from collections.abc import Sequence

import numpy as np

from crypto.errors import ParameterError
from crypto.seal.headroom import Headroom, prove_headroom
from crypto.seal.parameters import profile
from marketplace.documents import column_names, key_holders, public_shape, row_count
from marketplace.queries.planning.forms.reach import (
    NUMBER_MICROSECONDS,
    OPEN_MICROSECONDS_PER_MEGABYTE,
    Claim,
    FormRules,
    Manifest,
    Reach,
    Reaches,
    column_bytes,
    public_reach,
)
from marketplace.queries.planning.numbers import Cost, Number, Weights
from marketplace.queries.planning.selection import Cells
from marketplace.queries.planning.sensitivity import row_sensitivity
from marketplace.queries.planning.statistics import Statistic

_MULTIPLY_MICROSECONDS = 300  # one plaintext product with its transforms, and the additions around it
_ADD_MICROSECONDS = 30
_DENSE = 8  # where more than one cell in so many is taken, differences are computed over all cells at once


def cells_reach(manifest: Manifest, form: int, number: Number) -> Reach:
    """The sealed cells that a number takes.

    Raises:
        RuleError: `dimension_hidden`.
    """
    index, weights = public_reach(manifest, number.cells, number.weights)
    prefix = manifest["forms"][form]["prefix"]
    return Reach(index, weights) if prefix is None else _differences(manifest, prefix, index, weights)


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


def _prove_cells(manifest: Manifest, form: int, claim: Claim) -> Headroom:
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
    return prove_headroom(
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
    fetched, additions = column_bytes(manifest, form, touched), products * (batches - 1)
    spent = products * _MULTIPLY_MICROSECONDS + additions * _ADD_MICROSECONDS + len(numbers) * NUMBER_MICROSECONDS
    return Cost(cells, products + additions, fetched, spent + fetched * OPEN_MICROSECONDS_PER_MEGABYTE // 10**6)


CELLS_RULES = FormRules(column_names, cells_reach, _prove_cells, _cells_cost)
