"""The same worker on a network that others seal: here an anvil that makes a block every second or every transaction."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from marketplace.errors import ConfigurationError, PortError
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.node import find_anvil
from marketplace.ledger.profile import LedgerSettings
from marketplace.ledger.rebuild import check
from marketplace.ledger.relayer import Relayer
from marketplace.ledger.rpc import RpcClient
from marketplace.ledger.tables import LedgerBlock, LedgerIntent, LedgerTransaction
from marketplace.ledger.worker import LedgerWorker
from marketplace.storage.engine import reading
from tests.integration.ledger.conftest import MakeWorker, enqueue
from tests.integration.ledger.market import OPENING, Market, ledger_settings

SOON = 30 * 86_400
Network = Callable[..., str]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Starts a network and returns its URL."""
    running: list[subprocess.Popen[bytes]] = []

    def run(*flags: str) -> str:
        fixed = ["--port", "0", "--chain-id", "20260", "--accounts", "0", "--gas-price", "0", "--base-fee", "0"]
        fixed += ["--hardfork", "cancun", "--gas-limit", "1000000000", "--cache-path", str(tmp_path / "cache")]
        output = tmp_path / f"network-{len(running)}.log"
        with output.open("wb") as log:
            running.append(subprocess.Popen([str(find_anvil()), *fixed, *flags], stdout=log, cwd=tmp_path))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if found := re.search(r"Listening on (\S+)\n", output.read_text()):
                return f"http://{found[1]}"
            time.sleep(0.02)
        raise AssertionError("the network did not start")

    yield run
    for process in running:
        process.kill()
        process.wait()


def work(worker: LedgerWorker, engine: Engine, seconds: float = 20) -> Counter[str]:
    """Step until every intent is decided."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        worker.step()
        with reading(engine) as opened:
            found = Counter(opened.exec(select(LedgerIntent.status)).all())
        if not found["queued"] and not found["planned"]:
            return found
        time.sleep(0.05)
    raise AssertionError(f"undecided after {seconds} s: {found}")


def open_market(worker: LedgerWorker, engine: Engine) -> Market:
    market = Market(worker.profile.deployment)
    enqueue(engine, market.opening(int(time.time())))
    assert work(worker, engine) == {"mined": OPENING}
    return market


PACES = {"every second": ("--block-time", "1"), "every transaction": ("--order", "fifo")}


@pytest.mark.parametrize("pace", PACES)
def test_a_market_runs_and_survives_a_restart(
    network: Network, make_worker: MakeWorker, engine: Engine, tmp_path: Path, pace: str
) -> None:
    settings = ledger_settings(tmp_path, network(*PACES[pace]))
    first = make_worker(settings=settings)
    market = open_market(first, engine)
    until = int(time.time()) + SOON
    enqueue(engine, [*(market.fund(n, until) for n in range(60)), market.settle(99)])
    assert first._plan()  # signed and committed, but the network has not been told
    first.close()

    second = make_worker(settings=settings)
    assert work(second, engine) == {"mined": OPENING + 60, "refused": 1}
    enqueue(engine, [market.settle(n) for n in range(60)])
    assert work(second, engine) == {"mined": OPENING + 120, "refused": 1}
    with reading(engine) as opened:
        transactions = opened.exec(select(LedgerTransaction).order_by(col(LedgerTransaction.nonce))).all()
        numbers = opened.exec(select(LedgerBlock.number).order_by(col(LedgerBlock.number))).all()
    assert [row.nonce for row in transactions] == list(range(len(transactions)))
    assert all(row.block for row in transactions)
    assert list(numbers) == list(range(numbers[0], numbers[-1] + 1))  # from the head that was found
    assert check(engine, PROJECTORS).rows > 60


def test_what_the_network_has_already_is_not_an_error(
    network: Network, make_worker: MakeWorker, engine: Engine, tmp_path: Path
) -> None:
    worker = make_worker(settings=ledger_settings(tmp_path, network("--block-time", "1")))
    open_market(worker, engine)
    enqueue(engine, [Market(worker.profile.deployment).issue("buyer", 5, ref=1)])
    worker.step()
    worker.chain.open()  # forgets what it has sent: the next step sends the same bytes again, pending or mined
    assert work(worker, engine) == {"mined": OPENING + 1}


def all_in_blocks(node: RpcClient, engine: Engine) -> bool:
    """Whether the network has sealed every transaction that is planned."""
    with reading(engine) as opened:
        hashes = opened.exec(select(LedgerTransaction.hash)).all()
    return None not in node.batch([("eth_getTransactionReceipt", [found]) for found in hashes])


def test_blocks_count_only_when_others_stand_on_them(
    network: Network, make_worker: MakeWorker, engine: Engine, tmp_path: Path
) -> None:
    url = network("--order", "fifo")
    worker = make_worker(settings=replace(ledger_settings(tmp_path, url), confirmations=2))
    node = RpcClient(url)
    enqueue(engine, [Market(worker.profile.deployment).issue("buyer", 5)])
    worker.step()
    while not all_in_blocks(node, engine):  # a network seals what it was sent a little later
        worker.step()
        time.sleep(0.02)
    seen: list[str] = []
    for _ in range(3):
        worker.step()
        with reading(engine) as opened:
            seen += opened.exec(select(LedgerIntent.status)).all()
        node.call("evm_mine")
    assert seen == ["planned", "planned", "refused"]  # there is no bank yet
    node.close()


def test_a_network_that_takes_back_final_blocks_is_not_followed(
    network: Network, make_worker: MakeWorker, engine: Engine, tmp_path: Path
) -> None:
    url = network("--order", "fifo")
    settings = ledger_settings(tmp_path, url)
    worker = make_worker(settings=settings)
    open_market(worker, engine)
    node = RpcClient(url)
    node.call("anvil_reorg", 1, [])
    node.call("evm_mine")
    with reading(engine) as opened:
        before = opened.exec(select(LedgerBlock.hash)).all()
    with pytest.raises(PortError) as refusal:
        worker.step()
    assert refusal.value.code == "ledger_reorganised"
    assert not refusal.value.retryable
    with reading(engine) as opened:
        assert opened.exec(select(LedgerBlock.hash)).all() == before
    worker.close()
    with pytest.raises(ConfigurationError) as differs:
        make_worker(settings=settings)
    assert differs.value.code == "ledger_journal_differs"
    node.close()


def test_a_relayer_that_was_used_before_is_refused(network: Network, make_worker: MakeWorker, tmp_path: Path) -> None:
    url = network("--order", "fifo")
    settings = ledger_settings(tmp_path, url)
    node, relayer = RpcClient(url), Relayer(settings.relayer_key, settings.chain_id)
    node.call("eth_sendRawTransaction", "0x" + relayer.sign(0, relayer.address, b"", 21_000).raw.hex())
    with pytest.raises(ConfigurationError) as refusal:
        make_worker(settings=settings)
    assert refusal.value.code == "ledger_relayer_used"
    node.close()


def test_another_chain_is_refused(network: Network, make_worker: MakeWorker, tmp_path: Path) -> None:
    settings: LedgerSettings = replace(ledger_settings(tmp_path, network()), chain_id=1)
    with pytest.raises(ConfigurationError) as refusal:
        make_worker(settings=settings)
    assert refusal.value.code == "ledger_chain_differs"
