"""The blob of one sealed chunk. Foreign bytes are parsed here, in numpy, before a native library sees any of them.

    offset  size      field
    0       8         magic "sealed\\x00\\x01"
    8       2         version, 1
    10      2         zero
    12      4         count of values, 1..N; the rest of the polynomial is zeros
    16      16        digest of the parameter set (Profile.digest)
    32      32        SHA-256 of everything else, in order
    64      64        seed of c1 (SEAL's BLAKE2Xb generator)
    128     8*k*N     c0: for each of the k data primes, N coefficients below that prime

All integers are little-endian; the length is exact. The checksum finds damage, not malice: who wrote a blob is settled
by its digest in the manifest. Bytes per value at rest: 8k + 128/N.

Assumes: nothing of the sender. Leaks: the count of values. Cost: one hash and one comparison per word.
"""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crypto.errors import MalformedInput
from crypto.seal.parameters import Profile

MAGIC = b"sealed\x00\x01"
VERSION = 1
SEED_BYTES = 64
OVERHEAD = 128
_HEADER = struct.Struct("<8sHHI16s")


@dataclass(frozen=True, eq=False)
class Blob:
    """A parsed blob: count of values, seed of c1, and c0 as uint64 of shape [primes, N], every entry below its
    prime."""

    count: int
    seed: bytes
    c0: NDArray[np.uint64]


def blob_size(profile: Profile) -> int:
    """Exact length in bytes of every blob of that profile."""
    return OVERHEAD + 8 * profile.words


def write_blob(profile: Profile, blob: Blob) -> bytes:
    """The bytes of a chunk."""
    header = _HEADER.pack(MAGIC, VERSION, 0, blob.count, profile.digest)
    body = blob.seed + np.ascontiguousarray(blob.c0, dtype="<u8").tobytes()
    return header + _checksum(header, body) + body


def read_blob(profile: Profile, data: bytes) -> Blob:
    """Parses and checks a blob of the expected profile.

    Args:
        profile: the parameter set the manifest names.
        data: foreign bytes.

    Returns:
        The parsed blob; c0 is a read-only view of `data`.

    Raises:
        MalformedInput: the first field that is not as it must be, with expected and got.
    """
    _require("length in bytes", blob_size(profile), len(data))
    magic, version, zero, count, digest = _HEADER.unpack_from(data)
    _require("magic", MAGIC.hex(), magic.hex())
    _require("version", VERSION, version)
    _require("reserved field", 0, zero)
    _require(f"parameter set ({profile.name})", profile.digest.hex(), digest.hex())
    if not 1 <= count <= profile.degree:
        raise MalformedInput(f"sealed blob, count of values: expected 1 to {profile.degree}, got {count}")
    checksum, body = data[32:64], data[64:]
    _require("checksum", _checksum(data[:32], body).hex(), checksum.hex())
    return Blob(count, bytes(body[:SEED_BYTES]), _coefficients(profile, body))


def _coefficients(profile: Profile, body: bytes) -> NDArray[np.uint64]:
    c0 = np.frombuffer(body, dtype="<u8", offset=SEED_BYTES).reshape(len(profile.data_primes), profile.degree)
    for row, prime in zip(c0, profile.data_primes, strict=True):
        largest = int(row.max())
        if largest >= prime:
            raise MalformedInput(f"sealed blob, coefficient: expected less than {prime}, got {largest}")
    return c0


def _checksum(header: bytes, body: bytes) -> bytes:
    state = hashlib.sha256(header)
    state.update(body)
    return state.digest()


def _require(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise MalformedInput(f"sealed blob, {field}: expected {expected}, got {got}")
