"""The algebra against brute force: every query on every row, in plain Python."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.documents import Document, digest, validate_query
from marketplace.errors import RuleError
from marketplace.queries.language.query import Filter, Query, one_of
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.language.terms import (
    Correlation,
    Count,
    Covariance,
    Histogram,
    Mean,
    Ols,
    Quantile,
    QuantileTerm,
    RegressionTerm,
    Ridge,
    Score,
    ScoreTerm,
    StdDev,
    Sum,
    Term,
    Variance,
    WeightedMean,
    WeightedSum,
    WeightedTerm,
    shown,
)
from marketplace.queries.planning.numbers import Number
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.planning.statistics import Statistic
from tests.plain_data import PlainData, Row, dimension, make_manifest, measure, query_document

DIMENSIONS = [
    dimension("origin", "EWR", "JFK", "it's"),
    dimension("carrier", "AA", ""),
    dimension("sex", "f", "m", hidden=True),
    dimension("month", "1", "2", "3", "4", "5", ordered=True),
]
PUBLIC = [item for item in DIMENSIONS if not item["hidden"]]
NAMES = [item["name"] for item in PUBLIC]
MEASURES = [measure("delay", -9, 9, -4, 0, 5), measure("fare", 0, 5, 2, scale=1), measure("load", -3, 7)]
JOINTS = [["delay", "fare", "load"], ["fare", "delay"]]
MANIFEST = make_manifest(DIMENSIONS, MEASURES, JOINTS, rows=(40, 40))
RUNNING = make_manifest(DIMENSIONS, MEASURES, JOINTS, prefix="month", rows=(40, 40))


def leaves() -> st.SearchStrategy[Filter]:
    def chosen(item: dict[str, Any]) -> st.SearchStrategy[Filter]:
        values = st.lists(st.sampled_from(item["categories"]), min_size=1, unique=True)
        return values.map(lambda picked: one_of(item["name"], *picked))

    return st.sampled_from(PUBLIC).flatmap(chosen)


def grown(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    pairs = st.tuples(inner, inner)
    return st.one_of(inner.map(lambda f: ~f), pairs.map(lambda p: p[0] & p[1]), pairs.map(lambda p: p[0] | p[1]))


FILTERS = st.recursive(leaves(), grown, max_leaves=8)
FACTORS = st.integers(-30, 30).filter(bool)
COEFFICIENTS = st.dictionaries(st.sampled_from(["delay", "fare", "load"]), FACTORS, min_size=1)
WEIGHTS = st.fixed_dictionaries({"EWR": st.integers(1, 5), "JFK": st.integers(-5, -1), "it's": st.integers(1, 3)})
ONES = [make(name) for make in (Count, Sum, Mean, Variance, StdDev) for name in ("delay", "fare")]
TERMS = st.lists(
    st.one_of(
        st.sampled_from([Count(), *ONES, Histogram("delay"), Quantile("fare", "0.25")]),
        st.sampled_from([Covariance("delay", "fare"), Correlation("fare", "delay"), Covariance("load", "delay")]),
        st.sampled_from([Ols("delay", "fare"), Ridge("fare", "load", "delay", penalty="0.5")]),
        st.builds(Score, COEFFICIENTS, st.integers(-3, 3), st.sampled_from(["SUM", "MEAN"])),
        st.builds(WeightedSum, st.just("delay"), st.just("origin"), WEIGHTS),
        st.builds(WeightedMean, st.just("fare"), st.just("origin"), WEIGHTS),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
GROUPS = st.lists(st.sampled_from(NAMES), unique=True)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    query = Query.select(*draw(TERMS)).group_by(*draw(GROUPS))
    condition = draw(st.none() | FILTERS)
    return query.where(condition) if condition else query


def sql_of(query: Query) -> str:
    """The query as text that the parser must read back."""
    text = "SELECT " + ", ".join([*query.groups, *map(sql_term, query.terms)]) + " FROM data"
    if query.condition:
        text += " WHERE " + sql_filter(query.condition.document)
    return text + (" GROUP BY " + ", ".join(query.groups) if query.groups else "")


def sql_term(term: Term) -> str:
    words = {"MEAN": "AVG", "VARIANCE": "VAR_POP", "COVARIANCE": "COVAR_POP", "CORRELATION": "CORR"}
    word = words.get(term.op, term.op)
    if isinstance(term, ScoreTerm):
        parts = [f"{shown(value, term.scale)} * {name}" for name, value in term.coefficients]
        parts += [shown(term.intercept, term.scale)] if term.intercept else []
        return f"{words.get(term.statistic, term.statistic)}(SCORE({' + '.join(parts)}))"
    if isinstance(term, WeightedTerm):
        pairs = [f"'{name.replace(chr(39), chr(39) * 2)}', {shown(value, term.scale)}" for name, value in term.weights]
        return f"{word}({term.measure}, {term.dimension}, {', '.join(pairs)})"
    if isinstance(term, QuantileTerm):
        return f"APPROX_QUANTILE({term.measure}, {shown(term.fraction, 6)})"
    ending = f", lambda => {shown(term.penalty, 6)}" if isinstance(term, RegressionTerm) and term.penalty else ""
    return f"{word}({', '.join(term.measures) or '*'}{ending})"


def sql_filter(condition: Document) -> str:
    word, inner = next(iter(condition.items()))
    if word == "in":
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in inner["values"])
        return f"{inner['dimension']} IN ({values})"
    if word == "not":
        return f"NOT ({sql_filter(inner)})"
    return f" {word.upper()} ".join(f"({sql_filter(item)})" for item in inner)


def meets(row: Row, condition: Document | None) -> bool:
    if condition is None:
        return True
    word, inner = next(iter(condition.items()))
    if word == "in":
        return row[inner["dimension"]] in inner["values"]
    if word == "not":
        return not meets(row, inner)
    results = [meets(row, item) for item in inner]
    return all(results) if word == "and" else any(results)


@given(queries())
def test_sql_query_and_document_say_the_same(query: Query) -> None:
    made = query_document(query)
    assert validate_query(made) is made
    assert Query.from_document(made) == query
    assert parse_sql(sql_of(query), MANIFEST) == query


@given(FILTERS)
def test_a_filter_and_its_double_negation_are_one(condition: Filter) -> None:
    assert ~~condition == condition
    assert condition & condition == condition == condition | condition


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **{item["name"]: st.sampled_from(item["categories"]) for item in DIMENSIONS},
            **{
                item["name"]: st.sampled_from(["", *map(str, range(item["low"], item["high"] + 1))])
                for item in MEASURES
            },
        }
    ),
    max_size=40,
)


def truth_of(number: Number, statistic: Statistic, rows: list[Row]) -> int:
    """A statistic's meaning, row by row."""
    total = 0
    for row in rows:
        weight = 1
        if statistic.weighting:
            along = statistic.weighting.dimension
            categories = next(item["categories"] for item in DIMENSIONS if item["name"] == along)
            weight = statistic.weighting.weights[categories.index(row[along])]
        total += weight * sum(factor * column_of(column, row) for column, factor in number.parts)
    return total


def column_of(column: str, row: Row) -> int:
    kind, *names = column.split(":")
    kind, _, joint = kind.partition("@")
    present = JOINTS[int(joint)] if joint else names[:1]
    if any(not row[name] for name in present):
        return 0
    values = [int(row[name]) for name in names if name in row]
    if kind == "bin":
        edges = next(item["bins"] for item in MEASURES if item["name"] == names[0])
        return int(sum(values[0] >= edge for edge in edges) == int(names[1]))
    return {"rows": 1, "n": 1, "sumsq": values[0] ** 2 if values else 0}.get(kind, math.prod(values))


@settings(deadline=None)
@given(queries(), ROWS, ROWS, st.sampled_from([MANIFEST, RUNNING]))
def test_a_plan_adds_up_to_what_rows_say(query: Query, first: list[Row], second: list[Row], manifest: Document) -> None:
    """Over two batches, and with or without running totals."""
    data = PlainData(manifest, [first, second])
    made = query_document(query)
    try:
        plan = make_plan(data.manifest, made)
    except RuleError:
        assert not any(meets(row, made["where"]) for row in data.rows)
        return
    statistics = {statistic.name: statistic for statistic in plan.statistics}
    for number in plan.numbers:
        mine = [row for row in data.rows if meets(row, made["where"])]
        mine = [row for row in mine if tuple(row[name] for name in query.groups) == number.group]
        assert data.value(plan.form, number) == truth_of(number, statistics[number.statistic], mine)
    assert sorted(set(plan.groups)) == sorted(plan.groups)
    chosen = np.concatenate(list({number.group: number.cells for number in plan.numbers}.values()))
    assert len(set(chosen.tolist())) == len(chosen), "groups are disjoint"


@given(queries(), st.integers(1_000_000, 10**9), st.integers(1_000_000, 10**9))
def test_the_question_is_named_by_cells_columns_and_epsilon_alone(query: Query, one: int, other: int) -> None:
    first = query_document(query, one)
    try:
        plan = make_plan(MANIFEST, first)
    except RuleError:
        return
    elsewhere = {**first, "order": "0x" + "77" * 32, "recipient": "0x" + "88" * 32, "sequence": 9}
    assert digest(elsewhere) != digest(first)
    assert make_plan(MANIFEST, elsewhere).digest == plan.digest
    assert (make_plan(MANIFEST, query_document(query, other)).digest == plan.digest) == (one == other)


@settings(deadline=None)
@given(queries(), st.permutations(["origin", "carrier", "month"]))
def test_the_digest_does_not_depend_on_the_order_of_words(query: Query, order: list[str]) -> None:
    groups = tuple(name for name in order if name in query.groups)
    other = Query(tuple(reversed(query.terms)), query.condition, groups)
    try:
        plan = make_plan(MANIFEST, query_document(query))
    except RuleError:
        return
    again = make_plan(MANIFEST, query_document(other))
    assert again.digest == plan.digest
    assert [number.statistic for number in again.numbers] == [number.statistic for number in plan.numbers]


def test_common_factors_make_no_other_question() -> None:
    def digest_of(term: Term) -> str:
        return make_plan(MANIFEST, query_document(Query.select(term))).digest

    assert digest_of(Score({"delay": 4, "fare": -2}, statistic="SUM")) == digest_of(
        Score({"delay": "0.2", "fare": "-0.1"}, statistic="SUM")
    )
    assert digest_of(WeightedSum("delay", "origin", {"EWR": 4, "JFK": 2})) == digest_of(
        WeightedSum("delay", "origin", {"EWR": "0.2", "JFK": "0.1"})
    )
    everywhere = {"EWR": 7, "JFK": 7, "it's": 7}
    assert digest_of(WeightedSum("delay", "origin", everywhere)) == digest_of(Sum("delay"))
    assert digest_of(Covariance("delay", "fare")) == digest_of(Covariance("fare", "delay"))
    assert digest_of(StdDev("delay")) == digest_of(Variance("delay"))


def test_labels_are_distinct() -> None:
    terms = [Term("COUNT"), *(make("delay") for make in (Count, Sum, Mean, Variance, StdDev))]
    assert len({term.label for term in terms}) == len(terms)
