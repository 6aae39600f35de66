"""Killed at any moment, nothing is lost, nothing is done twice, and every block hash that was promised comes back."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update
from sqlmodel import col, select

from marketplace.errors import ConfigurationError, VerificationError
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.rebuild import check, rebuild
from marketplace.ledger.rpc import NodeLostError
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, LedgerIntent, LedgerTransaction
from marketplace.ledger.worker import LedgerWorker
from marketplace.orders.tables import Order
from marketplace.storage.engine import reading, session
from tests.integration.ledger.conftest import MakeWorker, enqueue
from tests.integration.ledger.market import OPENING, Market

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = {"sqlite": 20, "postgresql": 8}
SOON = 30 * 86_400


def embedded(worker: LedgerWorker) -> EmbeddedChain:
    assert isinstance(worker.chain, EmbeddedChain)
    return worker.chain


def feed_and_kill(url: str, folder: Path, delay: float, *, node_first: bool) -> list[list[str]]:
    """Run the feeder, kill it and its node without warning `delay` seconds after it is up; returns what it promised."""
    command = [sys.executable, "-m", "tests.integration.ledger.feeder", url, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as feeder:
        assert feeder.stdout is not None
        lines: list[list[str]] = []
        while not lines or lines[-1][0] != "node":  # blocks that it had to finish come before this line
            line = feeder.stdout.readline()
            assert line, f"the feeder ended by itself: {feeder.wait()}"
            lines.append(line.split())
        time.sleep(delay)
        assert feeder.poll() is None, "the feeder ended by itself"
        pids = [feeder.pid, int(lines[-1][1])]
        for pid in reversed(pids) if node_first else pids:
            os.kill(pid, signal.SIGKILL)
        # The last line may be cut off; what was not said whole was not promised.
        rest = feeder.stdout.read().splitlines(keepends=True)
        return [*lines, *(line.split() for line in rest if line.endswith("\n"))]


def processor_seconds() -> float:
    """What children that have ended took; unlike the clock's, this does not count what else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_killed_again_and_again(
    make_worker: MakeWorker, engine: Engine, tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    worker = make_worker()
    market = Market(worker.profile.deployment)
    enqueue(engine, market.opening(int(time.time())))
    worker.drain()
    worker.close()
    with session(engine) as opened:
        opened.execute(text("CREATE TABLE feeder_orders (number INTEGER PRIMARY KEY)"))
    promised: dict[int, str] = {}
    queued = 0
    chance = random.Random(20261123)
    spent = processor_seconds()
    for turn in range(ROUNDS[engine.dialect.name]):
        url = database_url
        for words in feed_and_kill(url, tmp_path, chance.uniform(0.01, 0.6), node_first=turn % 4 == 3):
            if words[0] == "sealed":
                assert promised.setdefault(int(words[1]), words[2]) == words[2]
            elif words[0] == "queued":
                queued = int(words[2])
    assert processor_seconds() - spent < 60

    survivor = make_worker()
    survivor.drain()
    with reading(engine) as opened:
        kept = dict(opened.execute(select(LedgerBlock.number, LedgerBlock.hash)).all())
        orders = opened.execute(text("SELECT number FROM feeder_orders ORDER BY number")).scalars().all()
        intents = Counter(opened.exec(select(LedgerIntent.status)).all())
        happened = Counter(
            (event.name, event.args["orderId"])
            for event in opened.exec(select(LedgerEvent).where(col(LedgerEvent.name).in_(("Funded", "Settled"))))
        )
        nonces = opened.exec(select(LedgerTransaction.nonce).order_by(col(LedgerTransaction.nonce))).all()
        settled = opened.exec(select(Order.order_id).where(Order.status == 2)).all()
    ids = [market.order(number)[0] for number in orders]
    assert promised, "no block was promised before a kill: the test would prove nothing"
    assert {number: kept.get(number) for number in promised} == promised
    assert list(orders) == list(range(len(orders))), "a business row is missing"
    assert len(orders) >= queued, "a committed business row was lost"
    assert intents == {"mined": OPENING + 2 * len(orders)}, "an intent was lost, or undecided"
    assert happened == {(name, order): 1 for order in ids for name in ("Funded", "Settled")}, "lost, or done twice"
    assert list(nonces) == list(range(len(nonces)))
    assert sorted(settled) == sorted(ids)
    assert check(engine, PROJECTORS).blocks == len(kept)
    # And once more from nothing: the node that has replayed all this gives the promised hashes itself.
    node = embedded(survivor).node
    assert all(node.block(number).hash == promise for number, promise in promised.items())


def test_a_node_killed_in_the_middle_of_a_batch_is_replaced_and_the_batch_goes_through(
    worker: LedgerWorker, engine: Engine, market: Market, caplog: pytest.LogCaptureFixture
) -> None:
    until = int(time.time()) + SOON
    enqueue(engine, [market.fund(number, until) for number in range(150)])
    victim = embedded(worker).node.pid
    os.kill(victim, signal.SIGSTOP)  # it takes the transactions from the socket and does nothing with them

    def kill_soon() -> None:
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_soon)
    killer.start()
    assert worker.step() == 1
    killer.join()
    assert embedded(worker).node.pid != victim
    assert "starting another node" in caplog.text
    with reading(engine) as opened:
        assert Counter(opened.exec(select(LedgerIntent.status)).all()) == {"mined": OPENING + 150}
    assert check(engine, PROJECTORS).rows > 150


def test_a_node_killed_between_batches_is_replaced(worker: LedgerWorker, engine: Engine, market: Market) -> None:
    for number in range(3):
        os.kill(embedded(worker).node.pid, signal.SIGKILL)
        enqueue(engine, [market.fund(number, int(time.time()) + SOON)])
        assert worker.step() == 1
    assert worker.chain.alive()


def test_a_stranger_who_mines_on_our_node_is_noticed(worker: LedgerWorker, engine: Engine, market: Market) -> None:
    victim = embedded(worker).node
    victim.rpc.call("evm_mine")
    enqueue(engine, [market.fund(1, int(time.time()) + SOON)])
    assert worker.step() == 1
    assert embedded(worker).node.pid != victim.pid
    assert check(engine, PROJECTORS).blocks > 3


def test_the_node_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from marketplace.ledger.node import Node, NodeSettings\n"
        "node = Node(NodeSettings(1, 1_800_000_000, Path(sys.argv[1]))); print(node.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        node = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while is_running(node) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(node)


def is_running(pid: int) -> bool:
    try:
        return " Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except FileNotFoundError:
        return False


def test_the_node_writes_nothing_outside_its_folder(worker: LedgerWorker, market: Market, tmp_path: Path) -> None:
    environment = Path(f"/proc/{embedded(worker).node.pid}/cwd").resolve()
    assert environment == tmp_path / "node"
    links = Path(f"/proc/{embedded(worker).node.pid}/fd").iterdir()
    files = [path for path in (link.readlink() for link in links) if path.is_absolute() and path.is_file()]
    assert all(tmp_path in path.parents for path in files), files


CORRUPTIONS = {
    "another hash": update(LedgerBlock).where(col(LedgerBlock.number) == 2).values(hash="0x" + "00" * 32),
    "another time": update(LedgerBlock).where(col(LedgerBlock.number) == 2).values(timestamp=LedgerBlock.timestamp + 1),
    "a time before the parent": update(LedgerBlock).where(col(LedgerBlock.number) == 2).values(timestamp=1),
    "another first block": update(LedgerBlock).where(col(LedgerBlock.number) == 0).values(hash="0x" + "11" * 32),
    "a transaction cut off": update(LedgerTransaction).where(col(LedgerTransaction.nonce) == 7).values(raw=b"\x02\xf8"),
    "a transaction moved": update(LedgerTransaction).where(col(LedgerTransaction.nonce) == 7).values(block=None),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_changed_journal_is_refused(
    make_worker: MakeWorker, engine: Engine, market: Market, worker: LedgerWorker, corruption: str
) -> None:
    worker.close()
    with engine.begin() as connection:
        connection.execute(CORRUPTIONS[corruption])
    with pytest.raises(ConfigurationError) as refusal:
        make_worker()
    assert refusal.value.code == "ledger_journal_differs"


def test_a_node_that_never_comes_up_is_reported(
    worker: LedgerWorker, engine: Engine, market: Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\necho no room; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("MARKETPLACE_ANVIL", str(program))
    os.kill(embedded(worker).node.pid, signal.SIGKILL)
    enqueue(engine, [market.fund(1, int(time.time()) + SOON)])
    with pytest.raises(Exception, match="did not start: no room") as refusal:
        worker.step()
    assert getattr(refusal.value, "code", "") == "ledger_node_start"
    with pytest.raises(NodeLostError):
        assert embedded(worker).node
    monkeypatch.delenv("MARKETPLACE_ANVIL")
    assert worker.step() == 1


@pytest.fixture
def busy(worker: LedgerWorker, engine: Engine, market: Market) -> Engine:
    """A database with some history."""
    until = int(time.time()) + SOON
    for start in range(0, 30, 10):
        numbers = range(start, start + 10)
        calls = [*(market.fund(n, until) for n in numbers), *(market.settle(n) for n in numbers)]
        enqueue(engine, calls)
        worker.step()
    return engine


def test_the_read_model_can_be_dropped_and_rebuilt(busy: Engine) -> None:
    before = check(busy, PROJECTORS)
    with reading(busy) as opened:
        orders = [row.model_dump() for row in opened.exec(select(Order).order_by(col(Order.order_id)))]
    with session(busy) as opened:
        opened.execute(text("DELETE FROM orders"))
    with pytest.raises(Exception, match="orders") as finding:
        check(busy, PROJECTORS)
    assert getattr(finding.value, "code", "") == "read_model_differs"
    assert rebuild(busy, PROJECTORS) == before.events
    assert check(busy, PROJECTORS) == before
    with reading(busy) as opened:
        assert [row.model_dump() for row in opened.exec(select(Order).order_by(col(Order.order_id)))] == orders


TAMPERINGS = {
    "read_model_differs": "UPDATE orders SET escrow = escrow + 1 WHERE order_id = (SELECT min(order_id) FROM orders)",
    "ledger_events_differ": "DELETE FROM ledger_event WHERE name = 'Settled'",
}


@pytest.mark.parametrize("code", TAMPERINGS)
def test_a_changed_row_is_found(busy: Engine, code: str) -> None:
    with session(busy) as opened:
        opened.execute(text(TAMPERINGS[code]))
    with pytest.raises(Exception, match=r".") as finding:
        check(busy, PROJECTORS)
    assert getattr(finding.value, "code", "") == code


def _without_the_end(packed: bytes) -> bytes:
    return packed[:-9]


def _with_more(packed: bytes) -> bytes:
    return packed + packed


def _with_another_bit(packed: bytes) -> bytes:
    """Of a receipt's text, which stands early in the frame as it is."""
    return packed[:20] + bytes([packed[20] ^ 1]) + packed[21:]


@pytest.mark.parametrize("damage", [_without_the_end, _with_more, _with_another_bit])
def test_damaged_receipts_are_named_with_their_block(busy: Engine, damage: Callable[[bytes], bytes]) -> None:
    with session(busy) as opened:
        number, packed = opened.execute(text("SELECT number, receipts FROM ledger_block WHERE number = 3")).one()
        known = {"receipts": damage(bytes(packed)), "number": number}
        opened.execute(text("UPDATE ledger_block SET receipts = :receipts WHERE number = :number"), known)
    with pytest.raises(VerificationError, match=r"block 3: its receipts cannot be read") as finding:
        check(busy, PROJECTORS)
    assert finding.value.code == "ledger_events_differ"
