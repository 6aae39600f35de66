"""A process is killed at every step of an order's money and goes on.

    python -m tests.integration.ledger.sweep [POINTS]

There are two scenes: orders that both sides end, one of them through a clearing batch with debts; and what else can
become of the money: claimed, challenged, finished after its window, refunded after its term; files that are accepted,
objected to, deemed accepted and never delivered; orders in another currency and of a product that pays its input; money
redeemed. A step is a statement or commit of the database, or a request to the ledger's node, before it or after. One
run of a scene counts them; then, for each of POINTS steps spread over all of them (default: every one), a process of
its own is killed there with SIGKILL and another does the same work again to its end; at every fourth the ledger's node
is killed instead, and the process has to go on by itself. Orders, deliveries, batch and every balance are what they
were when nobody was killed; no intent is lost or done twice, and the read model is what the ledger's events say.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event
from sqlmodel import col, func, select

from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.currencies import CNY
from marketplace.deliveries.tables import Delivery
from marketplace.deployment import Genesis
from marketplace.evidence.projections import PROJECTORS
from marketplace.intents import Deployment
from marketplace.ledger import rpc
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.intake import queue_intents
from marketplace.ledger.profile import LedgerSettings
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, LedgerIntent
from marketplace.ledger.worker import LedgerWorker
from marketplace.orders.tables import Order, OrderClaim
from marketplace.settlement.tables import Balance, Payout, Redemption
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.migrate import upgrade
from marketplace.types import Role
from tests.integration.ledger.endings import (
    DAY,
    HKD,
    accept,
    acknowledge,
    arrange,
    as_files,
    challenge,
    claim,
    declare,
    deliver,
    in_dollars,
    object_to,
    of_anyone,
    offer_delivery,
    pay_redemption,
    product,
    redeem,
    reject_redemption,
)
from tests.integration.ledger.market import PRICE, Call, Market, ledger_settings

HOUR, MONTH = 3_600, 30 * 86_400
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
    settings = settings_of(folder)
    relayer = Market(Deployment(settings.chain_id, {})).address("relayer")
    genesis = Genesis(
        relayer, settings.registrar, settings.treasury, settings.fee_bps, settings.rulebook, settings.currencies
    )
    return Market(Deployment(settings.chain_id, genesis.addresses()))


Stage = tuple[int, list[Call]]  # seconds after the beginning, and what is then queued in one transaction


def together(market: Market, now: int) -> list[Stage]:
    """Both sides end an order, and settle another into a batch."""
    until = now + MONTH
    buyer, supplier, partner, treasury = map(market.address, ("buyer", "supplier", "partner", "treasury"))
    gross, fee = PRICE - 1, (PRICE - 1) * 250 // 10_000
    shares = {supplier: gross - fee - (gross - fee) * 3 // 10, partner: (gross - fee) * 3 // 10}
    payouts = {treasury: fee, supplier: shares[supplier] - 30, partner: shares[partner] + 30 - 7, buyer: 1 + 7}
    calls = [
        [market.fund(0, until), market.fund(1, until)],
        [market.settle(0)],
        [market.open_batch(until)],
        [market.clear(1)],
        [market.owe("supplier", "partner", 30), market.owe("partner", "buyer", 7)],
        [market.close_batch(3, until)],
        [market.confirm_batch(payouts)],
        [market.pay(party) for party in payouts],
    ]
    return [(0, stage) for stage in calls]


def otherwise(market: Market, now: int) -> list[Stage]:
    """What else can become of an order's money."""
    until, soon, dollars, files = now + MONTH, now + 2 * DAY, in_dollars(market), as_files(market)
    made, late, silent = product(market), files.order(16)[0], files.order(15)[0]
    return [
        (0, [market.fund(n, until) for n in (10, 11)] + [market.fund(12, soon), market.fund(17, soon)]),
        (0, [files.fund(n, until) for n in (13, 14, 15, 16)]),
        (0, [dollars.fund(18, until), made.fund(19, until)]),
        (0, [claim(market, 10, 50, "supplier"), claim(market, 11, 40, "buyer")]),
        (0, [challenge(market, 10, 70), challenge(market, 11, 99)]),
        (0, [market.close(market.voucher(10, 80))]),
        (0, [arrange(files, n) for n in (13, 14, 15, 16)]),
        (0, [deliver(files, n) for n in (13, 14, 15)]),
        (0, [acknowledge(files, 13), object_to(files, 14)]),
        (0, [accept(files, 13), deliver(files, 14, 2)]),
        (0, [accept(files, 14, 2), dollars.settle(18), made.settle(19)]),
        (0, [redeem(market, "supplier", 60, now, 1), redeem(dollars, "supplier", 20, now, 2)]),
        (0, [pay_redemption(market, "supplier", 1), reject_redemption(dollars, "supplier", 2)]),
        (2 * DAY, [of_anyone(market, "Deliveries", "deem", silent), of_anyone(market, "Deliveries", "lapse", late)]),
        (3 * DAY + HOUR, [challenge(market, 17, 60)]),
        (4 * DAY, [of_anyone(market, "Orders", "finish", market.order(11)[0])]),
        (6 * DAY, [of_anyone(market, "Orders", "refund", market.order(12)[0])]),
        (7 * DAY, [of_anyone(market, "Orders", "finish", market.order(17)[0])]),
    ]


SCENES: dict[str, Callable[[Market, int], list[Stage]]] = {"together": together, "otherwise": otherwise}


@dataclass
class Clock:
    """The worker's: it stands at a stage's time, so that three days are over when they have to be."""

    now: int

    def __call__(self) -> int:
        return self.now


def settings_of(folder: Path) -> LedgerSettings:
    """Of a market in two currencies."""
    return replace(ledger_settings(folder), currencies=(CNY.code, HKD.code))


def work(folder: Path, scene: str, begun: int, steps: Steps) -> None:
    """All stages, from wherever an earlier process was killed."""
    engine, clock = engine_of(folder), Clock(begun)
    worker = LedgerWorker(engine, settings_of(folder), PROJECTORS, clock=clock)
    event.listen(engine, "before_cursor_execute", steps.step)
    event.listen(engine, "commit", steps.step)
    exchange: Callable[..., Any] = rpc.RpcClient._exchange

    def counted(client: rpc.RpcClient, body: list[dict[str, Any]]) -> list[Any]:
        steps.step()
        answer: list[Any] = exchange(client, body)
        steps.step()
        return answer

    with patch.object(rpc.RpcClient, "_exchange", counted):
        worker.open()
        assert isinstance(worker.chain, EmbeddedChain)
        steps.chain = worker.chain  # a node that dies before is a start that fails, as it should
        for after, calls in SCENES[scene](market_of(folder), begun):
            clock.now = max(begun + after, _reached(engine))
            with session(engine) as opened:
                queue_intents(opened, [call.intent for call in calls], now=clock.now)
            worker.drain()
        worker.close()
    engine.dispose()


def _reached(engine: Engine) -> int:
    """The time of the ledger's last block: no clock goes back because a process died."""
    with reading(engine) as opened:
        return int(opened.exec(select(func.max(LedgerBlock.timestamp))).one() or 0)


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
            "balances": {(row.account, row.currency): row.balance for row in opened.exec(select(Balance))},
            "claims": sorted((row.order_id, row.amount, row.calls) for row in opened.exec(select(OrderClaim))),
            "deliveries": sorted((row.order_id, row.status, row.rounds) for row in opened.exec(select(Delivery))),
            "redemptions": sorted((row.redemption_id, row.status) for row in opened.exec(select(Redemption))),
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


def prepare(folder: Path, now: int) -> None:
    """A market with money, before its first order."""
    engine = engine_of(folder)
    upgrade(engine)
    worker = LedgerWorker(engine, settings_of(folder), PROJECTORS, clock=Clock(now))
    worker.open()
    market = market_of(folder)
    assert market.deployment == worker.profile.deployment
    with session(engine) as opened:
        calls = [*market.opening(now), market.admit("exchange", Role.EXCHANGE), market.admit("treasury", Role.BUYER)]
        queue_intents(opened, [call.intent for call in [*calls, *_further(market, now)]], now=now)
    worker.drain()
    worker.close()
    engine.dispose()


def _further(market: Market, now: int) -> list[Call]:
    """The data in dollars and as a file, and a product that is made of it."""
    dollars, files, made, year = in_dollars(market), as_files(market), product(market), now + 365 * DAY
    made_of_it = [made.register(), declare(made, market), *made.deposit(now), made.confirm(year - DAY, 2)]
    offers = [dollars.offer(year), files.offer(year), offer_delivery(files), *made_of_it, made.offer(year - 2 * DAY)]
    return [dollars.issue("buyer", 10**6, ref=2), *offers]


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


def killed_and_resumed(start: Path, folder: Path, scene: str, begun: int, fatal: int, *, node: bool) -> State:
    """What the money is after a kill at step `fatal` and another process that goes on, or the same after its node's."""
    shutil.copytree(start, folder)
    killed = in_process(lambda: work(folder, scene, begun, Steps(fatal, node)))
    assert killed == (0 if node else signal.SIGKILL), f"step {fatal} was never taken"
    if not node:
        assert in_process(lambda: work(folder, scene, begun, Steps(0))) == 0
    state = state_of(folder)
    shutil.rmtree(folder)
    return state


def sweep(start: Path, scene: str, begun: int, points: int | None) -> tuple[int, int]:
    """Kills at `points` steps of a scene, or at all; returns at how many, of how many steps."""
    whole = start.with_name(scene)
    shutil.copytree(start, whole)
    counted = Steps(0)
    work(whole, scene, begun, counted)  # in this process, so that those forked from it have every statement compiled
    steps, expected = counted.taken, state_of(whole)
    chosen = sorted({1 + number * steps // points for number in range(points)} if points else range(1, steps + 1))
    for number, fatal in enumerate(chosen):
        got = killed_and_resumed(start, start.with_name("killed"), scene, begun, fatal, node=number % 4 == 3)
        different = [name for name in expected if got[name] != expected[name]]
        assert not different, f"{scene}: killed at step {fatal} of {steps}: {different} differ"
    return len(chosen), steps


def main(points: int | None) -> None:
    """Sweeps both scenes, and prints what it did."""
    with tempfile.TemporaryDirectory() as root:
        start, begun = Path(root, "start"), int(time.time())
        start.mkdir()
        assert in_process(lambda: prepare(start, begun)) == 0
        each = None if points is None else -(-points // len(SCENES))
        done = [sweep(start, scene, begun + HOUR, each) for scene in SCENES]
    killed, steps = (sum(numbers) for numbers in zip(*done, strict=True))
    sys.stdout.write(f"killed at {killed} of {steps} steps; every balance as without a kill\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
