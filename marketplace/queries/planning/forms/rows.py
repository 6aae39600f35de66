"""The form of padded rows, as the planner sees it.

A column holds one value for each place, and every public cell has the same number of places for its rows (the form's
`places`; those without a row hold zeros). So what a number takes is known from the manifest alone: neighbouring cells
of one weight are one run of places. It answers COUNT, SUM, MEAN, VARIANCE, STDDEV, SCORE and weighted sums, of whatever
does not tell the categories of a hidden dimension apart.
"""

from collections.abc import Callable, Sequence

import numpy as np

from crypto.errors import ParameterError
from crypto.seal.pad_keys import Sheet
from crypto.seal.pad_sums import Runs
from crypto.seal.pad_wire import pad_profile
from crypto.seal.pads import PadProof, prove_pads
from marketplace.documents import SALT, column_names, key_holders, row_count
from marketplace.queries.planning.forms.reach import (
    Claim,
    FormRules,
    Manifest,
    Reach,
    Reaches,
    column_bytes,
    public_reach,
)
from marketplace.queries.planning.numbers import Cost, Number
from marketplace.queries.planning.sensitivity import row_sensitivity

_VALUES_PER_MICROSECOND = 500  # added up
_NUMBER_MICROSECONDS = 150  # a key for each column and batch, and two words a run
_OPEN_MICROSECONDS_PER_MEGABYTE = 1_300
_LARGEST_WEIGHT = 1 << 62

Salts = Callable[[Manifest], bytes]
"""The salt of a batch's sheets."""


def row_columns(manifest: Manifest, form: int) -> list[str]:
    """The columns that can be summed up."""
    return [name for name in column_names(manifest, form) if name != SALT]


def rows_reach(manifest: Manifest, form: int, number: Number) -> Reach:  # noqa: ARG001 - as every form's
    """The public cells that a number takes.

    Raises:
        RuleError: `dimension_hidden`.
    """
    return Reach(*public_reach(manifest, number.cells, number.weights))


def runs_of(manifest: Manifest, form: int, reach: Reach) -> Runs:
    """The places of the public cells."""
    places, index = int(manifest["forms"][form]["places"]), reach.index
    weights = np.ones(index.size, dtype=np.int64) if reach.weights is None else reach.weights
    breaks = np.flatnonzero((np.diff(index) != 1) | (np.diff(weights) != 0))
    first, last = np.append(0, breaks + 1), np.append(breaks, index.size - 1)
    return Runs(index[first] * places, (index[last] + 1) * places, weights[first])


def taken_of(manifest: Manifest, form: int, number: Number, reach: Reach, salts: Salts) -> list[tuple[Sheet, Runs]]:
    """The runs of places that a number takes of each column of each batch."""
    runs = runs_of(manifest, form, reach)
    return [
        (Sheet(batch["block"], column, salts(batch)), runs.times(factor))
        for column, factor in number.parts
        for batch in manifest["batches"]
    ]


def _prove(manifest: Manifest, form: int, claim: Claim) -> PadProof:
    """Of the worst number: there is no error that could grow, so only the total and the noise count."""
    rows, heaviest = max(row_count(manifest), 1), max(number.heaviest for number in claim.numbers)
    largest = heaviest * max(abs(factor) for _, factor in claim.statistic.parts)
    if largest >= _LARGEST_WEIGHT:
        raise ParameterError(f"weights: expected magnitudes below {_LARGEST_WEIGHT}, got {largest}")
    most = row_sensitivity(manifest, claim.statistic) * heaviest
    chosen, holders = pad_profile(manifest["forms"][form]["profile"]), key_holders(manifest)
    return prove_pads(chosen, rows, -most, most, scale=claim.scale, shares=holders)


def _cost(manifest: Manifest, form: int, numbers: Sequence[Number], reach: Reaches) -> Cost:
    batches, touched, values = len(manifest["batches"]), dict[str, set[int]](), 0
    for number in numbers:
        runs = runs_of(manifest, form, reach(number))
        values += int(runs.lengths.sum()) * len(number.parts) * batches
        chunks = runs.chunks()
        for column, _ in number.parts:
            touched.setdefault(column, set()).update(chunks)
    fetched = column_bytes(manifest, form, touched)
    spent = values // _VALUES_PER_MICROSECOND + len(numbers) * batches * _NUMBER_MICROSECONDS
    return Cost(values, values, fetched, spent + fetched * _OPEN_MICROSECONDS_PER_MEGABYTE // 10**6)


ROWS_RULES = FormRules(row_columns, rows_reach, _prove, _cost)
