"""Keys of pads, and the sheets that they pad: see pads.py for the scheme.

Assumes: AES-256 is a pseudorandom permutation, HKDF-SHA256 a key derivation; the operating system's generator.
Leaks: nothing to others; AES is the library's (AES-NI where there is one), the rest touches no secret but to add it.
Cost: a key of 64 bytes; for each part one derivation a sheet, and one AES block for two words.
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

HOLDERS = 2
PART_BYTES = 32
Words64 = NDArray[np.uint64]
_DOMAIN = b"sealed pads, version 1\n"
_DENSE = 2  # with one place in so many, the whole stretch is computed
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


_PIECE = 1 << 15  # words made at a time
_ZEROS = memoryview(bytes(8 * _PIECE))


class PadKey:
    """A key of two independent parts, both of which pad every value, or one holder's half: one of the parts.

    Shows nothing of itself in repr, and refuses to be pickled or copied by accident.
    """

    __slots__ = ("_parts", "profile")

    def __init__(self, profile: PadProfile, parts: tuple[bytes, ...]) -> None:
        self.profile, self._parts = profile, parts

    @classmethod
    def generate(cls, profile: PadProfile) -> "PadKey":
        """A fresh whole key, from the operating system's generator."""
        return cls(profile, tuple(secrets.token_bytes(PART_BYTES) for _ in range(HOLDERS)))

    @classmethod
    def from_bytes(cls, profile: PadProfile, data: bytes) -> "PadKey":
        """The key or half written by `to_bytes`.

        Raises:
            InvalidKey: another length, or the same part twice. The message holds no key material.
        """
        parts = tuple(data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES))
        if len(data) not in (PART_BYTES, HOLDERS * PART_BYTES) or len(set(parts)) != len(parts):
            raise InvalidKey(f"pad key: expected one or {HOLDERS} different parts of {PART_BYTES} bytes")
        return cls(profile, parts)

    @classmethod
    def zero(cls, profile: PadProfile) -> "PadKey":
        """What stands for a half where halves are moved: pads cannot be, so it moves nothing (`moved`)."""
        return cls(profile, (bytes(PART_BYTES),))

    def moved(self, other: "PadKey") -> "PadKey":
        """This half, which no other half moves while the sealed data stay.

        Raises:
            InvalidKey: they are not a half and a `zero` of one parameter set.
        """
        if self.profile != other.profile or self.is_whole or other.to_bytes() != bytes(PART_BYTES):
            raise InvalidKey("halves of a pad key: expected one and nothing to move it by")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether both parts are here."""
        return len(self._parts) == HOLDERS

    def to_bytes(self) -> bytes:
        """The parts, one after the other. Secret."""
        return b"".join(self._parts)

    def split(self) -> tuple["PadKey", "PadKey"]:
        """The two halves of a whole key, independent of each other and of every value. Forget the key afterwards.

        Raises:
            ParameterError: it is a half already.
        """
        if not self.is_whole:
            raise ParameterError("pad key: expected a whole one to split, got a half")
        one, other = self._parts
        return PadKey(self.profile, (one,)), PadKey(self.profile, (other,))

    def join(self, other: "PadKey") -> "PadKey":
        """The whole key of two halves, for as long as it takes to seal more under it. Halves that do not belong
        together make another key: nothing tells.

        Raises:
            InvalidKey: they are not two different halves of one parameter set.
        """
        if self.profile != other.profile or self.is_whole or other.is_whole:
            raise InvalidKey("halves of a pad key: expected two of one parameter set")
        return PadKey.from_bytes(self.profile, self.to_bytes() + other.to_bytes())

    def words(self, sheet: Sheet, first: int, count: int) -> Words64:
        """F(first), ..., F(first + count - 1) of a sheet, of all parts added up, not reduced. Secret: it opens what the
        sheet pads."""
        block, skip = divmod(first, 2)
        total = np.zeros(count, dtype=np.uint64)
        for key in self._derived(sheet):
            stream = Cipher(algorithms.AES256(key), modes.CTR(block.to_bytes(_BLOCK, "big"))).encryptor()
            stream.update(bytes(8 * skip))
            for start in range(0, count, _PIECE):  # pieces stay in the processor's cache
                piece = total[start : start + _PIECE]
                piece += np.frombuffer(
                    stream.update(_ZEROS[: 8 * piece.size]), dtype="<u8"
                )  # modulo 2^64: 2^w divides it
        return total

    def words_at(self, sheet: Sheet, index: NDArray[np.int64]) -> Words64:
        """The same words at any places, given in strictly increasing order."""
        if index[-1] - index[0] < _DENSE * index.size:
            first = int(index[0])
            words = self.words(sheet, first, int(index[-1]) - first + 1)
            return words if words.size == index.size else words[index - first]
        new = np.diff(index >> 1, prepend=-1) != 0
        blocks, place = index[new] >> 1, np.cumsum(new) - 1
        counters = np.zeros((blocks.size, 2), dtype=">u8")
        counters[:, 1] = blocks
        total = np.zeros(index.size, dtype=np.uint64)
        for key in self._derived(sheet):
            # Counter mode at places of our choice: the counters themselves, each once, are what is encrypted.
            cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305
            stream = np.frombuffer(cipher.encryptor().update(counters.tobytes()), dtype="<u8")
            total += stream[2 * place + (index & 1)]
        return total

    def _derived(self, sheet: Sheet) -> list[bytes]:
        info = _DOMAIN + self.profile.digest + sheet.block.to_bytes(4, "big") + sheet.column.encode()
        return [HKDF(SHA256(), PART_BYTES, sheet.salt, info).derive(part) for part in self._parts]

    def __repr__(self) -> str:
        return f"PadKey({self.profile.name}, secret)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pad key is not pickled or copied; write to_bytes() to a safe place instead")
