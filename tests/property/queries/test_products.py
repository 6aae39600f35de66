"""A number over hidden categories is what numpy says of the rows in clear; with noise, exactly that much more."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.seal.products import combine_product, release_product
from marketplace.queries.evaluation import SealedColumns, evaluate_plan
from marketplace.queries.planning.forms import prove_plan
from marketplace.queries.planning.plan import make_plan
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch
from tests.hidden_market import FORMS, HIDDEN, hidden_rows, open_hidden_market, total
from tests.sealed_market import NOW, Market, Row, with_version, write_csv

EPSILON = 5_000_000
ROWS = hidden_rows(8_192 + 911), hidden_rows(700)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Two batches, the first of more rows than a chunk holds."""
    home = tmp_path_factory.mktemp("products")
    made = open_hidden_market(home, ROWS[0])
    path = write_csv(home / "more.csv", ROWS[1])
    newer = append_batch(path, parse_schema(HIDDEN), made.vault.folder, made.dataset, "more", now=NOW)
    made.rows = []  # a failing example would show them all
    return with_version(made, newer)


@pytest.fixture(scope="module")
def columns(market: Market) -> SealedColumns:
    return SealedColumns(market.dataset.blob)


def truth(rows: list[Row], statistic: str) -> int:
    kind, _, measure = statistic.partition(":")
    if kind == "rows":
        return len(rows)
    return total(rows, measure) if kind == "sum" else sum(row[measure] != "NA" for row in rows)


def some(*labels: str) -> Any:
    return st.sets(st.sampled_from(labels), min_size=1).map(sorted)


@settings(max_examples=12, deadline=None)
@given(
    st.fixed_dictionaries(
        {"carrier": some("AA", "B6", "HA"), "origin": some("EWR", "JFK", "LGA"), "month": some("1", "2", "3", "4")}
    ),
    st.sampled_from(["COUNT(*)", "COUNT(delay)", "SUM(delay)", "SUM(fare)"]),
    st.sampled_from(["", " GROUP BY carrier", " GROUP BY month, carrier"]),
)
def test_numbers_are_those_of_the_rows_in_clear(
    market: Market, columns: SealedColumns, conditions: dict[str, list[str]], asked: str, by: str
) -> None:
    where = " AND ".join(f"{name} IN ({', '.join(map(repr, labels))})" for name, labels in conditions.items())
    query = market.query(market.order(), f"SELECT {asked} FROM f WHERE {where}{by}", EPSILON)
    plan = make_plan(market.manifest, query)
    is_hidden = by or conditions["carrier"] != ["AA", "B6", "HA"]
    assert market.manifest["forms"][plan.form]["form"] == ("products" if is_hidden else "cells")
    rows = [row for row in ROWS[0] + ROWS[1] if all(row[name] in labels for name, labels in conditions.items())]
    _check(market, columns, plan, rows)


def _check(market: Market, columns: SealedColumns, plan: Any, rows: list[Row]) -> None:
    """In the form of products, also where the planner takes the cheaper cells."""
    plan = replace(plan, form=FORMS.index("products"))
    proven: Any = prove_plan(market.manifest, plan)
    key, noises = market.dataset.ring[plan.form], np.random.default_rng(7).integers(-9, 10, len(plan.numbers))
    names = {1: ("carrier",), 2: ("month", "carrier"), 0: ()}[len(plan.groups[0])]
    numbers: Any = evaluate_plan(market.manifest, plan, columns)
    for entry, number, noise in zip(plan.numbers, numbers, noises.tolist(), strict=True):
        share = release_product(key, number.c1, number.c2, noise, proven[entry.statistic])
        mine = [row for row in rows if tuple(row[name] for name in names) == entry.group]
        assert combine_product(number.profile, number.c0, share) == truth(mine, entry.statistic) + noise
