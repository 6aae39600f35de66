"""A panel of sixteen over HTTP, of which eleven must agree: liars, slow and absent nodes are named, the answer comes.

Two services: one town of sixteen whose clock the tests move, and one of three that is stopped and started again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace import documents
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.papers_in_hand import Paper
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import Document
from marketplace.errors import MarketplaceError, RuleError, VerificationError
from marketplace.queries.protocol.panels import Proof
from marketplace.queries.protocol.statements import sign_result
from marketplace.sdk import evidence, orders, panel, queries
from tests.integration.service.test_refusals import Asking, code_of
from tests.integration.service.town import NODES, Town, running, town_settings

SIXTEEN = tuple(f"node-{number}" for number in range(1, 17))
LIAR, TWO_FACED, SLOW, SLOW_LIAR, ABSENT = SIXTEEN[:5]
HONEST = SIXTEEN[5:]
THRESHOLD, SECONDS = 11, 60
FALSE = "0x" + "cd" * 32
SQL = "SELECT origin, COUNT(*), AVG(delay) FROM data GROUP BY origin"


class Clock:
    """Unix seconds that a test may move on."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return int(time.time()) + self.ahead


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The service's."""
    return Clock()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Town]:
    """Sixteen nodes and a funded order."""
    folder = tmp_path_factory.mktemp("sixteen")
    settings = town_settings(folder / "service", panel_seconds=SECONDS)
    with running(settings, clock) as context:
        made = Town(settings.public_url, folder, context, nodes=SIXTEEN, terms={"threshold": THRESHOLD})
        made.open_market()
        yield made
        made.close()


class Nodes:
    """The panel's hands: takes a task as a node, and hands in what the test wants it to sign."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def take(self, name: str) -> Document:
        """The result that the node's task asks for."""
        task = self.town[name].post("/panel/tasks", {}, wait=5)["task"]
        return self.town.node(name).node.result(self.town[name].get_document(task["manifest"]), task["query"])

    def sign(self, name: str, result: Document) -> dict[str, Any]:
        """What the service answers to a signed result."""
        client = self.town[name]
        body = {"result": result, "statement": sign_result(result, client.address, client.keys.bls_secret)}
        answer: dict[str, Any] = client.post("/panel/results", body)
        return answer


def false(result: Document) -> Document:
    """The same result with one residue changed."""
    return {**result, "numbers": [{**result["numbers"][0], "c0": FALSE}, *result["numbers"][1:]]}


def eventually(look: Callable[[], object]) -> None:
    """Until `look` is true; the service closes panels by itself about once a second."""
    for _ in range(200):
        if look():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in ten seconds")


class Asked(threading.Thread):
    """A buyer waiting for an answer, beside the test."""

    def __init__(self, town: Town, sql: str) -> None:
        super().__init__()
        self.answer: Any = None
        self.error: MarketplaceError | None = None
        self._town, self._sql = town, sql

    def run(self) -> None:
        try:
            order = self._town.facts["order"]
            self.answer = queries.ask(self._town["buyer"], order, self._sql, 1_000_000, wait_seconds=60)
        except MarketplaceError as error:
            self.error = error

    def __enter__(self) -> "Asked":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join()


@pytest.fixture(scope="module")
def story(town: Town, clock: Clock) -> str:
    """The query that five of sixteen misbehaved about, after everybody has said what it says."""
    nodes = Nodes(town)
    with Asked(town, SQL) as buyer:
        true = nodes.take(LIAR)
        assert nodes.sign(LIAR, false(true))["state"] == "evaluating"
        two = nodes.take(TWO_FACED)
        nodes.sign(TWO_FACED, false(two))
        assert code_of(lambda: nodes.sign(TWO_FACED, two)) == "statement_changed"
        assert nodes.take(SLOW) == nodes.take(SLOW_LIAR) == true
        assert all(town.node(name).step(5) for name in HONEST)
        assert town.vault().step(5)
    assert buyer.answer.opened.epsilon == 1_000_000  # before the deadline, without the slow
    name = str(buyer.answer.query)
    assert town.leaves("panel.absence") == []
    clock.ahead += SECONDS + 1
    eventually(lambda: len(town.leaves("panel.absence")) == 3)
    assert nodes.sign(SLOW, true) == {"query": name, "state": "released", "divergent": False, "late": True}
    assert nodes.sign(SLOW_LIAR, false(true)) == {"query": name, "state": "released", "divergent": True, "late": True}
    assert town[ABSENT].post("/panel/tasks", {})["task"] is None
    return name


def test_the_answer_is_attested_by_those_who_agreed(town: Town, story: str) -> None:
    shown = town["buyer"].get(f"/queries/{story}")
    signers = town["buyer"].get_document(shown["attestation"])["signers"]
    assert signers == sorted(town[name].address for name in HONEST)


def test_every_node_that_misbehaved_is_named_with_its_own_words(town: Town, story: str) -> None:
    named = {kind: _named(town, f"panel.{kind}") for kind in ("divergence", "equivocation", "late", "absence")}
    assert named == {
        "divergence": {LIAR, TWO_FACED, SLOW_LIAR},
        "equivocation": {TWO_FACED},
        "late": {SLOW, SLOW_LIAR},
        "absence": {SLOW, SLOW_LIAR, ABSENT},
    }
    for leaf in town.leaves("panel.divergence"):
        statement, lie = (town["auditor"].get_document(leaf[kind]) for kind in ("statement", "result"))
        assert (statement["node"], statement["result"]) == (leaf["node"], documents.digest(lie))
        assert (lie["query"], lie["numbers"][0]["c0"]) == (story, FALSE)


def _named(town: Town, kind: str) -> set[str]:
    by_address = {town[name].address: name for name in SIXTEEN}
    return {by_address[leaf["node"]] for leaf in town.leaves(kind)}


def test_the_standing_counts_and_points_at_the_evidence(town: Town, story: str) -> None:
    found = {node["address"]: node for node in panel.standing(town["rival"])}
    assert len(found) == 16
    liar, slow, absent, honest = (found[town[name].address] for name in (LIAR, SLOW_LIAR, ABSENT, HONEST[0]))
    assert (liar["asked"], liar["answered"], liar["agreed"], liar["differed"]["count"]) == (1, 1, 0, 1)
    assert (slow["late"]["count"], slow["absent"]["count"], slow["differed"]["count"]) == (1, 0, 1)
    assert (absent["answered"], absent["absent"]["count"], absent["absent"]["proof"]) == (0, 1, Proof.OPERATOR)
    assert (honest["answered"], honest["agreed"], liar["differed"]["proof"]) == (1, 1, Proof.SIGNATURE)
    leaf = evidence.verify_entry(town["rival"], liar["differed"]["leaves"][0])
    assert (leaf["type"], leaf["node"]) == ("panel.divergence", town[LIAR].address)


def test_a_standing_that_points_elsewhere_is_noticed(town: Town, story: str) -> None:
    town.wait_for_anchor()
    found = panel.standing(town["rival"])
    assert panel.verify_standing(town["rival"], found) == 3 + 1 + 2 + 1
    slandered = next(node for node in found if node["address"] == town[HONEST[0]].address)
    slandered["differed"] = next(node for node in found if node["differed"]["count"])["differed"]
    with pytest.raises(VerificationError) as refused:
        panel.verify_standing(town["rival"], found)
    assert refused.value.code == "evidence_differs"


def test_the_standing_needs_no_account(town: Town, story: str) -> None:
    import httpx

    page = httpx.get(f"{town.url}/panel/standing", params={"limit": 5})
    assert (page.status_code, len(page.json()["items"])) == (200, 5)
    assert 'rel="next"' in page.headers["link"]


def test_the_auditor_computes_again_and_names_who_lied(town: Town, story: str, tmp_path: Path) -> None:
    report = audited(town, tmp_path, reexecute=0)
    assert report.findings == []
    by_code: dict[str, set[str]] = {}
    names = {town[name].address: name for name in SIXTEEN}
    for held in report.nodes():
        by_code.setdefault(held["code"], set()).add(names[held["node"]])
    assert by_code == {
        "node_lied": {LIAR, TWO_FACED, SLOW_LIAR},
        "node_equivocated": {TWO_FACED},
        "node_late": {SLOW, SLOW_LIAR},
        "node_absent": {ABSENT},
    }


def audited(town: Town, folder: Path, reexecute: int | None = None, papers: Sequence[Paper] = ()) -> Report:
    """The auditor's report on the town's evidence, and on papers in hand."""
    target = folder / "evidence.zip"
    evidence.download_bundle(town["auditor"], target)
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(target) as bundle:
        return audit(bundle, trust, reexecute=reexecute, papers=papers)


def test_a_query_whose_panel_stays_below_the_threshold_fails_and_costs_nothing(
    town: Town, story: str, clock: Clock, tmp_path: Path
) -> None:
    order, before = town.facts["order"], town["supplier"].get(f"/orders/{town.facts['order']}/voucher")
    with Asked(town, "SELECT COUNT(*) FROM data") as buyer:
        assert all(town.node(name).step(5) for name in SIXTEEN[: THRESHOLD - 1])
        clock.ahead += SECONDS + 1
    assert isinstance(buyer.error, RuleError)
    assert (buyer.error.code, bool(buyer.error.zh), bool(buyer.error.hint)) == ("panel_timeout", True, True)
    leaf = town.leaves("query.failed")[-1]
    assert (leaf["code"], len(leaf["statements"])) == ("panel_timeout", THRESHOLD - 1)
    shown = town["buyer"].get(f"/queries/{leaf['query']}")
    assert (shown["state"], shown["failure"], shown["charged"]) == ("failed", "panel_timeout", None)
    assert town["supplier"].get(f"/orders/{order}/voucher") == before
    eventually(lambda: len([one for one in town.leaves("panel.absence") if one["query"] == leaf["query"]]) == 6)
    with Asked(town, "SELECT COUNT(*) FROM data") as again:  # the order goes on, without what failed
        assert all(town.node(name).step(5) for name in SIXTEEN)
        assert town.vault().step(5)
    assert (again.answer.left_order, orders.get(town["buyer"], order)["escrow"]) == (2_000_000, 3_000)
    assert audited(town, tmp_path).findings == []


def test_nobody_speaks_for_a_node(town: Town, story: str) -> None:
    """What is held against a node is its own signature: nobody else can hand it in, or sign it."""
    nodes = Nodes(town)
    asking = Asking(town, town.fund(town.facts["listing"], escrow=500, epsilon_cap=1000))
    asking.post()
    result = nodes.take(HONEST[0])
    lie, victim, liar = false(result), town[HONEST[1]], town[LIAR]
    forged = sign_result(lie, victim.address, liar.keys.bls_secret)
    assert code_of(lambda: liar.post("/panel/results", {"result": lie, "statement": forged})) == "result_differs"
    assert code_of(lambda: victim.post("/panel/results", {"result": lie, "statement": forged})) == "statement_signature"
    assert _named(town, "panel.divergence") == {LIAR, TWO_FACED, SLOW_LIAR}


def test_a_deadline_that_passed_while_the_service_was_down_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    settings = town_settings(tmp_path / "service", panel_seconds=SECONDS)
    with running(settings, clock) as context:
        town = Town(settings.public_url, tmp_path, context)
        town.open_market()
        name = Asking(town, town.facts["order"]).post()["digest"]
        assert town.node(NODES[0]).step(5)
    clock.ahead += SECONDS + 1
    for _ in range(2):  # what was done once is not done again
        with running(settings, clock) as context:
            town = replace(town, context=context)
            assert town["buyer"].get(f"/queries/{name}", wait=10)["state"] == "failed"
            time.sleep(1.2)  # another round of the service's own
            absent = {leaf["node"] for leaf in town.leaves("panel.absence")}
            assert absent == {town[node].address for node in NODES[1:]}
            assert len(town.leaves("panel.absence")) == 2
            assert len(town.leaves("query.failed")) == 1
    town.close()
