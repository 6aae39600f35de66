"""Keys and sealed columns that the tests of this folder share, made once, and exact views of what encryption hides."""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crypto.seal.cells import SealedChunk
from crypto.seal.columns import open_column, seal_column
from crypto.seal.evaluate import SealedNumber
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import PROFILES, Profile

CELLS = PROFILES["bfv-8192-cells-1"]
ROWS = PROFILES["bfv-4096-rows-1"]
BOTH = [CELLS, ROWS]


@lru_cache
def key_of(profile: Profile) -> SealingKey:
    return SealingKey.generate(profile)


@lru_cache
def column_of(profile: Profile) -> tuple[NDArray[np.int64], list[bytes], list[SealedChunk]]:
    """Signed values over two full chunks and a short one, their blobs, and the opened chunks."""
    generator = np.random.default_rng(5)
    values = generator.integers(-(1 << 20), 1 << 20, 2 * profile.degree + 1000)
    blobs = list(seal_column(key_of(profile), values))
    return values, blobs, open_column(profile, blobs)


def hidden_error(key: SealingKey, number: SealedNumber, total: int) -> int:
    """The ciphertext's error at the released coefficient, centred: what smudging has to hide."""
    q, t = key.profile.modulus, key.profile.plain_modulus
    phase = (number.c0 + key.answer(number.c1)) % q
    error = (phase - (q * total + t // 2) // t) % q
    return error - q if error > q // 2 else error


def resealed(blob: bytes) -> bytes:
    """The blob with its checksum made right again, so that a later check is the one that speaks."""
    return blob[:32] + hashlib.sha256(blob[:32] + blob[64:]).digest() + blob[64:]
