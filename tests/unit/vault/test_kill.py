"""Killed at any moment, the vault has charged for every share that left it, and forgets no promise."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from marketplace.queries.handover import vault_task
from tests.sealed_market import NOW, Market, open_market

ROUNDS = 6
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import json, sys
from pathlib import Path
from marketplace.vault.folder import VaultFolder
from marketplace.vault.release import Vault
from marketplace.vault.secrecy import Cipher
from marketplace.vault.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, keys

home, tasks = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
supplier = keys("supplier")
cipher = Cipher(supplier.seed)
store = PrivacyStore(home / "vault" / "ledger.sqlite", cipher)
vault = Vault(supplier, VaultFolder(home / "vault", cipher), store, DEPLOYMENT)
print("ready", flush=True)
for task in tasks:
    decision = vault.decide(task, NOW)
    print(json.dumps(decision.release or decision.refusal), flush=True)
"""


def questions() -> list[str]:
    """Different questions whose cohorts do not meet the guard."""
    where = [f"origin = '{origin}' AND month IN ({months})" for origin in ("EWR", "LGA") for months in ("1, 2", "3, 4")]
    return [f"SELECT SUM({measure}) FROM f WHERE {part}" for measure in ("delay", "fare") for part in where]


def run_and_kill(market: Market, tasks: Path, seconds: float) -> list[str]:
    """Lines that left a vault process before it was killed."""
    command = [sys.executable, "-c", WORKER, str(market.home), str(tasks)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        return [line for line in process.stdout.read().splitlines() if line.endswith("}")]


def test_a_killed_vault_never_loses_a_charge(tmp_path: Path) -> None:
    market = open_market(tmp_path)
    # One order for each question, so that every task's voucher holds whatever was answered before it.
    tasks = []
    for text in questions():
        order = market.order()
        tasks.append(vault_task(market.task(order, market.query(order, text))))
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    promised: dict[str, str] = {}
    chance = random.Random(5)
    for _ in range(ROUNDS):
        for line in run_and_kill(market, tmp_path / "tasks.json", chance.uniform(0.01, 0.25)):
            release = json.loads(line)
            assert release["type"] == "release"
            assert promised.setdefault(release["query"], line) == line, "the same query got another release"
        spent = market.vault.store.spent(market.series)
        assert spent >= 1_000_000 * len(promised)
    final = [market.vault.decide(task, NOW).release for task in tasks]
    assert market.vault.store.spent(market.series) == 1_000_000 * len(tasks)
    for release in final:
        assert release is not None
        kept = promised.get(release["query"])
        assert kept is None or json.loads(kept) == release
    assert promised, "no release left the vault in any round"
