"""Orders funded and settled, and assets registered and confirmed, in a second: through the ledger's pipeline, and by
the loop that web3.py's guide shows.

Same machine, same kind of node (anvil), same contracts, same signed intents. The loop sends one transaction for a verb
and waits for its receipt; nothing is stored. It is measured twice: as web3.py does it unasked (gas estimated, the
receipt looked for every 0.1 s), and tuned (gas given, looked for every millisecond). The pipeline queues each intent in
the database (SQLite with synchronous=FULL), seals blocks of batches, and counts one when its events and the read
model are committed: nothing that it counted is lost by a crash. The participants' signing is left out on both sides: it
happens on their machines.
"""

import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from eth_account import Account
from hexbytes import HexBytes
from sqlalchemy import Engine, func
from sqlmodel import select
from web3 import HTTPProvider, Web3
from web3.types import Nonce, TxParams, TxReceipt, Wei

from crypto.canonical import keccak256, to_hex
from marketplace.calls import encode_call
from marketplace.deployment import Genesis
from marketplace.documents.ids import asset_id
from marketplace.evidence.projections import PROJECTORS
from marketplace.intents import CONTRACTS, Deployment
from marketplace.ledger.intake import queue_intents
from marketplace.ledger.node import find_anvil
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerIntent
from marketplace.ledger.worker import LedgerWorker
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.migrate import upgrade
from scripts.benchmarks.tables import Table, versions
from tests.integration.ledger.market import FAR, Call, Market, key, ledger_settings
from tests.registering import code, deposit_acts

MONTH = 30 * 86_400
CHAIN_ID = 20260
TUNED_POLL_SECONDS = 0.001
GROUP = 500
START_SECONDS = 30.0


@dataclass(frozen=True)
class Work:
    """What is asked of the ledger again and again.

    Args:
        name: one of it. title: of the table.
        calls: everything that so many of it take, signed at a time, in the order in which both ways get it.
    """

    name: str
    title: str
    calls: Callable[[Market, int, int], list[Call]]


class Speed(NamedTuple):
    """How many a second, and seconds of this process's processor time for one."""

    rate: float
    processor: float


class _Watch:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._begun, self._worked = time.perf_counter(), time.process_time()

    def speed(self, count: int) -> Speed:
        """Of so many until now."""
        worked = time.process_time() - self._worked
        return Speed(count / (time.perf_counter() - self._begun), worked / count)


def run(quick: bool) -> list[Table]:
    """Measures both ways in turn, on fresh nodes: orders, then registrations."""
    few, many, rounds = (20, 300, 1) if quick else (100, 2_000, 3)
    return [_table(work, few, many, rounds) for work in WORKS]


def _table(work: Work, few: int, many: int, rounds: int) -> Table:
    found = [_measure_round(work, few, many) for _ in range(rounds)]
    plain, tuned, single, grouped = (
        Speed(statistics.median(one.rate for one in column), min(one.processor for one in column))
        for column in zip(*found, strict=True)
    )
    measured = (
        ("web3.py, send and wait, its defaults (not stored)", few // 5, plain),
        ("web3.py, send and wait, tuned (not stored)", few, tuned),
        ("pipeline, a database transaction for each intent", many // 4, single),
        (f"pipeline, {GROUP} intents in a database transaction", many, grouped),
    )
    rows = [
        [
            *(way, str(count), f"{speed.rate:,.1f}", f"{speed.rate / plain.rate:.1f}"),
            *(f"{speed.rate / tuned.rate:.1f}", f"{1000 * speed.processor:.2f}"),
        ]
        for way, count, speed in measured
    ]
    return Table(
        title=work.title,
        columns=[
            "way",
            f"{work.name}s",
            f"{work.name}s a second",
            "times the defaults",
            "times the tuned loop",
            "processor ms",
        ],
        rows=rows,
        notes=[
            versions("web3", "eth-account", "sqlalchemy"),
            f"Median of {rounds} rounds of all four; load {os.getloadavg()[0]:.1f}.",
            "Processor time is the client's, for one; the least of the rounds.",
            "After each pipeline run the read model is compared with the ledger's events, row by row.",
        ],
    )


def _measure_round(work: Work, few: int, many: int) -> tuple[Speed, Speed, Speed, Speed]:
    with tempfile.TemporaryDirectory() as folder:
        return (
            _measure_loop(work, Path(folder), few // 5, tuned=False),
            _measure_loop(work, Path(folder), few, tuned=True),
            measure_pipeline(work, Path(folder, "single"), many // 4, group=1),
            measure_pipeline(work, Path(folder, "grouped"), many, group=GROUP),
        )


def measure_pipeline(work: Work, folder: Path, count: int, group: int) -> Speed:
    """How many of `work` a second the pipeline gets confirmed, `group` intents queued in a database transaction."""
    engine = make_engine(f"sqlite:///{folder / 'market.db'}")
    upgrade(engine)
    worker = LedgerWorker(engine, ledger_settings(folder), PROJECTORS)
    worker.open()
    market = Market(worker.profile.deployment)
    _queue(engine, market.opening(int(time.time())), GROUP)
    worker.drain()
    calls = work.calls(market, count, int(time.time()))
    watch = _Watch()
    _queue(engine, calls, group)
    worker.drain(timeout_seconds=600)
    speed = watch.speed(count)
    _require_mined(engine, calls)
    worker.close()
    check(engine, PROJECTORS)
    engine.dispose()
    return speed


def _require_mined(engine: Engine, calls: Sequence[Call]) -> None:
    """What the ledger refused was cheap: with it the comparison would be void."""
    with reading(engine) as opened:
        mined = opened.exec(select(func.count()).where(LedgerIntent.status == "mined")).one()
        refused = opened.exec(select(LedgerIntent.code).where(LedgerIntent.status != "mined")).first()
    if refused is not None or mined < len(calls):
        raise RuntimeError(f"the ledger refused a call of the pipeline: {refused}")


def _queue(engine: Engine, calls: Sequence[Call], group: int) -> None:
    for first in range(0, len(calls), group):
        with session(engine) as opened:
            queue_intents(opened, [call.intent for call in calls[first : first + group]], now=int(time.time()))


def _order_calls(market: Market, orders: int, now: int) -> list[Call]:
    funds = [market.fund(number, now + MONTH) for number in range(orders)]
    return [*funds, *(market.settle(number) for number in range(orders))]


def _registration_calls(market: Market, count: int, now: int) -> list[Call]:
    """Stage by stage, each asset's own: registered, its case filed, accepted, spared notice, deposited; confirmed."""
    names = [_digest("manifest", number) for number in range(count)]
    cases = zip(*(_case(market, name, now) for name in names), strict=True)
    confirmed = [_confirm(market, name, now + MONTH, code(n + 1, "202602")) for n, name in enumerate(names)]
    return [*(_register(market, name) for name in names), *(call for stage in cases for call in stage), *confirmed]


def _case(market: Market, manifest: str, now: int) -> list[Call]:
    asset = asset_id(market.address("supplier"), manifest)
    filing, acts = deposit_acts(asset, market.address("supplier"), market.address("registrar"), now)
    decided = [market.call("Registrations", "decide", [("Decide", act, ["registrar"])]) for act in acts]
    return [market.call("Registrations", "file", [("File", filing, ["supplier"])]), *decided]


def _register(market: Market, manifest: str) -> Call:
    message = {
        "assetId": asset_id(market.address("supplier"), manifest),
        "holder": market.address("supplier"),
        "manifestDigest": manifest,
        "ciphertextRoot": _digest("root", manifest),
        "claimDigest": _digest("claim", manifest),
        "level": 2,
        "epsilonBudget": 10**12,
        "shareHolders": [market.address("supplier"), market.address("partner")],
        "shareBps": [7_000, 3_000],
        "deadline": FAR,
    }
    return market.call("Rights", "register", [("Register", message, ["supplier"])])


def _confirm(market: Market, manifest: str, until: int, named: str) -> Call:
    message = {
        "assetId": asset_id(market.address("supplier"), manifest),
        "claimDigest": _digest("claim", manifest),
        "certificateDigest": _digest("certificate", manifest),
        "code": named,
        "rights": 7,
        "validUntil": until,
        "registrar": market.address("registrar"),
        "version": 1,
        "deadline": FAR,
    }
    return market.call("Rights", "confirm", [("Confirm", message, ["registrar"])])


def _digest(what: str, of: object) -> str:
    return to_hex(keccak256(f"{what} {of}".encode()))


WORKS = (
    Work("order", "Orders funded and settled (two signed verbs each, confirmed by events)", _order_calls),
    Work(
        "registration",
        "Assets registered and confirmed, with titles and shares (six signed verbs each)",
        _registration_calls,
    ),
)


def _measure_loop(work: Work, folder: Path, count: int, *, tuned: bool) -> Speed:
    with automatic_node(folder) as url:
        return measure_loop(work, url, count, tuned=tuned)


def measure_loop(work: Work, url: str, count: int, *, tuned: bool) -> Speed:
    """How many of `work` a second the loop gets confirmed by the node at `url`."""
    sender = Loop(url, tuned=tuned)
    market = sender.open_market()
    calls = work.calls(market, count, sender.now())
    watch = _Watch()
    for call in calls:
        sender.send(call.contract, call)
    return watch.speed(count)


class Loop:
    """The usual way: nonce, sign, send, wait."""

    def __init__(self, url: str, *, tuned: bool) -> None:
        self._tuned = tuned
        self._web3, self._relayer = Web3(HTTPProvider(url)), Account.from_key(key("relayer"))
        settings = ledger_settings(Path())
        genesis = Genesis(
            self._relayer.address.lower(), settings.registrar, settings.treasury, settings.fee_bps, settings.rulebook
        )
        self.deployment = Deployment(CHAIN_ID, genesis.addresses())
        for name in CONTRACTS:
            self._transact(None, genesis.creation_code(name), 15_000_000)

    def now(self) -> int:
        """The time of the node's last block: what a statement may be dated with. A node's clock stands behind ours when
        it took long to start, and no contract takes an act of the future.
        """
        return int(self._web3.eth.get_block("latest")["timestamp"])

    def open_market(self) -> Market:
        """Parties, money, an asset and a listing, on the ledger."""
        market = Market(self.deployment)
        for call in market.opening(self.now()):
            self.send(call.contract, call)
        return market

    def send(self, contract: str, call: Call) -> None:
        """One verb, confirmed.

        Raises:
            RuntimeError: the ledger refused it; then the comparison would be void.
        """
        self.transact(contract, encode_call(contract, call.verb, call.arguments), 2_000_000)

    def transact(self, contract: str, data: bytes, gas: int) -> TxReceipt:
        """A transaction to a contract of ours, confirmed.

        Raises:
            RuntimeError: it failed.
        """
        return self._transact(Web3.to_checksum_address(self.deployment.addresses[contract]), data, gas)

    def _transact(self, to: str | None, data: bytes, gas: int) -> TxReceipt:
        nonce = self._web3.eth.get_transaction_count(self._relayer.address)
        fields: TxParams = {"chainId": CHAIN_ID, "nonce": Nonce(nonce), "value": Wei(0), "data": HexBytes(data)}
        fields |= {"maxFeePerGas": Wei(0), "maxPriorityFeePerGas": Wei(0), "type": 2}
        if to:
            fields["to"] = to
        asked = {**fields, "from": self._relayer.address}
        fields["gas"] = gas if self._tuned or not to else self._web3.eth.estimate_gas(cast("TxParams", asked))
        signed = self._relayer.sign_transaction(cast("dict[str, Any]", fields))
        sent = self._web3.eth.send_raw_transaction(signed.raw_transaction)
        patience = {"poll_latency": TUNED_POLL_SECONDS} if self._tuned else {}
        receipt = self._web3.eth.wait_for_transaction_receipt(sent, **patience)
        if receipt["status"] != 1:
            raise RuntimeError("the ledger refused a call of the loop")
        return receipt


@contextmanager
def automatic_node(folder: Path, *, start: int | None = None) -> Iterator[str]:
    """An anvil as it comes: it makes a block of each transaction at once. Yields its URL.

    Args:
        start: what its clock shows at first, unix seconds; None for the present.
    """
    flags = ["--port", "0", "--chain-id", str(CHAIN_ID), "--accounts", "0", "--gas-price", "0", "--base-fee", "0"]
    flags += ["--hardfork", "cancun", "--gas-limit", "1000000000", "--cache-path", str(folder / "cache")]
    flags += [] if start is None else ["--timestamp", str(start)]
    output = folder / "node.log"
    with (
        output.open("w") as log,
        subprocess.Popen([str(find_anvil()), *flags, "--prune-history"], stdout=log, cwd=folder) as process,
    ):
        try:
            yield f"http://{_listening_address(output)}"
        finally:
            process.kill()


def _listening_address(output: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if found := re.search(r"Listening on (\S+)\n", output.read_text()):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError("the node did not start")
