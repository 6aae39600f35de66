"""How privacy loss is measured, spent and added up: pure epsilon by Laplace noise, or rho (zCDP) by Gaussian noise.

A budget is a whole number of millionths of the measure's own unit, epsilon or rho. Both add up: two releases cost the
sum. Zero-concentrated loss is shown to people as (epsilon, delta), by OpenDP's conversion.

`composed_loss` asks OpenDP itself what a set of releases costs together: of each it builds the measurement "clamp every
row's contribution to the sensitivity, add up, add noise", and takes the privacy map of their composition for one row
more or less. OpenDP rounds its maps up, so the answer is never below the true loss.

Assumes: that a row contributes to a number at most the stated sensitivity.
Leaks: what it measures. Cost: about a millisecond for each new mechanism.
Source: Bun, Steinke, TCC 2016; OpenDP 0.16 make_composition, make_zCDP_to_approxDP.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from crypto.errors import ParameterError
from crypto.seal.headroom import LAPLACE_FACTOR, noise_bound
from crypto.seal.noise import (
    discrete_gaussian,
    discrete_laplace,
    gaussian_bound,
    gaussian_error,
    gaussian_float,
    gaussian_variance,
    laplace_float,
    laplace_scale,
    load_sampler,
    standard_error,
)

PURE, ZCDP = "pure", "zcdp"
MICRO = 1_000_000


@dataclass(frozen=True)
class Noise:
    """The noise of one number.

    Args:
        measure: PURE or ZCDP.
        sensitivity: most by which one row changes the number.
        width: scale of discrete Laplace noise, or variance of discrete Gaussian noise.
    """

    measure: str
    sensitivity: int
    width: Fraction

    def draw(self) -> int:
        """One draw."""
        return discrete_laplace(self.width) if self.measure == PURE else discrete_gaussian(self.width)

    @property
    def deviation(self) -> float:
        """Standard deviation of one draw."""
        return standard_error(self.width) if self.measure == PURE else gaussian_error(self.width)

    @property
    def bound(self) -> int:
        """The most that was proven to fit: a draw is beyond it with probability below 2^-64."""
        return noise_bound(self.reserve)

    @property
    def reserve(self) -> Fraction:
        """What a proof of headroom has to be given as scale: LAPLACE_FACTOR of it are exceeded with probability below
        2^-64."""
        return self.width if self.measure == PURE else Fraction(gaussian_bound(self.width), LAPLACE_FACTOR)


def noise_for(measure: str, sensitivity: int, budget: int) -> Noise:
    """The least noise that costs at most `budget` millionths of the measure's unit.

    Raises:
        ParameterError: an argument is not positive, the noise would be too wide, or the measure is unknown.
    """
    if measure == PURE:
        return Noise(PURE, sensitivity, laplace_scale(sensitivity, budget))
    if measure == ZCDP:
        return Noise(ZCDP, sensitivity, gaussian_variance(sensitivity, budget))
    raise ParameterError(f"privacy measure: expected {PURE} or {ZCDP}, got {measure!r}")


def composed_loss(noises: Sequence[Noise]) -> Fraction:
    """What releasing one number with each of these noises costs together, by OpenDP, in units of the one measure of
    all; nothing for none."""
    if not noises:
        return Fraction(0)
    dp = load_sampler()
    return Fraction(dp.c.make_composition([measurement(noise) for noise in noises]).map(1))


@lru_cache(maxsize=1024)
def measurement(noise: Noise) -> Any:
    """OpenDP's measurement of rows under this noise; its input distance counts rows added or removed."""
    dp = load_sampler()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()
    clamped = space >> dp.t.then_clamp((-noise.sensitivity, noise.sensitivity)) >> dp.t.then_sum()
    if noise.measure == PURE:
        return clamped >> dp.m.then_laplace(laplace_float(noise.width))
    return clamped >> dp.m.then_gaussian(gaussian_float(noise.width))


def approximate_epsilon(rho: int, delta: float) -> float:
    """The epsilon of (epsilon, delta)-differential privacy that `rho` millionths of zCDP amount to, by OpenDP.

    Raises:
        ParameterError: rho is negative, or delta not in (0, 1).
    """
    if rho < 0 or not 0 < delta < 1:
        raise ParameterError(f"expected rho >= 0 and delta in (0, 1), got {rho} and {delta}")
    if rho == 0:
        return 0.0
    dp, variance = load_sampler(), Fraction(MICRO, 2 * rho)
    deviation = math.sqrt(variance)
    while Fraction(deviation) ** 2 > variance:  # rather more loss than less
        deviation = math.nextafter(deviation, 0)
    space = dp.atom_domain(T="i64"), dp.absolute_distance(T="i64")
    curve = dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale=deviation)).map(1)
    return float(curve.epsilon(delta))
