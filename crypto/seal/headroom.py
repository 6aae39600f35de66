"""The planner's proof. From the number of values in a sum and their declared bounds it follows, before anything is
computed, that

1. the total plus its privacy noise stays inside (-t/2, t/2), so it cannot wrap;
2. the error of the ciphertext plus the smudging of every share stays below q/(2t), so decoding is exact;
3. the smudging is so much wider than the error that a share shows nothing of the error (release_margin).

Where the error comes from, with weights 0 and 1 (c0 + c1*s = q*total/t + error, see `crypto.seal`):

- encryption: SEAL draws each coefficient from the centred binomial distribution of 2 x 21 coins: |e| <= 21, variance
  10.5. A sum of n of them is at most 21n with certainty; as a sum of 42n fair +-1/2 coins it exceeds x with
  probability at most 2*exp(-x^2 / 21n) (Hoeffding), so x = sqrt(947n) is exceeded with probability below 2^-64.
- rounding: each value is encoded as round(q*m/t), off by at most 1/2. With r = q mod t (centred) and |r*m| < t/2 the
  rounding gives exactly m*(q-r)/t, so the sum is off by |r*total|/t, which for the narrow profile is far less than n/2.
- the encoding of the noise itself: at most 1/2.

Assumes: a sealer that uses SEAL's sampler (it owns the key, so a sealer that does not can only spoil its own numbers).
Source: SEAL 4.3, util/rlwe.cpp sample_poly_cbd; Hoeffding 1963; Asharov et al., eprint 2011/613 (smudging lemma).
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from crypto.errors import ParameterError
from crypto.seal.parameters import Profile

MINIMUM_MARGIN_BITS = 40
"""A share is only released if its smudging is at least this many bits wider than any error it has to hide."""

COIN_BOUND = 21
"""Largest magnitude of one coefficient of SEAL's encryption error."""

_TAIL_FACTOR = 947  # >= 2 * 10.5 * ln(2^65)
LAPLACE_FACTOR = 46  # >= ln(2^66): a discrete Laplace variable exceeds 46 scales with probability below 2^-65


@dataclass(frozen=True)
class Headroom:
    """What was proven of one sum.

    Attributes:
        total: bound on |true total|.
        noise: bound on |privacy noise|, exceeded with probability below 2^-64.
        error: bound on the error of the ciphertext, in units of q.
        margin_bits: log2 of (width of the smudging / error), rounded down.
    """

    total: int
    noise: int
    error: int
    margin_bits: int


def noise_bound(scale: Fraction) -> int:
    """A bound on discrete Laplace noise of that scale that is exceeded with probability below 2^-64."""
    return -((-scale.numerator * LAPLACE_FACTOR) // scale.denominator)


def error_bound(profile: Profile, cells: int, value: int, total: int) -> int:
    """Bound on the error of a sum of `cells` values, each at most `value` and together at most `total` in magnitude."""
    certain, likely = COIN_BOUND * cells, isqrt(_TAIL_FACTOR * cells) + 1
    coins = certain if profile.tail_bits is None else min(certain, likely)
    return coins + _rounding_bound(profile, cells, value, total) + 1


def _rounding_bound(profile: Profile, cells: int, value: int, total: int) -> int:
    t = profile.plain_modulus
    remainder = min(profile.modulus % t, t - profile.modulus % t)
    if 2 * remainder * value < t:
        return min(cells // 2 + 1, remainder * total // t + 1)
    return cells // 2 + 1


def prove_headroom(
    profile: Profile,
    cells: int,
    low: int,
    high: int,
    *,
    total: int | None = None,
    scale: Fraction | int = 0,
    shares: int = 1,
    weight: int | None = None,
) -> Headroom:
    """Proves that a sum can be computed, and released with noise, without wrapping or losing a digit.

    Args:
        profile: the parameter set.
        cells: number of sealed values in the sum.
        low: smallest sealed value, as declared.
        high: largest sealed value, as declared.
        total: a tighter bound on |sum| if one is known (rows x largest measure, for cells of many rows); default cells
            x max(|low|, |high|).
        scale: scale of the discrete Laplace noise that will be added; 0 for none.
        shares: how many holders of the key (see splitting) add that noise and their smudging.
        weight: the sum of the magnitudes of public weights, where they are not all one: so often do errors count.
            `total` is then needed, and bounds the weighted sum.

    Returns:
        The proven bounds.

    Raises:
        ParameterError: with the bound that fails, expected and got.
    """
    _require_bounds(profile, cells, low, high, total)
    value = max(abs(low), abs(high))
    often = cells if weight is None else weight
    magnitude = often * value if total is None else min(total, often * value)
    noise = shares * noise_bound(Fraction(scale))
    if magnitude + noise >= profile.half:
        raise ParameterError(
            f"the total could wrap: expected |total| + |noise| < {profile.half}, got {magnitude} + {noise}"
        )
    error = error_bound(profile, often, value, magnitude)
    if weight is not None:
        error = max(error, COIN_BOUND * weight)  # likely bounds are of plain sums
        _require_margin(profile, error)
    room = profile.modulus // (2 * profile.plain_modulus) - (shares << profile.smudging_bits)
    if error >= room:
        raise ParameterError(f"the error could reach the digits of the total: expected less than {room}, got {error}")
    return Headroom(magnitude, noise, error, _margin(profile, error))


def _require_bounds(profile: Profile, cells: int, low: int, high: int, total: int | None) -> None:
    if not 1 <= cells <= profile.max_cells:
        raise ParameterError(f"cells in one sum: expected 1 to {profile.max_cells}, got {cells}")
    if low > high:
        raise ParameterError(f"declared bounds: expected low <= high, got {low} > {high}")
    if total is not None and total < 0:
        raise ParameterError(f"declared total: expected a bound on its magnitude, got {total}")


def _require_margin(profile: Profile, error: int) -> None:
    """A weighted sum may have larger errors than any plain one that `release_margin` speaks of."""
    if _margin(profile, error) < MINIMUM_MARGIN_BITS:
        raise ParameterError(
            f"the weights: expected a smudging margin of {MINIMUM_MARGIN_BITS} bits, got {_margin(profile, error)}"
        )


def _margin(profile: Profile, error: int) -> int:
    return ((2 << profile.smudging_bits) // error).bit_length() - 1


@lru_cache
def release_margin(profile: Profile) -> int:
    """Smudging margin in bits of the worst release the profile allows: its largest sum, of any values.

    A share with margin k could have been made, up to statistical distance 2^-k, from the released number alone.
    """
    return _margin(profile, error_bound(profile, profile.max_cells, profile.half, profile.half))


def require_releasable(profile: Profile) -> None:
    """Refuses releases from a profile that cannot hide the error of its sums.

    Raises:
        ParameterError: the margin is below MINIMUM_MARGIN_BITS.
    """
    margin = release_margin(profile)
    if margin < MINIMUM_MARGIN_BITS:
        raise ParameterError(
            f"{profile.name} releases nothing: expected a smudging margin of {MINIMUM_MARGIN_BITS} bits, got {margin}"
        )
