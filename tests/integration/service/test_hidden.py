"""A hidden dimension over HTTP: explained, asked, answered by ciphertext products with two holders or one, audited."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import sha256, to_hex
from marketplace.errors import RuleError
from marketplace.sdk import queries
from marketplace.sdk.answers import Answer
from marketplace.vault.decisions.cases import Word
from marketplace.vault.keeping.custody import Deposit, card_of
from tests.hidden_market import HIDDEN, hidden_rows, total
from tests.integration.service.test_custodian import audited
from tests.integration.service.test_custodian import everybody as both_holders
from tests.integration.service.test_way import MINUTE, Workers, everybody
from tests.integration.service.town import NODES, Town, running, town_settings
from tests.sealed_market import keys

SQL = "SELECT SUM(delay) AS delays, COUNT(*) AS flights FROM data WHERE carrier = 'AA'"
GROUPED = "SELECT carrier, SUM(fare) FROM data WHERE origin <> 'JFK' AND carrier IN ('AA', 'B6') GROUP BY carrier"
BUDGET = 1_000_000


def opened(folder: Path, **options: Any) -> Iterator[Town]:
    settings = town_settings(folder / "service")
    with running(settings) as context:
        url = f"http://127.0.0.1:{settings.port}"
        made = Town(url, folder, context, schema=HIDDEN, rows=hidden_rows(), **options)
        made.open_market()
        yield made
        made.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from opened(tmp_path_factory.mktemp("hidden town"))


@pytest.fixture(scope="module")
def answer(town: Town) -> Answer:
    with everybody(town):
        return queries.ask(town["buyer"], town.facts["order"], SQL, BUDGET, wait_seconds=MINUTE)


def test_a_buyer_asks_about_a_hidden_category_and_opens_the_answer(town: Town, answer: Answer) -> None:
    (row,) = answer.opened.rows()
    mine = [item for item in hidden_rows() if item["carrier"] == "AA"]
    assert abs(row["flights"] - len(mine)) < 12 * row["flights_se"]
    assert abs(row["delays"] - total(mine, "delay")) < 12 * row["delays_se"]
    told = queries.explain(town["buyer"], town.facts["listing"], SQL, BUDGET)
    assert told.plan is not None
    assert (told.plan.digest, told.charge, told.details["form"]) == (answer.plan, 0, "products")


def test_groups_of_the_hidden_dimension_are_answered(town: Town, answer: Answer) -> None:
    with everybody(town):
        found = queries.ask(town["buyer"], town.facts["order"], GROUPED, BUDGET, wait_seconds=MINUTE)
    assert [row["carrier"] for row in found.rows()] == ["AA", "B6"]
    assert answer.opened.epsilon == BUDGET


def test_a_rare_category_is_refused_by_the_vault(town: Town, answer: Answer) -> None:
    asked = "SELECT COUNT(*) FROM data WHERE carrier = 'HA'"
    with everybody(town), pytest.raises(RuleError) as refused:
        queries.ask(town["buyer"], town.facts["order"], asked, 1000, wait_seconds=MINUTE)
    assert refused.value.code == "cohort_too_small"
    assert answer.opened.spent_order == BUDGET


def test_a_vault_that_takes_the_panels_word_is_sent_c1_and_c2(town: Town, answer: Answer) -> None:
    vault, sent = town.vault(), dict[str, bytes]()

    def request(query: str, name: str) -> bytes:
        sent[name] = town["supplier"].get_request(query, name)
        return sent[name]

    vault.vault.word = Word(request)
    assert not vault.step(0), "with its first poll it says that it wants requests"
    nodes = [town.node(name).step for name in NODES]
    asked = "SELECT COUNT(*) AS flights FROM data WHERE carrier = 'B6' AND month = 1"
    with Workers(*nodes, nodes[0], vault.step):
        found = queries.ask(town["buyer"], town.facts["order"], asked, BUDGET - 1, wait_seconds=MINUTE)
    (row,) = found.opened.rows()
    mine = [item for item in hidden_rows() if (item["carrier"], item["month"]) == ("B6", "1")]
    assert abs(row["flights"] - len(mine)) < 12 * row["flights_se"]
    assert [to_hex(sha256(data)) for data in sent.values()] == list(sent)
    assert [len(data) > 500_000 for data in sent.values()] == [True]
    assert answer.opened.epsilon == BUDGET
    assert not town.vault().step(0), "from now on it evaluates itself"


def test_the_auditor_multiplies_every_answer_again(town: Town, answer: Answer, tmp_path: Path) -> None:
    report = audited(town, tmp_path)
    assert report.findings == []
    assert report.counts[11]["numbers"] >= len(answer.opened.numbers[0]) + 3


def test_two_holders_answer_over_http_too(tmp_path: Path) -> None:
    for town in opened(tmp_path, deposit=Deposit(card_of(keys("custodian")), keys("supplier"))):
        with both_holders(town):
            found = queries.ask(town["buyer"], town.facts["order"], SQL, 2 * BUDGET, wait_seconds=MINUTE)
        (row,) = found.opened.rows()
        mine = [item for item in hidden_rows() if item["carrier"] == "AA"]
        assert abs(row["flights"] - len(mine)) < 12 * row["flights_se"]
        assert audited(town, tmp_path).findings == []
