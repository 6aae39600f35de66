"""Histograms and quantiles, from the counts in a measure's declared bins.

Bins are half open, [edge, next edge); the first begins at the declared low and the last ends at the declared high.
A quantile of fraction f is where the cumulated counts reach f times their total N, on the straight line within its bin.
Its standard error is that of this rank over the density of the bin. The interval from `low` to `high` holds the true
quantile but for about one chance in twenty: it takes whole bins, so it also covers where in its bin the quantile lies,
and every bin that the rank reaches within two standard deviations of its noise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.queries.answers.figures import NOTHING, Figure, Reading
from marketplace.queries.language.lexicon import measure
from marketplace.queries.language.terms import QuantileTerm
from marketplace.types import MICRO

_DEVIATIONS = 2


@dataclass(frozen=True)
class Bins:
    """A histogram.

    Args:
        edges: in the measure's unit, one more than there are bins.
        counts: noisy counts, as released; a small one may be negative.
        error: standard error of each count.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    error: float

    def rows(self) -> list[dict[str, Any]]:
        """One dict a bin."""
        ends = zip(self.edges, self.edges[1:], self.counts, strict=False)
        return [
            {"bin": index, "from": low, "to": high, "count": count, "count_se": self.error}
            for index, (low, high, count) in enumerate(ends)
        ]


def edges_of(manifest: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """The edges of a measure's bins in units of 10^-scale, the declared bounds at both ends."""
    declared = measure(manifest, name)
    return int(declared["low"]), *map(int, declared["bins"]), int(declared["high"])


def bins_of(manifest: Mapping[str, Any], name: str, read: Reading) -> Bins:
    """The histogram of a measure."""
    unit = 10 ** int(measure(manifest, name)["scale"])
    counts = tuple(read[str(index)] for index in range(len(read.values)))
    return Bins(tuple(edge / unit for edge in edges_of(manifest, name)), counts, read.noise["0"])


def quantile(manifest: Mapping[str, Any], term: QuantileTerm, read: Reading) -> Figure:
    """A quantile of a measure; nothing where the noise leaves no positive total."""
    edges, fraction = edges_of(manifest, str(term.measure)), term.fraction / MICRO
    counts = [read[str(index)] for index in range(len(read.values))]
    total = sum(counts)
    if total <= 0:
        return NOTHING
    unit = 10 ** int(measure(manifest, str(term.measure))["scale"])
    # At each edge, how far the cumulated count is beyond the wanted rank, and the deviation of that: a bin below the
    # edge enters with weight 1 - f, one above it with -f.
    beyond, spread = [], []
    for edge in range(len(edges)):
        beyond.append(sum(counts[:edge]) - fraction * total)
        below, above = edge, len(counts) - edge
        spread.append(read.noise["0"] * math.sqrt(below * (1 - fraction) ** 2 + above * fraction**2))
    place = next(edge for edge in range(1, len(edges)) if beyond[edge] >= 0)
    share = -beyond[place - 1] / counts[place - 1]
    width = edges[place] - edges[place - 1]
    others = (place - 1) * (1 - fraction) ** 2 + (len(counts) - place) * fraction**2
    deviation = read.noise["0"] * math.sqrt(others + (share - fraction) ** 2)
    low = next(edge for edge in range(1, len(edges)) if beyond[edge] + _DEVIATIONS * spread[edge] >= 0) - 1
    high = max(edge for edge in range(len(edges) - 1) if beyond[edge] - _DEVIATIONS * spread[edge] <= 0) + 1
    return Figure(
        (edges[place - 1] + share * width) / unit,
        deviation / counts[place - 1] * width / unit,
        edges[low] / unit,
        edges[high] / unit,
    )
