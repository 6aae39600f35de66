"""Collusion: accounts that share their answers, one buyer with several orders, listings and data versions.

Guards: one budget for all buyers of a series; caps that count a buyer over all its orders, and a named group of
accounts as one buyer; cohorts of differences with every earlier answer, to whomever it went.
"""

from math import sqrt
from statistics import fmean
from typing import Any

import pytest

from marketplace.queries.answers.answer import Answer
from marketplace.vault.keeping.store import Account
from tests.attacks.scene import GUARDED, HIGHEST, STREETS, UNLIMITED, anew, answered, refused, rich_order, secrets_of
from tests.attacks.scene import totals as totals_of
from tests.sealed_market import Market, keys

EACH = 10_000_000
"""What one account may spend, here on one question."""
ACCOUNTS = [f"account {number}" for number in range(32)]
SQL = "SELECT street, SUM(score) FROM f WHERE street BETWEEN 3 AND 8 GROUP BY street"
DEVIATION = sqrt(2) * HIGHEST / 10


def group_of(names: list[str]) -> dict[str, Any]:
    """Terms that count these accounts as one buyer."""
    return {"groups": [{"name": "colluders", "accounts": sorted(keys(name).address for name in names)}]}


def pooled(market: Market, buyers: list[str], **terms: Any) -> list[Answer | dict[str, Any]]:
    """What each of some orders gets for one question each, all but the same: a millionth less each time."""
    orders = [rich_order(market, buyer, **GUARDED, buyerCap=EACH, **terms) for buyer in buyers]
    return [market.ask(order, SQL, EACH - place) for place, order in enumerate(orders)]


def error_of(market: Market, outcomes: list[Answer | dict[str, Any]]) -> float:
    """Root of the mean squared error of the averages over all answers."""
    truth = [sum(int(row["score"]) for row in market.rows if row["street"] == str(street)) for street in range(3, 9)]
    means = [fmean(sums) for sums in zip(*map(totals_of, outcomes), strict=True)]
    return sqrt(fmean((mean - true) ** 2 for mean, true in zip(means, truth, strict=True)))


def test_accounts_that_nobody_groups_average_the_noise_away(streets: Market) -> None:
    """Thirty-two answers leave less than a fifth of the noise; more than half of it remains once in 10^8 runs."""
    assert error_of(streets, pooled(streets, ACCOUNTS)) < DEVIATION / 2


def test_accounts_of_one_group_have_one_buyers_cap(streets: Market) -> None:
    first, *others = pooled(streets, ACCOUNTS, **group_of(ACCOUNTS))
    answered(first)
    assert {refused(outcome) for outcome in others} == {"group_budget_exhausted"}
    assert streets.vault.store.spent(streets.series) == EACH


def test_accounts_that_nobody_knows_of_share_the_data_sets_budget(
    streets: Market, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The supplier cannot name whom it does not know; all together they get what the series gives."""
    market = anew(streets, tmp_path_factory.mktemp("poor"), budget=2 * EACH)
    outcomes = pooled(market, ACCOUNTS)
    assert sum(isinstance(outcome, Answer) for outcome in outcomes) == 2
    assert {refused(outcome) for outcome in outcomes[2:]} == {"budget_exhausted"}


def test_orders_without_a_buyers_cap_each_spend_their_own(streets: Market) -> None:
    orders = [rich_order(streets, "buyer", **{**GUARDED, "cap": EACH}) for _ in ACCOUNTS]
    outcomes = [streets.ask(order, SQL, EACH - place) for place, order in enumerate(orders)]
    assert error_of(streets, outcomes) < DEVIATION / 2


def test_many_orders_of_one_buyer_have_one_cap(streets: Market) -> None:
    first, *others = pooled(streets, ["buyer"] * 5)
    answered(first)
    assert {refused(outcome) for outcome in others} == {"buyer_budget_exhausted"}


def across_buyers(market: Market) -> tuple[Answer | dict[str, Any], Answer | dict[str, Any]]:
    """One account asks for the whole, another, under another listing, for the rest."""
    one, other = rich_order(market, "one", **GUARDED), rich_order(market, "other", **GUARDED, price=7)
    whole = market.ask(one, "SELECT street, SUM(score) FROM f GROUP BY street", 10**9)
    return whole, market.ask(other, "SELECT street, SUM(score) FROM f WHERE side <> 'target' GROUP BY street", 10**9)


def test_differences_between_buyers_give_targets_away_where_each_has_its_own_past(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "earlier_sets", lambda *_: [])
    whole, rest = across_buyers(streets)
    guesses = [a - b for a, b in zip(totals_of(whole), totals_of(rest), strict=True)]
    assert guesses == secrets_of(streets.rows)
    assert len(guesses) == len(STREETS)


def test_differences_are_taken_with_everybodys_answers(streets: Market) -> None:
    whole, rest = across_buyers(streets)
    answered(whole)
    assert refused(rest) == "cohort_difference_too_small"
    assert streets.budget == UNLIMITED, "it is the cohort that refuses, not a budget"
