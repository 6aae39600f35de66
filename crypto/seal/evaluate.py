"""A set of cells -> one sealed number. Only additions and multiplications by public weights: no keys, no rotations, no
randomness.

Every party that evaluates the same cells of the same blobs gets the same bytes, so results are compared by digest.

Assumes: nothing. Leaks: nothing of the values; the weights are public. Cost: one addition of ciphertexts per touched
chunk, and one multiplication per distinct pattern of weights (chunks that are wholly chosen are added first and
multiplied once).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.cells import SealedChunk
from crypto.seal.engine import Engine, engine
from crypto.seal.keys import crt, require_polynomial
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

    def request(self) -> bytes:
        """What the key's owner needs of this number: a domain line, the parameter set's digest, and c1 as little-endian
        words, prime by prime. Its SHA-256 is `c1_digest`."""
        return _C1_DOMAIN + self.profile.digest + np.ascontiguousarray(self.c1, dtype="<u8").tobytes()

    def c1_digest(self) -> bytes:
        """SHA-256 of `request`."""
        state = hashlib.sha256(_C1_DOMAIN + self.profile.digest)
        state.update(np.ascontiguousarray(self.c1, dtype="<u8").data)
        return state.digest()


def read_request(profile: Profile, data: bytes) -> NDArray[np.uint64]:
    """The c1 in a request that somebody else evaluated: uint64 [primes, N], every entry below its prime.

    Raises:
        MalformedInput: another length, another parameter set, or an entry out of range.
    """
    head = _C1_DOMAIN + profile.digest
    if len(data) != len(head) + 8 * profile.words or not data.startswith(head):
        raise MalformedInput(f"request: expected {len(head) + 8 * profile.words} bytes for {profile.name}")
    words = np.frombuffer(data, dtype="<u8", offset=len(head)).astype(np.uint64)
    c1 = words.reshape(len(profile.data_primes), profile.degree)
    require_polynomial(profile, c1)
    return c1


def evaluate_sum(profile: Profile, chunks: Sequence[SealedChunk], cells: Cells) -> SealedNumber:
    """Adds up the chosen cells of one column.

    Args:
        profile: the column's parameter set.
        chunks: the column's chunks in order; all but the last hold N values.
        cells: strictly increasing indices; cell i is coefficient i % N of chunk i // N. A `range` (of step 1) is
        fastest.

    Returns:
        The sealed sum.

    Raises:
        ParameterError: no cell (the result would be no encryption at all), too many, not strictly increasing, beyond
            the column,
            or a chunk of another profile.
    """
    chosen = cells if isinstance(cells, range) and cells.step == 1 else np.asarray(cells)
    _require_cells(profile, _column_size(profile, chunks), chosen)
    made = engine(profile)
    total = _range_sum(made, chunks, chosen) if isinstance(chosen, range) else _scattered_sum(made, chunks, chosen)
    c0, c1 = made.polynomials(made.from_ntt(total))
    return SealedNumber(profile, crt(profile, [int(row[-1]) for row in c0]), c1)


def evaluate_weighted(
    profile: Profile, chunks: Sequence[SealedChunk], index: NDArray[np.int64], weights: NDArray[np.int64]
) -> SealedNumber:
    """Adds up the chosen cells of one column, each times a public whole number.

    Args:
        profile: the column's parameter set.
        chunks: the column's chunks in order; all but the last hold N values.
        index: strictly increasing cells, as in `evaluate_sum`.
        weights: one for each, not zero, in (-t/2, t/2). They multiply the errors too: the caller proves that the sum
            of their magnitudes leaves room (headroom.prove_headroom).

    Returns:
        The sealed sum.

    Raises:
        ParameterError: as `evaluate_sum`, or a weight is zero or out of range.
    """
    _require_cells(profile, _column_size(profile, chunks), index)
    if weights.shape != index.shape or weights.dtype.kind != "i" or not weights.all():
        raise ParameterError(f"weights: expected {index.size} signed integers other than zero")
    if int(np.abs(weights).max()) >= profile.half:
        raise ParameterError(f"weights: expected magnitudes below {profile.half}")
    made, degree = engine(profile), profile.degree
    numbers, starts = np.unique(index // degree, return_index=True)
    products = []
    for number, cells, mine in zip(
        numbers, np.split(index % degree, starts[1:]), np.split(weights, starts[1:]), strict=True
    ):
        polynomial = np.zeros(degree, dtype=np.int64)
        polynomial[degree - 1 - cells] = mine
        factor = made.weights((polynomial % profile.plain_modulus).astype(np.uint64))
        products.append(made.multiply(chunks[int(number)].ciphertext, factor))
    c0, c1 = made.polynomials(made.from_ntt(made.add(products)))
    return SealedNumber(profile, crt(profile, [int(row[-1]) for row in c0]), c1)


def add_columns(profile: Profile, columns: Sequence[Sequence[SealedChunk]]) -> list[SealedChunk]:
    """The column whose cells are the sums of the same cells of some columns of one size; its errors add up too.

    Raises:
        ParameterError: no column, chunks of another profile, or columns of different sizes.
    """
    sizes = {_column_size(profile, chunks) for chunks in columns}
    if len(sizes) != 1:
        raise ParameterError(f"columns to add: expected one size, got {sorted(sizes)}")
    if len(columns) == 1:
        return list(columns[0])
    made = engine(profile)
    return [
        SealedChunk(profile, same[0].count, made.add([chunk.ciphertext for chunk in same]))
        for same in zip(*columns, strict=True)
    ]


def add_numbers(profile: Profile, numbers: Sequence[SealedNumber]) -> SealedNumber:
    """The sum of sealed numbers of one profile; their errors add up too."""
    if len(numbers) == 1:
        return numbers[0]
    primes = np.array(profile.data_primes, dtype=np.uint64)[:, None]
    c1 = numbers[0].c1
    for other in numbers[1:]:
        c1 = (c1 + other.c1) % primes  # residues are below 2^61, so a sum of two fits 64 bits
    return SealedNumber(profile, sum(number.c0 for number in numbers) % profile.modulus, c1)


def _range_sum(made: Engine, chunks: Sequence[SealedChunk], cells: range) -> Any:
    """Everything before the end less everything before the start: neighbouring ranges share their border's weights."""
    degree = made.profile.degree
    (first, before), (last, until) = divmod(cells.start, degree), divmod(cells.stop, degree)
    terms = []
    if first < last:
        whole = made.add([chunk.ciphertext for chunk in chunks[first:last]])
        terms.append(made.multiply(whole, _weights(made.profile, _prefix(degree, degree))))
    if until:
        terms.append(made.multiply(chunks[last].ciphertext, _weights(made.profile, _prefix(degree, until))))
    total = made.add(terms)
    if not before:
        return total
    return made.subtract(
        total, made.multiply(chunks[first].ciphertext, _weights(made.profile, _prefix(degree, before)))
    )


def _scattered_sum(made: Engine, chunks: Sequence[SealedChunk], index: NDArray[np.int64]) -> Any:
    """One product per distinct pattern of chosen cells; chunks with the same pattern are added first."""
    degree = made.profile.degree
    patterns: dict[bytes, list[Any]] = {}
    numbers, starts = np.unique(index // degree, return_index=True)
    for number, chosen in zip(numbers, np.split(index % degree, starts[1:]), strict=True):
        mask = np.zeros(degree, dtype=np.bool_)
        mask[chosen] = True
        patterns.setdefault(np.packbits(mask).tobytes(), []).append(chunks[int(number)].ciphertext)
    products = [made.multiply(made.add(members), _weights(made.profile, mask)) for mask, members in patterns.items()]
    return made.add(products)


@lru_cache(maxsize=128)
def _prefix(degree: int, count: int) -> bytes:
    """The first `count` cells of a chunk, as a pattern of weights."""
    return np.packbits(np.arange(degree) < count).tobytes()


@lru_cache(maxsize=128)
def _weights(profile: Profile, pattern: bytes) -> Any:
    """The polynomial with a 1 at N-1-j for every chosen cell j. Cached: columns of one query share their patterns."""
    mask = np.unpackbits(np.frombuffer(pattern, dtype=np.uint8))
    return engine(profile).weights(mask[::-1].astype(np.uint64))


def _require_cells(profile: Profile, size: int, cells: range | NDArray[np.int64]) -> None:
    if not 1 <= len(cells) <= profile.max_cells:
        raise ParameterError(f"cells of one sum: expected 1 to {profile.max_cells}, got {len(cells)}")
    if not isinstance(cells, range) and not _increasing(cells):
        raise ParameterError("cells of one sum: expected strictly increasing integers")
    if cells[0] < 0 or cells[-1] >= size:
        raise ParameterError(f"cells of one sum: expected indices 0 to {size - 1}, got {cells[0]} to {cells[-1]}")


def _increasing(index: NDArray[np.int64]) -> bool:
    return index.ndim == 1 and index.dtype.kind in "iu" and bool((index[1:] > index[:-1]).all())


def _column_size(profile: Profile, chunks: Sequence[SealedChunk]) -> int:
    if not chunks:
        raise ParameterError("column: expected at least one chunk, got none")
    for chunk in chunks:
        if chunk.profile is not profile and chunk.profile != profile:
            raise ParameterError(f"column: expected chunks of {profile.name}, got one of {chunk.profile.name}")
    if any(chunk.count != profile.degree for chunk in chunks[:-1]):
        raise ParameterError(f"column: expected {profile.degree} values in every chunk but the last")
    return profile.degree * (len(chunks) - 1) + chunks[-1].count
