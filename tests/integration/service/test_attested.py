"""Requests on their way from a panel node to a vault that takes the panel's word, over HTTP."""

import time
from collections.abc import Iterator

import pytest

from crypto.canonical import sha256, to_hex
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.queries.tables import RequestsDue, UploadedRequest
from marketplace.sdk import queries
from marketplace.vault.decisions.cases import Word
from tests.integration.service.test_way import MINUTE, SQL, Workers
from tests.integration.service.town import NODES, Town, running, town_settings

JFK = "SELECT COUNT(*) FROM data WHERE origin = 'JFK'"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("attested town")
    settings = town_settings(folder / "service")
    with running(settings) as context:
        made = Town(f"http://127.0.0.1:{settings.port}", folder, context)
        made.open_market()
        yield made
        made.close()


def kept(town: Town) -> tuple[int, int]:
    """Requests in the service's store, and queries that wait for some."""
    from sqlmodel import func, select

    with town.context.reading() as session:
        stored = session.exec(select(func.count()).select_from(UploadedRequest)).one()
        return stored, session.exec(select(func.count()).select_from(RequestsDue)).one()


def test_a_vault_that_takes_the_panels_word_is_sent_the_requests(town: Town) -> None:
    vault = town.vault()
    vault.vault.word = Word(town["supplier"].get_request)
    assert not vault.step(0), "with its first poll it says that it wants requests"
    nodes = [town.node(name).step for name in NODES]
    with Workers(*nodes, nodes[0], vault.step):
        answer = queries.ask(town["buyer"], town.facts["order"], SQL, 1_000_000, wait_seconds=MINUTE)
    assert [row["origin"] for row in answer.rows()] == ["EWR", "JFK", "LGA"]
    assert kept(town) == (0, 0), "they are deleted with the outcome"


def test_requests_are_for_the_keys_holders_alone_and_only_what_was_attested(town: Town) -> None:
    vault = town.vault()
    vault.vault.word = Word(town["supplier"].get_request)
    order = town.facts["order"]
    with Workers(*(town.node(name).step for name in NODES)), pytest.raises(Exception, match="no outcome yet"):
        queries.ask(town["buyer"], order, JFK, 1_000_000, wait_seconds=5)
    step = town["buyer"].journal.pending(order)
    assert step is not None
    assert not vault.step(0), "it waits for the requests"
    with pytest.raises(InvalidInputError) as unwanted:
        town["node-1"].put_request(step.query_digest, b"anything else")
    assert unwanted.value.code == "request_unwanted"
    with pytest.raises(NotFoundError):
        town["supplier"].put_request(step.query_digest, b"not a node's")
    assert town.node("node-2").step(10), "the node uploads"
    result = town["buyer"].get_document(town["buyer"].get(f"/queries/{step.query_digest}")["result"])
    name = result["numbers"][0]["c1"]
    assert to_hex(sha256(town["supplier"].get_request(step.query_digest, name))) == name
    for stranger in ("buyer", "rival", "node-2", "auditor"):
        with pytest.raises(NotFoundError) as told:
            town[stranger].get_request(step.query_digest, name)
        assert told.value.code == "request_unknown"
    assert vault.step(10)
    assert queries.resume(town["buyer"], order, MINUTE) is not None
    assert kept(town) == (0, 0)


def test_a_node_that_does_not_upload_is_followed_by_another(town: Town) -> None:
    """Its lease runs out; and the vault may stop waiting by evaluating for itself."""
    from marketplace.queries.inbox.panel import take_task

    vault, now = town.vault(), int(time.time())
    vault.vault.word = Word(town["supplier"].get_request)
    assert not vault.step(0)
    order = town.facts["order"]
    with Workers(*(town.node(name).step for name in NODES)), pytest.raises(Exception, match="no outcome yet"):
        queries.ask(town["buyer"], order, JFK, 999_000, wait_seconds=5)
    with town.context.writing() as session:
        first = take_task(session, town["node-1"].address, now + 1, 30)
        assert first is not None
        assert first["requests"]
        assert take_task(session, town["node-2"].address, now + 2, 30) is None, "the first has its lease"
        second = take_task(session, town["node-2"].address, now + 40, 30)
        assert second is not None
        assert second["requests"] == first["requests"]
    assert not vault.step(0)
    assert town.vault().step(10), "a vault that evaluates itself does not wait"
    assert queries.resume(town["buyer"], order, MINUTE) is not None
    assert kept(town) == (0, 0)


def test_a_vault_that_evaluates_itself_again_is_sent_nothing(town: Town) -> None:
    assert not town.vault().step(0), "it says so with its first poll"
    with Workers(*(town.node(name).step for name in NODES), town.vault().step):
        answer = queries.ask(town["buyer"], town.facts["order"], JFK, 1_000_000, wait_seconds=MINUTE)
    assert answer.opened.epsilon == 0
    assert kept(town) == (0, 0)
