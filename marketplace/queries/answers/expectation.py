"""Which standard errors an answer would have, before there is one.

Counts and sums: exactly, from the noise alone. Ratios and regressions depend on the data, so they are computed from
numbers that the manifest's published facts make plausible: rows and missing values spread evenly over the cells, values
spread evenly over their declared bounds, measures unrelated. Real data mostly crowd the middle of their bounds, where
errors of means are smaller and those of correlations larger.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from marketplace.documents import cell_count, missing_counts, row_count
from marketplace.queries.answers.accuracy import Result, deviations, result
from marketplace.queries.answers.distribution import Bins, edges_of
from marketplace.queries.answers.figures import Figure
from marketplace.queries.language.lexicon import measure
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import ScoreTerm, Term
from marketplace.queries.planning.numbers import Number, Plan

Manifest = Mapping[str, Any]
ASSUMPTION = {
    "en": "for the smallest group; ratios assume rows spread evenly over cells, values evenly over their bounds, "
    "unrelated measures",
    "zh": "按最小分组估计;比值类假定各单元行数均匀、取值在界限内均匀分布、度量互不相关",
}
_EXACT = ("COUNT", "SUM", "HISTOGRAM", "CONTINGENCY", "WSUM")


@dataclass(frozen=True)
class Expected:
    """The error that one value of an answer would have.

    Args:
        computation: its label. part: which of several values, e.g. a coefficient; "" for the only one.
        error: standard error by privacy noise, in the value's unit; None where the assumed numbers have no value.
        exact: whether it is known, not assumed.
    """

    computation: str
    part: str
    error: float | None
    exact: bool


def expected_errors(manifest: Manifest, query: Query, plan: Plan) -> list[Expected]:
    """The error of every value that the query computes, in the group of fewest cells."""
    smallest = min(plan.numbers, key=lambda number: number.cells.size).group
    numbers = {item.statistic: _plausible(manifest, item) for item in plan.numbers if item.group == smallest}
    noise = deviations(manifest, plan)
    return [
        Expected(term.label, part, error, _is_exact(term))
        for term in query.terms
        for part, error in _errors(result(manifest, term, numbers, noise))
    ]


def _is_exact(term: Term) -> bool:
    return term.op in _EXACT or (isinstance(term, ScoreTerm) and term.statistic == "SUM")


def _errors(found: Result) -> Iterator[tuple[str, float | None]]:
    if isinstance(found, Figure):
        yield "", found.error
    elif isinstance(found, Bins):
        yield "every bin", found.error
    else:
        yield from ((item.name, item.privacy) for item in found.coefficients)


def _plausible(manifest: Manifest, number: Number) -> int:
    """What a number would be if everything were spread evenly."""
    cells = number.cells.size if number.weights is None else int(number.weights.sum())
    share = cells / cell_count(manifest)
    return round(share * sum(factor * _total(manifest, column) for column, factor in number.parts))


def _total(manifest: Manifest, column: str) -> float:
    """A column's plausible total over the whole data set."""
    kind, *names = column.split(":")
    kind, _, joint = kind.partition("@")
    rows = row_count(manifest)
    if kind == "rows":
        return float(rows)
    present = manifest["joints"][int(joint)] if joint else names[:1]
    missing = missing_counts(manifest)
    complete = rows * prod(1 - missing[name] / max(rows, 1) for name in present)
    if kind == "n":
        return complete
    if kind == "bin":
        edges = edges_of(manifest, names[0])
        width = max(edges[-1] - edges[0], 1)
        return complete * (edges[int(names[1]) + 1] - edges[int(names[1])]) / width
    low, high = (int(measure(manifest, names[0])[end]) for end in ("low", "high"))
    if kind == "sumsq" or (kind == "cross" and names[0] == names[1]):
        return complete * (low * low + low * high + high * high) / 3
    return complete * prod(_middle(manifest, name) for name in names)


def _middle(manifest: Manifest, name: str) -> float:
    declared = measure(manifest, name)
    return (int(declared["low"]) + int(declared["high"])) / 2
