"""Values to blob and back: one chunk is up to N signed integers in the coefficients of one polynomial.

Assumes: ring-LWE (confidentiality of the values); a fresh seed per chunk from SEAL's generator.
Leaks: to whoever stores the blob: the profile and the count of values, nothing else.
Cost: 8 bytes per prime and value at rest; about 1 ms (N = 4096) or 3 ms (N = 8192) to seal a chunk.
Source: Fan and Vercauteren, eprint 2012/144; seeded ciphertexts as in SEAL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.engine import engine
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import Profile
from crypto.seal.wire import Blob, read_blob, write_blob


@dataclass(frozen=True, eq=False)
class SealedChunk:
    """A chunk ready for evaluation.

    Attributes:
        profile: its parameter set.
        count: number of values in it, 1..N.
        ciphertext: SEAL's ciphertext in NTT form, so that weights multiply it coefficient by coefficient.
    """

    profile: Profile
    count: int
    ciphertext: Any


def seal_chunk(key: SealingKey, values: Sequence[int] | NDArray[np.int64]) -> bytes:
    """Seals up to N integers.

    Args:
        key: the sealing key.
        values: 1 to N integers, each in (-t/2, t/2).

    Returns:
        A blob (see `wire`), different at every call.

    Raises:
        ParameterError: too few or too many values, not integers, or out of range. The message holds no value.
    """
    profile = key.profile
    checked = _checked(profile, values)
    coefficients = np.zeros(profile.degree, dtype=np.uint64)
    coefficients[: checked.size] = (checked % profile.plain_modulus).astype(np.uint64)
    seed, c0 = key.encrypt(coefficients)
    return write_blob(profile, Blob(checked.size, seed, c0))


def open_chunk(profile: Profile, blob: bytes) -> SealedChunk:
    """Checks a foreign blob and makes it ready for evaluation. Needs no key and shows no value.

    Raises:
        MalformedInput: the blob is not one of this profile; see `wire.read_blob`.
    """
    parsed = read_blob(profile, blob)
    made = engine(profile)
    return SealedChunk(profile, parsed.count, made.to_ntt(made.ciphertext(parsed.seed, parsed.c0)))


def decrypt_chunk(key: SealingKey, blob: bytes) -> NDArray[np.int64]:
    """The values of a chunk, for the owner of the key.

    Raises:
        MalformedInput: the blob is not one of the key's profile.
    """
    parsed = read_blob(key.profile, blob)
    residues = key.decrypt(engine(key.profile).ciphertext(parsed.seed, parsed.c0))[: parsed.count].astype(np.int64)
    return np.where(residues >= key.profile.half, residues - key.profile.plain_modulus, residues)


def _checked(profile: Profile, values: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or not 1 <= array.size <= profile.degree:
        raise ParameterError(
            f"values of one chunk: expected 1 to {profile.degree} in one dimension, got shape {array.shape}"
        )
    if array.dtype.kind not in "iu":
        raise ParameterError(f"values of one chunk: expected 64-bit integers, got {array.dtype}")
    if int(array.max()) >= profile.half or int(array.min()) <= -profile.half:
        raise ParameterError(f"values of one chunk: expected magnitudes below {profile.half}, got a larger one")
    return array.astype(np.int64)
