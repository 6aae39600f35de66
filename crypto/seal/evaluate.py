"""A set of cells -> one sealed number. Only additions and multiplications by public weights: no keys, no rotations, no
randomness.

Every party that evaluates the same cells of the same blobs gets the same bytes, so results are compared by digest.

Assumes: nothing. Leaks: nothing of the values; the weights are public. Cost: one addition of ciphertexts per touched
chunk, and one multiplication per distinct pattern of weights (chunks that are wholly chosen are added first and
multiplied once); one product is held in memory at a time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.cells import SealedChunk
from crypto.seal.engine import Engine, engine
from crypto.seal.keys import crt, require_polynomial
from crypto.seal.parameters import Profile
from crypto.seal.weights import Cells, CellWeights, first_cells, require_cells, weigh_cells

_C1_DOMAIN = b"sealed number, c1, version 1\n"


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
        words, prime by prime. Its SHA-256 is `request_digest`."""
        return _C1_DOMAIN + self.profile.digest + np.ascontiguousarray(self.c1, dtype="<u8").tobytes()

    def request_digest(self) -> bytes:
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
            fastest; for other cells of several columns, `weigh_cells` once and `evaluate_weighted`.

    Returns:
        The sealed sum.

    Raises:
        ParameterError: no cell (the result would be no encryption at all), too many, not strictly increasing, beyond
            the column, or a chunk of another profile.
    """
    if not isinstance(cells, range) or cells.step != 1:
        return evaluate_weighted(profile, chunks, weigh_cells(profile, cells))
    require_cells(profile, cells)
    _require_inside(_column_size(profile, chunks), cells[-1])
    return _number(profile, _range_sum(engine(profile), chunks, cells))


def evaluate_weighted(profile: Profile, chunks: Sequence[SealedChunk], weights: CellWeights) -> SealedNumber:
    """Adds up the chosen cells of one column, each times its public weight.

    Args:
        profile: the column's parameter set.
        chunks: the column's chunks in order; all but the last hold N values.
        weights: by `weigh_cells`, for any column of this parameter set.

    Returns:
        The sealed sum.

    Raises:
        ParameterError: cells beyond the column, or a chunk or weights of another profile.
    """
    _require_inside(_column_size(profile, chunks), weights.last)
    if weights.profile != profile:
        raise ParameterError(f"weights: expected some for {profile.name}, got some for {weights.profile.name}")
    made = engine(profile)
    terms = [
        (made.add([chunks[number].ciphertext for number in numbers]), factor) for factor, numbers in weights.factors
    ]
    return _number(profile, made.weighted_sum(terms))


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
    """The sum of sealed numbers of one profile; their errors add up too. Of none the number 0."""
    if len(numbers) == 1:
        return numbers[0]
    primes = np.array(profile.data_primes, dtype=np.uint64)[:, None]
    c1 = np.zeros((len(profile.data_primes), profile.degree), dtype=np.uint64)
    for other in numbers:
        c1 = (c1 + other.c1) % primes  # residues are below 2^61, so a sum of two fits 64 bits
    return SealedNumber(profile, sum(number.c0 for number in numbers) % profile.modulus, c1)


def _range_sum(made: Engine, chunks: Sequence[SealedChunk], cells: range) -> Any:
    """Everything before the end less everything before the start: neighbouring ranges share their border's weights."""
    profile, degree = made.profile, made.profile.degree
    (first, before), (last, until) = divmod(cells.start, degree), divmod(cells.stop, degree)
    terms = []
    if first < last:
        whole = made.add([chunk.ciphertext for chunk in chunks[first:last]])
        terms.append((whole, first_cells(profile, degree)))
    if until:
        terms.append((chunks[last].ciphertext, first_cells(profile, until)))
    total = made.weighted_sum(terms)
    if not before:
        return total
    return made.subtract(total, made.multiply(chunks[first].ciphertext, first_cells(profile, before)))


def _number(profile: Profile, total: Any) -> SealedNumber:
    """Coefficient N-1 of an NTT-form ciphertext, which is changed."""
    made = engine(profile)
    c0, c1 = made.polynomials(made.from_ntt(total))
    return SealedNumber(profile, crt(profile, [int(row[-1]) for row in c0]), c1)


def _require_inside(size: int, last: int) -> None:
    if last >= size:
        raise ParameterError(f"cells of one sum: expected indices 0 to {size - 1}, got up to {last}")


def _column_size(profile: Profile, chunks: Sequence[SealedChunk]) -> int:
    if not chunks:
        raise ParameterError("column: expected at least one chunk, got none")
    for chunk in chunks:
        if chunk.profile is not profile and chunk.profile != profile:
            raise ParameterError(f"column: expected chunks of {profile.name}, got one of {chunk.profile.name}")
    if any(chunk.count != profile.degree for chunk in chunks[:-1]):
        raise ParameterError(f"column: expected {profile.degree} values in every chunk but the last")
    return profile.degree * (len(chunks) - 1) + chunks[-1].count
