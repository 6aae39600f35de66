"""What released integers mean: the value of each computation and its standard error.

The integers carry independent noise of known variance, so the standard error of what is computed from them follows by
the delta method: se^2 = sum over the numbers of (derivative * standard deviation)^2. It is the error that privacy adds;
there is no sampling error, because the data set is the whole population (regressions state both, see regression.py).
Variances are those of the population, divided by n.

With n counted values, their sum s and their sum of squares q, in units of 10^-scale; of a pair, sums a and b, sums of
squares aa and bb and of products ab over the rows where both are present:

    MEAN = s/n            VARIANCE = q/n - (s/n)^2            STDDEV = sqrt(VARIANCE)
    COVARIANCE = ab/n - a*b/n^2        CORRELATION = (n*ab - a*b) / sqrt((n*aa - a^2) * (n*bb - b^2))
    SCORE, WSUM: their one number; their means divide it by the number of rows, or by the sum of the weights
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents import key_holders
from marketplace.queries.answers.distribution import Bins, bins_of, quantile
from marketplace.queries.answers.figures import NOTHING, Figure, Reading
from marketplace.queries.answers.regression import Regression, regress
from marketplace.queries.language.lexicon import measure
from marketplace.queries.language.terms import PairTerm, QuantileTerm, RegressionTerm, ScoreTerm, Term, WeightedTerm
from marketplace.queries.planning.noise import plan_noise
from marketplace.queries.planning.numbers import Plan
from marketplace.queries.planning.statistics import needs, score_unit

Manifest = Mapping[str, Any]
Result = Figure | Bins | Regression


def deviations(manifest: Manifest, plan: Plan) -> dict[str, float]:
    """Standard deviation of the noise on each statistic of the plan, in its own integer unit.

    Each holder of the sealing key adds noise of its own, so that a dishonest one cannot leave it out.
    """
    spread = math.sqrt(key_holders(manifest))
    return {name: spread * noise.deviation for name, noise in plan_noise(manifest, plan).items()}


def result(manifest: Manifest, term: Term, numbers: Mapping[str, int], noise: Mapping[str, float]) -> Result:
    """What one computation comes to in one group.

    Args:
        term: which. numbers: released integer of each statistic of the group. noise: as `deviations`.
    """
    read = Reading.of(needs(manifest, term), numbers, noise)
    if isinstance(term, RegressionTerm):
        return regress(manifest, term, read)
    if term.op == "HISTOGRAM":
        return bins_of(manifest, str(term.measure), read)
    if isinstance(term, QuantileTerm):
        return quantile(manifest, term, read)
    return _FIGURES[term.op](manifest, term, read)


def figure(manifest: Manifest, term: Term, numbers: Mapping[str, int], noise: Mapping[str, float]) -> Figure:
    """As `result`, for a computation that comes to one value."""
    found = result(manifest, term, numbers, noise)
    assert isinstance(found, Figure)
    return found


@dataclass(frozen=True)
class _Moments:
    """n, sum and sum of squares of one measure, as roles of a reading."""

    n: str
    s: str
    q: str


def _unit(manifest: Manifest, term: Term) -> int:
    """How many integer units make one unit of the measure."""
    return int(10 ** int(measure(manifest, str(term.measure))["scale"]))


def _count(_manifest: Manifest, _term: Term, read: Reading) -> Figure:
    return read.figure(read["n"], {"n": 1})


def _sum(manifest: Manifest, term: Term, read: Reading) -> Figure:
    return read.figure(read["s"], {"s": 1}, _unit(manifest, term))


def _mean(manifest: Manifest, term: Term, read: Reading) -> Figure:
    return _ratio(read, _unit(manifest, term))


def _ratio(read: Reading, unit: int) -> Figure:
    total, count = read["s"], read["n"]
    if count <= 0:
        return NOTHING
    return read.figure(total / count, {"s": 1 / count, "n": -total / count / count}, unit)


def _variance(manifest: Manifest, term: Term, read: Reading) -> Figure:
    if read["n"] <= 0:
        return NOTHING
    value, slopes = _spread(read, _Moments("n", "s", "q"))
    return read.figure(value, slopes, _unit(manifest, term) ** 2)


def _deviation(manifest: Manifest, term: Term, read: Reading) -> Figure:
    if read["n"] <= 0:
        return NOTHING
    value, slopes = _spread(read, _Moments("n", "s", "q"))
    if value <= 0:  # the noise is larger than the spread
        return NOTHING
    root = math.sqrt(value)
    return read.figure(root, {role: slope / (2 * root) for role, slope in slopes.items()}, _unit(manifest, term))


def _spread(read: Reading, roles: _Moments) -> tuple[float, dict[str, float]]:
    """A variance and its derivatives."""
    return _product_moment(read, roles.n, roles.s, roles.s, roles.q)


def _product_moment(read: Reading, n: str, a: str, b: str, ab: str) -> tuple[float, dict[str, float]]:
    """ab/n - a*b/n^2 and its derivatives."""
    count, first, second, product = read[n], read[a], read[b], read[ab]
    # Exact integers before the one division: the two terms are nearly equal when the spread is small.
    value = (product * count - first * second) / (count * count)
    slopes = {ab: 1 / count, n: (2 * first * second / count - product) / (count * count)}
    for role, other in ((a, second), (b, first)):
        slopes[role] = slopes.get(role, 0.0) - other / (count * count)
    return value, slopes


def _covariance(manifest: Manifest, term: Term, read: Reading) -> Figure:
    assert isinstance(term, PairTerm)
    if read["n"] <= 0:
        return NOTHING
    first, second = term.measures
    value, slopes = _product_moment(read, "n", first, second, read.product(first, second))
    units = [int(10 ** int(measure(manifest, name)["scale"])) for name in term.measures]
    return read.figure(value, slopes, units[0] * units[1])


def _correlation(_manifest: Manifest, term: Term, read: Reading) -> Figure:
    assert isinstance(term, PairTerm)
    first, second = term.measures
    if read["n"] <= 0:
        return NOTHING
    joint, slopes = _product_moment(read, "n", first, second, read.product(first, second))
    spreads = [_spread(read, _Moments("n", name, read.product(name, name))) for name in term.measures]
    if any(value <= 0 for value, _ in spreads):  # the noise is larger than the spread
        return NOTHING
    scale = math.sqrt(spreads[0][0] * spreads[1][0])
    value, total = joint / scale, {role: slope / scale for role, slope in slopes.items()}
    for spread, by_role in spreads:
        for role, slope in by_role.items():
            total[role] = total.get(role, 0.0) - value / (2 * spread) * slope
    return read.figure(value, total)


def _score(manifest: Manifest, term: Term, read: Reading) -> Figure:
    assert isinstance(term, ScoreTerm)
    unit = score_unit(manifest, term)
    return _ratio(read, unit) if term.statistic == "MEAN" else read.figure(read["s"], {"s": 1}, unit)


def _weighted_sum(manifest: Manifest, term: Term, read: Reading) -> Figure:
    assert isinstance(term, WeightedTerm)
    return read.figure(read["s"], {"s": 1}, _unit(manifest, term) * 10**term.scale)


def _weighted_mean(manifest: Manifest, term: Term, read: Reading) -> Figure:
    # The weights' scale cancels. A sum of weights may be negative, but not zero.
    total, weight = read["s"], read["n"]
    if weight == 0:
        return NOTHING
    slopes = {"s": 1 / weight, "n": -total / weight / weight}
    return read.figure(total / weight, slopes, _unit(manifest, term))


_FIGURES: dict[str, Callable[[Manifest, Term, Reading], Figure]] = {
    "COUNT": _count,
    "CONTINGENCY": _count,
    "SUM": _sum,
    "MEAN": _mean,
    "VARIANCE": _variance,
    "STDDEV": _deviation,
    "COVARIANCE": _covariance,
    "CORRELATION": _correlation,
    "SCORE": _score,
    "WSUM": _weighted_sum,
    "WMEAN": _weighted_mean,
}
