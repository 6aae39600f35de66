"""The sealing key: a ternary polynomial, held in coefficient form because that is what a share is computed from.

Assumes: ring-LWE with uniform ternary secrets; the operating system's generator.
Leaks: nothing to others; within its process it is not constant-time (numpy, SEAL), so the key's host should not be
shared.
Cost: 2 bits per coefficient at rest (2048 bytes for N = 8192).
"""

import secrets
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from crypto.errors import InvalidKey, MalformedInput
from crypto.seal.engine import engine
from crypto.seal.parameters import Profile

_CODES = 4  # two-bit codes: 0, 1, 2 stand for 0, 1, -1; 3 is not a key


class SealingKey:
    """A secret key of one profile. Shows nothing of itself in repr, and refuses to be pickled or copied by accident."""

    __slots__ = ("_seal", "_square", "_ternary", "profile")

    def __init__(self, profile: Profile, ternary: NDArray[np.int8]) -> None:
        self.profile = profile
        self._ternary = ternary
        self._square: NDArray[np.int64] | None = None
        self._seal = engine(profile).secret_key(ternary)

    @classmethod
    def generate(cls, profile: Profile) -> "SealingKey":
        """A fresh key: every coefficient uniform in {-1, 0, 1}, from the operating system's generator."""
        digits = np.empty(0, dtype=np.uint8)
        while digits.size < profile.degree:
            fresh = np.frombuffer(secrets.token_bytes(profile.degree), dtype=np.uint8)
            digits = np.concatenate([digits, fresh[fresh < 255] % 3])  # 255 = 3 x 85: no residue is favoured
        return cls(profile, _ternary(digits[: profile.degree]))

    @classmethod
    def from_bytes(cls, profile: Profile, data: bytes) -> "SealingKey":
        """The key written by `to_bytes`.

        Raises:
            InvalidKey: wrong length, or a code that is not a coefficient. The message holds no key material.
        """
        if len(data) != profile.degree // 4:
            raise InvalidKey(f"sealing key: expected {profile.degree // 4} bytes for {profile.name}, got {len(data)}")
        packed = np.frombuffer(data, dtype=np.uint8)
        digits = np.stack([(packed >> shift) % _CODES for shift in (0, 2, 4, 6)], axis=1).reshape(-1)
        if (digits == 3).any():
            raise InvalidKey("sealing key: expected coefficients -1, 0 and 1, got another code")
        return cls(profile, _ternary(digits))

    def to_bytes(self) -> bytes:
        """The key itself, N/4 bytes: four two-bit codes a byte, lowest coefficient in the lowest bits. Secret."""
        codes = (self._ternary % 3).astype(np.uint8).reshape(-1, 4)
        return (codes[:, 0] | codes[:, 1] << 2 | codes[:, 2] << 4 | codes[:, 3] << 6).tobytes()

    def coefficients(self) -> NDArray[np.int64]:
        """The N coefficients -1, 0 and 1, a copy: for splitting the key. Secret."""
        return self._ternary.astype(np.int64)

    def encrypt(self, coefficients: NDArray[np.uint64]) -> tuple[bytes, NDArray[np.uint64]]:
        """Fresh encryption of a polynomial with coefficients below t: (64-byte seed of c1, c0 [primes, N])."""
        return engine(self.profile).encrypt(self._seal, coefficients)

    def decrypt(self, ciphertext: Any) -> NDArray[np.uint64]:
        """All N coefficients of a ciphertext, in [0, t). For the owner's own eyes: exact, without noise or smudging."""
        return engine(self.profile).decrypt(self._seal, ciphertext)

    def answer(self, c1: NDArray[np.uint64]) -> int:
        """(s*c1)[N-1] mod q, exactly. Linear in the key: N of them, unsmudged, are the key. Only `release` may pass it
        on.

        Args:
            c1: uint64 [primes, N], every entry below its prime.

        Raises:
            MalformedInput: c1 has another shape or an entry out of range.
        """
        require_polynomial(self.profile, c1)
        reverse = self._ternary[::-1].astype(
            np.int64
        )  # (s*c1)[N-1] = sum of s_i * c1[N-1-i]: no coefficient wraps around
        residues = [_inner_product(reverse, row) % p for row, p in zip(c1, self.profile.data_primes, strict=True)]
        return crt(self.profile, residues)

    def answer_product(self, c1: NDArray[np.uint64], c2: NDArray[np.uint64]) -> int:
        """(s*c1 + s^2*c2)[0] mod q, exactly; the square is computed once. Only a release may pass it on, as `answer`.

        Raises:
            MalformedInput: a polynomial has another shape or an entry out of range.
        """
        require_polynomial(self.profile, c1)
        require_polynomial(self.profile, c2)
        if self._square is None:
            self._square = squared(self.coefficients())
        residues = [
            (_constant(self.coefficients(), first) + _constant(self._square, second)) % p
            for first, second, p in zip(c1, c2, self.profile.data_primes, strict=True)
        ]
        return crt(self.profile, residues)

    def __repr__(self) -> str:
        return f"SealingKey({self.profile.name}, secret)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealing key is not pickled or copied; write to_bytes() to a safe place instead")


def crt(profile: Profile, residues: list[int]) -> int:
    """The integer in [0, q) with these residues modulo the data primes (Garner's method)."""
    value, product = 0, 1
    for residue, prime in zip(residues, profile.data_primes, strict=True):
        value += product * ((residue - value) * pow(product, -1, prime) % prime)
        product *= prime
    return value


def squared(secret: NDArray[np.int64]) -> NDArray[np.int64]:
    """s*s modulo X^N + 1: integers of magnitude at most N."""
    full: NDArray[np.int64] = np.convolve(secret, secret)
    folded = full[: secret.size].copy()
    folded[:-1] -= full[secret.size :]
    return folded


def _ternary(digits: NDArray[np.uint8]) -> NDArray[np.int8]:
    signed = digits.astype(np.int8)
    return np.where(signed == 2, -1, signed).astype(np.int8)


def _constant(small: NDArray[np.int64], words: NDArray[np.uint64]) -> int:
    """(small*words)[0]: all terms but the first wrapped around X^N, so they count negative."""
    return int(small[0]) * int(words[0]) - _inner_product(small[1:], words[:0:-1])


def _inner_product(small: NDArray[np.int64], words: NDArray[np.uint64]) -> int:
    # 32-bit halves: a sum of at most 8192 products with factors of at most 8192 stays below 2^58.
    low = (words & np.uint64(0xFFFFFFFF)).astype(np.int64)
    high = (words >> np.uint64(32)).astype(np.int64)
    return (int(np.dot(small, high)) << 32) + int(np.dot(small, low))


def require_polynomial(profile: Profile, c1: NDArray[np.uint64]) -> None:
    """Check that `c1` is a polynomial modulo q: uint64 [primes, N], every entry below its prime.

    Raises:
        MalformedInput: another shape, or an entry out of range.
    """
    shape = (len(profile.data_primes), profile.degree)
    if c1.shape != shape or c1.dtype != np.uint64:
        raise MalformedInput(f"c1: expected uint64 of shape {shape}, got {c1.dtype} of shape {c1.shape}")
    for row, prime in zip(c1, profile.data_primes, strict=True):
        if int(row.max()) >= prime:
            raise MalformedInput(f"c1, coefficient: expected less than {prime}, got {int(row.max())}")
