"""A process is killed at every step of an order's money (funding, voucher, settlement, clearing) and goes on.

    python -m tests.integration.ledger.sweep [POINTS]

A step is a statement or commit of the database, or a request to the ledger's node, before it or after. One run counts
them; then, for each of POINTS steps spread over all of them (default: every one), a process of its own is killed there
with SIGKILL and another does the same work again to its end; at every fourth the ledger's node is killed instead, and
the process has to go on by itself. Orders, batch and every balance are what they were when nobody was killed; no intent
is lost or done twice, and the read model is what the ledger's events say.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event
from sqlmodel import col, select

from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.deployment import Genesis
from marketplace.evidence.projections import PROJECTORS
from marketplace.intents import Deployment
from marketplace.ledger import rpc
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.intake import queue_intents
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerEvent, LedgerIntent
from marketplace.ledger.worker import LedgerWorker
from marketplace.orders.tables import Order
from marketplace.settlement.tables import Balance, Payout
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.migrate import upgrade
from marketplace.types import Role
from tests.integration.ledger.market import PRICE, Call, Market, ledger_settings

MONTH = 30 * 86_400
State = dict[str, Any]
COMPILED: dict[Any, Any] = {}
"""Statements as SQL, shared by all engines and inherited by every process that is forked after the first run."""


def engine_of(folder: Path) -> Engine:
    """The market's store in a folder."""
    return make_engine(f"sqlite:///{folder / 'market.db'}").execution_options(compiled_cache=COMPILED)


@dataclass
class Steps:
    """Counts steps, and kills this process, or the node, at one of them (0: at none)."""

    fatal: int
    node: bool = False
    taken: int = 0
    chain: EmbeddedChain | None = None

    def step(self, *_: object) -> None:
        """One more."""
        self.taken += 1
        if self.taken == self.fatal and not self.node:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.node and self.taken >= self.fatal and self.chain is not None and self.chain._node is not None:
            self.node = False  # before it runs there is none to kill
            os.kill(self.chain.node.pid, signal.SIGKILL)


def market_of(folder: Path) -> Market:
    """The market on the ledger of these settings, whose addresses are known before it is founded."""
    settings = ledger_settings(folder)
    relayer = Market(Deployment(settings.chain_id, {})).address("relayer")
    genesis = Genesis(relayer, settings.registrar, settings.treasury, settings.fee_bps, settings.rulebook)
    return Market(Deployment(settings.chain_id, genesis.addresses()))


def stages(market: Market, until: int) -> list[list[Call]]:
    """The work, stage by stage; every stage is queued in one transaction and waits for the one before."""
    buyer, supplier, partner, treasury = map(market.address, ("buyer", "supplier", "partner", "treasury"))
    gross, fee = PRICE - 1, (PRICE - 1) * 250 // 10_000
    shares = {supplier: gross - fee - (gross - fee) * 3 // 10, partner: (gross - fee) * 3 // 10}
    payouts = {treasury: fee, supplier: shares[supplier] - 30, partner: shares[partner] + 30 - 7, buyer: 1 + 7}
    return [
        [market.fund(0, until), market.fund(1, until)],
        [market.settle(0)],
        [market.open_batch(until)],
        [market.clear(1)],
        [market.owe("supplier", "partner", 30), market.owe("partner", "buyer", 7)],
        [market.close_batch(3, until)],
        [market.confirm_batch(payouts)],
        [market.pay(party) for party in payouts],
    ]


def work(folder: Path, until: int, steps: Steps) -> None:
    """All stages, from wherever an earlier process was killed."""
    engine = engine_of(folder)
    worker = LedgerWorker(engine, ledger_settings(folder), PROJECTORS)
    event.listen(engine, "before_cursor_execute", steps.step)
    event.listen(engine, "commit", steps.step)
    exchange: Callable[..., Any] = rpc.RpcClient._exchange

    def counted(client: rpc.RpcClient, body: list[dict[str, Any]]) -> list[Any]:
        steps.step()
        answer: list[Any] = exchange(client, body)
        steps.step()
        return answer

    with patch.object(rpc.RpcClient, "_exchange", counted):
        _work(folder, until, steps, worker, engine)
    engine.dispose()


def _work(folder: Path, until: int, steps: Steps, worker: LedgerWorker, engine: Engine) -> None:
    worker.open()
    assert isinstance(worker.chain, EmbeddedChain)
    steps.chain = worker.chain  # a node that dies before is a start that fails, as it should
    for stage in stages(market_of(folder), until):
        with session(engine) as opened:
            queue_intents(opened, [call.intent for call in stage], now=int(time.time()))
        worker.drain()
    worker.close()


def state_of(folder: Path) -> State:
    """What the money is at the end. Raises AssertionError if an intent was lost, refused or done twice."""
    engine = engine_of(folder)
    with reading(engine) as opened:
        fates: dict[str, str] = dict(opened.execute(select(LedgerIntent.digest, LedgerIntent.status)).all())
        assert set(fates.values()) == {"mined"}, f"an intent was lost or refused: {fates}"
        ended = col(LedgerEvent.name).in_(
            ("Funded", "Settled", "SharePaid", "BatchClosed", "BatchConfirmed", "Transfer")
        )
        state = {
            "balances": {row.account: row.balance for row in opened.exec(select(Balance))},
            "orders": sorted((row.order_id, row.status, row.amount, row.fee) for row in opened.exec(select(Order))),
            "payouts": sorted((row.order_id, row.holder, row.amount) for row in opened.exec(select(Payout))),
            "batches": [(row.batch_id, row.status) for row in opened.exec(select(ClearingBatch))],
            "positions": sorted((row.party, row.paid) for row in opened.exec(select(ClearingPosition))),
            "debts": sorted((row.debt_id, row.status) for row in opened.exec(select(ClearingDebt))),
            "intents": sorted(fates),
            "events": sorted((row.name, str(row.args)) for row in opened.exec(select(LedgerEvent).where(ended))),
        }
    check(engine, PROJECTORS)
    engine.dispose()
    return state


def prepare(folder: Path) -> None:
    """A market with money, before its first order."""
    engine = engine_of(folder)
    upgrade(engine)
    worker = LedgerWorker(engine, ledger_settings(folder), PROJECTORS)
    worker.open()
    market, now = market_of(folder), int(time.time())
    assert market.deployment == worker.profile.deployment
    with session(engine) as opened:
        calls = [*market.opening(now), market.admit("exchange", Role.EXCHANGE), market.admit("treasury", Role.BUYER)]
        queue_intents(opened, [call.intent for call in calls], now=now)
    worker.drain()
    worker.close()
    engine.dispose()


def in_process(action: Callable[[], None]) -> int:
    """Run `action` in a process of its own; returns the signal that ended it, 0 if it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # told by the exit status, after the trace
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the work failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killed_and_resumed(start: Path, folder: Path, until: int, fatal: int, *, node: bool) -> State:
    """What the money is after a kill at step `fatal` and another process that goes on, or the same after its node's."""
    shutil.copytree(start, folder)
    killed = in_process(lambda: work(folder, until, Steps(fatal, node)))
    assert killed == (0 if node else signal.SIGKILL), f"step {fatal} was never taken"
    if not node:
        assert in_process(lambda: work(folder, until, Steps(0))) == 0
    state = state_of(folder)
    shutil.rmtree(folder)
    return state


def main(points: int | None) -> None:
    """Sweeps, and prints what it did."""
    with tempfile.TemporaryDirectory() as root:
        start, until = Path(root, "start"), int(time.time()) + MONTH
        start.mkdir()
        assert in_process(lambda: prepare(start)) == 0
        whole = Path(root, "whole")
        shutil.copytree(start, whole)
        counted = Steps(0)
        work(whole, until, counted)  # in this process, so that those forked from it have every statement compiled
        steps, expected = counted.taken, state_of(whole)
        chosen = sorted({1 + number * steps // points for number in range(points)} if points else range(1, steps + 1))
        for number, fatal in enumerate(chosen):
            got = killed_and_resumed(start, Path(root, "killed"), until, fatal, node=number % 4 == 3)
            different = [name for name in expected if got[name] != expected[name]]
            assert not different, f"killed at step {fatal} of {steps}: {different} differ"
    sys.stdout.write(f"killed at {len(chosen)} of {steps} steps; every balance as without a kill\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
