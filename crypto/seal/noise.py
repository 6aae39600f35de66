"""Differential-privacy noise: integer discrete Laplace by OpenDP, with a scale that is an exact rational number.

A number whose value changes by at most `sensitivity` when one row changes, plus discrete Laplace noise of scale b >=
sensitivity/epsilon, is epsilon-differentially private. OpenDP takes the scale as a float and samples from exactly that
float; we round the rational up to the next float and check with exact arithmetic that b >= sensitivity/epsilon, so
rounding can only add privacy.

Assumes: OpenDP's sampler and the operating system's generator; that a row changes the number by at most `sensitivity`.
Leaks: epsilon per released number, added up by the caller. Cost: about 0.2 ms a draw.
Source: Ghosh, Roughgarden, Sundararajan, STOC 2009 (geometric mechanism); Canonne, Kamath, Steinke, NeurIPS 2020
(exact sampling).
"""

import importlib
import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from crypto.errors import ParameterError

MAX_SCALE = 1 << 52
"""Largest scale: 46 of them (headroom.noise_bound) still fit OpenDP's 64-bit integers."""


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
    """Standard deviation of one draw: sqrt(2p) / (1 - p) with p = exp(-1/scale)."""
    _require_scale(scale)
    inverse = 1 / float(scale)
    return math.sqrt(2 * math.exp(-inverse)) / -math.expm1(-inverse)


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


@lru_cache(maxsize=256)
def _mechanism(scale: Fraction) -> Any:
    dp = load_sampler()
    return dp.m.make_laplace(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), scale=float_at_least(scale))


def _require_scale(scale: Fraction) -> None:
    if not 0 < scale <= MAX_SCALE:
        raise ParameterError(f"noise: expected a scale in (0, {MAX_SCALE}], got {float(scale):g}")
