"""Our side of each race: profile bfv-4096-rows-1, one coefficient a row, chunks in memory, on one thread. What is timed
is the evaluation; the result is opened by the key's owner and compared with numpy.

The floor of each is SEAL's own operations on the same operands, in a bare loop.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from tenseal import sealapi

from crypto.seal.cells import SealedChunk
from crypto.seal.columns import group_rows, join_limbs, split_limbs
from crypto.seal.engine import engine
from crypto.seal.evaluate import SealedNumber, evaluate_sum, evaluate_weighted
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import PADS_64
from crypto.seal.pads import combine_padded, prove_pads, release_padded
from crypto.seal.parameters import ROWS
from crypto.seal.release import open_number
from crypto.seal.weights import CellWeights, pattern_weights, weigh_cells
from scripts.benchmarks.sealing.samples import (
    GROUPS,
    LARGEST,
    Integers,
    groups_of,
    mask_of,
    padded_rows,
    relative_error,
    sealed_rows,
    spread,
    values_of,
    weights_of,
)
from scripts.benchmarks.tables import taking_turns

LIMB_BITS = 17
REPEATS = 9
Found = dict[str, float]
"""Milliseconds, and of the floor; relative error; for weights also `cold`: milliseconds with the weights made anew; of
pads `shared`: with the holder's share and the opening."""


def our_sum(rows: int) -> Found:
    """SUM of all rows."""
    key, values = SealingKey.generate(ROWS), values_of(rows)
    chunks, cells = sealed_rows(key, values), range(rows)
    took, floor = taking_turns(lambda: evaluate_sum(ROWS, chunks, cells), lambda: _add([chunks]), repeats=REPEATS)
    error = relative_error(open_number(key, evaluate_sum(ROWS, chunks, cells)), int(values.sum()))
    return {"ms": took, "floor": floor, "error": error}


def our_variance(rows: int) -> Found:
    """VARIANCE: the sum, and the sum of squares in two limbs."""
    key, values = SealingKey.generate(ROWS), values_of(rows)
    columns = [sealed_rows(key, column) for column in (values, *split_limbs(values * values, LIMB_BITS, 2))]

    def evaluate() -> list[SealedNumber]:
        return [evaluate_sum(ROWS, column, range(rows)) for column in columns]

    took, floor = taking_turns(evaluate, lambda: _add(columns), repeats=REPEATS)
    total, *limbs = (open_number(key, number) for number in evaluate())
    true = spread(rows, int(values.sum()), int((values * values).sum()))
    error = relative_error(spread(rows, total, join_limbs(limbs, LIMB_BITS)), true)
    return {"ms": took, "floor": floor, "error": error}


def our_dot(rows: int) -> Found:
    """A weighted sum, another weight for every row."""
    return _weighted(values_of(rows), np.arange(rows), weights_of(rows))


def our_filter(rows: int) -> Found:
    """The sum of scattered rows."""
    index = mask_of(rows)
    return _weighted(values_of(rows), index, np.ones(index.size, dtype=np.int64))


def our_groups(rows: int) -> Found:
    """SUM by group. Rows are sorted by group before they are sealed."""
    key, values, groups = SealingKey.generate(ROWS), values_of(rows), groups_of(rows)
    order, ranges = group_rows(groups, GROUPS)
    chunks = sealed_rows(key, values[order])

    def evaluate() -> list[SealedNumber]:
        return [evaluate_sum(ROWS, chunks, cells) for cells in ranges]

    took, floor = taking_turns(evaluate, lambda: _add([chunks]), repeats=REPEATS)
    true = [int(values[groups == group].sum()) for group in range(GROUPS)]
    error = max(map(relative_error, (open_number(key, number) for number in evaluate()), true))
    return {"ms": took, "floor": floor, "error": error}


def padded_dot(rows: int) -> Found:
    """A weighted sum on keyed pads, the form `rows` that is sold: weights made anew, node's sum and holder's share."""
    key, sheet, at = PadKey.generate(PADS_64), Sheet(0, "x", fresh_salt()), np.arange(rows)
    values, weights = values_of(rows), weights_of(rows)
    chunks = open_padded(PADS_64, padded_rows(key, sheet, values))

    def evaluate() -> int:
        return evaluate_runs(PADS_64, chunks, Runs(at, at + 1, weights))

    def release() -> int:
        runs = Runs(at, at + 1, weights)
        share = release_padded(key, [(sheet, runs)], 0, prove_pads(PADS_64, runs.weight, 0, LARGEST))
        return combine_padded(PADS_64, evaluate(), [share])

    took, shared = taking_turns(evaluate, release, repeats=REPEATS)
    return {"ms": took, "shared": shared, "error": relative_error(release(), int((values * weights).sum()))}


def _weighted(values: Integers, index: Integers, weights: Integers) -> Found:
    key = SealingKey.generate(ROWS)
    chunks, prepared = sealed_rows(key, values), weigh_cells(ROWS, index, weights)
    took, floor, cold = taking_turns(
        lambda: evaluate_weighted(ROWS, chunks, prepared),
        lambda: _multiply(chunks, prepared),
        lambda: _made_anew(chunks, index, weights),
        repeats=REPEATS,
    )
    opened = open_number(key, evaluate_weighted(ROWS, chunks, prepared))
    error = relative_error(opened, int((values[index] * weights).sum()))
    return {"ms": took, "cold": cold, "floor": floor, "error": error}


def _made_anew(chunks: list[SealedChunk], index: Integers, weights: Integers) -> SealedNumber:
    pattern_weights.cache_clear()
    return evaluate_weighted(ROWS, chunks, weigh_cells(ROWS, index, weights))


def _add(columns: list[list[SealedChunk]]) -> None:
    """SEAL's additions of all chunks of each column."""
    evaluator = engine(ROWS).evaluator
    for chunks in columns:
        total = sealapi.Ciphertext()
        evaluator.add(chunks[0].ciphertext, chunks[1].ciphertext, total)
        for chunk in chunks[2:]:
            evaluator.add_inplace(total, chunk.ciphertext)


def _multiply(chunks: list[SealedChunk], prepared: CellWeights) -> None:
    """SEAL's products of all chunks with their weights, their additions, and the way back from NTT form."""
    evaluator, total, product = engine(ROWS).evaluator, sealapi.Ciphertext(), sealapi.Ciphertext()
    multiply: Callable[..., Any] = evaluator.multiply_plain
    multiply(chunks[0].ciphertext, prepared.factors[0][0], total)
    for chunk, (factor, _) in zip(chunks[1:], prepared.factors[1:], strict=True):
        multiply(chunk.ciphertext, factor, product)
        evaluator.add_inplace(total, product)
    evaluator.transform_from_ntt_inplace(total)
