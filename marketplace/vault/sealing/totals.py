"""Exact totals by cell, as fast as counting.

`numpy.bincount` adds weights as doubles, which are exact while every partial sum is an integer below 2^53. Whether that
holds follows from the declared bound and the number of rows at hand; where it does not, values are added in two halves.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
_EXACT = 1 << 53
_HALF_BITS = 30


def counts_by_cell(cells: Integers, size: int) -> Integers:
    """How many rows fall into each of `size` cells."""
    return np.bincount(cells, minlength=size).astype(np.int64, copy=False)


def totals_by_cell(cells: Integers, values: Integers, size: int, largest: int) -> Integers:
    """The sum of `values` in each of `size` cells, exactly.

    Args:
        cells: cell of each value. values: each at most `largest` in magnitude, below 2^58.
        largest: proven bound.
    """
    if largest * len(values) < _EXACT:
        return _added(cells, values, size)
    low = values & ((1 << _HALF_BITS) - 1)  # of a negative value too: values = high * 2^30 + low, 0 <= low < 2^30
    high = values >> _HALF_BITS
    return _added(cells, low, size) + (_added(cells, high, size) << _HALF_BITS)


def _added(cells: Integers, values: Integers, size: int) -> Integers:
    return np.bincount(cells, weights=values, minlength=size).astype(np.int64)
