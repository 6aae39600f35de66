"""Killed at any moment, the vault has charged for every share that left it, and forgets no promise."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from marketplace.queries.protocol.handover import vault_task
from tests.sealed_market import NOW, Market, open_market

ROUNDS = 6
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import json, sys
from pathlib import Path
from marketplace.vault.keeping.folder import VaultFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
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


EVERYWHERE = """
import json, os, shutil, signal, sqlite3, sys
from pathlib import Path
from marketplace.vault.keeping import store as storing
from marketplace.vault.keeping.folder import VaultFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from tests.sealed_market import DEPLOYMENT, NOW, keys

home, work = Path(sys.argv[1]), Path(sys.argv[2])
tasks = json.loads((work / "tasks.json").read_text())
supplier = keys("supplier")
cipher = Cipher(supplier.seed)
folder = VaultFolder(home / "vault", cipher)


class Deadly(sqlite3.Connection):
    "Ends the process at the n-th moment: before or after a statement."
    left = 0

    def execute(self, *arguments):
        self.tick()
        done = super().execute(*arguments)
        self.tick()
        return done

    def tick(self):
        if Deadly.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Deadly.left -= 1


def vault_on(path):
    return Vault(supplier, folder, storing.PrivacyStore(path, cipher), DEPLOYMENT)


def tell(where, decision):
    with where.open("a") as file:
        file.write(json.dumps(decision.release or decision.refusal) + "\\n")


start = work / "start.sqlite"
vault_on(start).decide(tasks[0], NOW)  # an account with a past
moment = 0
while True:
    path, said = work / f"{moment}.sqlite", work / f"{moment}.json"
    with sqlite3.connect(start) as one, sqlite3.connect(path) as two:
        one.backup(two)
    child = os.fork()
    if child == 0:
        vault = vault_on(path)
        connect = sqlite3.connect
        storing.sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Deadly)
        Deadly.left = moment
        for task in tasks[1:]:
            tell(said, vault.decide(task, NOW))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status)
    assert killed or os.WEXITSTATUS(status) == 0
    left = [json.loads(line) for line in said.read_text().splitlines()] if said.exists() else []
    vault = vault_on(path)
    with vault.store.exclusive() as account:
        kept = account._connection.execute("SELECT release FROM releases").fetchall()
        answers = account._connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        series = account._connection.execute("SELECT series FROM series").fetchone()[0]
        spent = account.spent_series(series)
    kept = [json.loads(row[0]) for row in kept]
    again = [vault.decide(task, NOW).release for task in tasks]
    facts = {"killed": killed, "left": left, "kept": kept, "answers": answers, "spent": spent, "again": again}
    facts["finally"] = vault.store.spent(series)
    print(json.dumps(facts), flush=True)
    if not killed:
        break
    moment += 1
"""


def questions() -> list[str]:
    """Different questions whose cohorts do not meet the guard."""
    where = [f"origin = '{origin}' AND month IN ({months})" for origin in ("EWR", "LGA") for months in ("1, 2", "3, 4")]
    return [f"SELECT SUM({measure}) FROM f WHERE {part}" for measure in ("delay", "fare") for part in where]


def run_and_kill(market: Market, tasks: Path, seconds: float, *, answered: bool) -> list[str]:
    """Lines that left a vault process before it was killed, so long after its start or after its first answer."""
    command = [sys.executable, "-c", WORKER, str(market.home), str(tasks)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        first = process.stdout.readline() if answered else ""
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        return [line for line in (first + process.stdout.read()).splitlines() if line.endswith("}")]


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
    for turn in range(ROUNDS):
        moment = chance.uniform(0.01, 0.25)
        for line in run_and_kill(market, tmp_path / "tasks.json", moment, answered=turn % 2 == 1):
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


def test_killed_at_every_moment_between_begin_and_the_answer(tmp_path: Path) -> None:
    """SIGKILL before and after every single statement of two decisions and of a repeated question."""
    market = open_market(tmp_path)
    tasks = []
    for text in [*questions()[:3], questions()[1]]:
        order = market.order()
        tasks.append(vault_task(market.task(order, market.query(order, text))))
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    command = [sys.executable, "-c", EVERYWHERE, str(market.home), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    moments = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(moments) > 60
    assert [moment["killed"] for moment in moments] == [True] * (len(moments) - 1) + [False]
    for moment in moments:
        kept = {release["query"]: release for release in moment["kept"]}
        assert moment["spent"] == sum(release["epsilon"] for release in moment["kept"])
        assert moment["answers"] == len([release for release in moment["kept"] if release["epsilon"]])
        for release in moment["left"]:
            assert kept[release["query"]] == release, "what left was written before"
        assert [release["epsilon"] for release in moment["again"]] == [1_000_000] * 3 + [0]
        for release in moment["again"]:
            assert kept.get(release["query"], release) == release, "the same query gets the same release"
        totals = [release["spentAsset"] for release in moment["again"]]
        assert totals == [1_000_000, 2_000_000, 3_000_000, 3_000_000]
        assert moment["finally"] == 3_000_000
    assert {len(moment["kept"]) for moment in moments} == {1, 2, 3, 4}
