"""`kill -9` of the service and its ledger node together, at random moments, while a bank issues money over HTTP.

What the service acknowledged must be on the ledger, once; what the ledger promised (a block's hash) must come back the
same; money adds up; and the buyer's own system is told of every issue, by webhook, though it fails now and
then. The service is the real command, `marketplace serve`, in a process group of its own.
"""

import os
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from crypto.canonical import to_hex
from crypto.keystore import Keys, generate
from marketplace.errors import MarketplaceError
from marketplace.sdk import participants, settlement, webhooks
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home
from marketplace.settings import make_operator_keys
from marketplace.types import Role
from tests.integration.service.town import free_port
from tests.receiver import Receiver, receiving

ROUNDS = 20
READY_SECONDS = 60


class Exchange:
    """The service as an operating-system process, and what it has acknowledged so far.

    Args:
        folder: its data and secrets. registrar: address that the contracts admit at deployment.
    """

    def __init__(self, folder: Path, registrar: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.database = folder / "data" / "marketplace.db"
        make_operator_keys(folder / "secrets")
        own = {"SECRETS_DIR": folder / "secrets", "DATA_DIR": folder / "data", "GENESIS_REGISTRAR": registrar}
        own |= {"PORT": self.url.rsplit(":", 1)[1], "PUBLIC_URL": self.url}
        own |= {"WEBHOOK_ALLOW_LOOPBACK": "true", "WEBHOOK_RETRY_SECONDS": "1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MARKETPLACE_")}
        self._environment = kept | {f"MARKETPLACE_{name}": str(value) for name, value in own.items()}
        self._log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it is ready."""
        command = [sys.executable, "-m", "marketplace.cli", "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        end = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text("utf-8")[-2000:]
            assert time.monotonic() < end, self._log.read_text("utf-8")[-2000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the service, its node, and whatever else is in its group."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def promised(self) -> dict[int, str]:
        """Every block hash that is committed, by number."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT number, hash FROM ledger_block WHERE hash IS NOT NULL").fetchall()
        return {int(number): str(digest) for number, digest in rows}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


class Bank:
    """Issues one fen, then two, then three … to the buyer until told to stop; remembers what was acknowledged."""

    def __init__(self, client: Client, buyer: str) -> None:
        self.acknowledged: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self._client, self._buyer, self._amount = client, buyer, 0
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Issue in a thread for as long as the block lasts."""
        self._stop.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._issue()
            except (MarketplaceError, httpx.HTTPError):
                time.sleep(0.01)

    def _issue(self) -> None:
        self._amount += 1
        message = {"account": self._buyer, "amount": self._amount, "ref": to_hex(secrets.token_bytes(32))}
        message |= {"currency": 156, "bank": self._client.address, "deadline": int(time.time()) + 3600}
        body = {"issue": message, "signature": self._client.sign("Issue", message)}
        self.sent[str(message["ref"])] = self._amount
        answer = self._client.post("/settlement/issues", body)
        self.acknowledged[answer["intent"]] = self._amount


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = Exchange(tmp_path, _registrar().address)
    made.start()
    yield made
    made.kill()


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(exchange: Exchange, tmp_path: Path) -> None:
    buyer = generate()
    with ExitStack() as clients, receiving() as receiver:
        client = clients.enter_context(_admitted(exchange, tmp_path / "bank", Role.BANK, generate()))
        own = clients.enter_context(_admitted(exchange, tmp_path / "buyer", Role.BUYER, buyer))
        receiver.secret = webhooks.register(own, receiver.url, ["settlement.issued"])["secret"]
        receiver.answers = [500, 204, 204, 503, 204, 500]
        _torture(exchange, client, buyer.address)
        _require_told(receiver, _issues(exchange.database))


def _require_told(receiver: Receiver, issued: dict[str, int]) -> None:
    """Every issue was told, in the ledger's order but for what was told twice, which has the same id each time."""
    receiver.wait(lambda now: len({name for name, _ in now.taken}) >= len(issued), seconds=60)
    by_name = dict(receiver.taken)
    assert {event["data"]["ref"]: event["data"]["amount"] for event in by_name.values()} == issued
    firsts = list(dict.fromkeys(name for name, _ in receiver.taken))
    places = [(by_name[name]["data"]["event"]["block"], by_name[name]["data"]["event"]["logIndex"]) for name in firsts]
    assert places == sorted(places)


def _torture(exchange: Exchange, client: Client, buyer: str) -> None:
    bank = Bank(client, buyer)
    promised: dict[int, str] = {}
    moments = random.Random(20131)
    for _ in range(ROUNDS):
        with bank.at_work():
            time.sleep(moments.uniform(0.02, 0.6))
            exchange.kill()
        now = exchange.promised()
        assert {number: now.get(number) for number in promised} == promised
        promised = now
        exchange.start()
    fates = {digest: client.wait_for_intent(digest)["status"] for digest in bank.acknowledged}
    assert set(fates.values()) == {"mined"}
    assert len(bank.acknowledged) >= ROUNDS
    issued = _issues(exchange.database)
    assert len(set(issued)) == len(issued), "an issue happened twice"
    assert {reference: bank.sent[reference] for reference in issued} == issued
    assert settlement.balance(client, buyer)["balance"] == sum(issued.values())
    final = exchange.promised()
    assert {number: final.get(number) for number in promised} == promised


def _issues(database: Path) -> dict[str, int]:
    """Reference to amount of every Issued event, as the follower stored it."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT json_extract(args, '$.ref'), json_extract(args, '$.amount') FROM ledger_event WHERE name = 'Issued'"
        ).fetchall()
    assert len({reference for reference, _ in rows}) == len(rows)
    return {str(reference): int(amount) for reference, amount in rows}


def _registrar() -> Keys:
    return Keys(bytes.fromhex("5c" * 16 + "a7" * 16))


def _admitted(exchange: Exchange, home: Path, role: Role, keys: Keys) -> Client:
    client = Client(exchange.url, keys, home=Home(home))
    participants.join(client, role, role.name or "", role.name or "")
    with Client(exchange.url, _registrar(), home=Home(home.with_name(f"{home.name}-registrar"))) as registrar:
        participants.admit(registrar, keys.address)
    return client
