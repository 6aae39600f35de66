"""The budget as a resource: one account for a series, caps of buyers and groups, and no way around them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.seal.privacy import Noise
from marketplace.documents import digest
from marketplace.queries.protocol.handover import vault_task
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch
from tests.sealed_market import DEPLOYMENT, NOW, SCHEMA, Market, keys, make_rows, open_market, with_version, write_csv

ALL = "SELECT COUNT(*) FROM f"
JFK = "SELECT COUNT(*) FROM f WHERE origin = 'JFK'"
EWR = "SELECT COUNT(*) FROM f WHERE origin = 'EWR'"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    """The sealed data with a fresh privacy account."""
    store = PrivacyStore(tmp_path / "ledger.sqlite", Cipher(sealed.supplier.seed))
    return replace(sealed, vault=Vault(sealed.supplier, sealed.vault.folder, store, DEPLOYMENT))


def refused(answer: Any) -> dict[str, Any]:
    assert isinstance(answer, dict)
    return answer


def test_a_buyers_cap_counts_all_its_orders_and_listings(market: Market) -> None:
    first, second = market.order("ann", buyerCap=1_500_000), market.order("ann", buyerCap=1_500_000, price=700)
    assert not isinstance(market.ask(first, ALL), dict)
    refusal = refused(market.ask(second, JFK))
    assert (refusal["code"], refusal["allowed"]) == ("buyer_budget_exhausted", "at most 500000")
    assert (refusal["spentBuyer"], refusal["leftBuyer"], refusal["spentOrder"]) == (1_000_000, 500_000, 0)
    assert not isinstance(market.ask(second, JFK, 500_000), dict)
    assert not isinstance(market.ask(second, ALL), dict), "a repeated question costs nothing"
    assert not isinstance(market.ask(market.order("bob", buyerCap=1_500_000), JFK), dict), "another buyer, its own part"


def test_accounts_of_a_group_count_as_one_buyer(market: Market) -> None:
    group = {"name": "friends", "accounts": [keys("ann").address, keys("bob").address]}
    terms: dict[str, Any] = {"buyerCap": 1_500_000, "groups": [group]}
    ann, bob = market.order("ann", **terms), market.order("bob", **terms)
    assert not isinstance(market.ask(ann, ALL), dict)
    refusal = refused(market.ask(bob, JFK))
    assert (refusal["code"], refusal["allowed"]) == ("group_budget_exhausted", "at most 500000")
    assert "friends" in refusal["message"]["en"]
    assert (refusal["spentBuyer"], refusal["leftBuyer"]) == (1_000_000, 500_000)
    task = market.task(bob, market.query(bob, JFK, 400_000))
    release = market.decide(task).release
    assert release is not None
    assert (release["spentOrder"], release["spentBuyer"], release["spentAsset"]) == (400_000, 1_400_000, 1_400_000)
    assert not isinstance(market.ask(market.order("eve", **terms), EWR), dict)


def test_a_new_version_has_no_fresh_budget(tmp_path: Path) -> None:
    market = open_market(tmp_path)
    rows = write_csv(tmp_path / "more.csv", make_rows(300))
    newer = append_batch(rows, parse_schema(SCHEMA), market.vault.folder, market.dataset, "more", now=NOW + 3600)
    old, new = market.order("ann", buyerCap=2_500_000), with_version(market, newer).order("ann", buyerCap=2_500_000)
    assert not isinstance(market.ask(old, ALL, 2_000_000), dict)
    refusal = refused(with_version(market, newer).ask(new, JFK))
    assert (refusal["code"], refusal["leftBuyer"]) == ("buyer_budget_exhausted", 500_000)
    poor = replace(with_version(market, newer), budget=2_600_000)
    refusal = refused(poor.ask(poor.order("bob"), JFK))
    assert (refusal["code"], refusal["spentAsset"], refusal["leftAsset"]) == ("budget_exhausted", 2_000_000, 600_000)
    assert market.vault.store.spent(market.series) == market.vault.store.spent(poor.series) == 2_000_000


def test_another_spelling_by_another_buyer_is_free_and_draws_no_noise(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = market.ask(market.order("ann"), "SELECT SUM(delay) FROM f WHERE origin IN ('JFK', 'LGA')")
    drawn: list[Noise] = []

    def draw(noise: Noise) -> int:
        drawn.append(noise)
        return 0

    monkeypatch.setattr(Noise, "draw", draw)
    again = market.ask(market.order("bob"), "SELECT SUM(delay) FROM f WHERE NOT origin = 'EWR'")
    assert not isinstance(first, dict)
    assert not isinstance(again, dict)
    assert (again.numbers, again.epsilon, drawn) == (first.numbers, 0, [])
    other = market.ask(market.order("bob"), EWR)
    assert not isinstance(other, dict)
    assert len(drawn) == 1


def test_a_stricter_cohort_is_another_question_and_charged(market: Market) -> None:
    loose, strict = market.order("ann"), market.order("ann", minimumCohort=20)
    charged = []
    for order in (loose, strict, loose, strict):
        answer = market.ask(order, ALL)
        assert not isinstance(answer, dict)
        charged.append(answer.epsilon)
    assert charged == [1_000_000, 1_000_000, 0, 0]


WORKER = """
import json, sys
from pathlib import Path
from marketplace.vault.keeping.folder import VaultFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, keys

home, account, tasks = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.stdin.readline())
supplier = keys("supplier")
cipher = Cipher(supplier.seed)
vault = Vault(supplier, VaultFolder(home / "vault", cipher), PrivacyStore(account, cipher), DEPLOYMENT)
print("ready", flush=True)
sys.stdin.readline()
for task in tasks:
    decision = vault.decide(task, NOW)
    print(json.dumps(decision.release or decision.refusal), flush=True)
"""


def processes(market: Market, shares: list[list[Any]]) -> Iterator[list[dict[str, Any]]]:
    """What each of several vault processes says of its tasks; all start deciding at once."""
    command = [sys.executable, "-c", WORKER, str(market.home), str(market.vault.store.path)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in shares
    ]
    for process, tasks in zip(running, shares, strict=True):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(tasks) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        said, _ = process.communicate()
        assert process.returncode == 0
        yield [json.loads(line) for line in said.splitlines()]


def test_several_vault_processes_on_one_account_cannot_overspend_together(market: Market) -> None:
    poor = replace(market, budget=3_500_000)
    group = {"name": "friends", "accounts": [keys(name).address for name in ("ann", "bob")]}
    shares: list[list[Any]] = [[], [], []]
    for index in range(12):
        order = poor.order(("ann", "bob", "eve", "tim")[index % 4], buyerCap=1_600_000, groups=[group])
        shares[index % 3].append(vault_task(poor.task(order, poor.query(order, JFK, 700_000 + index))))
    said = [document for part in processes(poor, shares) for document in part]
    released = [item for item in said if item["type"] == "release"]
    codes = {item["code"] for item in said if item["type"] == "refusal"}
    assert len(said) == 12
    assert codes <= {"budget_exhausted", "buyer_budget_exhausted", "group_budget_exhausted"}
    assert len(released) == 4, "the series has budget for four"
    totals = sorted((item["spentAsset"], item["epsilon"]) for item in released)
    assert [total for total, _ in totals] == [sum(charge for _, charge in totals[: n + 1]) for n in range(4)]
    assert totals[-1][0] == poor.vault.store.spent(poor.series) <= 3_500_000
    with poor.vault.store.exclusive() as account:
        assert account.spent_buyer(poor.series, group["accounts"]) <= 1_600_000
    assert len({digest(item) for item in said}) == 12
