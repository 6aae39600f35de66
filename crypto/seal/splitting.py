"""A key in two halves: s = s1 + s2 modulo q, one half at each of two holders, so that no machine has a key.

    share of a holder = (s_i*c1)[N-1] + smudging_i + round(q*noise_i/t)    mod q
    number            = decode(c0 + share_1 + share_2)

With ciphertext products a holder also keeps a half of the square, s^2 = u1 + u2, and answers (s_i*c1 + u_i*c2)[0].

One half says nothing, exactly. s1 is uniform on R_q and independent of s. For any value h and any key k,
P(s2 = h | s = k) = P(s1 = k - h) = 1/|R_q|, which does not depend on k: s2 is uniform and independent of s as well, and
so is everything computed from one half and from ciphertexts whose randomness is not in it. The same holds for (s1, u1)
and (s2, u2), since s1 and u1 are drawn independently of each other and of s.

What a recipient learns together with one dishonest holder. Holder 1's half and coins are independent of s, so the pair
(share_1, share_1 + share_2) given them is as good as share_1 + share_2 alone: number + noise_2 + error + smudging_2, up
to what holder 1 knows itself. The honest holder's smudging is as wide as that of an unsplit key, so the margin is the
same (headroom.release_margin), and its noise is there whatever the other one did. Decoding has to bear both smudgings
and both noises: headroom.prove_headroom(shares=2).

Refreshing: both holders add a split of zero. The key stays, the sealed data stay, and an old half of one holder is
useless with a new half of the other: their sum is off by a uniform polynomial.

Assumes: the operating system's generator. Two answers of one half to the same c1 with different smudging narrow it, as
with an unsplit key; holders give each question one answer.
Leaks: nothing (see above). Not constant-time. Cost: 8 bytes a coefficient and prime (192 KiB for N = 8192 and three
primes); an answer is six inner products of N words a prime, about a third of a millisecond.
Source: the one-time pad; Asharov et al., eprint 2011/613, section 3; Mouchet et al., eprint 2020/304.
"""

import secrets
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from crypto.errors import InvalidKey, ParameterError
from crypto.seal.keys import SealingKey, crt, require_polynomial, squared
from crypto.seal.parameters import Profile

Polynomial = NDArray[np.uint64]
"""uint64 [primes, N], every entry below its prime."""

HOLDERS = 2
_LOW, _WIDE = 20, 30  # bits of a limb: 2^20 x 2^30 x 2^13 terms stay below 2^64


class HalfKey:
    """One holder's half. Shows nothing of itself in repr, and refuses to be pickled or copied by accident.

    Args:
        profile: parameter set of the key.
        half: s_i. square: u_i, where products are released; None elsewhere.
    """

    __slots__ = ("_half", "_square", "profile")

    def __init__(self, profile: Profile, half: Polynomial, square: Polynomial | None = None) -> None:
        self.profile = profile
        self._half, self._square = half, square

    @classmethod
    def from_bytes(cls, profile: Profile, data: bytes) -> "HalfKey":
        """The half written by `to_bytes`.

        Raises:
            InvalidKey: another length, or a word that is no residue. The message holds no key material.
        """
        size = 8 * profile.words
        if len(data) not in (size, 2 * size):
            raise InvalidKey(f"half of a key: expected {size} or {2 * size} bytes for {profile.name}, got {len(data)}")
        parts = [_read(profile, data[start : start + size]) for start in range(0, len(data), size)]
        return cls(profile, *parts)

    def to_bytes(self) -> bytes:
        """The half itself, little-endian words prime by prime; after it the half of the square, if any. Secret."""
        square = b"" if self._square is None else self._square.astype("<u8").tobytes()
        return self._half.astype("<u8").tobytes() + square

    def answer(self, c1: Polynomial) -> int:
        """(s_i*c1)[N-1] mod q, exactly. Only a release may pass it on, as with a whole key.

        Raises:
            MalformedInput: c1 has another shape or an entry out of range.
        """
        require_polynomial(self.profile, c1)
        return _coefficient(self.profile, self._half, c1, self.profile.degree - 1)

    def answer_product(self, c1: Polynomial, c2: Polynomial) -> int:
        """(s_i*c1 + u_i*c2)[0] mod q, exactly.

        Raises:
            MalformedInput: a polynomial has another shape or an entry out of range.
            ParameterError: there is no half of the square.
        """
        if self._square is None:
            raise ParameterError("half of a key: expected one with the half of the square, got one without")
        require_polynomial(self.profile, c1)
        require_polynomial(self.profile, c2)
        linear = _coefficient(self.profile, self._half, c1, 0)
        return (linear + _coefficient(self.profile, self._square, c2, 0)) % self.profile.modulus

    def plus(self, other: "HalfKey") -> "HalfKey":
        """The half moved by another one, for a refresh.

        Raises:
            ParameterError: they are of different parameter sets, or only one has a half of a square.
        """
        if self.profile != other.profile or (self._square is None) != (other._square is None):
            raise ParameterError("halves of keys: expected two of one kind")
        half = _add(self.profile, self._half, other._half)
        if self._square is None or other._square is None:
            return HalfKey(self.profile, half)
        return HalfKey(self.profile, half, _add(self.profile, self._square, other._square))

    def __repr__(self) -> str:
        return f"HalfKey({self.profile.name}, secret)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("half of a key is not pickled or copied; write to_bytes() to a safe place instead")


def split(key: SealingKey, *, square: bool = False) -> tuple[HalfKey, HalfKey]:
    """Two fresh halves of a key. Forget the key afterwards.

    Args:
        square: also split the square, for releases of ciphertext products.
    """
    profile, secret = key.profile, key.coefficients()
    return _halves(profile, _lift(profile, secret), _lift(profile, squared(secret)) if square else None)


def join(one: HalfKey, other: HalfKey) -> SealingKey:
    """The key of which these are the two halves: for its owner, for as long as it takes to seal more under it.

    Raises:
        ParameterError: they are of different parameter sets.
        InvalidKey: they do not belong together; the message holds no key material.
    """
    sums = np.frombuffer(one.plus(other).to_bytes(), dtype="<u8", count=one.profile.words)
    signed = sums.reshape(len(one.profile.data_primes), -1).astype(np.int64)
    primes = np.array(one.profile.data_primes, dtype=np.int64)[:, None]
    small = np.where(signed == primes - 1, -1, signed)
    if (small != small[0]).any() or (np.abs(small) > 1).any():
        raise InvalidKey("halves of a key: expected two that belong together")
    return SealingKey(one.profile, small[0].astype(np.int8))


def split_zero(profile: Profile, *, square: bool = False) -> tuple[HalfKey, HalfKey]:
    """Two halves of zero: what the two holders add to refresh their halves."""
    zero = np.zeros((len(profile.data_primes), profile.degree), dtype=np.uint64)
    return _halves(profile, zero, zero if square else None)


def _halves(profile: Profile, whole: Polynomial, square: Polynomial | None) -> tuple[HalfKey, HalfKey]:
    first = _uniform(profile)
    second = _subtract(profile, whole, first)
    if square is None:
        return HalfKey(profile, first), HalfKey(profile, second)
    third = _uniform(profile)
    return HalfKey(profile, first, third), HalfKey(profile, second, _subtract(profile, square, third))


def _uniform(profile: Profile) -> Polynomial:
    """A uniform element of R_q, by rejection: no residue is favoured."""
    return np.stack([_uniform_below(prime, profile.degree) for prime in profile.data_primes])


def _uniform_below(prime: int, count: int) -> Polynomial:
    words = np.empty(0, dtype=np.uint64)
    mask = np.uint64((1 << prime.bit_length()) - 1)
    while words.size < count:
        fresh = np.frombuffer(secrets.token_bytes(8 * count), dtype=np.uint64) & mask
        words = np.concatenate([words, fresh[fresh < prime]])
    return words[:count]


def _primes(profile: Profile) -> Polynomial:
    return np.array(profile.data_primes, dtype=np.uint64)[:, None]


def _add(profile: Profile, one: Polynomial, other: Polynomial) -> Polynomial:
    return (one + other) % _primes(profile)  # primes have at most 61 bits, so no word overflows


def _subtract(profile: Profile, one: Polynomial, other: Polynomial) -> Polynomial:
    return (one + _primes(profile) - other) % _primes(profile)


def _lift(profile: Profile, small: NDArray[np.int64]) -> Polynomial:
    return np.stack([(small % prime).astype(np.uint64) for prime in profile.data_primes])


def _coefficient(profile: Profile, half: Polynomial, other: Polynomial, place: int) -> int:
    """(half*other)[place] modulo q: terms up to `place` count once, terms that wrapped around X^N count negative."""
    residues = []
    for mine, theirs, prime in zip(half, other, profile.data_primes, strict=True):
        plain = _inner_product(mine[: place + 1], theirs[place::-1])
        wrapped = _inner_product(mine[place + 1 :], theirs[:place:-1])
        residues.append((plain - wrapped) % prime)
    return crt(profile, residues)


def _inner_product(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """The sum of products of words below 2^60, exactly, by limbs whose sums stay inside 64 bits."""
    total = 0
    for i in range(3):
        left = (one >> np.uint64(_LOW * i)) & np.uint64((1 << _LOW) - 1)
        for j in range(2):
            right = (other >> np.uint64(_WIDE * j)) & np.uint64((1 << _WIDE) - 1)
            total += int(np.dot(left, right)) << (_LOW * i + _WIDE * j)
    return total


def _read(profile: Profile, data: bytes) -> Polynomial:
    words = np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(len(profile.data_primes), profile.degree)
    if (words >= _primes(profile)).any():
        raise InvalidKey("half of a key: expected residues below their primes, got another word")
    return words
