"""The proof for ciphertext products (see products.py), by bounds that are certain for whoever encrypts with SEAL.

A fresh ciphertext, added up over h columns, is c0 + c1*s = (q/t)*m + e + q*k over the integers, with |m| <= t/2,
|e| <= 22h (21 of encryption, at most 1 of rounding, h times), and |k| <= (N+1)/2 + 2 since residues are centred.

Product. SEAL lifts both factors to integers of magnitude at most q*(1/2 + 2^-29), multiplies them exactly in a wider
basis, and rounds t/q times the result; each of the three polynomials is off by at most the number of primes, p. So the
error of one product of a measure with h added indicators is at most

    N*(t/2)*22*(h+1)  +  t*N*22*(h+1)*((N+1)/2 + 2)  +  1  +  p*(1 + N + N^2)
    m*e of both          t*e*k of both                  t*e*e/q    rounding, times 1, s and s^2

A public mask has N coefficients of magnitude at most t/2, so the one coefficient that is released carries N*t/2 times
that, for every chunk. Privacy noise is encoded with an error of 1/2.

Source: SEAL 4.3, evaluator.cpp bfv_multiply and util/rns.cpp; Bajard, Eynard, Hasan, Zucca, eprint 2016/510.
"""

from fractions import Fraction

from crypto.errors import ParameterError
from crypto.seal.headroom import MINIMUM_MARGIN_BITS, Headroom, noise_bound
from crypto.seal.parameters import Profile

_FRESH = 22


def product_error(profile: Profile, chunks: int, indicators: int) -> int:
    """Bound on the error of a number over so many chunks, with so many indicator columns added up first."""
    n, t, fresh = profile.degree, profile.plain_modulus, _FRESH * (indicators + 1)
    wrapped = (n + 1) // 2 + 3
    once = n * t * fresh // 2 + t * n * fresh * wrapped + 1 + len(profile.data_primes) * (1 + n + n * n)
    return chunks * (n * t // 2 + 1) * once + 1


def prove_product(
    profile: Profile, *, rows: int, chunks: int, indicators: int, total: int, scale: Fraction | int = 0, shares: int = 1
) -> Headroom:
    """Proves that a number can be computed, and released with noise, without wrapping or losing a digit.

    Args:
        profile: the parameter set.
        rows: number of sealed rows. chunks: that hold them.
        indicators: how many indicator columns are added up.
        total: bound on |true total|.
        scale: scale of the discrete Laplace noise that will be added; 0 for none.
        shares: how many holders of the key add that noise and their smudging.

    Raises:
        ParameterError: with the bound that fails, expected and got.
    """
    if not 1 <= rows <= profile.max_cells or not 1 <= chunks <= rows or indicators < 1:
        raise ParameterError(f"rows of one number: expected 1 to {profile.max_cells}, got {rows} in {chunks} chunks")
    noise = shares * noise_bound(Fraction(scale))
    if total < 0 or total + noise >= profile.half:
        raise ParameterError(
            f"the total could wrap: expected |total| + |noise| < {profile.half}, got {total} + {noise}"
        )
    error = product_error(profile, chunks, indicators)
    room = profile.modulus // (2 * profile.plain_modulus) - (shares << profile.smudging_bits)
    if error >= room:
        raise ParameterError(f"the error could reach the digits of the total: expected less than {room}, got {error}")
    margin = ((2 << profile.smudging_bits) // error).bit_length() - 1
    if margin < MINIMUM_MARGIN_BITS:
        raise ParameterError(f"smudging: expected a margin of {MINIMUM_MARGIN_BITS} bits, got {margin}")
    return Headroom(total, noise, error, margin)
