"""A set of cells -> one sealed number. Only additions and multiplications by public 0/1 weights: no keys, no
rotations, no randomness.

Every party that evaluates the same cells of the same blobs gets the same bytes, so results are compared by digest.

Assumes: nothing. Leaks: nothing of the values; the weights are public. Cost: one addition of ciphertexts per touched
chunk, and one multiplication per distinct pattern of weights (chunks that are wholly chosen are added first and
multiplied once).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.cells import SealedChunk
from crypto.seal.engine import engine
from crypto.seal.keys import crt
from crypto.seal.parameters import Profile

_C1_DOMAIN = b"sealed number, c1, version 1\n"
Cells = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SealedNumber:
    """The encryption of one number, in coefficient N-1.

    Attributes:
        profile: its parameter set.
        c0: that coefficient of c0, an integer in [0, q). Goes to the recipient.
        c1: the whole of c1, read-only uint64 [primes, N]. Goes to the key's owner; says nothing of the data.
    """

    profile: Profile
    c0: int
    c1: NDArray[np.uint64]

    def c1_digest(self) -> bytes:
        """SHA-256 of a domain line, the parameter set's digest, and c1 as little-endian words, prime by prime."""
        state = hashlib.sha256(_C1_DOMAIN + self.profile.digest)
        state.update(np.ascontiguousarray(self.c1, dtype="<u8").data)
        return state.digest()


def evaluate_sum(profile: Profile, chunks: Sequence[SealedChunk], cells: Cells) -> SealedNumber:
    """Adds up the chosen cells of one column.

    Args:
        profile: the column's parameter set.
        chunks: the column's chunks in order; all but the last hold N values.
        cells: strictly increasing indices; cell i is coefficient i % N of chunk i // N. A `range` is fastest.

    Returns:
        The sealed sum.

    Raises:
        ParameterError: no cell (the result would be no encryption at all), too many, not strictly increasing, beyond
            the column,
            or a chunk of another profile.
    """
    made = engine(profile)
    patterns: dict[bytes, list[Any]] = {}
    for chunk, mask in _masks(profile, chunks, cells):
        patterns.setdefault(np.packbits(mask).tobytes(), []).append(chunk.ciphertext)
    products = [made.multiply(made.add(members), _weights(profile, pattern)) for pattern, members in patterns.items()]
    c0, c1 = made.polynomials(made.from_ntt(made.add(products)))
    return SealedNumber(profile, crt(profile, [int(row[-1]) for row in c0]), c1)


@lru_cache(maxsize=128)
def _weights(profile: Profile, pattern: bytes) -> Any:
    """The polynomial with a 1 at N-1-j for every chosen cell j. Cached: columns of one query share their patterns."""
    mask = np.unpackbits(np.frombuffer(pattern, dtype=np.uint8))
    return engine(profile).weights(mask[::-1].astype(np.uint64))


def _masks(
    profile: Profile, chunks: Sequence[SealedChunk], cells: Cells
) -> Iterator[tuple[SealedChunk, NDArray[np.bool_]]]:
    """The touched chunks in order, each with the cells chosen from it as N booleans."""
    size = _column_size(profile, chunks)
    if not 1 <= len(cells) <= profile.max_cells:
        raise ParameterError(f"cells of one sum: expected 1 to {profile.max_cells}, got {len(cells)}")
    if isinstance(cells, range) and cells.step == 1:
        _require_inside(cells[0], cells[-1], size)
        return _masks_of_range(profile, chunks, cells)
    index = np.asarray(cells)
    if index.ndim != 1 or index.dtype.kind not in "iu" or not (np.diff(index.astype(np.int64)) > 0).all():
        raise ParameterError("cells of one sum: expected strictly increasing integers")
    _require_inside(int(index[0]), int(index[-1]), size)
    return _masks_of_index(profile, chunks, index)


def _masks_of_range(
    profile: Profile, chunks: Sequence[SealedChunk], cells: range
) -> Iterator[tuple[SealedChunk, NDArray[np.bool_]]]:
    for number in range(cells[0] // profile.degree, cells[-1] // profile.degree + 1):
        start = number * profile.degree
        mask = np.zeros(profile.degree, dtype=np.bool_)
        mask[max(cells.start - start, 0) : cells.stop - start] = True
        yield chunks[number], mask


def _masks_of_index(
    profile: Profile, chunks: Sequence[SealedChunk], index: NDArray[np.int64]
) -> Iterator[tuple[SealedChunk, NDArray[np.bool_]]]:
    touched = index // profile.degree
    for number in np.unique(touched):
        mask = np.zeros(profile.degree, dtype=np.bool_)
        mask[index[touched == number] % profile.degree] = True
        yield chunks[int(number)], mask


def _column_size(profile: Profile, chunks: Sequence[SealedChunk]) -> int:
    if not chunks:
        raise ParameterError("column: expected at least one chunk, got none")
    for chunk in chunks:
        if chunk.profile != profile:
            raise ParameterError(f"column: expected chunks of {profile.name}, got one of {chunk.profile.name}")
    if any(chunk.count != profile.degree for chunk in chunks[:-1]):
        raise ParameterError(f"column: expected {profile.degree} values in every chunk but the last")
    return profile.degree * (len(chunks) - 1) + chunks[-1].count


def _require_inside(first: int, last: int, size: int) -> None:
    if first < 0 or last >= size:
        raise ParameterError(f"cells of one sum: expected indices 0 to {size - 1}, got {first} to {last}")
