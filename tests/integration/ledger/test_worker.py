"""From the queue to the read model, on a real node and both databases."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from web3 import HTTPProvider, Web3

from marketplace.errors import ConfigurationError, NotFoundError
from marketplace.ledger import planning
from marketplace.ledger.embedded import MAXIMUM_AHEAD_SECONDS, EmbeddedChain
from marketplace.ledger.intake import intent_status
from marketplace.ledger.profile import ledger_profile
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, LedgerIntent, LedgerTransaction
from marketplace.ledger.worker import LedgerWorker
from marketplace.settlement.tables import Payout
from marketplace.storage.engine import make_engine, reading, session
from marketplace.types import Role
from tests.integration.ledger.conftest import MakeWorker, enqueue
from tests.integration.ledger.market import FAR, OPENING, PRICE, Market

SOON = 30 * 86_400


def statuses(engine: Engine) -> Counter[str]:
    with reading(engine) as opened:
        return Counter(opened.exec(select(LedgerIntent.status)).all())


def test_the_first_start_deploys_the_contracts_where_they_were_foretold(worker: LedgerWorker, engine: Engine) -> None:
    web3 = Web3(HTTPProvider(node_url(worker)))
    for address in worker.profile.addresses.values():
        assert len(web3.eth.get_code(Web3.to_checksum_address(address))) > 1_000
    with reading(engine) as opened:
        assert ledger_profile(opened) == worker.profile
        blocks = opened.exec(select(LedgerBlock).order_by(col(LedgerBlock.number))).all()
    assert [block.number for block in blocks] == [0, 1]
    for block in blocks:
        assert block.hash == "0x" + web3.eth.get_block(block.number)["hash"].hex()


def node_url(worker: LedgerWorker) -> str:
    assert isinstance(worker.chain, EmbeddedChain)
    return worker.chain.node.url


def test_sixteen_holders_who_had_nothing_are_paid_at_once(worker: LedgerWorker, engine: Engine, market: Market) -> None:
    holders = [f"holder {number}" for number in range(14)]
    calls = [market.admit(name, Role.BUYER) for name in holders]
    for place, name in enumerate(holders):
        message = {"assetId": market.asset, "from": market.address("supplier"), "to": market.address(name), "bps": 100}
        message |= {"version": 1 + place, "deadline": FAR}
        calls.append(market.call("Rights", "transferShare", [("TransferShare", message, ["supplier"])]))
    enqueue(engine, calls)
    worker.drain()
    enqueue(engine, [market.fund(0, int(time.time()) + SOON), market.settle(0)])
    worker.drain()
    assert statuses(engine) == {"mined": OPENING + len(calls) + 2}
    with reading(engine) as opened:
        paid = opened.exec(select(Payout.holder).where(Payout.amount > 0)).all()
    assert len(set(paid)) == 16


def test_a_whole_market_runs_in_batches_and_every_event_names_its_intent(
    worker: LedgerWorker, engine: Engine, market: Market
) -> None:
    until = int(time.time()) + SOON
    funds = [market.fund(number, until) for number in range(120)]
    settles = [market.settle(number) for number in range(120)]
    enqueue(engine, [*funds, *settles])
    worker.drain()
    assert statuses(engine) == {"mined": OPENING + 240}
    with reading(engine) as opened:
        events = opened.exec(select(LedgerEvent)).all()
        most = opened.exec(select(func.count()).select_from(LedgerIntent).group_by(col(LedgerIntent.nonce))).all()
    assert max(most) == 50
    intents = {"0x" + call.digest.hex(): call.arguments[0]["orderId"] for call in [*funds, *settles]}
    named = [event for event in events if "orderId" in event.args and event.name != "TitleGranted"]
    assert len(named) == 120 * 6  # Funded, BudgetCommitted; Settled, BudgetReleased, two SharePaid
    assert all(intents[event.intent] == event.args["orderId"] for event in named)
    assert all(event.intent for event in events if event.block > 1)


def test_a_refusal_is_recorded_with_its_code_and_touches_nobody_else(
    worker: LedgerWorker, engine: Engine, market: Market
) -> None:
    until = int(time.time()) + SOON
    good, poor, late = market.fund(1, until), market.fund(2, until, escrow=PRICE - 1), market.fund(3, until - 10**8)
    enqueue(engine, [poor, good, late, market.settle(1), market.settle(2)])
    worker.drain()
    with reading(engine) as opened:
        refused = intent_status(opened, poor.digest)
        assert refused["status"] == "refused"
        assert refused["code"] == refused["problem"]["code"] == "escrow_too_small"
        assert intent_status(opened, late.digest)["code"] == "order_term"
        assert intent_status(opened, market.settle(2).digest)["code"] == "order_not_funded"
        for call in (good, market.settle(1)):
            assert intent_status(opened, call.digest)["status"] == "mined"
        with pytest.raises(NotFoundError):
            intent_status(opened, b"\0" * 32)


def test_an_intent_is_taken_once_and_again_only_after_a_refusal(
    worker: LedgerWorker, engine: Engine, market: Market
) -> None:
    until = int(time.time()) + SOON
    early, fund = market.settle(7), market.fund(7, until)
    enqueue(engine, [early])
    with session(engine) as opened:
        assert not early.queue(opened)
    worker.drain()
    assert statuses(engine)["refused"] == 1
    enqueue(engine, [fund, early])
    worker.drain()
    assert statuses(engine) == {"mined": OPENING + 2}
    with session(engine) as opened:
        assert not early.queue(opened)
    assert worker.step() == 0


def test_nothing_is_queued_if_the_business_transaction_fails(engine: Engine, market: Market) -> None:
    call = market.fund(1, int(time.time()) + SOON)
    with pytest.raises(ZeroDivisionError), session(engine) as opened:
        assert call.queue(opened) / 0
    assert statuses(engine) == {"mined": OPENING}


def test_calls_of_a_transaction_that_fails_as_a_whole_are_tried_one_by_one(
    worker: LedgerWorker, engine: Engine, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = int(time.time()) + SOON
    calls = [market.fund(number, until) for number in range(3)]
    enqueue(engine, calls)
    with monkeypatch.context() as patch:  # gas for the bytes alone
        patch.setattr(planning, "CALL_GAS", 2_000)
        patch.setattr(planning, "BYTE_GAS", 16)
        patch.setattr(planning, "BASE_GAS", 21_000)
        assert worker.step() == 1
        assert statuses(engine) == {"mined": OPENING, "queued": 3}
        enqueue(engine, [market.fund(9, until)])
        assert worker.step() == 1
    # Alone they failed too, and are refused; the newcomer was alone from the start.
    assert statuses(engine) == {"mined": OPENING, "refused": 4}
    with reading(engine) as opened:
        assert intent_status(opened, calls[0].digest)["code"] == "ledger_call_failed"
    enqueue(engine, calls)
    worker.drain()
    assert statuses(engine) == {"mined": OPENING + 3, "refused": 1}


def test_block_times_grow_and_do_not_run_far_ahead_of_the_clock(make_worker: MakeWorker, engine: Engine) -> None:
    now = int(time.time())
    worker = make_worker(clock=lambda: now)
    market = Market(worker.profile.deployment)
    for number in range(MAXIMUM_AHEAD_SECONDS + 5):
        enqueue(engine, [market.admit(f"buyer {number}", Role.BUYER)])
        worker.step()
    with reading(engine) as opened:
        times = opened.exec(select(LedgerBlock.timestamp).order_by(col(LedgerBlock.number))).all()
    assert list(times) == list(range(now - 1, now + MAXIMUM_AHEAD_SECONDS + 1))
    assert statuses(engine)["queued"] == 5
    now += 60
    worker.step()
    assert statuses(engine)["queued"] == 0


def test_a_second_writer_is_refused_until_the_first_is_gone(make_worker: MakeWorker, database_url: str) -> None:
    first = make_worker()
    other = make_engine(database_url)
    with pytest.raises(ConfigurationError) as refusal:
        LedgerWorker(other, first._settings, {}).open(wait_seconds=0)
    assert refusal.value.code == "ledger_writer_running"
    first.close()
    make_worker(engine=other).close()
    other.dispose()


def test_a_writer_that_lost_its_turn_unknowingly_writes_nothing(
    worker: LedgerWorker, engine: Engine, market: Market
) -> None:
    worker._lease.release()  # as if the server had dropped the connection that holds the lock
    usurper = type(worker._lease)(engine)
    usurper.acquire()
    enqueue(engine, [market.fund(1, int(time.time()) + SOON)])
    with pytest.raises(ConfigurationError) as refusal:
        worker.step()
    assert refusal.value.code == "ledger_writer_lost"
    assert statuses(engine) == {"mined": OPENING, "queued": 1}
    usurper.release()


@pytest.mark.parametrize("change", [{"fee_bps": 300}, {"chain_id": 1}, {"treasury": "0x" + "11" * 20}])
def test_settings_of_another_ledger_are_refused(make_worker: MakeWorker, change: dict[str, object]) -> None:
    first = make_worker()
    first.close()
    settings = type(first._settings)(**(vars(first._settings) | change))
    with pytest.raises(ConfigurationError) as refusal:
        make_worker(settings=settings)
    assert refusal.value.code == "ledger_profile_differs"


def test_the_thread_seals_by_itself(make_worker: MakeWorker, engine: Engine) -> None:
    worker = make_worker()
    worker.close()
    heard: list[int] = []
    threaded = LedgerWorker(engine, worker._settings, {}, on_block=lambda block: heard.append(block.number))
    threaded.start()
    enqueue(engine, [Market(threaded.profile.deployment).admit("buyer", Role.BUYER)])
    threaded.wake()
    deadline = time.monotonic() + 10
    while statuses(engine)["mined"] == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threaded.healthy()
    threaded.stop()
    assert statuses(engine) == {"mined": 1}
    assert heard == [2]
    assert not threaded.healthy()


@pytest.mark.parametrize(
    ("fault", "code"),
    [(OperationalError("UPDATE", {}, Exception("disk")), "ledger_storage"), (KeyError("amount"), "ledger_defect")],
)
def test_a_step_that_cannot_be_done_is_told_and_done_when_it_can_be(
    make_worker: MakeWorker, engine: Engine, fault: Exception, code: str
) -> None:
    worker = make_worker()
    worker.close()
    broken = threading.Event()
    broken.set()

    def project(*_: object) -> None:
        if broken.is_set():
            raise fault

    threaded = LedgerWorker(engine, worker._settings, {"Admitted": [project]})
    threaded.start()
    enqueue(engine, [Market(threaded.profile.deployment).admit("buyer", Role.BUYER)])
    threaded.wake()
    _until(lambda: threaded.problem is not None)
    assert not threaded.healthy()
    assert threaded.problem is not None
    assert threaded.problem.code == code
    broken.clear()
    _until(lambda: statuses(engine)["mined"] == 1)
    _until(threaded.healthy)
    threaded.stop()


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_nonce_is_a_transaction_and_every_transaction_is_in_a_block(
    worker: LedgerWorker, engine: Engine, market: Market
) -> None:
    with reading(engine) as opened:
        rows = opened.exec(select(LedgerTransaction).order_by(col(LedgerTransaction.nonce))).all()
    assert [row.nonce for row in rows] == list(range(len(rows)))
    assert all(row.block is not None and row.transaction_index is not None for row in rows)
    assert check(engine, worker._projectors).blocks == 2 + len({row.block for row in rows}) - 1
