"""The budget over HTTP, under zCDP: caps of a group, an old copy of the vault's account put back and made whole, and
vault, service and auditor of one mind to the unit."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crypto.keystore import encrypt
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import series_of
from marketplace.errors import PortError, RuleError
from marketplace.sdk import evidence, queries, settlement
from marketplace.sdk.answers import Answer
from marketplace.vault.keeping.store import PrivacyStore
from tests.integration.service.test_way import MINUTE, Workers, everybody
from tests.integration.service.town import BUDGET, ESCROW, NODES, Town, running, town_settings
from tests.sealed_market import SCHEMA, keys

CAP, PASSWORD = 1_700_000, "a password for tests"
ALL, JFK = "SELECT COUNT(*) FROM data", "SELECT COUNT(*) FROM data WHERE origin = 'JFK'"
LGA = "SELECT SUM(delay) FROM data WHERE origin = 'LGA'"
CARRIERS = "SELECT carrier, COUNT(*) FROM data WHERE origin = 'EWR' GROUP BY carrier"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("budget town")
    settings = town_settings(folder / "service", lease_seconds=1)
    schema = {**SCHEMA, "privacy": {"measure": "zcdp", "delta": "1e-9"}}
    group = {"friends": [keys("buyer").address, keys("friend").address]}
    with running(settings) as context:
        terms = {"buyer_cap": CAP, "groups": group}
        made = Town(f"http://127.0.0.1:{settings.port}", folder, context, schema=schema, terms=terms)
        made.open_market()
        settlement.issue(made["bank"], made["buyer"].address, 2 * ESCROW)
        yield made
        made.close()


def account_of(town: Town) -> PrivacyStore:
    return town.vault().vault.store


def copy(source: Path, target: Path) -> None:
    """As SQLite copies a file that is in use."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def ask(town: Town, order: str, sql: str, rho: int) -> Answer:
    with everybody(town):
        return queries.ask(town["buyer"], order, sql, rho, wait_seconds=MINUTE)


def recover(town: Town) -> object:
    """What `marketplace vault recover` says it entered, as the supplier runs it."""
    keystore = town.folder / "keystore.json"
    keystore.write_text(json.dumps(encrypt(town["supplier"].keys, PASSWORD, 12)), "utf-8")
    keystore.chmod(0o600)
    environment = {**os.environ, "MARKETPLACE_PASSWORD": PASSWORD, "MARKETPLACE_HOME": str(town.folder)}
    command = [sys.executable, "-m", "marketplace.cli", "vault", "recover", "--url", town.url, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: object = json.loads(done.stdout)
    return found


def test_an_old_account_is_noticed_made_whole_and_all_agree_to_the_unit(town: Town, tmp_path: Path) -> None:
    order, series = town.facts["order"], series_of(town.facts["dataset"].manifest)
    assert ask(town, order, ALL, 1_000_000).opened.epsilon == 1_000_000
    live = town.folder / "vault" / "ledger.sqlite"
    copy(live, tmp_path / "old.sqlite")
    assert ask(town, order, JFK, 400_000).opened.epsilon == 400_000

    copy(tmp_path / "old.sqlite", live)
    assert account_of(town).spent(series) == 1_000_000
    answers: list[Answer] = []
    asking = threading.Thread(
        target=lambda: answers.append(queries.ask(town["buyer"], order, CARRIERS, 200_000, wait_seconds=MINUTE))
    )
    with Workers(*(town.node(name).step for name in NODES)):
        asking.start()
    with pytest.raises(PortError) as caught:
        town.vault().step(10)
    assert caught.value.code == "account_behind"
    assert recover(town) == {"releases": 1, "charged": 400_000}
    assert account_of(town).spent(series) == 1_400_000
    while asking.is_alive():
        town.vault().step(1)
        time.sleep(0.1)
    assert [answer.opened.epsilon for answer in answers] == [200_000]

    # A vault that dies between its commit and handing in gives the same release, and charges nothing more.
    with Workers(*(town.node(name).step for name in NODES)):
        asking = threading.Thread(
            target=lambda: answers.append(queries.ask(town["buyer"], order, LGA, 50_000, wait_seconds=MINUTE))
        )
        asking.start()
    task = town["supplier"].post("/vault/tasks", {}, wait=10)["task"]
    lost = town.vault().vault.decide(task, int(time.time())).release
    assert lost is not None
    while asking.is_alive():
        town.vault().step(1)
        time.sleep(0.1)
    assert town["buyer"].get_document(town["buyer"].get(f"/queries/{answers[-1].query}")["release"]) == lost
    assert account_of(town).spent(series) == lost["spentAsset"] == 1_650_000

    # What the vault says is what the service reckons, and the cap counts another order of the same buyer.
    later = town.fund(town.facts["listing"])
    shown = queries.explain(town["buyer"], town.facts["listing"], JFK, 300_000)
    assert shown.left == BUDGET - account_of(town).spent(series) == BUDGET - 1_650_000
    with pytest.raises(RuleError) as refused:
        queries.ask(town["buyer"], later, "SELECT COUNT(*) FROM data WHERE month = '1'", 50_001, wait_seconds=1)
    assert (refused.value.code, refused.value.expected) == ("group_budget_exhausted", "at most 50000")
    assert ask(town, later, ALL, 1_000_000).opened.epsilon == 0, "free for whoever asks again"
    with pytest.raises(RuleError) as refused, everybody(town):
        queries.ask(town["buyer"], later, JFK, 400_000, wait_seconds=MINUTE)
    assert refused.value.code == "answer_lost", "its shares were in the file that was overwritten"

    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(tmp_path / "evidence.zip") as bundle:
        report = audit(bundle, trust, reexecute=None)
    assert [finding.as_dict() for finding in report.findings] == []
    read = town["supplier"].get_document
    released = [read(leaf["release"]) for leaf in town.leaves("query.released")]
    assert max(item["spentAsset"] for item in released) == sum(item["epsilon"] for item in released) == 1_650_000
