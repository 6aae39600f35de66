"""The way of one order over HTTP: asked, evaluated, attested, released, settled, audited."""

import threading

from marketplace.sdk import queries
from tests.integration.service.town import NODES, Town

SQL = "SELECT origin, COUNT(*), AVG(delay) FROM data GROUP BY origin"


def work(town: Town, count: int) -> threading.Thread:
    """Let panel and vault each do `count` tasks beside the test."""

    def run() -> None:
        for _ in range(count):
            for name in NODES:
                assert town.node(name).step(10)
            assert town.vault().step(10)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_an_order_goes_its_whole_way(town: Town) -> None:
    order = town.facts["order"]
    working = work(town, 1)
    answer = queries.ask(town["buyer"], order, SQL, 1_000_000, wait_seconds=30)
    working.join()
    assert [row["origin"] for row in answer.rows()] == ["EWR", "JFK", "LGA"]
    assert answer.opened.epsilon == 1_000_000
