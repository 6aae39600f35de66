"""Sums over rows of a hidden category: a sealed measure times sealed 0/1 indicators, released as one number.

    number = sum over rows of mask(row) * measure(row) * (indicator_1(row) + ... + indicator_h(row))

Values stand in the slots of a plaintext modulo a prime t = 1 mod 2N, so that ciphertexts multiply row by row. The sum
of all N slots is N times the constant coefficient (the slots are the values at all primitive 2N-th roots of one), so
neither a rotation nor a relinearisation is needed, and no evaluation key exists. A product has three polynomials, and
only coefficient 0 of it is opened:

    share  = (s*c1 + s^2*c2)[0] + smudging + round(q*noise'/t)   mod q,   noise' = noise/N mod t
    number = N * round(t*(c0 + share)/q)                         mod t

Assumes: ring-LWE; that (c1, c2) is the result of an evaluation that the key's owner approved. A chosen pair makes a
share a linear equation in s and s^2; the same pair again, with other smudging, loses margin (see `release`).
Leaks: the number of rows and the public mask. To the recipient, the number plus noise, up to 2^-margin
(headroom_products.prove_product).
Cost: 32 bytes a row and column at rest; per chunk one product of ciphertexts and one by the mask, where there is one.
Source: Smart and Vercauteren, eprint 2011/133 (slots); Bajard et al., eprint 2016/510 (the product); Asharov et al.,
eprint 2011/613 (smudging).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.engine import Engine, engine
from crypto.seal.headroom import Headroom
from crypto.seal.keys import SealingKey, crt, require_polynomial
from crypto.seal.parameters import Profile
from crypto.seal.splitting import HalfKey
from crypto.seal.wire import Blob, read_blob, write_blob

_DOMAIN = b"sealed product, c1 and c2, version 1\n"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RowChunk:
    """Up to N sealed rows of one column, ready to be multiplied.

    Attributes:
        profile: its parameter set. count: number of rows in it. ciphertext: SEAL's, in coefficient form.
    """

    profile: Profile
    count: int
    ciphertext: Any


@dataclass(frozen=True, eq=False)
class SealedProduct:
    """The encryption of one number, N times coefficient 0.

    Attributes:
        profile: its parameter set.
        c0: coefficient 0 of c0, in [0, q). Goes to the recipient.
        c1, c2: read-only uint64 [primes, N]. Go to the key's owner; say nothing of the data.
    """

    profile: Profile
    c0: int
    c1: NDArray[np.uint64]
    c2: NDArray[np.uint64]

    def request(self) -> bytes:
        """What the key's owner needs: a domain line, the parameter set's digest, c1 and c2 as little-endian words."""
        words = (np.ascontiguousarray(polynomial, dtype="<u8").tobytes() for polynomial in (self.c1, self.c2))
        return b"".join([_DOMAIN, self.profile.digest, *words])

    def request_digest(self) -> bytes:
        """SHA-256 of `request`."""
        state = hashlib.sha256(_DOMAIN + self.profile.digest)
        for polynomial in (self.c1, self.c2):
            state.update(np.ascontiguousarray(polynomial, dtype="<u8").data)
        return state.digest()


def read_product(profile: Profile, c0: int, data: bytes) -> SealedProduct:
    """A number that somebody else evaluated, from its residue and its request.

    Raises:
        MalformedInput: another length, another parameter set, or an entry out of range.
    """
    head, size = _DOMAIN + profile.digest, 16 * profile.words
    if len(data) != len(head) + size or not data.startswith(head):
        raise MalformedInput(f"request: expected {len(head) + size} bytes for {profile.name}")
    words = np.frombuffer(data, dtype="<u8", offset=len(head)).astype(np.uint64)
    c1, c2 = words.reshape(2, len(profile.data_primes), profile.degree)
    for polynomial in (c1, c2):
        require_polynomial(profile, polynomial)
    return SealedProduct(profile, c0, c1, c2)


def seal_rows(key: SealingKey, values: NDArray[np.int64]) -> bytes:
    """Seals 1 to N rows of a column, as a blob (see `wire`).

    Raises:
        ParameterError: too few or too many values, not integers, or out of range; a profile without slots. The message
            holds no value.
    """
    profile = key.profile
    _require_slots(profile)
    if values.ndim != 1 or not 1 <= values.size <= profile.degree or values.dtype.kind not in "iu":
        raise ParameterError(f"rows of one chunk: expected 1 to {profile.degree} integers, got shape {values.shape}")
    if int(values.max()) >= profile.half or int(values.min()) <= -profile.half:
        raise ParameterError(f"rows of one chunk: expected magnitudes below {profile.half}, got a larger one")
    made = engine(profile)
    seed, c0 = key.encrypt(made.coefficients(made.slots(_residues(profile, values.astype(np.int64)))))
    return write_blob(profile, Blob(values.size, seed, c0))


def open_rows(profile: Profile, blob: bytes) -> RowChunk:
    """Checks a foreign blob and makes it ready for evaluation. Needs no key and shows no value.

    Raises:
        MalformedInput: the blob is not one of this profile. ParameterError: a profile without slots.
    """
    _require_slots(profile)
    parsed = read_blob(profile, blob)
    return RowChunk(profile, parsed.count, engine(profile).ciphertext(parsed.seed, parsed.c0))


def evaluate_product(
    profile: Profile, measure: Sequence[RowChunk], indicators: Sequence[Sequence[RowChunk]], mask: Mask
) -> SealedProduct:
    """The sealed number of a measure over the masked rows of some hidden categories; the same bytes everywhere.

    Args:
        profile: the parameter set of all columns.
        measure: its chunks in order. Any two columns of equal size may be multiplied: of a 0/1 column of presence this
            is a count of present values.
        indicators: one or more columns, of different categories.
        mask: which rows count, public.

    Raises:
        ParameterError: no row or no indicator, columns of different sizes, chunks of another profile.
    """
    _require_columns(profile, [measure, *indicators], mask)
    made, terms, whole = engine(profile), [], []
    for place, chunk in enumerate(measure):
        chosen = mask[place * profile.degree : place * profile.degree + chunk.count]
        if chosen.any():
            added = made.add([column[place].ciphertext for column in indicators])
            product = made.multiply_together(chunk.ciphertext, added)
            if chosen.all():
                whole.append(product)
            else:
                terms.append(_masked(made, product, chosen))
    total = made.add(terms + ([made.add(whole)] if whole else []))
    c0, c1, c2 = made.polynomials(total)
    return SealedProduct(profile, crt(profile, [int(row[0]) for row in c0]), c1, c2)


def add_products(profile: Profile, numbers: Sequence[SealedProduct]) -> SealedProduct:
    """The sealed sum of some numbers; of none the number 0, which everybody knows: no row takes part in it."""
    primes = np.array(profile.data_primes, dtype=np.uint64)[:, None]
    c1 = np.zeros((len(profile.data_primes), profile.degree), dtype=np.uint64)
    c2 = c1.copy()
    for number in numbers:  # primes have 50 bits, so a sum of two residues is a word
        c1, c2 = (c1 + number.c1) % primes, (c2 + number.c2) % primes
    return SealedProduct(profile, sum(number.c0 for number in numbers) % profile.modulus, c1, c2)


def release_product(
    key: SealingKey | HalfKey, c1: NDArray[np.uint64], c2: NDArray[np.uint64], noise: int, proven: Headroom
) -> int:
    """The owner's share of one number, in [0, q).

    Args:
        key: the sealing key, or a holder's half of it and of its square.
        c1, c2: of an approved result. noise: privacy noise to add to the number.
        proven: of this number, by `prove_product`: without it there is no release.

    Raises:
        ParameterError: the noise is beyond what was proven.
        MalformedInput: a polynomial has another shape or an entry out of range.
    """
    profile = key.profile
    if abs(noise) > proven.noise:
        raise ParameterError("noise: expected a magnitude that the proof of the number allows for")
    width = 1 << profile.smudging_bits
    smudging = secrets.randbelow(2 * width) - width
    return (key.answer_product(c1, c2) + smudging + _encode(profile, noise)) % profile.modulus


def combine_product(profile: Profile, c0: int, share: int) -> int:
    """The released number, a signed integer of magnitude at most t/2.

    Args:
        profile: the columns' parameter set. c0: the residue of the result.
        share: the owner's share, or the sum of the holders' (release.join_shares).

    Raises:
        ParameterError: a residue is out of range.
    """
    if not (0 <= c0 < profile.modulus and 0 <= share < profile.modulus):
        raise ParameterError("c0 and share: expected residues in [0, q)")
    t, phase = profile.plain_modulus, (c0 + share) % profile.modulus
    number = (phase * t + profile.modulus // 2) // profile.modulus * profile.degree % t
    return number - t if number > t // 2 else number


def _masked(made: Engine, product: Any, chosen: Mask) -> Any:
    """Multiplies three polynomials by the mask's."""
    return made.multiply(product, made.slots(_residues(made.profile, chosen.astype(np.int64))))


def _residues(profile: Profile, values: NDArray[np.int64]) -> NDArray[np.uint64]:
    slots = np.zeros(profile.degree, dtype=np.uint64)
    slots[: values.size] = values % profile.plain_modulus
    return slots


def _encode(profile: Profile, value: int) -> int:
    t = profile.plain_modulus
    message = value * pow(profile.degree, -1, t) % t
    return (profile.modulus * message + t // 2) // t


def _require_slots(profile: Profile) -> None:
    if not profile.plain_prime:
        raise ParameterError(f"{profile.name} has no slots: expected a prime plain modulus")


def _require_columns(profile: Profile, columns: Sequence[Sequence[RowChunk]], mask: Mask) -> None:
    _require_slots(profile)
    if len(columns) < 2 or any(chunk.profile != profile for column in columns for chunk in column):
        raise ParameterError(f"product: expected a measure and one or more indicators of {profile.name}")
    sizes = [[chunk.count for chunk in column] for column in columns]
    if any(size != sizes[0] for size in sizes) or any(count != profile.degree for count in sizes[0][:-1]):
        raise ParameterError("product: expected columns of one size, all chunks full but the last")
    if mask.dtype != np.bool_ or mask.shape != (sum(sizes[0]),) or not mask.any():
        raise ParameterError(f"mask: expected one truth value for each of {sum(sizes[0])} rows, some of them true")
