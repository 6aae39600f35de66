"""Goodness of fit without a statistics package: p-values good enough to tell 10^-9 from anything ordinary."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np


def chi_square_p(observed: Sequence[int], expected: Sequence[float]) -> float:
    """Upper tail of Pearson's statistic, by the Wilson-Hilferty normal approximation."""
    degrees = len(expected) - 1
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    spread = 2 / (9 * degrees)
    z = ((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))


def uniform_p(sample: Sequence[float]) -> float:
    """Kolmogorov-Smirnov against the uniform distribution on [0, 1): upper bound on the p-value."""
    ordered, n = sorted(sample), len(sample)
    distance = max(max((i + 1) / n - x, x - i / n) for i, x in enumerate(ordered))
    return min(1.0, 2 * math.exp(-2 * n * distance**2))


def discrete_laplace_p(draws: Sequence[int], scale: float, centre: int = 0) -> float:
    """Pearson's test of draws against exp(-|z - centre| / scale), over bins that each expect at least a hundred."""
    return fit_p([draw - centre for draw in draws], laplace_masses(scale))


def discrete_gaussian_p(draws: Sequence[int], deviation: float, centre: int = 0) -> float:
    """The same against exp(-(z - centre)^2 / 2 deviation^2)."""
    return fit_p([draw - centre for draw in draws], gaussian_masses(deviation))


def laplace_masses(scale: float) -> dict[int, float]:
    """Exact probabilities of the discrete Laplace distribution: (1 - r) / (1 + r) r^|z| with r = exp(-1 / scale)."""
    ratio, reach = math.exp(-1 / scale), int(46 * scale) + 46
    return {z: (1 - ratio) / (1 + ratio) * ratio ** abs(z) for z in range(-reach, reach + 1)}


def gaussian_masses(deviation: float) -> dict[int, float]:
    """Probabilities of the discrete Gaussian distribution, its tails beyond ten deviations left out."""
    reach = int(10 * deviation) + 10
    weights = {z: math.exp(-z * z / (2 * deviation * deviation)) for z in range(-reach, reach + 1)}
    total = sum(weights.values())
    return {z: weight / total for z, weight in weights.items()}


def of_two(masses: Mapping[int, float]) -> dict[int, float]:
    """The distribution of the sum of two independent draws."""
    reach = max(masses)
    single = [masses[z] for z in range(-reach, reach + 1)]
    return {z - 2 * reach: float(mass) for z, mass in enumerate(np.convolve(single, single))}


def fit_p(draws: Sequence[int], masses: Mapping[int, float], least: int = 100) -> float:
    """Pearson's test of draws against these probabilities, over bins that each expect at least `least` draws."""
    counts, ends = Counter(draws), _bins(len(draws), masses, least)
    observed, expected = [0] * len(ends), [0.0] * len(ends)
    for z in masses.keys() | counts.keys():
        place = min(bisect_left(ends, z), len(ends) - 1)
        observed[place] += counts[z]
        expected[place] += len(draws) * masses.get(z, 0.0)
    return chi_square_p(observed, expected)


def _bins(draws: int, masses: Mapping[int, float], least: int) -> list[int]:
    """Last integer of each bin; the last bin also takes everything above it."""
    ends: list[int] = []
    held = 0.0
    for z in sorted(masses):
        held += draws * masses[z]
        if held >= least:
            ends, held = [*ends, z], 0.0
    return ends
