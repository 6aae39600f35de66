"""Keys of pads, and the sheets that they pad: see pads.py for the scheme.

Assumes: AES-256 is a pseudorandom permutation, HKDF-SHA256 a key derivation; the operating system's generator.
Leaks: nothing to others; AES is the library's (AES-NI where there is one), the rest touches no secret but to add it.
Cost: a key of 32 bytes; one derivation a sheet, one AES block for two words.
Source: NIST SP 800-38A (CTR), RFC 5869 (HKDF).
"""

import secrets
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from crypto.errors import InvalidKey, ParameterError
from crypto.seal.pad_wire import SALT_BYTES, PadProfile

KEY_BYTES = 32
_DOMAIN = b"sealed pads, version 1\n"
_BLOCK = 16  # bytes; two words of F


@dataclass(frozen=True)
class Sheet:
    """What one column of one batch is padded with.

    Args:
        block: number of the batch's block, 0 to 2^32 - 1. column: its name.
        salt: SALT_BYTES random bytes, drawn anew whenever a batch is sealed (`fresh_salt`). Public.
    """

    block: int
    column: str
    salt: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.block < 1 << 32 or not 1 <= len(self.column.encode()) <= 1024:
            raise ParameterError("sheet: expected a block number of 32 bits and a column of 1 to 1024 bytes")
        if len(self.salt) != SALT_BYTES:
            raise ParameterError(f"sheet: expected a salt of {SALT_BYTES} bytes, got {len(self.salt)}")


def fresh_salt() -> bytes:
    """A salt for one sealing of one batch."""
    return secrets.token_bytes(SALT_BYTES)


class PadKey:
    """One holder's key. Shows nothing of itself in repr, and refuses to be pickled or copied by accident."""

    __slots__ = ("_key", "profile")

    def __init__(self, profile: PadProfile, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise InvalidKey(f"pad key: expected {KEY_BYTES} bytes, got {len(key)}")
        self.profile, self._key = profile, key

    @classmethod
    def generate(cls, profile: PadProfile) -> "PadKey":
        """A fresh key, from the operating system's generator."""
        return cls(profile, secrets.token_bytes(KEY_BYTES))

    def to_bytes(self) -> bytes:
        """The key itself. Secret."""
        return self._key

    def words(self, sheet: Sheet, first: int, count: int) -> NDArray[np.uint64]:
        """F(first), ..., F(first + count - 1) of a sheet, not reduced. Secret: it opens what the sheet pads."""
        block, skip = divmod(first, 2)
        cipher = Cipher(algorithms.AES256(self._derived(sheet)), modes.CTR(block.to_bytes(_BLOCK, "big")))
        stream = cipher.encryptor().update(bytes(8 * (skip + count)))
        return np.frombuffer(stream, dtype="<u8")[skip:]

    def words_at(self, sheet: Sheet, index: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The same words at any places, given in increasing order."""
        new = np.diff(index >> 1, prepend=-1) != 0
        blocks, place = index[new] >> 1, np.cumsum(new) - 1
        counters = np.zeros((blocks.size, 2), dtype=">u8")
        counters[:, 1] = blocks
        # Counter mode at places of our choice: the counters themselves, each once, are what is encrypted.
        cipher = Cipher(algorithms.AES256(self._derived(sheet)), modes.ECB())  # noqa: S305
        stream = np.frombuffer(cipher.encryptor().update(counters.tobytes()), dtype="<u8")
        found: NDArray[np.uint64] = stream[2 * place + (index & 1)]
        return found

    def _derived(self, sheet: Sheet) -> bytes:
        info = _DOMAIN + self.profile.digest + sheet.block.to_bytes(4, "big") + sheet.column.encode()
        return HKDF(SHA256(), KEY_BYTES, sheet.salt, info).derive(self._key)

    def __repr__(self) -> str:
        return f"PadKey({self.profile.name}, secret)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pad key is not pickled or copied; write to_bytes() to a safe place instead")
