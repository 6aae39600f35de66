"""An answer as tables: one for what comes to one value in each group, one more for each computation that does not."""

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.queries.answers.accuracy import Result
from marketplace.queries.answers.contingency import tabulate
from marketplace.queries.answers.distribution import Bins
from marketplace.queries.answers.figures import Figure
from marketplace.queries.answers.regression import Regression
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import Term
from marketplace.queries.planning.selection import Group

Rows = list[dict[str, Any]]


def is_one_value(term: Term) -> bool:
    """Whether a computation comes to one value in each group."""
    return term.op not in ("HISTOGRAM", "OLS", "RIDGE")


def row(query: Query, group: Group, results: Sequence[Result]) -> dict[str, Any]:
    """The categories of a group, then value and standard error of each computation that comes to one value."""
    found: dict[str, Any] = dict(zip(query.groups, group, strict=True))
    for term, item in zip(query.terms, results, strict=True):
        if isinstance(item, Figure):
            name = query.heading(term)
            found |= {name: item.value, f"{name}_se": item.error}
            if term.op == "QUANTILE":
                found |= {f"{name}_low": item.low, f"{name}_high": item.high}
    return found


def listings(query: Query, groups: Sequence[Group], results: Sequence[Sequence[Result]]) -> dict[str, Rows]:
    """The rows of every further table, by the name of its computation."""
    found: dict[str, Rows] = {}
    for place, term in enumerate(query.terms):
        by_group = {group: items[place] for group, items in zip(groups, results, strict=True)}
        if term.op == "CONTINGENCY":
            found |= _contingency(query, term, by_group)
            continue
        for group, item in by_group.items():
            named = dict(zip(query.groups, group, strict=True))
            for name, rows in _of_group(query.heading(term), item).items():
                found.setdefault(name, []).extend({**named, **line} for line in rows)
    return found


def _of_group(name: str, item: Result) -> dict[str, Rows]:
    if isinstance(item, Bins):
        return {name: item.rows()}
    if isinstance(item, Regression):
        return {name: item.as_rows(), f"{name}_fit": [item.fit()]}
    return {}


def _contingency(query: Query, term: Term, by_group: Mapping[Group, Result]) -> dict[str, Rows]:
    counts, error = {}, 0.0
    for group, item in by_group.items():
        assert isinstance(item, Figure)
        assert isinstance(item.value, int)
        assert item.error is not None
        counts[group], error = item.value, item.error
    table = tabulate(query.groups, counts, error)
    name = query.heading(term)
    return {name: table.table(), f"{name}_test": [table.test()]}
