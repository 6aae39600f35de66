"""The commands of a clearing batch against a running service: a seller fills it with all its orders, the exchange nets
and pays it. What `clearing` measures of the ledger's pipeline alone is here with HTTP, vouchers, keys and signing.

Orders are funded by signed calls through the service's own queue, and each is given its last voucher as an answer would
have left it; then a process of its own does what `marketplace clearing fill` and `marketplace clearing run` do.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlmodel import col, func, select

from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.documents import voucher_document
from marketplace.intents import sign_intent
from marketplace.ledger.intake import queue_intents
from marketplace.ledger.tables import LedgerBlock, LedgerIntent
from marketplace.queries.tables import AnsweredCalls
from marketplace.sdk import clearing
from marketplace.sdk.clearing import filling
from marketplace.sdk.client import Client
from marketplace.storage.documents import store_document
from marketplace.types import Role
from marketplace.web.context import Context
from scripts.benchmarks.tables import Table, versions
from tests.integration.ledger.market import PRICE, Call, Market
from tests.integration.service.town import EXCHANGE_KEY, running, town_settings
from tests.sealed_market import keys

SIZES, QUICK_SIZES = ((7, 21), (1_000, 10_000)), ((7, 21),)
GROUP, MONTH, DEBT = 500, 30 * 86_400, 5
STEPS = ("fill", "run")
_COLUMNS = ["parties", "orders", "fill: s", "orders a second", "run: s", "gas", "transactions"]
_COLUMNS += ["MiB: program", "service"]


def run(quick: bool) -> list[Table]:
    """A batch of seven parties, and a large one."""
    rows = [_measure(parties, orders) for parties, orders in (QUICK_SIZES if quick else SIZES)]
    return [
        Table(
            "Clearing by its two commands, against a running service",
            [
                "parties",
                "orders",
                "fill: s",
                "orders a second",
                "run: s",
                "gas",
                "transactions",
                "MiB: program",
                "service",
            ],
            rows,
            [
                "fill: vouchers listed, checked against proven keys, ended with the seller's signature, queued, mined",
                "run: close, net, confirm, pay; every party but the seller owes the next one besides",
                f"service, ledger node and program share two processors; {versions('fastapi', 'coincurve')}; "
                f"load {os.getloadavg()[0]:.1f}",
            ],
        )
    ]


class _Parties(Market):
    """A market whose parties have the keys that the SDK signs with."""

    def _keys(self, name: str) -> Keys:
        return Keys(bytes.fromhex(EXCHANGE_KEY)) if name == "exchange" else keys(name)

    def address(self, name: str) -> str:
        if name not in self.addresses:
            self.addresses[name] = self._keys(name).address
        return self.addresses[name]

    def sign(self, name: str, message: dict[str, Any], signer: str) -> str:
        return to_hex(sign_intent(name, message, self.deployment, self._keys(signer).signing_key))


def _measure(parties: int, orders: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        settings = town_settings(Path(folder))
        with running(settings) as context:
            market = _Parties(context.deployment)
            buyers = [f"buyer {number}" for number in range(parties)]
            _fund(context, market, buyers, orders)
            batch, before = market.batch, _gas(context)
            clearing.open_batch(Client(settings.public_url, Keys(bytes.fromhex(EXCHANGE_KEY))), 1)
            owed = zip(buyers, buyers[1:] + buyers[:1], strict=True)
            _play(context, [market.owe(one, other, DEBT) for one, other in owed], "debts")
            found = {step: _command(step, settings.public_url, batch) for step in STEPS}
            gas, sent = (now - then for now, then in zip(_gas(context), before, strict=True))
    told, ended = (found[step]["result"] for step in STEPS)
    if (told["entered"], told["refused"], ended["legs"]) != (orders, [], orders + parties):
        raise AssertionError(f"{told['entered']} orders entered, {len(told['refused'])} were refused")
    filled, ran = (found[step]["seconds"] for step in STEPS)
    mine = max(found[step]["peak"] for step in STEPS)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cells = [f"{parties:,}", f"{orders:,}", f"{filled:.1f}", f"{orders / filled:,.0f}", f"{ran:.1f}"]
    return [*cells, f"{gas:,}", f"{sent:,}", f"{mine:.0f}", f"{own:.0f}"]


def _fund(context: Context, market: Market, buyers: Sequence[str], orders: int) -> None:
    now, of = int(time.time()), [buyers[number % len(buyers)] for number in range(orders)]
    _play(context, [*market.opening(now), market.admit("exchange", Role.EXCHANGE)], "market")
    _play(context, [market.admit(name, Role.BUYER) for name in buyers], "parties")
    _play(context, [market.issue(name, 100 * PRICE, ref=n + 1) for n, name in enumerate(buyers)], "money")
    _play(context, [market.fund(n, now + MONTH - 3_600, buyer=name) for n, name in enumerate(of)], "orders funded")
    for first in range(0, orders, GROUP):
        with context.writing() as session:
            for number in range(first, min(first + GROUP, orders)):
                message, buyer = market.voucher(number, buyer=of[number]), market.address(of[number])
                signature = bytes.fromhex(market.sign("Voucher", message, of[number])[2:])
                name = store_document(session, voucher_document(message, buyer, signature), now=now)
                row = {"order_id": message["orderId"], "calls": message["calls"], "edge": []}
                session.add(AnsweredCalls(**row, voucher_digest=name))


def _play(context: Context, calls: Sequence[Call], told: str) -> None:
    """Queue and seal all of them, telling how far it is."""
    for first in range(0, len(calls), GROUP):
        with context.writing() as session:
            queue_intents(session, [call.intent for call in calls[first : first + GROUP]], now=int(time.time()))
        sys.stderr.write(f"\r{told}: {min(first + GROUP, len(calls)):,} of {len(calls):,}   ")
    while _undecided(context):
        time.sleep(0.2)
    sys.stderr.write("\n")
    with context.reading() as session:
        refused = session.exec(select(LedgerIntent.code).where(LedgerIntent.status == "refused")).first()
    if refused is not None:
        raise RuntimeError(f"the ledger refused what the benchmark needs: {refused}")


def _undecided(context: Context) -> int:
    with context.reading() as session:
        query = select(func.count()).where(col(LedgerIntent.status).in_(("queued", "planned")))
        return session.exec(query).one()


def _gas(context: Context) -> tuple[int, int]:
    """(gas, transactions) of all blocks so far."""
    with context.reading() as session:
        receipts = [item for found in session.exec(select(LedgerBlock.receipts)) for item in found or ()]
    return sum(int(receipt["gasUsed"], 16) for receipt in receipts), len(receipts)


def _command(step: str, url: str, batch: str) -> dict[str, Any]:
    code = "import sys; from scripts.benchmarks.filling import act; act(*sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, step, url, batch], stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def act(step: str, url: str, batch: str) -> None:
    """What the command does, in a process of its own; prints its result, seconds and peak memory as JSON."""
    client = Client(url, keys("supplier") if step == "fill" else Keys(bytes.fromhex(EXCHANGE_KEY)))
    begun = time.perf_counter()
    result = filling.fill(client, batch, report=_tell) if step == "fill" else clearing.run(client, batch, report=_tell)
    seconds, peak = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"result": result, "seconds": seconds, "peak": peak}))


def _tell(stage: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{stage}: {done:,} of {total:,}   ")
