"""The loops of vault and panel: they work what is offered, survive what fails, and say what happens."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marketplace.errors import InvalidInputError, PortError
from marketplace.panel.agent import PanelAgent
from marketplace.queries.protocol.handover import vault_task
from marketplace.sdk.home.blobs import BlobCache
from marketplace.sdk.http.polling import poll
from marketplace.vault.agent import VaultAgent
from tests.sealed_market import NOW, Market, open_market


class Desk:
    """A service of one queue: hands out what it is given, keeps what is handed in."""

    def __init__(self, tasks: list[Any], documents: dict[str, Any] | None = None) -> None:
        self.tasks, self.documents = tasks, documents or {}
        self.posted: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any, *, repeatable: bool = False, wait: float = 0) -> Any:
        if path.endswith("/tasks"):
            return {"task": self.tasks.pop(0) if self.tasks else None}
        self.posted.append((path, body))
        return {}

    def put_request(self, query: str, content: bytes) -> str:
        self.posted.append((f"/queries/{query}/requests", content))
        return ""

    def get_document(self, digest: str) -> Any:
        return self.documents[digest]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


def test_a_vault_answers_and_refuses(market: Market) -> None:
    order = market.order()
    texts = ("SELECT COUNT(*) FROM f", "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")
    desk = Desk([vault_task(market.task(order, market.query(order, text))) for text in texts[:1]])
    told: list[str] = []
    agent = VaultAgent(desk, market.vault, lambda message, zh: told.append(message), lambda: NOW)
    assert agent.step()
    assert not agent.step()
    other = market.order("other")
    desk.tasks.append(vault_task(market.task(other, market.query(other, texts[1]))))
    assert agent.step()
    (first, released), (second, refused) = desk.posted
    assert (first, second) == ("/vault/releases", "/vault/refusals")
    assert set(released) == {"release", "shares"}
    assert refused["refusal"]["code"] == "cohort_too_small"
    assert told[0].startswith("released 0x")
    assert told[1].endswith("cohort_too_small")


def test_a_node_evaluates_and_signs(market: Market) -> None:
    order = market.order()
    query = market.query(order, "SELECT COUNT(*) FROM f")
    desk = Desk([{"query": query, "manifest": market.dataset.digest}], {market.dataset.digest: market.manifest})
    agent = PanelAgent(desk, market.nodes[0], lambda message, zh: None)
    assert agent.step()
    assert desk.posted == [
        (
            "/panel/results",
            {"result": market.evaluate(query)[0].result, "statement": market.evaluate(query)[0].statement},
        )
    ]


def test_a_loop_waits_for_the_service_and_says_so() -> None:
    stop, told = threading.Event(), []
    outcomes: list[Callable[[], bool]] = []

    def away() -> bool:
        raise PortError("service_unreachable", "connection refused")

    def broken() -> bool:
        raise InvalidInputError("malformed_document", "task: expected an object")

    def last() -> bool:
        stop.set()
        return True

    def next_outcome() -> bool:
        return outcomes.pop(0)()

    outcomes.extend([away, away, lambda: True, broken, lambda: False, last])
    poll(
        next_outcome,
        stop,
        lambda message, zh: told.append((message, zh)),
        pause=0.001,
    )
    assert outcomes == []
    assert [message for message, _ in told] == [
        "cannot reach the service (connection refused); waiting for it",
        "the service is back; going on",
        "a task could not be done: task: expected an object",
    ]
    assert all(zh for _, zh in told)


def test_blobs_are_checked_before_they_are_kept(tmp_path: Path, market: Market) -> None:
    name = market.manifest["batches"][0]["columns"][0]["chunks"][0]["blob"]
    downloads: list[bytes] = [b"something else", market.dataset.blob(name), market.dataset.blob(name)]
    cache = BlobCache(tmp_path / "blobs", lambda _: downloads.pop(0))
    with pytest.raises(Exception, match="another digest"):
        cache.get(name)
    assert list((tmp_path / "blobs").iterdir()) == []
    assert cache.get(name) == market.dataset.blob(name)
    path = tmp_path / "blobs" / name[2:]
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.get(name) == market.dataset.blob(name) == cache.get(name)
    assert downloads == []
