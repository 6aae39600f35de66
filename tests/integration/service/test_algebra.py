"""The whole query language over HTTP: explained, asked, answered, asked again in other words, audited."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.documents import COMPUTATIONS
from marketplace.queries.language.query import Query, one_of
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Histogram,
    Ols,
    Quantile,
    Score,
    StdDev,
    WeightedMean,
)
from marketplace.sdk import queries
from marketplace.sdk.answers import Answer
from tests.integration.service.test_custodian import audited
from tests.integration.service.test_way import MINUTE, everybody
from tests.integration.service.town import Town, running, town_settings
from tests.sealed_market import SCHEMA

FULL: dict[str, Any] = {
    **SCHEMA,
    "dimensions": [*SCHEMA["dimensions"][:2], {**SCHEMA["dimensions"][2], "ordered": True}],
    "measures": [{**SCHEMA["measures"][0], "bins": [-20, 0, 20, 40, 60]}, SCHEMA["measures"][1]],
    "joints": [{"measures": ["fare", "delay"]}],
    "prefix": "month",
    "privacy": {"measure": "zcdp", "delta": "1e-9"},
}
QUESTION = Query.select(
    *(StdDev("fare"), Correlation("delay", "fare"), Quantile("delay", "0.5"), Histogram("delay")),
    *(
        Ols("fare", "delay"),
        Score({"delay": "0.5", "fare": -1}, 2),
        WeightedMean("fare", "origin", {"JFK": 2, "EWR": 1}),
    ),
).where(one_of("month", "2", "3"), origin=["JFK", "EWR"])
WORDS = (
    "SELECT WMEAN(fare, origin, 'EWR', 0.5, 'JFK', 1), AVG(SCORE(-2 * fare + delay + 4)), OLS(fare, delay), "
    "CORR(fare, delay), HISTOGRAM(delay), VARIANCE(fare) AS spread FROM data "
    "WHERE month BETWEEN 2 AND 3 AND origin <> 'LGA'"
)
BUDGET = 2_000_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("learned town")
    settings = town_settings(folder / "service")
    with running(settings) as context:
        terms = {"computations": list(COMPUTATIONS)}
        made = Town(f"http://127.0.0.1:{settings.port}", folder, context, schema=FULL, terms=terms)
        made.open_market()
        yield made
        made.close()


@pytest.fixture(scope="module")
def answer(town: Town) -> Answer:
    with everybody(town):
        return queries.ask(town["buyer"], town.facts["order"], QUESTION, BUDGET, wait_seconds=MINUTE)


def test_what_was_explained_is_what_comes(town: Town, answer: Answer) -> None:
    told = queries.explain(town["rival"], town.facts["listing"], QUESTION, BUDGET)
    assert told.plan is not None
    assert told.plan.digest == answer.plan
    assert told.refusals == []
    assert told.charge == 0, "answered before"
    assert told.details["privacy"]["measure"] == "zcdp"
    assert {name: f"{value:.6g}" for name, value in answer.opened.noise.items()} == told.details["noise"]
    assert {item["computation"] for item in told.details["expected"]} == {term.label for term in QUESTION.terms}


def test_every_computation_has_its_value_or_its_table(answer: Answer) -> None:
    (row,) = answer.rows()
    for term in QUESTION.terms:
        assert term.label in row or term.label in answer.listings()
    assert set(answer.frames()) == {"histogram_delay", "ols_fare_on_delay", "ols_fare_on_delay_fit"}


def test_the_same_question_in_other_words_costs_nothing(town: Town, answer: Answer) -> None:
    with everybody(town):
        again = queries.ask(town["buyer"], town.facts["order"], WORDS, BUDGET, wait_seconds=MINUTE)
    assert (again.plan, again.opened.epsilon) == (answer.plan, 0)
    assert again.opened.numbers == answer.opened.numbers
    assert {"spread", "spread_se"} <= set(again.frame().columns)


def test_what_cannot_be_planned_is_explained_and_never_asked(town: Town) -> None:
    question = Query.select(Histogram("fare"), Contingency()).group_by("origin", "month")
    told = queries.explain(town["rival"], town.facts["listing"], question, BUDGET)
    assert told.plan is None
    assert [item["code"] for item in told.refusals] == ["bins_not_declared"]


def test_the_auditor_plans_and_computes_every_answer_again(town: Town, answer: Answer, tmp_path: Path) -> None:
    report = audited(town, tmp_path)
    assert report.findings == []
    assert report.counts[11]["numbers"] >= len(answer.opened.numbers[0])
