"""Every computation all the way through the seal: three nodes on ciphertext, the vault's share, the buyer's opening."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crypto.seal.release import combine, release_share
from marketplace.documents import COMPUTATIONS
from marketplace.queries.answers.answer import Answer
from marketplace.queries.evaluation import SealedColumns, evaluate_plan
from marketplace.queries.language.terms import Ols, Quantile
from marketplace.queries.planning.plan import make_plan
from tests.plain_data import PlainData
from tests.sealed_market import SCHEMA, Market, Row, open_market

EPSILON = 900_000_000
WEIGHTED = "origin, 'EWR', 2, 'JFK', -0.5, 'LGA', 1"
FULL: dict[str, Any] = {
    **SCHEMA,
    "dimensions": [*SCHEMA["dimensions"][:2], {**SCHEMA["dimensions"][2], "ordered": True}],
    "measures": [{**SCHEMA["measures"][0], "bins": list(range(-40, 200, 10))}, SCHEMA["measures"][1]],
    "joints": [{"measures": ["fare", "delay"]}],
    "prefix": "month",
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    made = open_market(tmp_path_factory.mktemp("market"), schema=FULL)
    return replace(made, budget=10**12)


@pytest.fixture(scope="module")
def frame(market: Market) -> pd.DataFrame:
    """The truth."""
    found = pd.DataFrame(market.rows)
    return found.assign(delay=pd.to_numeric(found["delay"].replace("NA", "")), fare=pd.to_numeric(found["fare"]))


def ask(market: Market, sql: str) -> Answer:
    order = market.order(cap=10**12, computations=list(COMPUTATIONS), epsilonPerQueryMax=1_000_000_000, escrow=10**6)
    answer = market.ask(order, sql, EPSILON)
    assert isinstance(answer, Answer), answer
    return answer


def close(row: dict[str, Any], name: str, true: float) -> None:
    """The value is within the noise that it states."""
    assert abs(row[name] - true) <= 12 * row[f"{name}_se"] + 1e-9, (name, row[name], true)


def test_statistics_of_measures(market: Market, frame: pd.DataFrame) -> None:
    answer = ask(
        market,
        "SELECT COUNT(*), STDDEV(fare), CORR(delay, fare), COVAR_POP(fare, delay), APPROX_QUANTILE(delay, 0.5), "
        f"AVG(SCORE(0.5 * delay - fare + 2)), WSUM(fare, {WEIGHTED}), WMEAN(delay, {WEIGHTED}) "
        "FROM f WHERE month BETWEEN 2 AND 3",
    )
    mine = frame[frame["month"].isin(["2", "3"])]
    whole = mine.dropna()
    weight = {"EWR": 2.0, "JFK": -0.5, "LGA": 1.0}
    (row,) = answer.rows()
    close(row, "count", len(mine))
    close(row, "stddev_fare", mine["fare"].std(ddof=0))
    close(row, "correlation_delay_fare", whole["delay"].corr(whole["fare"]))
    close(row, "covariance_fare_delay", whole["delay"].cov(whole["fare"], ddof=0))
    close(row, "mean_score(0.5*delay-1*fare+2)", (0.5 * whole["delay"] - whole["fare"] + 2).mean())
    by_row = mine["origin"].map(weight)
    close(row, "wsum_fare_by_origin(EWR=2,JFK=-0.5,LGA=1)", float((by_row * mine["fare"]).sum()))
    weights = by_row[mine["delay"].notna()]
    close(row, "wmean_delay_by_origin(EWR=2,JFK=-0.5,LGA=1)", np.average(mine["delay"].dropna(), weights=weights))
    label = Quantile("delay", "0.5").label
    assert row[f"{label}_low"] <= mine["delay"].median() <= row[f"{label}_high"]


def test_a_histogram_has_a_table_of_its_own(market: Market, frame: pd.DataFrame) -> None:
    answer = ask(market, "SELECT origin, HISTOGRAM(delay) FROM f GROUP BY origin")
    assert answer.rows() == [{"origin": "EWR"}, {"origin": "JFK"}, {"origin": "LGA"}]
    table = answer.frames()["histogram_delay"]
    assert list(table.columns) == ["origin", "bin", "from", "to", "count", "count_se"]
    for origin, part in table.groupby("origin"):
        edges = [*part["from"], part["to"].iloc[-1]]
        true, _ = np.histogram(frame[frame["origin"] == origin]["delay"].dropna(), bins=edges)
        assert np.abs(part["count"].to_numpy() - true).max() <= 12 * part["count_se"].iloc[0]


def test_a_regression_has_coefficients_with_errors_of_both_kinds(market: Market, frame: pd.DataFrame) -> None:
    answer = ask(market, "SELECT OLS(fare, delay), RIDGE(fare, delay, lambda => 0.5) FROM f")
    whole = frame.dropna()
    slope = whole["delay"].cov(whole["fare"]) / whole["delay"].var()
    table = answer.frames()["ols_fare_on_delay"].set_index("term")
    assert abs(table.loc["delay", "coefficient"] - slope) <= 12 * table.loc["delay", "privacy_se"]
    both = np.hypot(table["sampling_se"], table["privacy_se"])
    assert table["coefficient_se"].to_numpy() == pytest.approx(both.to_numpy())
    shrunk = answer.frames()["ridge_fare_on_delay_0.5"].set_index("term").loc["delay", "coefficient"]
    assert shrunk == pytest.approx(table.loc["delay", "coefficient"] / 1.5)
    fit = answer.regression(Ols("fare", "delay"))
    assert fit.residual == pytest.approx(whole["fare"].std(), rel=0.05)
    assert answer.frames()["ols_fare_on_delay_fit"]["solved"].tolist() == [True]


def test_a_contingency_table_is_wide_with_margins_and_a_test(market: Market, frame: pd.DataFrame) -> None:
    answer = ask(market, "SELECT CONTINGENCY(origin, month) FROM f WHERE carrier <> 'HA' OR month >= 1")
    table = answer.frames()["contingency"].set_index("origin")
    crossed = pd.crosstab(frame["origin"], frame["month"])
    assert np.abs((table.loc[crossed.index, crossed.columns] - crossed).to_numpy().astype(float)).max() < 3
    assert table.loc["total", "total"] == pytest.approx(400, abs=10)
    test = answer.frames()["contingency_test"].iloc[0]
    assert test["freedom"] == 6
    assert 0 <= test["p_value"] <= 1


def test_a_repeated_question_in_other_words_is_free(market: Market) -> None:
    first = ask(market, "SELECT SUM(fare), COUNT(*) FROM f WHERE month IN (1, 2)")
    again = ask(market, "SELECT COUNT(*), SUM(fare) FROM f WHERE month < 3")
    assert (first.epsilon, again.epsilon) == (EPSILON, 0)
    assert first.numbers == again.numbers


def test_a_weight_of_few_rows_is_refused(market: Market) -> None:
    order = market.order(computations=["WSUM"])
    refused = market.ask(order, "SELECT WSUM(fare, carrier, 'AA', 1, 'B6', 1, 'HA', 2) FROM f")
    assert isinstance(refused, dict)
    assert refused["code"] == "cohort_too_small"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT OLS(fare, delay), HISTOGRAM(delay), VARIANCE(fare) FROM f WHERE month <> 2 GROUP BY origin, carrier",
        "SELECT SUM(SCORE(300 * delay - 7.001 * fare + 0.5)), AVG(SCORE(-1 * delay)) FROM f GROUP BY month",
        "SELECT WSUM(fare, origin, 'EWR', 600000, 'JFK', -599999, 'LGA', 1) FROM f WHERE month BETWEEN 2 AND 3",
        "SELECT WMEAN(delay, month, 1, -3, 2, 5, 4, 1000000) FROM f",
    ],
)
def test_without_noise_every_number_is_exact(market: Market, sql: str) -> None:
    """Up to the largest coefficients and weights that the planner lets pass."""
    query = market.query(market.order(), sql, EPSILON)
    plan = make_plan(market.manifest, query)
    plain = PlainData(market.manifest, [[whole_numbers(row) for row in market.rows]])
    sealed: Any = evaluate_plan(market.manifest, plan, SealedColumns(market.dataset.blob))
    for entry, number in zip(plan.numbers, sealed, strict=True):
        opened = combine(number.profile, number.c0, release_share(market.dataset.ring[0], number.c1, 0))
        assert opened == plain.value(plan.form, entry), entry.statistic


def whole_numbers(row: Row) -> Row:
    """A row with its measures as texts of integers."""
    delay = "" if row["delay"] == "NA" else row["delay"]
    return {**row, "delay": delay, "fare": str(round(float(row["fare"]) * 100))}


def test_nothing_is_lost_on_the_way_to_tables(market: Market) -> None:
    answer = ask(market, "SELECT origin, STDDEV(delay), AVG(fare) FROM f GROUP BY origin")
    assert answer.table().to_pylist() == answer.rows() == answer.frame().to_dict("records")
    for numbers, row in zip(answer.numbers, answer.rows(), strict=True):
        n, s, q = (numbers[f"{part}:delay"] for part in ("n", "sum", "sumsq"))
        assert row["stddev_delay"] == pytest.approx(math.sqrt(q / n - (s / n) ** 2), rel=1e-9)
        assert row["mean_fare"] == numbers["sum:fare"] / numbers["n:fare"] / 100
