"""The algebra against brute force: every query on every row, in plain Python."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.documents import Document, digest, validate_query
from marketplace.errors import RuleError
from marketplace.queries.plan import make_plan
from marketplace.queries.query import Filter, Query, one_of
from marketplace.queries.sql import parse_sql
from marketplace.queries.terms import Count, Mean, StdDev, Sum, Term, Variance

DIMENSIONS: list[dict[str, Any]] = [
    {"name": "origin", "ordered": False, "categories": ["EWR", "JFK", "it's"]},
    {"name": "carrier", "ordered": False, "categories": ["AA", ""]},
    {"name": "month", "ordered": True, "categories": ["1", "2", "3", "4", "5"]},
]
NAMES = [item["name"] for item in DIMENSIONS]
PARTS = ["rows", *(f"{part}:{name}" for name in ("delay", "fare") for part in ("n", "sum", "sumsq"))]
MANIFEST: Document = {
    "type": "manifest",
    "dimensions": DIMENSIONS,
    "measures": [
        {"name": "delay", "unit": "u", "scale": 0, "low": -9, "high": 9, "bins": []},
        {"name": "fare", "unit": "u", "scale": 1, "low": 0, "high": 5, "bins": []},
    ],
    "joints": [],
    "forms": [{"form": "cells", "profile": "bfv-8192-cells-1", "prefix": None}],
    "batches": [
        {
            "name": "first",
            "block": 0,
            "columns": [{"form": 0, "name": part, "chunks": [{"blob": "0x" + "00" * 32, "size": 1}]} for part in PARTS],
        }
    ],
}
ROOT = "0x" + "00" * 32
Row = dict[str, str]


def leaves() -> st.SearchStrategy[Filter]:
    def chosen(item: dict[str, Any]) -> st.SearchStrategy[Filter]:
        values = st.lists(st.sampled_from(item["categories"]), min_size=1, unique=True)
        return values.map(lambda picked: one_of(item["name"], *picked))

    return st.sampled_from(DIMENSIONS).flatmap(chosen)


def grown(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    pairs = st.tuples(inner, inner)
    return st.one_of(inner.map(lambda f: ~f), pairs.map(lambda p: p[0] & p[1]), pairs.map(lambda p: p[0] | p[1]))


FILTERS = st.recursive(leaves(), grown, max_leaves=8)
TERMS = st.lists(
    st.one_of(
        st.just(Count()),
        *(st.sampled_from([make("delay"), make("fare")]) for make in (Count, Sum, Mean, Variance, StdDev)),
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


def document(query: Query, epsilon: int = 1_000_000) -> Document:
    return query.document(
        order=ROOT, asset=ROOT, ciphertext_root=ROOT, epsilon=epsilon, recipient="0x" + "00" * 32, sequence=1
    )


def sql_of(query: Query) -> str:
    """The query as text that the parser must read back."""
    words = {"COUNT": "COUNT", "SUM": "SUM", "MEAN": "AVG", "VARIANCE": "VAR_POP", "STDDEV": "STDDEV"}
    terms = [f"{words[term.op]}({term.measure or '*'})" for term in query.terms]
    text = "SELECT " + ", ".join([*query.groups, *terms]) + " FROM data"
    if query.condition:
        text += " WHERE " + sql_filter(query.condition.document)
    return text + (" GROUP BY " + ", ".join(query.groups) if query.groups else "")


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
    made = document(query)
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
            "delay": st.sampled_from(["", *map(str, range(-9, 10))]),
            "fare": st.sampled_from(["", *map(str, range(6))]),
        }
    ),
    max_size=40,
)


def cells_of(rows: list[Row]) -> dict[str, np.ndarray[Any, Any]]:
    """Cell statistics, one row at a time."""
    columns = {part: np.zeros(30, dtype=np.int64) for part in PARTS}
    for row in rows:
        cell = 0
        for item in DIMENSIONS:
            cell = cell * len(item["categories"]) + item["categories"].index(row[item["name"]])
        columns["rows"][cell] += 1
        for name in ("delay", "fare"):
            if row[name]:
                for part, power in (("n", 0), ("sum", 1), ("sumsq", 2)):
                    columns[f"{part}:{name}"][cell] += int(row[name]) ** power
    return columns


@settings(deadline=None)
@given(queries(), ROWS)
def test_a_plan_adds_up_to_what_rows_say(query: Query, rows: list[Row]) -> None:
    made, columns = document(query), cells_of(rows)
    try:
        plan = make_plan(MANIFEST, made)
    except RuleError:
        assert not any(meets(row, made["where"]) for row in rows)
        return
    for number in plan.numbers:
        mine = [row for row in rows if meets(row, made["where"])]
        mine = [row for row in mine if tuple(row[name] for name in query.groups) == number.group]
        part, _, name = number.column.partition(":")
        values = [int(row[name]) for row in mine if row[name]] if name else []
        truth = {"rows": len(mine), "n": len(values), "sum": sum(values), "sumsq": sum(v * v for v in values)}
        assert int(columns[number.column][number.cells].sum()) == truth[part]
    assert sorted(set(plan.groups)) == sorted(plan.groups)
    chosen = np.concatenate(list(plan.group_cells().values()))
    assert len(set(chosen.tolist())) == len(chosen), "groups are disjoint"


@given(queries(), st.integers(1, 10**9), st.integers(1, 10**9))
def test_the_question_is_named_by_cells_columns_and_epsilon_alone(query: Query, one: int, other: int) -> None:
    first = document(query, one)
    try:
        plan = make_plan(MANIFEST, first)
    except RuleError:
        return
    elsewhere = {**first, "order": "0x" + "77" * 32, "recipient": "0x" + "88" * 32, "sequence": 9}
    assert digest(elsewhere) != digest(first)
    assert make_plan(MANIFEST, elsewhere).digest == plan.digest
    assert (make_plan(MANIFEST, document(query, other)).digest == plan.digest) == (one == other)


def test_labels_are_distinct() -> None:
    terms = [Term("COUNT"), *(make("delay") for make in (Count, Sum, Mean, Variance, StdDev))]
    assert len({term.label for term in terms}) == len(terms)
