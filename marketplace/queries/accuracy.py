"""What released integers mean: the value of each computation and its standard error.

The integers carry independent noise of known variance, so the standard error of what is computed from them follows by
the delta method: se^2 = sum over the numbers of (derivative * standard deviation)^2. It is the error that privacy adds;
there is no sampling error, because the data set is the whole population. VARIANCE is the population variance.

With n present values, their sum s and their sum of squares q, in units of 10^-scale:
    MEAN = s/n            VARIANCE = q/n - (s/n)^2            STDDEV = sqrt(VARIANCE)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.seal.noise import standard_error
from marketplace.documents import key_holders
from marketplace.queries.lexicon import measure
from marketplace.queries.noise import scales
from marketplace.queries.plan import Plan
from marketplace.queries.terms import Term


@dataclass(frozen=True)
class Figure:
    """One value of an answer.

    Args:
        value: in the measure's unit (its square for VARIANCE); None where no rows are left to divide by, or no
            spread to take the root of.
        error: standard error of `value`, in the same unit; None with `value`.
    """

    value: int | float | None
    error: float | None


NOTHING = Figure(None, None)


def deviations(manifest: Mapping[str, Any], plan: Plan) -> dict[str, float]:
    """Standard deviation of the noise on each column of the plan, in the column's own integer unit.

    Each holder of the sealing key adds noise of its own, so that a dishonest one cannot leave it out.
    """
    spread = math.sqrt(key_holders(manifest))
    return {column: spread * standard_error(scale) for column, scale in scales(manifest, plan).items()}


def figure(manifest: Mapping[str, Any], term: Term, numbers: Mapping[str, int], noise: Mapping[str, float]) -> Figure:
    """The value of one computation.

    Args:
        term: which. numbers: released integer of each column of one group. noise: as `deviations`.
    """
    if term.op in ("COUNT", "CONTINGENCY"):
        column = "rows" if term.measure is None else f"n:{term.measure}"
        return Figure(numbers[column], noise[column])
    assert term.measure is not None
    unit = 10 ** int(measure(manifest, term.measure)["scale"])
    total, total_noise = numbers[f"sum:{term.measure}"], noise[f"sum:{term.measure}"]
    if term.op == "SUM":
        return Figure(total if unit == 1 else total / unit, total_noise / unit)
    count, count_noise = numbers[f"n:{term.measure}"], noise[f"n:{term.measure}"]
    if count <= 0:
        return NOTHING
    if term.op == "MEAN":
        error = math.hypot(total_noise / count, total / count / count * count_noise)
        return Figure(total / count / unit, error / unit)
    squares = numbers[f"sumsq:{term.measure}"]
    spread = _variance((count, total, squares), (count_noise, total_noise, noise[f"sumsq:{term.measure}"]))
    return _scaled(spread, unit**2) if term.op == "VARIANCE" else _root(spread, unit)


def _variance(numbers: tuple[int, int, int], noise: tuple[float, float, float]) -> tuple[float, float]:
    count, total, squares = numbers
    mean = total / count
    # Exact integers before the one division: q/n and (s/n)^2 are nearly equal when the spread is small.
    value = (squares * count - total * total) / (count * count)
    by_count = (2 * mean * mean - squares / count) / count
    return value, math.hypot(noise[2] / count, 2 * mean / count * noise[1], by_count * noise[0])


def _scaled(found: tuple[float, float], unit: int) -> Figure:
    return Figure(found[0] / unit, found[1] / unit)


def _root(found: tuple[float, float], unit: int) -> Figure:
    value, error = found
    if value <= 0:  # the noise is larger than the spread
        return NOTHING
    return Figure(math.sqrt(value) / unit, error / (2 * math.sqrt(value)) / unit)
