"""Rows sealed with pads, over HTTP: asked under a split key and under the panel's word, updated, and audited."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.sdk import queries
from marketplace.sdk.answers import Answer
from marketplace.vault.decisions.cases import Word
from marketplace.vault.keeping.custody import Deposit, card_of
from tests.integration.service.test_custodian import audited
from tests.integration.service.test_custodian import everybody as both_holders
from tests.integration.service.test_way import MINUTE, Workers
from tests.integration.service.town import NODES, Town, running, town_settings
from tests.sealed_market import SCHEMA, keys

ROWS: dict[str, Any] = {
    **SCHEMA,
    "joints": [{"measures": ["delay", "fare"]}],
    "forms": ["rows"],
    "rows": {"perCell": 50},
}
TERMS = {"computations": ["COUNT", "SUM", "MEAN", "VARIANCE", "SCORE", "WSUM"]}
QUESTION = (
    "SELECT origin, COUNT(*), AVG(delay), VARIANCE(fare), SUM(SCORE(2 * delay - fare)), WSUM(delay, month, '2', 3)"
    " FROM data WHERE carrier IN ('AA', 'B6') GROUP BY origin"
)


@pytest.fixture(scope="module", params=["whole", "split"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp(f"{request.param} town of rows")
    settings = town_settings(folder / "service")
    deposit = Deposit(card_of(keys("custodian")), keys("supplier")) if request.param == "split" else None
    with running(settings) as context:
        url = f"http://127.0.0.1:{settings.port}"
        made = Town(url, folder, context, schema=ROWS, terms=TERMS, deposit=deposit)
        made.open_market()
        yield made
        made.close()


def everybody(town: Town) -> Workers:
    if town.deposit is not None:
        return both_holders(town)
    return Workers(*(town.node(name).step for name in NODES), town.vault().step)


@pytest.fixture(scope="module")
def answer(town: Town) -> Answer:
    with everybody(town):
        return queries.ask(town["buyer"], town.facts["order"], QUESTION, 2_000_000, wait_seconds=MINUTE)


def test_what_was_explained_is_what_comes(town: Town, answer: Answer) -> None:
    assert sorted(answer.opened.groups + answer.opened.suppressed) == [("EWR",), ("JFK",), ("LGA",)]
    assert ("JFK",) in answer.opened.groups
    told = queries.explain(town["rival"], town.facts["listing"], QUESTION, 2_000_000)
    assert (told.plan and told.plan.digest, told.charge) == (answer.plan, 0)
    (form,) = told.details["forms"]
    assert (form["form"], form["profile"], form["able"]) == ("rows", "pads-64-1", True)


def test_numbers_travel_without_a_request(town: Town, answer: Answer) -> None:
    shown = town["buyer"].get(f"/queries/{answer.query}")
    result = town["buyer"].get_document(shown["result"])
    assert {entry["c1"] for entry in result["numbers"]} == {None}
    assert all(int(entry["c0"], 16) < 1 << 64 for entry in result["numbers"])


def test_holders_that_take_the_panels_word_wait_for_nothing(town: Town, answer: Answer) -> None:
    """They say that they want requests; there are none, and the answer comes all the same."""
    holders = [town.vault()] if town.deposit is None else [town.vault(), town.custodian()]
    for holder, name in zip(holders, ("supplier", "custodian"), strict=False):
        holder.vault.word = Word(town[name].get_request)
        assert not holder.step(0)
    with Workers(*(town.node(name).step for name in NODES), *(holder.step for holder in holders)):
        later = queries.ask(
            town["buyer"], town.facts["order"], "SELECT COUNT(*) FROM data", 1_000_000, wait_seconds=MINUTE
        )
    assert abs(later.opened.numbers[0]["rows"] - 400) < 100
    assert answer.opened.epsilon == 2_000_000


def test_the_auditor_adds_up_every_answer_again(town: Town, answer: Answer, tmp_path: Path) -> None:
    report = audited(town, tmp_path)
    assert report.findings == []
    assert report.counts[11]["numbers"] >= len(answer.opened.numbers) * len(answer.opened.numbers[0])
