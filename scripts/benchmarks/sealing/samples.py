"""The rows that both sides of a benchmark get, from one seed, and how a result is judged."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crypto.seal.cells import SealedChunk
from crypto.seal.columns import open_column, seal_column
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet
from crypto.seal.pad_wire import CHUNK
from crypto.seal.pads import seal_padded
from crypto.seal.parameters import Profile

Integers = NDArray[np.int64]
GROUPS = 16
LARGEST = 100_000


def values_of(rows: int) -> Integers:
    """A column of whole numbers below LARGEST."""
    return np.random.default_rng(1).integers(0, LARGEST, rows)


def weights_of(rows: int) -> Integers:
    """Another weight for every row, 1 to 8."""
    return np.random.default_rng(2).integers(1, 9, rows)


def mask_of(rows: int) -> Integers:
    """Which rows a filter takes, scattered: three of ten, in increasing order."""
    return np.flatnonzero(np.random.default_rng(3).random(rows) < 0.3)


def groups_of(rows: int) -> Integers:
    """The group of each row."""
    return np.random.default_rng(4).integers(0, GROUPS, rows)


def sealed_rows(key: SealingKey, values: Integers) -> list[SealedChunk]:
    """A column, sealed and opened."""
    return open_column(key.profile, seal_column(key, values))


def padded_rows(key: PadKey, sheet: Sheet, values: Integers) -> Iterator[bytes]:
    """A column, padded chunk by chunk."""
    for start in range(0, len(values), CHUNK):
        yield seal_padded(key, sheet, start, values[start : start + CHUNK])


def pieces(profile: Profile, rows: int) -> list[range]:
    """Ranges of rows that one sealed sum may add up."""
    return [range(start, min(start + profile.max_cells, rows)) for start in range(0, rows, profile.max_cells)]


def relative_error(seen: float, true: float) -> float:
    """Of an opened result."""
    return abs(seen - true) / abs(true)


def spread(count: int, total: float, squares: float) -> float:
    """Variance from count, sum and sum of squares."""
    return squares / count - (total / count) ** 2
