"""A clearing batch from its opening to the last payment, through the ledger's pipeline: every act is queued, sealed in
blocks of batches, and counted when its events and the read model are committed.

Buyers fund orders of one listing; every order is settled into the batch, parties owe each other besides, and the batch
is closed, confirmed and paid. At the end what everybody was paid is compared with sums made here.
"""

import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sqlmodel import select

from marketplace.clearing.tables import ClearingBatch
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.intake import queue_intents
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerBlock, LedgerIntent
from marketplace.ledger.worker import LedgerWorker
from marketplace.settlement.tables import Balance
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.migrate import upgrade
from marketplace.types import BatchStatus, Role
from scripts.benchmarks.tables import Table, versions
from tests.integration.ledger.market import PRICE, Call, Market, ledger_settings

MONTH = 30 * 86_400
GROUP = 500  # acts queued in one database transaction
SIZES = ((7, 21), (1_000, 10_000))
QUICK_SIZES = ((7, 21), (50, 200))
FEE_BPS, PARTNER_BPS = 250, 3_000
DEBT = 5


def run(quick: bool) -> list[Table]:
    """A batch of seven parties, and a large one."""
    rows = [_measure(parties, orders) for parties, orders in (QUICK_SIZES if quick else SIZES)]
    notes = [
        "parties: buyers of one listing; besides them the exchange's treasury and two share holders are paid",
        "every buyer owes the next one; acts: orders settled into it, debts, opening, closing, confirming, paying",
        "each act signed beforehand, queued durably, sealed, and recorded; the last balances are compared with sums",
        f"{versions('sqlalchemy', 'coincurve')}; load {os.getloadavg()[0]:.1f}",
    ]
    return [Table("Clearing batches, opened, filled, closed, netted, confirmed and paid", _COLUMNS, rows, notes)]


_COLUMNS = ["parties", "orders", "debts", "acts", "seconds", "acts a second", "gas", "gas an order", "peak RSS MiB"]


class _Town:
    """A market with `parties` buyers, each with a name and a key of its own."""

    def __init__(self, folder: Path, parties: int) -> None:
        self.engine = make_engine(f"sqlite:///{folder / 'market.db'}")
        upgrade(self.engine)
        self.worker = LedgerWorker(self.engine, ledger_settings(folder), PROJECTORS)
        self.worker.open()
        self.market = Market(self.worker.profile.deployment)
        self.buyers = [f"buyer {number}" for number in range(parties)]
        self.until = int(time.time()) + MONTH - 3_600

    def play(self, calls: Sequence[Call], told: str) -> None:
        """Queue and seal all of them, telling how far it is."""
        for first in range(0, len(calls), GROUP):
            with session(self.engine) as opened:
                queue_intents(opened, [call.intent for call in calls[first : first + GROUP]], now=int(time.time()))
            sys.stderr.write(f"\r{told}: {min(first + GROUP, len(calls)):,} of {len(calls):,}   ")
        self.worker.drain(timeout_seconds=1_800)
        sys.stderr.write("\n")
        with reading(self.engine) as opened:
            refused = opened.exec(select(LedgerIntent.code).where(LedgerIntent.status != "mined")).first()
        if refused is not None:
            raise RuntimeError(f"the ledger refused an act of the batch: {refused}")

    def gas(self) -> int:
        """Gas of all blocks so far."""
        with reading(self.engine) as opened:
            return sum(
                int(receipt["gasUsed"], 16)
                for found in opened.exec(select(LedgerBlock.receipts))
                for receipt in found or ()
            )


def _measure(parties: int, orders: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        town = _Town(Path(folder), parties)
        market, now = town.market, int(time.time())
        town.play([*market.opening(now), market.admit("exchange", Role.EXCHANGE)], "market")
        town.play([market.admit(name, Role.BUYER) for name in town.buyers], "parties")
        town.play([market.issue(name, 100 * PRICE, ref=n + 1) for n, name in enumerate(town.buyers)], "money")
        buyers = [town.buyers[number % parties] for number in range(orders)]
        town.play([market.fund(n, town.until, buyer=name) for n, name in enumerate(buyers)], "orders funded")
        before, expected = town.gas(), _expected(town, buyers)
        owed = zip(town.buyers, town.buyers[1:] + town.buyers[:1], strict=True)
        filling = [
            market.open_batch(town.until),
            *(market.clear(n, name) for n, name in enumerate(buyers)),
            *(market.owe(one, other, DEBT) for one, other in owed),
        ]
        closing, confirming = market.close_batch(orders + parties, town.until), market.confirm_batch(expected)
        paying = [market.pay(party) for party in expected]
        begun = time.perf_counter()
        town.play(filling, "settled into the batch")
        town.play([closing], "closed")
        town.play([confirming], "confirmed")
        town.play(paying, "paid")
        seconds = time.perf_counter() - begun
        _require_paid(town, buyers, expected)
        check(town.engine, PROJECTORS)
        gas = town.gas() - before
        town.worker.close()
        town.engine.dispose()
    acts = len(filling) + 2 + len(paying)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    numbers = (f"{parties:,}", f"{orders:,}", f"{parties:,}", f"{acts:,}", f"{seconds:.1f}", f"{acts / seconds:,.0f}")
    return [*numbers, f"{gas:,}", f"{gas // orders:,}", f"{peak:.0f}"]


def _expected(town: _Town, buyers: Sequence[str]) -> dict[str, int]:
    """What each party is paid: address to fen. Debts go round, so they cancel."""
    gross, address = PRICE - 1, town.market.address
    fee = gross * FEE_BPS // 10_000
    partner = (gross - fee) * PARTNER_BPS // 10_000
    paid: dict[str, int] = defaultdict(int)
    for name in buyers:
        paid[address("treasury")] += fee
        paid[address("partner")] += partner
        paid[address("supplier")] += gross - fee - partner
        paid[address(name)] += PRICE - gross
    return dict(paid)


def _require_paid(town: _Town, buyers: Sequence[str], expected: dict[str, int]) -> None:
    address = town.market.address
    for name in town.buyers:
        expected[address(name)] += 100 * PRICE - buyers.count(name) * PRICE
    with reading(town.engine) as opened:
        found = {row.account: row.balance for row in opened.exec(select(Balance))}
        status = opened.exec(select(ClearingBatch.status)).one()
    wrong = [party for party, amount in expected.items() if found.get(party) != amount]
    if wrong or status != BatchStatus.SETTLED:
        raise AssertionError(f"the batch ended as {status}; {len(wrong)} of {len(expected)} balances differ")
