"""An explanation needs nobody's data and no order: it says what would be released, how exact it would be, and what
speaks against it."""

import math
from typing import Any

import pytest

from marketplace.documents import ciphertext_root
from marketplace.errors import InvalidInputError
from marketplace.queries.explain import (
    NOBODY,
    Question,
    described,
    document_of,
    explanation,
    nobodys_papers,
    plan_or_refusal,
)
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Count,
    Histogram,
    Mean,
    Ols,
    Quantile,
    Score,
    Sum,
    Term,
    WeightedMean,
    WeightedSum,
)
from marketplace.queries.planning.plan import make_plan
from tests.plain_data import dimension, make_manifest, measure, query_document
from tests.sealed_market import LATER, NOW, Market, open_market

MANIFEST = make_manifest(
    [dimension("origin", "EWR", "JFK"), dimension("month", "1", "2", "3", ordered=True)],
    [measure("delay", -50, 200, 0, 60), measure("fare", 0, 1000, scale=2)],
    [["delay", "fare"]],
    rows=(5000, 1000),
    missing=100,
)
LAPLACE_ONE = math.sqrt(2)


def described_of(*terms: Term, epsilon: int = 1_000_000, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    document = query_document(Query.select(*terms).group_by(*groups), epsilon)
    return described(MANIFEST, document, make_plan(MANIFEST, document))


def errors_of(*terms: Term, **options: Any) -> dict[tuple[str, str], tuple[float, bool]]:
    return {
        (item["computation"], item["part"]): (float(item["error"]), item["exact"])
        for item in described_of(*terms, **options)["expected"]
    }


def test_counts_and_sums_are_known_exactly() -> None:
    found = errors_of(Count(), Sum("fare"), epsilon=1_000_000)
    # Two statistics share epsilon 1: each gets one half.
    assert found["count", ""][0] == pytest.approx(2 * LAPLACE_ONE, rel=0.05)
    assert found["sum_fare", ""][0] == pytest.approx(1000 * 2 * LAPLACE_ONE / 100, rel=1e-4)
    assert {exact for _, exact in found.values()} == {True}


def test_what_depends_on_the_data_is_marked_as_assumed() -> None:
    terms = (Mean("fare"), Correlation("delay", "fare"), Ols("delay", "fare"), Quantile("delay", "0.5"))
    found = errors_of(*terms, epsilon=100_000_000)
    assert [key for key, (_, exact) in found.items() if exact] == []
    assert ("ols_delay_on_fare", "fare") in found
    assert all(error > 0 for error, _ in found.values())
    sums = (Histogram("delay"), Score({"delay": 1}, statistic="SUM"), WeightedSum("delay", "origin", {"JFK": 2}))
    assert {known for _, known in errors_of(*sums).values()} == {True}
    assert {known for _, known in errors_of(Contingency(), groups=("origin", "month")).values()} == {True}


def test_a_mean_is_expected_from_the_published_rows() -> None:
    """5,800 present values in both batches, a sixth of them in each group: 967 to divide by."""
    error, _ = errors_of(Mean("fare"), groups=("origin", "month"))["mean_fare", ""]
    share, count, mean = 2.0, 5800 / 6, 500
    noise = math.hypot(1000 * share * LAPLACE_ONE / count, mean / count * share * LAPLACE_ONE)
    assert error == pytest.approx(noise / 100, rel=0.01)


def test_statistics_tell_their_parts_sensitivity_and_noise() -> None:
    found = described_of(
        Score({"delay": "0.5", "fare": -2}, 1, "SUM"), WeightedMean("fare", "origin", {"JFK": 3, "EWR": 1})
    )
    assert found["epsilonEach"] == 1_000_000 // 3
    told = next(item for item in found["statistics"] if "@" in item["name"])
    assert told["parts"] == [["n@0", 50], ["sum@0:delay", 25], ["sum@0:fare", -1]]
    assert told["sensitivity"] == 50 + 25 * 200
    assert set(found["noise"]) == set(found["columns"]) == {item["name"] for item in found["statistics"]}
    assert found["forms"][0]["able"]


def test_every_form_says_what_it_takes_or_why_it_cannot() -> None:
    found = described_of(Count(), groups=("month",))
    assert found["form"] == "cells"
    (form,) = found["forms"]
    assert (form["cells"], form["operations"], form["bytes"]) == (2 * 6, 2 * 3, 2)
    assert form["microseconds"] > 0


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


def explained(market: Market, sql: str, epsilon: int = 1_000_000, **terms: Any) -> dict[str, Any]:
    papers = nobodys_papers({"validUntil": LATER, "assetId": market.asset}, {**market.order().papers.terms, **terms})
    document = document_of(
        Question(sql, None, epsilon), NOBODY, market.asset, ciphertext_root(market.manifest), market.manifest
    )
    plan, refusals = plan_or_refusal(market.manifest, document)
    found = explanation(plan, document, market.manifest, papers, NOW)
    return {**found, "refusals": refusals + found["refusals"]}


def test_every_refusal_that_would_come_is_named_at_once(market: Market) -> None:
    found = explained(market, "SELECT OLS(delay, fare) FROM f", 4_000_000, computations=["COUNT"], minimumCohort=1000)
    assert found["plan"] is None
    assert {item["code"] for item in found["refusals"]} >= {
        "joint_not_declared",
        "computation_not_permitted",
        "cohort_too_small",
    }
    assert all(item["message"] and item["zh"] for item in found["refusals"])


def test_columns_that_are_not_on_offer_are_named_whatever_part_of_a_question_they_are_in(market: Market) -> None:
    for sql in ("SELECT SUM(fare) FROM f", "SELECT carrier, COUNT(*) FROM f GROUP BY carrier"):
        (told,) = explained(market, sql, fields=["delay", "origin"])["refusals"]
        assert told["code"] == "column_not_permitted"
    assert (
        explained(market, "SELECT origin, AVG(delay) FROM f GROUP BY origin", fields=["delay", "origin"])["refusals"]
        == []
    )


def test_a_permitted_question_has_a_plan_and_no_refusal(market: Market) -> None:
    found = explained(market, "SELECT origin, AVG(fare) FROM f GROUP BY origin")
    assert found["refusals"] == []
    assert found["minimumCohort"] == 10
    assert found["groups"] == [["EWR"], ["JFK"], ["LGA"]]
    assert found["numbers"] == 6


def test_what_is_no_question_is_refused_outright(market: Market) -> None:
    with pytest.raises(InvalidInputError) as caught:
        explained(market, "SELECT MEDIAN(delay) FROM f")
    assert caught.value.code == "sql_outside_algebra"
