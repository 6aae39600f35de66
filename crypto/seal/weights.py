"""Public weights of a column's cells as polynomials that multiply its chunks: made once, used for every column, batch
and repeat of a question. Making them costs more than multiplying by them.

Assumes: nothing. Leaks: nothing; weights are public. Cost: one transform a distinct pattern of weights, and 8 bytes a
cell and prime in memory for as long as they are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.engine import engine
from crypto.seal.parameters import Profile

Cells = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CellWeights:
    """Weights of some cells, ready to multiply.

    Attributes:
        profile: of the columns that they may multiply.
        cells: how many cells have one. last: the highest of them.
        factors: (SEAL's polynomial in NTT form, numbers of the chunks that it multiplies).
    """

    profile: Profile
    cells: int
    last: int
    factors: Sequence[tuple[Any, Sequence[int]]]


def weigh_cells(profile: Profile, index: Cells, weights: NDArray[np.int64] | None = None) -> CellWeights:
    """Prepares weights.

    Args:
        profile: of the columns that they will multiply.
        index: strictly increasing cells, 1 to max_cells of them; cell i is coefficient i % N of chunk i // N.
        weights: one for each, not zero, in (-t/2, t/2); None where all weigh one. They multiply the errors too: the
            caller proves that the sum of their magnitudes leaves room (headroom.prove_headroom).

    Raises:
        ParameterError: cells or weights are not as above.
    """
    cells = np.asarray(index)
    require_cells(profile, cells)
    given = np.ones(cells.size, dtype=np.int64) if weights is None else weights
    _require_weights(profile, cells, given)
    degree = profile.degree
    first, last = int(cells[0]) // degree, int(cells[-1]) // degree
    ends = np.searchsorted(cells, np.arange(first, last + 2) * degree).tolist()
    patterns: dict[bytes, list[int]] = {}
    for number, start, stop in zip(range(first, last + 1), ends, ends[1:], strict=False):
        if start < stop:
            pattern = np.zeros(degree, dtype=np.int64)
            pattern[number * degree + degree - 1 - cells[start:stop]] = given[start:stop]
            patterns.setdefault(pattern.tobytes(), []).append(number)
    factors = [(pattern_weights(profile, pattern), chunks) for pattern, chunks in patterns.items()]
    return CellWeights(profile, cells.size, int(cells[-1]), factors)


@lru_cache(maxsize=128)
def pattern_weights(profile: Profile, pattern: bytes) -> Any:
    """The polynomial of one chunk's weights, as words. Kept: the columns of a question share theirs."""
    return engine(profile).weights(_residues(profile, pattern))


@lru_cache(maxsize=128)
def first_cells(profile: Profile, count: int) -> Any:
    """The polynomial that takes the first `count` cells of a chunk. Kept: neighbouring ranges share their borders."""
    pattern = np.zeros(profile.degree, dtype=np.uint64)
    pattern[profile.degree - count :] = 1
    return engine(profile).weights(pattern)


def require_cells(profile: Profile, cells: range | NDArray[np.int64]) -> None:
    """Check that these are cells of one sum, of whatever column.

    Raises:
        ParameterError: none, too many, negative or not strictly increasing ones.
    """
    if not 1 <= len(cells) <= profile.max_cells:
        raise ParameterError(f"cells of one sum: expected 1 to {profile.max_cells}, got {len(cells)}")
    if not isinstance(cells, range) and not _increasing(cells):
        raise ParameterError("cells of one sum: expected strictly increasing integers")
    if cells[0] < 0:
        raise ParameterError(f"cells of one sum: expected indices 0 to the column's last, got {cells[0]}")


def _increasing(index: NDArray[np.int64]) -> bool:
    return index.ndim == 1 and index.dtype.kind in "iu" and bool((index[1:] > index[:-1]).all())


def _require_weights(profile: Profile, cells: NDArray[np.int64], weights: NDArray[np.int64]) -> None:
    if weights.shape != cells.shape or weights.dtype.kind != "i" or not weights.all():
        raise ParameterError(f"weights: expected {cells.size} signed integers other than zero")
    if max(int(weights.max()), -int(weights.min())) >= profile.half:
        raise ParameterError(f"weights: expected magnitudes below {profile.half}")


def _residues(profile: Profile, pattern: bytes) -> NDArray[np.uint64]:
    signed, t = np.frombuffer(pattern, dtype=np.int64), profile.plain_modulus
    residues = (
        signed % t if profile.plain_prime else signed & (t - 1)
    )  # for a power of two the same, and ten times faster
    return residues.view(np.uint64)
