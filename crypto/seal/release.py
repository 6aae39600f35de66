"""One number to one recipient, without a decryptor: a share from the key's owner, put together by the recipient.

    share  = (s*c1)[N-1] + smudging + round(q*noise/t)   mod q      by the key's owner, from c1 alone
    number = round(t * (c0 + share) / q)                 mod t      by the recipient

Assumes: ring-LWE; that c1 is the result of an evaluation the owner has approved (re-derived, or attested by a panel it
trusts): a chosen c1 turns a share into a linear equation in the key. The same question gets the stored share again; the
same c1 in another question gets fresh noise and smudging, is charged for, and R such shares lose log2 R bits of margin.
Leaks: to the recipient, the number plus noise and nothing else up to statistical distance 2^-margin
(headroom.release_margin); to the owner, which cells were asked for; to the operator, who never has a share, nothing.
Cost: two inner products of N words per prime, well under a millisecond.
Source: Asharov et al., eprint 2011/613 (smudged partial decryption); Mouchet et al., eprint 2020/304 (the same for
BFV).
"""

import secrets
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.evaluate import SealedNumber
from crypto.seal.headroom import require_releasable
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import Profile
from crypto.seal.splitting import HalfKey


def release_share(key: SealingKey | HalfKey, c1: NDArray[np.uint64], noise: int) -> int:
    """The owner's share of one number.

    Args:
        key: the sealing key of the column, or a holder's half of it.
        c1: uint64 [primes, N] of an approved result.
        noise: privacy noise to add to the number, |noise| < t/2.

    Returns:
        An integer in [0, q).

    Raises:
        ParameterError: the profile cannot hide the error of a sum (see headroom), or the noise is out of range.
        MalformedInput: c1 has another shape or an entry out of range.
    """
    profile = key.profile
    require_releasable(profile)
    width = 1 << profile.smudging_bits
    smudging = secrets.randbelow(2 * width) - width
    return add_noise(profile, key.answer(c1) + smudging, noise)


def add_noise(profile: Profile, share: int, noise: int) -> int:
    """The share with privacy noise added to its number: for a share that was made without.

    Raises:
        ParameterError: the noise is out of range.
    """
    if abs(noise) >= profile.half:
        raise ParameterError(f"noise: expected a magnitude below {profile.half}")
    return (share + _encode(profile, noise)) % profile.modulus


def combine(profile: Profile, c0: int, share: int) -> int:
    """The released number, a signed integer in [-t/2, t/2).

    Of a split key both shares are needed, added up modulo q (`join_shares`).

    Args:
        profile: the column's parameter set.
        c0: the residue of the result, in [0, q).
        share: the owner's share, or the sum of the holders', in [0, q).

    Raises:
        ParameterError: a residue is out of range.
    """
    for name, residue in (("c0", c0), ("share", share)):
        if not 0 <= residue < profile.modulus:
            raise ParameterError(
                f"{name}: expected a residue in [0, q), got {residue.bit_length()} bits or a negative one"
            )
    phase = (c0 + share) % profile.modulus
    number = (phase * profile.plain_modulus + profile.modulus // 2) // profile.modulus % profile.plain_modulus
    return number - profile.plain_modulus if number >= profile.half else number


def join_shares(profile: Profile, shares: Sequence[int]) -> int:
    """The sum modulo q of the shares that the holders of one key gave for one number.

    Raises:
        ParameterError: there is none, or one is out of range.
    """
    if not shares or not all(0 <= share < profile.modulus for share in shares):
        raise ParameterError(f"shares: expected one or more residues in [0, q), got {len(shares)}")
    return sum(shares) % profile.modulus


def open_number(key: SealingKey, number: SealedNumber) -> int:
    """The exact number, for the owner of the key: no noise, no smudging. Hand it to nobody.

    Raises:
        MalformedInput: the number is of another parameter set.
    """
    return combine(key.profile, number.c0, key.answer(number.c1))


def _encode(profile: Profile, value: int) -> int:
    return (profile.modulus * value + profile.plain_modulus // 2) // profile.plain_modulus
