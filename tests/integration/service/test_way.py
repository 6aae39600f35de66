"""The way of one order over HTTP: asked, evaluated, attested, released, refused, settled, logged, bundled."""

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import note, tlog
from crypto.canonical import load_canonical
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import Document
from marketplace.documents.ids import title_id
from marketplace.errors import MarketplaceError, NotAuthorizedError, RuleError
from marketplace.evidence.bundle import READ_MODEL
from marketplace.sdk import evidence, orders, queries, rights, settlement
from marketplace.types import OrderStatus, TitleKind
from tests.integration.service.town import BUDGET, CAP, ESCROW, NODES, PRICE, Town

SQL = "SELECT origin, COUNT(*), AVG(delay) FROM data GROUP BY origin"
MINUTE = 60


class Workers:
    """Panel and vault doing one task each beside the test."""

    def __init__(self, *steps: Callable[[float], bool]) -> None:
        self.did: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.did.extend(step(10) for step in steps))

    def __enter__(self) -> "Workers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        assert all(self.did)


def everybody(town: Town) -> Workers:
    """All nodes, then the vault."""
    return Workers(*(town.node(name).step for name in NODES), town.vault().step)


@pytest.fixture(scope="module")
def asked(town: Town) -> Document:
    """A query of the town's order that was answered, as the service shows it."""
    with everybody(town):
        answer = queries.ask(town["buyer"], town.facts["order"], SQL, 1_000_000, wait_seconds=MINUTE)
    assert [row["origin"] for row in answer.rows()] == ["EWR", "JFK", "LGA"]
    assert (answer.opened.epsilon, answer.left_order) == (10**6, CAP - 10**6)
    assert answer.left_asset <= BUDGET - 10**6
    shown: Document = town["buyer"].get(f"/queries/{answer.query}")
    return shown


def test_an_answered_query_names_its_papers(town: Town, asked: Document) -> None:
    assert (asked["state"], asked["charged"], asked["waitingFor"]) == ("released", 1_000_000, None)
    kinds = {name: town["buyer"].get_document(asked[name])["type"] for name in ("query", "voucher", "result", "shares")}
    assert kinds == {name: name for name in kinds}
    assert len(town["buyer"].get_document(asked["attestation"])["signers"]) >= 2


def test_the_same_question_again_costs_no_epsilon(town: Town, asked: Document) -> None:
    with everybody(town):
        answer = queries.ask(town["buyer"], asked["order"], SQL, 1_000_000, wait_seconds=MINUTE)
    assert answer.opened.epsilon == 0


def test_a_small_cohort_is_refused_by_the_vault_and_costs_nothing(town: Town, asked: Document) -> None:
    before = orders.get(town["buyer"], asked["order"])
    with everybody(town), pytest.raises(RuleError) as refused:
        queries.ask(town["buyer"], asked["order"], "SELECT COUNT(*) FROM data WHERE carrier = 'HA'", 1000, MINUTE)
    assert refused.value.code == "cohort_too_small"
    assert orders.get(town["buyer"], asked["order"]) == before


@pytest.mark.parametrize(
    ("sql", "epsilon", "code"),
    [
        ("SELECT VARIANCE(delay) FROM data", 1_000_000, "computation_not_permitted"),
        ("SELECT COUNT(*) FROM data", 2_000_001, "epsilon_above_maximum"),
    ],
)
def test_what_the_listing_does_not_permit_is_refused_at_once(
    town: Town, asked: Document, sql: str, epsilon: int, code: str
) -> None:
    with pytest.raises(RuleError) as refused:
        queries.ask(town["buyer"], asked["order"], sql, epsilon, wait_seconds=MINUTE)
    assert refused.value.code == code
    assert refused.value.expected


def test_an_explanation_names_cost_noise_and_refusals(town: Town, asked: Document) -> None:
    body = {"sql": "SELECT VARIANCE(delay) FROM data", "order": asked["order"], "epsilon": 1_000_000}
    told = town["buyer"].post("/queries/explanations", body)
    assert (told["price"], told["charge"], told["numbers"]) == (PRICE, 1_000_000, 3)
    assert set(told["noise"]) == {"n:delay", "sum:delay", "sumsq:delay"}
    assert [refusal["code"] for refusal in told["refusals"]] == ["computation_not_permitted"]


def test_a_repeated_question_explains_itself_as_free(town: Town, asked: Document) -> None:
    body = {"sql": SQL, "listing": town.facts["listing"], "epsilon": 1_000_000}
    assert town["rival"].post("/queries/explanations", body)["charge"] == 0


def test_the_log_holds_every_event_under_a_root_that_clients_can_check(town: Town, asked: Document) -> None:
    town.wait_for_anchor()
    size = evidence.checkpoint(town["rival"]).checkpoint.size
    leaves = [evidence.verify_entry(town["rival"], position) for position in range(size)]
    mine = [leaf for leaf in leaves if leaf.get("query") == asked["digest"]]
    assert [leaf["type"] for leaf in mine] == ["query.accepted", "query.released"]
    assert mine[1]["release"] == asked["release"]


def test_the_register_shows_titles_shares_and_budget(town: Town) -> None:
    asset = rights.get_asset(town["rival"], town.facts["asset"])
    assert [(share["bps"]) for share in asset["shares"]] == [9000, 1000]
    assert asset["epsilonLeft"] == BUDGET - asset["epsilonCommitted"] + asset["epsilonReleased"] <= BUDGET - CAP
    assert rights.get_title(town["rival"], title_id(asset["assetId"], TitleKind.OPERATE))["holder"] == asset["holder"]
    assert rights.get_certificate(town["rival"], asset["assetId"])["type"][0] == "VerifiableCredential"


def test_a_bundle_is_for_overseers_alone(town: Town, asked: Document) -> None:
    with pytest.raises(NotAuthorizedError) as refused:
        town["buyer"].get("/evidence/bundle")
    assert refused.value.code == "role_missing"


def test_a_bundle_holds_the_documented_files(town: Town, asked: Document, tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    evidence.download_bundle(town["auditor"], target)
    with zipfile.ZipFile(target) as bundle:
        names = set(bundle.namelist())
        profile = load_canonical(bundle.read("profile.json"))
        verifier = note.parse_verifier(profile["log"]["verifier"])
        head = tlog.open_checkpoint(bundle.read("log/checkpoint"), verifier)
        entries = bundle.read("log/entries.jsonl").splitlines()
        assert head.size == len(entries)
        assert {f"read_model/{table.__tablename__}.jsonl" for table in READ_MODEL} <= names
        assert {f"documents/{asked[part][2:]}.json" for part in ("query", "voucher", "result", "release")} <= names
        for line in bundle.read("read_model/orders.jsonl").splitlines():
            assert load_canonical(line)["event"]["intent"]


def test_the_auditor_finds_nothing_wrong_with_a_bundle(town: Town, asked: Document, tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    evidence.download_bundle(town["auditor"], target)
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(target) as bundle:
        report = audit(bundle, trust)
    assert report.findings == []
    assert report.counts[10]["released"] >= 1


def test_closing_pays_to_the_last_fen(town: Town, asked: Document) -> None:
    order = asked["order"]
    settlement.close(town["supplier"], order)
    shown = town["buyer"].get(f"/settlement/statements/{order}")
    assert shown["status"] == OrderStatus.SETTLED
    assert shown["sum"] == shown["escrow"] == ESCROW
    assert settlement.statement(town["buyer"], order)["sum"] == ESCROW
    with pytest.raises(MarketplaceError) as refused:
        queries.ask(town["buyer"], order, SQL, 1_000_000, wait_seconds=MINUTE)
    assert refused.value.code == "order_not_open"
