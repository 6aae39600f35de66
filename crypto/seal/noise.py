"""Differential-privacy noise: integers by OpenDP, with a width that is an exact rational number.

A number that changes by at most `sensitivity` when one row changes is released with, either

- discrete Laplace noise of scale b >= sensitivity/epsilon: epsilon-differentially private; or
- discrete Gaussian noise of variance v >= sensitivity^2 / (2 rho): rho-zero-concentrated differentially private.

OpenDP takes a float and samples from exactly that float. We round up to a float and check with exact arithmetic that it
is wide enough, so rounding can only add privacy. The float is wider than the rational by one part in 2^40: OpenDP's own
bounds are rounded up too, and a sum of up to 2^12 of them then still stays within what was meant to be spent.

Assumes: OpenDP's samplers and the operating system's generator; that a row changes the number by at most `sensitivity`.
Leaks: epsilon, or rho, per released number, added up by the caller. Cost: about 0.1 ms a draw.
Source: Ghosh, Roughgarden, Sundararajan, STOC 2009 (geometric mechanism); Bun, Steinke, TCC 2016 (zCDP); Canonne,
Kamath, Steinke, NeurIPS 2020 (exact sampling, the discrete Gaussian and its tails).
"""

import importlib
import math
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

from crypto.errors import ParameterError

MAX_SCALE = 1 << 52
"""Largest scale: 46 of them (headroom.noise_bound) still fit OpenDP's 64-bit integers."""

SLACK = 1 + Fraction(1, 1 << 40)
"""How much wider than asked for a mechanism is made, so that OpenDP's rounded-up bounds of many add up to no more."""

_GAUSSIAN_FACTOR = 92  # >= 2 * ln(2^65): |z| > sqrt(92 v) with probability below 2 exp(-46) < 2^-64
_NEARLY_CONTINUOUS = 16  # from this variance on the discrete Gaussian's own variance is v up to exp(-2 pi^2 v)


def laplace_scale(sensitivity: int, epsilon_micro: int) -> Fraction:
    """The smallest scale that gives epsilon-differential privacy, exactly.

    Args:
        sensitivity: most by which one row changes the number, >= 1.
        epsilon_micro: epsilon in millionths, >= 1.

    Returns:
        sensitivity / epsilon.

    Raises:
        ParameterError: an argument is not positive, or the scale exceeds MAX_SCALE.
    """
    if sensitivity < 1 or epsilon_micro < 1:
        raise ParameterError(f"noise: expected sensitivity and epsilon >= 1, got {sensitivity} and {epsilon_micro}")
    scale = Fraction(sensitivity * 1_000_000, epsilon_micro)
    _require_scale(scale)
    return scale


def discrete_laplace(scale: Fraction) -> int:
    """One draw z with probability proportional to exp(-|z| / b), for a float b >= scale that is within one rounding of
    it.

    Raises:
        ParameterError: the scale is not in (0, MAX_SCALE].
    """
    _require_scale(scale)
    return int(_mechanism(scale)(0))


def standard_error(scale: Fraction) -> float:
    """Standard deviation of one discrete Laplace draw: sqrt(2p) / (1 - p) with p = exp(-1/scale)."""
    _require_scale(scale)
    inverse = 1 / float(scale)
    return math.sqrt(2 * math.exp(-inverse)) / -math.expm1(-inverse)


def gaussian_variance(sensitivity: int, rho_micro: int) -> Fraction:
    """The smallest variance that gives rho-zero-concentrated differential privacy, exactly.

    Args:
        sensitivity: most by which one row changes the number, >= 1.
        rho_micro: rho in millionths, >= 1.

    Returns:
        sensitivity^2 / (2 rho).

    Raises:
        ParameterError: an argument is not positive, or the variance exceeds MAX_SCALE^2.
    """
    if sensitivity < 1 or rho_micro < 1:
        raise ParameterError(f"noise: expected sensitivity and rho >= 1, got {sensitivity} and {rho_micro}")
    variance = Fraction(sensitivity * sensitivity * 1_000_000, 2 * rho_micro)
    _require_variance(variance)
    return variance


def discrete_gaussian(variance: Fraction) -> int:
    """One draw z with probability proportional to exp(-z^2 / 2s^2), for a float s with s^2 >= variance that is within
    one part in 2^40 of it.

    Raises:
        ParameterError: the variance is not in (0, MAX_SCALE^2].
    """
    _require_variance(variance)
    return int(_gaussian(variance)(0))


def gaussian_error(variance: Fraction) -> float:
    """Standard deviation of one discrete Gaussian draw: below sqrt(variance), and equal to it unless that is small."""
    _require_variance(variance)
    if variance >= _NEARLY_CONTINUOUS:
        return math.sqrt(variance)
    weights = [(z * z, math.exp(-z * z / (2 * float(variance)))) for z in range(-60, 61)]
    return math.sqrt(sum(square * weight for square, weight in weights) / sum(weight for _, weight in weights))


def gaussian_bound(variance: Fraction) -> int:
    """A bound on a discrete Gaussian draw that is exceeded with probability below 2^-64.

    P(z > x) <= exp(-x^2 / 2v) for the discrete Gaussian as for the continuous one (Canonne, Kamath, Steinke, cor. 23).
    """
    return isqrt(-((-variance.numerator * _GAUSSIAN_FACTOR) // variance.denominator)) + 1


def float_at_least(scale: Fraction) -> float:
    """The nearest float that is not below the rational, proven by exact comparison."""
    candidate = float(scale)
    return candidate if Fraction(candidate) >= scale else math.nextafter(candidate, math.inf)


@lru_cache
def load_sampler() -> Any:
    """OpenDP, loaded once. It takes as long to load as a short program takes to run, and only who draws needs it: call
    this before the first draw if that draw should not wait."""
    dp = importlib.import_module("opendp.prelude")
    dp.enable_features("contrib")
    return dp


def laplace_float(scale: Fraction) -> float:
    """The scale that OpenDP is given for `scale`."""
    return float_at_least(scale * SLACK)


def gaussian_float(variance: Fraction) -> float:
    """The scale (standard deviation) that OpenDP is given for `variance`; its exact square is not below it."""
    wanted = variance * SLACK
    candidate = math.sqrt(wanted)
    while Fraction(candidate) ** 2 < wanted:
        candidate = math.nextafter(candidate, math.inf)
    return candidate


@lru_cache(maxsize=256)
def _mechanism(scale: Fraction) -> Any:
    dp = load_sampler()
    return dp.m.make_laplace(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), scale=laplace_float(scale))


@lru_cache(maxsize=256)
def _gaussian(variance: Fraction) -> Any:
    dp = load_sampler()
    return dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), scale=gaussian_float(variance))


def _require_scale(scale: Fraction) -> None:
    if not 0 < scale <= MAX_SCALE:
        raise ParameterError(f"noise: expected a scale in (0, {MAX_SCALE}], got {float(scale):g}")


def _require_variance(variance: Fraction) -> None:
    if not 0 < variance <= MAX_SCALE**2:
        raise ParameterError(f"noise: expected a variance in (0, {MAX_SCALE}^2], got {float(variance):g}")
