"""Differencing over time: the same question to a data set before and after a few rows were appended.

Guard: cohorts of differences count rows of all versions of a series, and published sizes of batches count as answers;
the budget is the series' own.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.queries.answers.answer import Answer
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch
from tests.attacks.scene import EXACT, GUARDED, SCHEMA, UNGUARDED, open_streets, refused, rich_order, totals
from tests.sealed_market import NOW, Market, Row, with_version, write_csv

ALL = "SELECT SUM(score) FROM f"
NEWCOMERS: list[Row] = [
    {"street": "7", "side": "left", "score": "41"},
    {"street": "9", "side": "target", "score": "8"},
]
MANY: list[Row] = [{"street": str(1 + number % 40), "side": "right", "score": "5"} for number in range(200)]


def appended(market: Market, rows: list[Row], name: str) -> Market:
    """The same market trading a version with one more batch."""
    path = write_csv(market.home / f"{name}.csv", rows)
    made = append_batch(path, parse_schema(SCHEMA), market.vault.folder, market.dataset, name, now=NOW + 60)
    return with_version(market, made)


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return open_streets(tmp_path)


def before_and_after(market: Market, rows: list[Row], terms: dict[str, Any]) -> list[Answer | dict[str, Any]]:
    """The attack: one question to two versions."""
    first = market.ask(rich_order(market, **terms), ALL, EXACT)
    later = appended(market, rows, "more")
    return [first, later.ask(rich_order(later, **terms), ALL, EXACT)]


def gained(outcomes: list[Answer | dict[str, Any]]) -> int:
    (one,), (other,) = (totals(outcome) for outcome in outcomes)
    return other - one


def test_two_versions_without_a_cohort_give_the_newcomers_away(market: Market) -> None:
    assert gained(before_and_after(market, NEWCOMERS, UNGUARDED)) == 41 + 8


def test_a_difference_of_versions_needs_a_cohort_too(market: Market) -> None:
    assert refused(before_and_after(market, NEWCOMERS, GUARDED)[1]) == "cohort_difference_too_small"


def test_an_update_that_fills_a_cohort_is_told(market: Market) -> None:
    assert gained(before_and_after(market, MANY, GUARDED)) == 5 * len(MANY)


def test_every_version_spends_the_budget_of_the_series(market: Market) -> None:
    poor = replace(market, budget=1_500_000)
    assert isinstance(poor.ask(rich_order(poor, **UNGUARDED), ALL, 1_000_000), Answer)
    later = appended(poor, MANY, "more")
    assert refused(later.ask(rich_order(later, **UNGUARDED), ALL, 1_000_000)) == "budget_exhausted"
