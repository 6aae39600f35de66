"""What released integers mean: the value of each computation and its standard error.

The integers carry independent noise of known variance, so the standard error of what is computed from them follows by
the delta method: se^2 = sum over the numbers of (derivative * standard deviation)^2. It is the error that privacy adds;
there is no sampling error, because the data set is the whole population. VARIANCE is the population variance.

With n present values, their sum s and their sum of squares q, in units of 10^-scale:
    MEAN = s/n            VARIANCE = q/n - (s/n)^2
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.seal.noise import standard_error
from marketplace.queries.lexicon import measure
from marketplace.queries.noise import scales
from marketplace.queries.plan import Plan
from marketplace.queries.query import Term


@dataclass(frozen=True)
class Figure:
    """One value of an answer.

    Args:
        value: in the measure's unit (its square for VARIANCE); None where no rows are left to divide by.
        error: standard error of `value`, in the same unit; None with `value`.
    """

    value: int | float | None
    error: float | None


NOTHING = Figure(None, None)


def deviations(manifest: Mapping[str, Any], plan: Plan) -> dict[str, float]:
    """Standard deviation of the noise on each column of the plan, in the column's own integer unit."""
    return {column: standard_error(scale) for column, scale in scales(manifest, plan).items()}


def figure(manifest: Mapping[str, Any], term: Term, numbers: Mapping[str, int], noise: Mapping[str, float]) -> Figure:
    """The value of one computation.

    Args:
        term: which. numbers: released integer of each column of one group. noise: as `deviations`.
    """
    if term.op == "COUNT":
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
    squares, squares_noise = numbers[f"sumsq:{term.measure}"], noise[f"sumsq:{term.measure}"]
    mean = total / count
    # Exact integers before the one division: q/n and (s/n)^2 are nearly equal when the spread is small.
    value = (squares * count - total * total) / (count * count)
    by_count = (2 * mean * mean - squares / count) / count
    error = math.hypot(squares_noise / count, 2 * mean / count * total_noise, by_count * count_noise)
    return Figure(value / unit**2, error / unit**2)
