"""The blob of one chunk of padded values. Foreign bytes are parsed here.

    offset  size      field
    0       8         magic "padded\\x00\\x01"
    8       2         version, 1
    10      2         zero
    12      4         count of values, 1..CHUNK
    16      16        digest of the parameter set (PadProfile.digest)
    32      32        SHA-256 of everything else, in order
    64      16        salt of the sheet
    80      8         index of the first value in its column
    88      w/8*count values: residues modulo 2^w of w/8 bytes

All integers are little-endian; the length is exact. Every residue is a value, so nothing but the frame can be checked:
the checksum finds damage, not malice, and who wrote a blob is settled by its digest in the manifest.

Assumes: nothing of the sender. Leaks: count and place of the values. Cost: w/8 bytes a value, and one hash.
"""

import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from crypto.errors import MalformedInput, ParameterError

MAGIC = b"padded\x00\x01"
VERSION = 1
SALT_BYTES = 16
OVERHEAD = 88
CHUNK = 1 << 16
MAX_VALUES = 1 << 32
"""Most values of one column of one batch."""
_HEADER = struct.Struct("<8sHHI16s")
_PLACE = struct.Struct("<16sQ")

Words = NDArray[np.uint32] | NDArray[np.uint64]


@dataclass(frozen=True)
class PadProfile:
    """One allowed set of parameters.

    Attributes:
        name: its public name; appears in manifests.
        bits: w. Values and released totals are integers in (-2^(w-1), 2^(w-1)); a value takes w/8 bytes.
    """

    name: str
    bits: int

    @property
    def width(self) -> int:
        """Bytes of one value."""
        return self.bits // 8

    @property
    def modulus(self) -> int:
        """2^w."""
        return 1 << self.bits

    @property
    def half(self) -> int:
        """2^(w-1): every value and every released total is smaller than this in magnitude."""
        return 1 << (self.bits - 1)

    @property
    def mask(self) -> np.uint64:
        """2^w - 1: reduces a 64-bit word modulo 2^w."""
        return np.uint64(self.modulus - 1)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that name the numbers themselves, so that one name can never stand for two parameter sets."""
        text = f"pads/telescoping/1 name={self.name} bits={self.bits} prf=aes-256-ctr kdf=hkdf-sha256"
        return hashlib.sha256(text.encode()).digest()[:16]


PADS_64, PADS_40, PADS_24 = PadProfile("pads-64-1", 64), PadProfile("pads-40-1", 40), PadProfile("pads-24-1", 24)
PAD_PROFILES = {item.name: item for item in (PADS_64, PADS_40, PADS_24)}


def pad_profile(name: str) -> PadProfile:
    """The parameter set of that name.

    Raises:
        ParameterError: no such set is allowed.
    """
    try:
        return PAD_PROFILES[name]
    except KeyError:
        raise ParameterError(f"unknown pads: expected one of {sorted(PAD_PROFILES)}, got {name!r}") from None


@dataclass(frozen=True, eq=False)
class PadChunk:
    """A parsed chunk: salt of its sheet, index of its first value, and its residues, one word each."""

    profile: PadProfile
    salt: bytes
    start: int
    words: Words

    @property
    def count(self) -> int:
        """Number of values."""
        return self.words.size

    @property
    def stop(self) -> int:
        """Index behind its last value."""
        return self.start + self.count


def write_chunk(chunk: PadChunk) -> bytes:
    """The bytes of a chunk."""
    header = _HEADER.pack(MAGIC, VERSION, 0, chunk.words.size, chunk.profile.digest)
    body = _PLACE.pack(chunk.salt, chunk.start) + _packed(chunk.profile, chunk.words)
    return header + _checksum(header, body) + body


def read_chunk(profile: PadProfile, data: bytes) -> PadChunk:
    """Parses and checks a blob of the expected parameters.

    Args:
        profile: the parameter set the manifest names.
        data: foreign bytes.

    Raises:
        MalformedInput: the first field that is not as it must be, with expected and got.
    """
    if len(data) < OVERHEAD:
        raise MalformedInput(f"padded blob, length: expected at least {OVERHEAD} bytes, got {len(data)}")
    magic, version, zero, count, digest = _HEADER.unpack_from(data)
    _require("magic", MAGIC.hex(), magic.hex())
    _require("version", VERSION, version)
    _require("reserved field", 0, zero)
    _require(f"parameter set ({profile.name})", profile.digest.hex(), digest.hex())
    if not 1 <= count <= CHUNK:
        raise MalformedInput(f"padded blob, count of values: expected 1 to {CHUNK}, got {count}")
    _require("length in bytes", OVERHEAD + count * profile.width, len(data))
    _require("checksum", _checksum(data[:32], memoryview(data)[64:]).hex(), data[32:64].hex())
    salt, start = _PLACE.unpack_from(data, 64)
    if start % CHUNK or start + count > MAX_VALUES:
        raise MalformedInput(f"padded blob, first value: expected a multiple of {CHUNK} below {MAX_VALUES}")
    return PadChunk(profile, salt, start, _unpacked(profile, data, count))


def _packed(profile: PadProfile, words: Words) -> bytes:
    columns = words.astype("<u8").view(np.uint8).reshape(-1, 8)
    return columns[:, : profile.width].tobytes()


def _unpacked(profile: PadProfile, data: bytes, count: int) -> Words:
    """One word for each value: of 32 bits where they suffice."""
    if profile.width == 8:
        return np.frombuffer(data, dtype="<u8", offset=OVERHEAD)
    kind = np.dtype("<u4" if profile.width <= 4 else "<u8")
    # Overlapping words, one at every value; the bytes beyond its own are masked off, and the last one needs some more.
    room = np.frombuffer(data[OVERHEAD:] + bytes(kind.itemsize - profile.width), dtype=np.uint8)
    words = as_strided(room[: kind.itemsize].view(kind), shape=(count,), strides=(profile.width,), writeable=False)
    found: Words = words & kind.type(profile.modulus - 1)
    return found


def _checksum(header: bytes, body: bytes | memoryview) -> bytes:
    state = hashlib.sha256(header)
    state.update(body)
    return state.digest()


def _require(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise MalformedInput(f"padded blob, {field}: expected {expected}, got {got}")
