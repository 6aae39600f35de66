"""How far one row can move a statistic, from the declared bounds alone.

One row adds to a number at most weight times the largest magnitude of its combination. Where all columns of a
combination count the same rows, a row adds to all of them or to none, so the combination is bounded as a whole
(interval arithmetic over the declared bounds); otherwise each column is bounded on its own.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.queries.language.lexicon import measure
from marketplace.queries.planning.statistics import Statistic, presence

Manifest = Mapping[str, Any]
Range = tuple[int, int]


def column_range(manifest: Manifest, column: str) -> Range:
    """Least and largest that one row that counts adds to a column."""
    kind, _, rest = column.partition(":")
    kind = kind.partition("@")[0]
    if kind in ("rows", "n"):
        return 1, 1
    if kind == "bin":
        return 0, 1
    bounds = [_bounds(manifest, name) for name in rest.split(":")]
    if kind == "sum":
        return bounds[0]
    (low, high), other = bounds[0], bounds[-1]
    if kind == "sumsq" or rest.split(":")[0] == rest.split(":")[-1]:
        return (0 if low <= 0 <= high else min(low * low, high * high)), max(low * low, high * high)
    corners = [mine * theirs for mine in (low, high) for theirs in other]
    return min(corners), max(corners)


def row_range(manifest: Manifest, statistic: Statistic) -> Range:
    """Least and largest that one row, counted or not, adds to a combination; weights aside."""
    scaled = [_times(column_range(manifest, column), factor) for column, factor in statistic.parts]
    if len({presence(column) for column, _ in statistic.parts}) > 1:
        scaled = [(min(low, 0), max(high, 0)) for low, high in scaled]
    low, high = sum(low for low, _ in scaled), sum(high for _, high in scaled)
    return min(low, 0), max(high, 0)


def row_sensitivity(manifest: Manifest, statistic: Statistic) -> int:
    """How far one row of weight one can move the statistic, at least 1."""
    low, high = row_range(manifest, statistic)
    return max(-low, high, 1)


def _bounds(manifest: Manifest, name: str) -> Range:
    declared = measure(manifest, name)
    return int(declared["low"]), int(declared["high"])


def _times(bounds: Range, factor: int) -> Range:
    first, second = bounds[0] * factor, bounds[1] * factor
    return min(first, second), max(first, second)
