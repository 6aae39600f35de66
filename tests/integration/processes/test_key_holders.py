"""`marketplace vault run` and `marketplace custodian run` as processes: behind a firewall, silent about keys, closed.

Each is started through a small program that, while the command works, looks at every socket of its own process; nothing
is listened on, and nothing but the service is connected to.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto.keystore import Keys, encrypt
from crypto.seal.splitting import HalfKey
from marketplace.sdk import queries
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.keeping.custody import Deposit, card_of
from marketplace.vault.keeping.secrecy import Cipher
from tests.integration.service.test_way import MINUTE, SQL, Workers
from tests.integration.service.town import NODES, Town, running, town_settings
from tests.sealed_market import keys

PASSWORD = "a planted password"
WATCHED = """
import json, os, sys, threading, time
from marketplace.cli import main
from marketplace.sdk.home import hardening

seen, stop = {"listening": [], "peers": [], "looks": 0, "dumpable": True}, threading.Event()

def sockets():
    names = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except OSError:
            continue
        if target.startswith("socket:["):
            names.add(target[8:-1])
    return names

def look():
    mine = sockets()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/self/net/{kind}") as table:
            for line in table.read().splitlines()[1:]:
                words = line.split()
                if words[9] not in mine:
                    continue
                if words[3] == "0A" or (kind.startswith("udp") and words[2].endswith(":0000")):
                    seen["listening"].append(words[1])
                elif words[2] not in seen["peers"]:
                    seen["peers"].append(words[2])
    seen["looks"] += 1

def watch():
    while not stop.wait(0.01):
        look()

thread = threading.Thread(target=watch, daemon=True)
thread.start()
code = main(sys.argv[2:])
seen["dumpable"] = hardening.is_dumpable()
stop.set()
thread.join()
with open(sys.argv[1], "w") as file:
    json.dump(seen, file)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("firewalled")
    settings = town_settings(folder / "service")
    with running(settings) as context:
        deposit = Deposit(card_of(keys("custodian")), keys("supplier"))
        made = Town(f"http://127.0.0.1:{settings.port}", folder, context, deposit=deposit)
        made.open_market()
        yield made
        made.close()


def home_of(folder: Path, owner: Keys) -> Path:
    folder.mkdir()
    (folder / "keystore.json").write_text(json.dumps(encrypt(owner, PASSWORD, 12)), "utf-8")
    (folder / "keystore.json").chmod(0o600)
    return folder


class Holder:
    """A key holder's process and what it said."""

    def __init__(self, home: Path, url: str, *words: str) -> None:
        self.report, self.said = home / "sockets.json", home / "said.log"
        environment = {**os.environ, "MARKETPLACE_PASSWORD": PASSWORD, "MARKETPLACE_HOME": str(home)}
        environment |= {"MARKETPLACE_URL": url, "MARKETPLACE_DEBUG": "1", "PYTHONFAULTHANDLER": "1"}
        command = [sys.executable, "-c", WATCHED, str(self.report), *words]
        with self.said.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def end(self) -> dict[str, object]:
        """Stop it as an operator would, and return what it saw of its sockets."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, self.said.read_text()
        found: dict[str, object] = json.loads(self.report.read_text())
        return found


@contextmanager
def holders(town: Town, folder: Path) -> Iterator[dict[str, Holder]]:
    """Vault and custodian at work, each with a folder of its own; the custodian took its file by its command."""
    supplier, custodian = home_of(folder / "s", keys("supplier")), home_of(folder / "c", keys("custodian"))
    shutil.copytree(town.folder / "vault", supplier / "vault")
    environment = {**os.environ, "MARKETPLACE_PASSWORD": PASSWORD, "MARKETPLACE_HOME": str(custodian)}
    take = [sys.executable, "-m", "marketplace.cli", "custodian", "take", str(town.facts["dataset"].custody_file)]
    subprocess.run(take, env=environment, check=True, capture_output=True)
    made = {
        "vault": Holder(supplier, town.url, "vault", "run"),
        "custodian": Holder(custodian, town.url, "custodian", "run", "--limit", "20"),
    }
    try:
        yield made
    finally:
        for holder in made.values():
            if holder.process.poll() is None:
                holder.process.kill()
                holder.process.wait()


def test_both_answer_without_listening_on_any_socket_and_without_telling_a_key(town: Town, tmp_path: Path) -> None:
    port = int(town.url.rsplit(":", 1)[1])
    with holders(town, tmp_path) as made:
        with Workers(*(town.node(name).step for name in NODES)):
            answer = queries.ask(town["buyer"], town.facts["order"], SQL, 2_000_000, wait_seconds=MINUTE)
        assert [row["origin"] for row in answer.rows()] == ["EWR", "JFK", "LGA"]
        reports = {name: holder.end() for name, holder in made.items()}
        assert recovered(town, tmp_path / "c") == {"releases": 0, "charged": 0}
        for part in (tmp_path / "c" / "custodian").glob("ledger.sqlite*"):
            part.unlink()
        town.wait_for_anchor()
        assert recovered(town, tmp_path / "c") == {"releases": 1, "charged": 2_000_000}
    for report in reports.values():
        assert report["listening"] == []
        assert report["peers"], "it was looking while it was connected"
        assert {peer.rsplit(":", 1)[1] for peer in report["peers"]} == {f"{port:04X}"}  # type: ignore[attr-defined]
        assert int(str(report["looks"])) > 20
        assert report["dumpable"] is False
    said = "".join(holder.said.read_text() for holder in made.values())
    assert "released" in said
    assert [needle for needle in needles(town, tmp_path) if needle in said] == []


def recovered(town: Town, home: Path) -> object:
    """What `custodian recover` says it entered into the account of this folder."""
    environment = {**os.environ, "MARKETPLACE_PASSWORD": PASSWORD, "MARKETPLACE_HOME": str(home)}
    command = [sys.executable, "-m", "marketplace.cli", "custodian", "recover", "--url", town.url, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: object = json.loads(done.stdout)
    return found


def test_a_process_that_listens_is_noticed(tmp_path: Path) -> None:
    """The same watcher around a program that opens a port for a moment."""
    listening = """
def main(_):
    import socket
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        time.sleep(0.5)
    return 0
"""
    script = WATCHED.replace("from marketplace.cli import main\n", listening)
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "report.json")], check=True)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["listening"]
    assert report["dumpable"] is True


def needles(town: Town, folder: Path) -> Iterator[str]:
    yield PASSWORD
    for name in ("supplier", "custodian"):
        seed = keys(name).seed
        yield from (seed.hex(), repr(seed)[2:-1], str(int.from_bytes(seed, "big")))
    half = town.facts["dataset"].ring[0]
    theirs = CustodianFolder(folder / "c" / "custodian", Cipher(keys("custodian").seed))
    for held in (half, theirs.open(town.facts["dataset"].digest).ring[0]):
        assert isinstance(held, HalfKey)
        word = held.to_bytes()[:8]
        yield from (word.hex(), str(int.from_bytes(word, "little")))
