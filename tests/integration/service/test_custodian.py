"""An answer with two shares over HTTP: approved by the vault, completed or withheld by the custodian, audited."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.keystore import encrypt
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import Document
from marketplace.errors import NotFoundError, PortError, RuleError
from marketplace.sdk import evidence, orders, queries, settlement
from marketplace.types import OrderStatus
from marketplace.vault.keeping.custody import Deposit, card_of
from tests.integration.service.test_way import MINUTE, SQL, Workers
from tests.integration.service.town import ESCROW, NODES, Town, running, town_settings
from tests.sealed_market import keys

JFK = "SELECT COUNT(*) FROM data WHERE origin = 'JFK'"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("split town")
    settings = town_settings(folder / "service")
    with running(settings) as context:
        deposit = Deposit(card_of(keys("custodian")), keys("supplier"))
        made = Town(f"http://127.0.0.1:{settings.port}", folder, context, deposit=deposit)
        made.open_market()
        yield made
        made.close()


def everybody(town: Town) -> Workers:
    return Workers(*(town.node(name).step for name in NODES), town.vault().step, town.custodian().step)


@pytest.fixture(scope="module")
def asked(town: Town) -> Document:
    """A query that both holders answered, as the service shows it."""
    with everybody(town):
        answer = queries.ask(town["buyer"], town.facts["order"], SQL, 2_000_000, wait_seconds=MINUTE)
    assert [row["origin"] for row in answer.rows()] == ["EWR", "JFK", "LGA"]
    shown: Document = town["buyer"].get(f"/queries/{answer.query}")
    return shown


def test_an_answer_names_the_papers_of_both_holders(town: Town, asked: Document) -> None:
    assert (asked["state"], asked["waitingFor"]) == ("released", None)
    read = town["buyer"].get_document
    release, second = read(asked["release"]), read(asked["custodianRelease"])
    assert (release["signer"], second["signer"]) == (keys("supplier").address, keys("custodian").address)
    assert (release["epsilon"], second["epsilon"]) == (2_000_000, 2_000_000)
    assert read(asked["shares"])["sealed"] != read(asked["custodianShares"])["sealed"]
    (leaf,) = [leaf for leaf in town.leaves("query.released") if leaf["query"] == asked["digest"]]
    assert leaf["custodianRelease"] == asked["custodianRelease"]


def test_until_the_custodian_has_added_its_share_there_is_no_outcome(town: Town, asked: Document) -> None:
    with Workers(*(town.node(name).step for name in NODES), town.vault().step), pytest.raises(PortError) as pending:
        queries.ask(town["buyer"], asked["order"], SQL, 2_000_000, wait_seconds=5)
    assert pending.value.code == "query_pending"
    step = town["buyer"].journal.pending(asked["order"])
    assert step is not None
    shown = town["buyer"].get(f"/queries/{step.query_digest}")
    assert (shown["state"], shown["waitingFor"], shown["custodianRelease"]) == ("approved", "custodian", None)
    with pytest.raises(RuleError) as busy:
        settlement.close(town["supplier"], asked["order"])
    assert busy.value.code == "query_in_flight"
    assert not town["rival"].post("/custodian/tasks", {})["task"]
    assert town.custodian().step(10)
    answer = queries.resume(town["buyer"], asked["order"], MINUTE)
    assert answer is not None
    assert answer.opened.epsilon == 0


def test_only_the_named_custodian_may_complete_an_answer(town: Town, asked: Document) -> None:
    read = town["buyer"].get_document
    body = {"release": read(asked["custodianRelease"]), "shares": read(asked["custodianShares"])}
    with pytest.raises(NotFoundError) as told:
        town["supplier"].post("/custodian/releases", body)
    assert told.value.code == "task_unknown"
    assert town["custodian"].post("/custodian/releases", body)["state"] == "released", "again is harmless"


def test_what_the_custodian_withholds_is_refused_and_the_order_goes_on(town: Town, asked: Document) -> None:
    """Its limit is below the registered budget. The vault had charged; no money is due; the next call works."""
    strict = town.custodian()
    strict.vault._limit = 2_500_000  # type: ignore[attr-defined]  # custodian run --limit 2.5
    panel = [town.node(name).step for name in NODES]
    with Workers(*panel, town.vault().step, strict.step), pytest.raises(RuleError) as withheld:
        queries.ask(town["buyer"], asked["order"], JFK, 1_000_000, wait_seconds=MINUTE)
    assert withheld.value.code == "budget_exhausted"
    (leaf,) = town.leaves("query.withheld")
    assert leaf["code"] == "budget_exhausted"
    with everybody(town):
        answer = queries.ask(town["buyer"], asked["order"], SQL, 2_000_000, wait_seconds=MINUTE)
    assert answer.opened.epsilon == 0
    assert answer.opened.spent_order == 3_000_000, "two for the answer, one for what was withheld"


def test_a_vault_may_give_up_an_answer_that_its_lost_custodian_does_not_complete(
    town: Town, asked: Document, tmp_path: Path
) -> None:
    """By its command, after which the order goes on; a stranger cannot."""
    sql = "SELECT COUNT(*) FROM data WHERE origin = 'LGA'"
    with Workers(*(town.node(name).step for name in NODES), town.vault().step), pytest.raises(PortError):
        queries.ask(town["buyer"], asked["order"], sql, 100_000, wait_seconds=5)
    step = town["buyer"].journal.pending(asked["order"])
    assert step is not None
    shutil.copytree(town.folder / "vault", tmp_path / "vault")
    (tmp_path / "keystore.json").write_text(json.dumps(encrypt(keys("supplier"), "word", 12)), "utf-8")
    (tmp_path / "keystore.json").chmod(0o600)
    environment = {**os.environ, "MARKETPLACE_PASSWORD": "word", "MARKETPLACE_HOME": str(tmp_path)}
    words = ["vault", "abandon", step.query_digest, "--url", town.url, "--json"]
    command = [sys.executable, "-m", "marketplace.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "refused"
    assert not town.custodian().step(0), "it is nobody's task any more"
    assert queries.resume(town["buyer"], asked["order"], MINUTE) is None
    with everybody(town):
        answer = queries.ask(town["buyer"], asked["order"], SQL, 2_000_000, wait_seconds=MINUTE)
    assert answer.opened.spent_order == 3_100_000, "what was given up stays spent"


def test_the_auditor_follows_both_accounts(town: Town, asked: Document, tmp_path: Path) -> None:
    report = audited(town, tmp_path)
    assert report.findings == []
    counts = report.counts[10]
    assert counts["custodian releases"] == counts["released"] >= 3
    assert counts["withheld"] == 2


def test_closing_pays_for_answers_alone(town: Town, asked: Document) -> None:
    calls = len(town.leaves("query.released"))
    settlement.close(town["supplier"], asked["order"])
    shown = town["buyer"].get(f"/settlement/statements/{asked['order']}")
    assert shown["status"] == OrderStatus.SETTLED
    assert shown["sum"] == ESCROW
    assert {"calls": calls}.items() <= orders.get(town["buyer"], asked["order"]).items()


def audited(town: Town, folder: Path) -> Report:
    town.wait_for_anchor()
    target = folder / "evidence.zip"
    evidence.download_bundle(town["auditor"], target)
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(target) as bundle:
        return audit(bundle, trust)
