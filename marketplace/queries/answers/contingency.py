"""Tables of counts by two or more dimensions: margins, and a test of independence that knows of the noise.

The last dimension of the query makes the columns, the others make the rows. With N the total of the released counts O,
expected counts E = row margin * column margin / N, and a noise variance v in every cell:

    chi_square   sum (O - E)^2 / E, as it comes
    noise        what the noise alone adds to it: v * sum (1 - r)(1 - c) / E, r and c being the shares of the margins
    p_value      share of 2,000 simulated tables, drawn from the margins as if independent and with fresh noise of the
                 same variance, whose chi_square is at least as large; seeded by the counts, so that it can be repeated
    cramers_v    sqrt(max(0, chi_square - noise) / (N * (min(rows, columns) - 1)))
    cramers_v_se its spread when noise of the same variance is added once more

A table with a suppressed cell has margins over what was released, and no test.
Source: Gaboardi, Lim, Rogers, Vadhan, ICML 2016 (simulated null distribution); Cramer 1946.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import sha256
from marketplace.queries.planning.selection import Group

TOTAL = "total"
_SIMULATIONS = 2000
_SEPARATOR = " / "
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contingency:
    """A table of counts.

    Args:
        row_dimension, dimension: of the rows and of the columns. rows, columns: labels.
        counts: None where a cell was suppressed or has no group.
        error: standard error of each count.
        chi_square, noise, freedom, p_value, cramers_v, cramers_v_se: as above; None without a test.
    """

    row_dimension: str
    dimension: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    error: float
    chi_square: float | None = None
    noise: float | None = None
    freedom: int | None = None
    p_value: float | None = None
    cramers_v: float | None = None
    cramers_v_se: float | None = None

    def table(self) -> list[dict[str, Any]]:
        """One dict a row: its label, its counts, its total with standard error; the last row totals the columns."""
        found = [self._row(label, list(counts)) for label, counts in zip(self.rows, self.counts, strict=True)]
        totals = [_total([row[place] for row in self.counts]) for place in range(len(self.columns))]
        known = sum(value is not None for row in self.counts for value in row)
        return [*found, {**self._row(TOTAL, totals), f"{TOTAL}_se": self.error * math.sqrt(known)}]

    def _row(self, label: str, counts: Sequence[int | None]) -> dict[str, Any]:
        known = sum(value is not None for value in counts)
        cells = dict(zip(self._headings(), counts, strict=True))
        end = {TOTAL: _total(counts), f"{TOTAL}_se": self.error * math.sqrt(known)}
        return {self.row_dimension: label, **cells, **end}

    def _headings(self) -> tuple[str, ...]:
        """The columns' labels, with their dimension's name where one of them would be taken for something else."""
        if not {self.row_dimension, TOTAL, f"{TOTAL}_se"} & set(self.columns):
            return self.columns
        return tuple(f"{self.dimension}={label}" for label in self.columns)

    def test(self) -> dict[str, Any]:
        """The test of independence as plain values."""
        names = ("chi_square", "noise", "freedom", "p_value", "cramers_v", "cramers_v_se")
        return {name: getattr(self, name) for name in names}


def tabulate(dimensions: Sequence[str], counts: Mapping[Group, int], error: float) -> Contingency:
    """The table of released counts by group.

    Args:
        dimensions: of the groups, two or more. counts: in the query's order. error: their standard error.
    """
    rows = tuple(dict.fromkeys(_SEPARATOR.join(group[:-1]) for group in counts))
    columns = tuple(dict.fromkeys(group[-1] for group in counts))
    by_place = {(_SEPARATOR.join(group[:-1]), group[-1]): count for group, count in counts.items()}
    cells = tuple(tuple(by_place.get((row, column)) for column in columns) for row in rows)
    table = Contingency(_SEPARATOR.join(dimensions[:-1]), dimensions[-1], rows, columns, cells, error)
    if any(value is None for row in cells for value in row) or min(len(rows), len(columns)) < 2:
        return table
    return _tested(table, np.array(cells, dtype=np.float64))


def _tested(table: Contingency, counts: Array) -> Contingency:
    statistic, expected = _chi_squares(counts[None])
    if not np.isfinite(statistic[0]):
        return table
    total, least = float(counts.sum()), min(counts.shape) - 1
    added = float(_added(expected, table.error)[0])
    seed = int.from_bytes(sha256(np.ascontiguousarray(counts, dtype="<f8").tobytes())[:8], "big")
    generator = np.random.default_rng(seed)
    return replace(
        table,
        chi_square=float(statistic[0]),
        noise=added,
        freedom=(counts.shape[0] - 1) * (counts.shape[1] - 1),
        p_value=_p_value(generator, expected[0], table.error, float(statistic[0])),
        cramers_v=math.sqrt(max(0.0, float(statistic[0]) - added) / (total * least)),
        cramers_v_se=_spread(generator, counts, table.error),
    )


def _chi_squares(tables: Array) -> tuple[Array, Array]:
    """Chi-square and expected counts of each table; infinite where a margin is not positive."""
    rows, columns = tables.sum(axis=2, keepdims=True), tables.sum(axis=1, keepdims=True)
    total = tables.sum(axis=(1, 2), keepdims=True)
    usable = ((rows > 0).all(axis=(1, 2)) & (columns > 0).all(axis=(1, 2)))[:, None, None]
    expected = np.where(usable, rows * columns, 1.0) / np.where(usable, total, 1.0)
    found = ((tables - expected) ** 2 / expected).sum(axis=(1, 2))
    return np.where(usable[:, 0, 0], found, np.inf), expected


def _added(expected: Array, error: float) -> Array:
    total = expected.sum(axis=(1, 2), keepdims=True)
    rows, columns = expected.sum(axis=2, keepdims=True) / total, expected.sum(axis=1, keepdims=True) / total
    added: Array = error**2 * ((1 - rows) * (1 - columns) / expected).sum(axis=(1, 2))
    return added


def _noise(generator: np.random.Generator, shape: tuple[int, ...], error: float) -> Array:
    # Laplace has the heavier tails of the two kinds of noise that a vault may draw, so the test errs towards caution.
    return generator.laplace(0.0, error / math.sqrt(2), shape)


def _p_value(generator: np.random.Generator, expected: Array, error: float, observed: float) -> float:
    total = expected.sum()
    drawn = generator.multinomial(max(1, round(total)), (expected / total).reshape(-1), _SIMULATIONS)
    tables = drawn.reshape(_SIMULATIONS, *expected.shape).astype(np.float64)
    statistics, _ = _chi_squares(tables + _noise(generator, tables.shape, error))
    return float((1 + (statistics >= observed).sum()) / (1 + _SIMULATIONS))


def _spread(generator: np.random.Generator, counts: Array, error: float) -> float:
    tables = counts + _noise(generator, (_SIMULATIONS, *counts.shape), error)
    statistics, expected = _chi_squares(tables)
    usable = np.isfinite(statistics)
    # The table is noisy already and is made noisier, so the noise counts twice.
    beyond = np.maximum(0.0, statistics[usable] - 2 * _added(expected[usable], error))
    return float(np.sqrt(beyond / (tables[usable].sum(axis=(1, 2)) * (min(counts.shape) - 1))).std())


def _total(counts: Sequence[int | None]) -> int:
    return sum(value for value in counts if value is not None)
