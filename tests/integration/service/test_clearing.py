"""A clearing batch over HTTP: an order and debts go in, everybody comes out with its net, and the auditor agrees."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from crypto import keystore
from marketplace.clearing import commands
from marketplace.clearing.inbox.filling import order_json
from marketplace.cli import main
from marketplace.documents import voucher_message
from marketplace.orders.tables import Order
from marketplace.sdk import clearing, orders, papers, settlement
from marketplace.sdk.clearing import filling
from marketplace.sdk.home.files import write_private
from marketplace.types import ZERO_ADDRESS, BatchStatus, DebtStatus, OrderStatus
from tests.integration.service.test_panel import audited
from tests.integration.service.test_refusals import Asking, code_of
from tests.integration.service.town import ESCROW, NODES, PRICE, Town


def answered_order(town: Town) -> str:
    """An order of the buyer's with one answered question."""
    settlement.issue(town["bank"], town["buyer"].address, ESCROW)
    asking = Asking(town, town.fund(town.facts["listing"]))
    asking.query = {**asking.query, "epsilon": 1_700}
    asking.post(epsilon=1_700)
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    return str(asking.query["order"])


def balances(town: Town, *names: str) -> dict[str, int]:
    """What they have now, in fen."""
    return {name: int(settlement.balance(town[name])["balance"]) for name in names}


def test_an_order_and_debts_are_netted_and_what_cannot_be_paid_is_dropped(town: Town, tmp_path: Path) -> None:
    exchange, names = town["exchange"], ("supplier", "collector", "buyer", "rival")
    order, before = answered_order(town), balances(town, *names)
    voucher = voucher_message(town["supplier"].get(f"/orders/{order}/voucher"))
    batch = clearing.open_batch(exchange, int(time.time()))["batch"]
    assert code_of(lambda: clearing.owe(town["rival"], batch, town["rival"].address, 1, "x")) == "clearing_same_party"
    assert code_of(lambda: settlement.clear(town["buyer"], order, batch)) == "order_closed_by_seller"
    settlement.clear(town["supplier"], order, batch)
    clearing.owe(town["collector"], batch, town["rival"].address, 40, "invoice 1")
    clearing.owe(town["rival"], batch, town["collector"].address, 15, "invoice 2")
    clearing.owe(town["rival"], batch, town["supplier"].address, 10_000_000, "invoice 3")
    assert code_of(lambda: clearing.owe(town["rival"], batch, town["collector"].address, 9, "invoice 2")) == (
        "clearing_debt_exists"
    )
    assert orders.get(town["buyer"], order)["status"] == OrderStatus.SETTLED
    assert settlement.statement(town["buyer"], order)["batch"] == batch
    assert code_of(lambda: papers.trade_voucher(town["buyer"], order)) == "trade_not_paid"

    assert code_of(lambda: clearing.finish(town["buyer"], batch)) == "clearing_not_overdue"
    with pytest.raises(Exception, match="may pay in until"):
        clearing.run(exchange, batch)
    time.sleep(max(clearing.get(exchange, batch)["payBy"] - time.time(), 0) + 1.1)
    assert code_of(lambda: settlement.clear(town["supplier"], order, batch)) in ("clearing_status", "order_not_funded")
    found = clearing.run(exchange, batch)
    assert found["status"] == BatchStatus.SETTLED
    voucher_paper = papers.content(town["buyer"], papers.trade_voucher(town["buyer"], order))
    assert voucher_paper["payment"]["batch"] == batch
    assert voucher_paper["payment"]["settledAt"] < voucher_paper["payment"]["paidAt"]
    assert found == clearing.run(exchange, batch) | {"ledgerTime": found["ledgerTime"]}  # again changes nothing

    fee = PRICE * 250 // 10_000
    shares = {line["to"]: line["amount"] for line in settlement.statement(town["supplier"], order)["lines"]}
    now = balances(town, *names)
    assert voucher["amount"] == PRICE
    assert now["buyer"] - before["buyer"] == ESCROW - PRICE
    assert now["supplier"] - before["supplier"] == shares[town["supplier"].address]
    assert now["collector"] - before["collector"] == shares[town["collector"].address] - 40 + 15
    assert now["rival"] - before["rival"] == 40 - 15
    assert shares[town["supplier"].address] + shares[town["collector"].address] == PRICE - fee

    mine = clearing.debts(town["rival"], batch)
    assert {debt["amount"]: debt["status"] for debt in mine} == {
        40: DebtStatus.ENTERED,
        15: DebtStatus.ENTERED,
        10_000_000: DebtStatus.DROPPED,
    }
    assert [row["party"] for row in clearing.positions(town["rival"], batch)] == [town["rival"].address]
    assert clearing.positions(town["node-1"], batch) == []
    assert len(clearing.positions(town["auditor"], batch)) == found["parties"] == 5
    report = audited(town, tmp_path)
    assert report.findings == []


def test_a_party_ends_the_batch_of_a_silent_exchange(town: Town, tmp_path: Path) -> None:
    order, before = answered_order(town), balances(town, "buyer")
    ahead = max(town.ledger_time() - int(time.time()), 0)  # each block is a second later, however many are made in one
    batch = clearing.open_batch(town["exchange"], int(time.time()) + 2**40, close_in=20 + ahead)["batch"]
    settlement.clear(town["supplier"], order, batch)
    found = clearing.get(town["buyer"], batch)
    assert found["payouts"] is None
    time.sleep(max(found["closeBy"] - time.time(), 0) + 1.1)
    found = clearing.finish(town["buyer"], batch)
    assert (found["status"], found["confirmedBy"]) == (BatchStatus.SETTLED, ZERO_ADDRESS)
    assert balances(town, "buyer")["buyer"] - before["buyer"] == ESCROW - PRICE
    assert audited(town, tmp_path).findings == []


def test_a_seller_fills_a_batch_with_all_its_orders_and_goes_on_after_a_kill(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier, ready = town["supplier"], [answered_order(town) for _ in range(3)]
    silent = town.fund(town.facts["listing"], escrow=PRICE, epsilon_cap=1_000)
    batch = clearing.open_batch(town["exchange"], int(time.time()) + 2**41)["batch"]
    post, told = supplier.post, list[tuple[str, int, int]]()

    def dies(path: str, body: object, **more: Any) -> Any:
        post(path, body, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(filling, "TOGETHER", 1)
    monkeypatch.setattr(supplier, "post", dies)
    with pytest.raises(KeyboardInterrupt):
        filling.fill(supplier, batch)
    monkeypatch.undo()
    found = filling.fill(supplier, batch, report=lambda *step: told.append(step))
    assert found["refused"] == []
    assert told[-1][0] == "enter"
    assert {orders.get(supplier, order)["status"] for order in ready} == {OrderStatus.SETTLED}
    assert orders.get(supplier, silent)["status"] == OrderStatus.FUNDED
    assert found["unanswered"] >= 1
    assert clearing.get(supplier, batch)["legs"] >= len(ready)
    again = filling.fill(supplier, batch)
    assert (again["entered"], again["refused"]) == (0, [])
    assert filling.fill(town["rival"], batch) == {"batch": batch, "entered": 0, "refused": [], "unanswered": 0}


def test_an_order_that_cannot_enter_holds_up_no_other(town: Town) -> None:
    supplier, good, bad = town["supplier"], answered_order(town), answered_order(town)
    batch = clearing.open_batch(town["exchange"], int(time.time()) + 2**42)["batch"]
    own = {bad: {"another": "voucher"}}
    found = filling.fill(supplier, batch, own=own.get)
    assert [(row["order"], row["refusal"]["code"]) for row in found["refused"]] == [(bad, "voucher_not_the_vaults")]
    assert orders.get(supplier, good)["status"] == OrderStatus.SETTLED
    body = {"orders": [_end(town, bad, batch), _end(town, good, "0x" + "77" * 32)]}
    told = supplier.post("/clearing/orders/many", body)["items"]
    assert [item["order"] for item in told] == [bad, good]
    assert told[0]["refusal"] is None
    assert told[1]["refusal"]["code"] == "order_not_funded"
    stranger = town["rival"].post("/clearing/orders/many", body)["items"]
    assert {item["refusal"]["code"] for item in stranger} == {"order_unknown"}


def test_what_ends_an_order_otherwise_is_no_entry_into_this_batch(town: Town) -> None:
    """Or an order that is closed, or cleared elsewhere, would be counted as entered here."""
    supplier, order = town["supplier"], answered_order(town)
    one, two = (clearing.open_batch(town["exchange"], int(time.time()) + 2**44 + n)["batch"] for n in (0, 1))
    intent = settlement.clear(supplier, order, one)["intent"]
    with town.context.reading() as session:
        row = session.get_one(Order, order)
        told = {batch: order_json(session, town.context.deployment, row, batch)["ending"] for batch in (one, two)}
    assert told == {one: intent, two: None}


def _end(town: Town, order: str, batch: str) -> dict[str, Any]:
    voucher = town["supplier"].get(f"/orders/{order}/voucher")
    return settlement.signed_end(
        town["supplier"], voucher_message(voucher), voucher["signature"], "Clear", batchId=batch
    )


@pytest.mark.parametrize("told", ["1 orders entered, 1 refused", "1 笔订单已计入，1 笔被拒绝"], ids=["en", "zh"])
def test_the_command_says_what_entered_and_what_was_refused(
    told: str, town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "a long password")
    monkeypatch.setattr("marketplace.sdk.opening.close_process", lambda: None)
    sealed = keystore.encrypt(town["supplier"].keys, "a long password", keystore.MIN_WORK_FACTOR)
    write_private(tmp_path / "keystore.json", json.dumps(sealed).encode())
    good, bad = answered_order(town), answered_order(town)
    other = {"another": "voucher"}
    monkeypatch.setattr(commands, "own_voucher", lambda _home, _keys, order: other if order == bad else None)
    batch = clearing.open_batch(town["exchange"], int(time.time()) + 2**43 + len(told))["batch"]
    language = "en" if told.isascii() else "zh"
    assert main(["--home", str(tmp_path), "--url", town.url, "--lang", language, "clearing", "fill", batch]) == 0
    printed = capsys.readouterr().out
    assert told in printed
    assert bad in printed
    assert "voucher_not_the_vaults" in printed
    assert good not in printed
    settlement.clear(town["supplier"], bad, batch)
