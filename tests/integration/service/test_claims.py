"""One side alone: claims, the higher voucher, and the finish, as buyer, seller and the service by itself do it."""

import json
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from crypto.canonical import to_hex
from crypto.keystore import encrypt
from crypto.merkle import EMPTY_ROOT
from marketplace import cli, documents
from marketplace.auditor.papers_in_hand import Paper
from marketplace.calls import act_digest
from marketplace.chores import REFUSED_SECONDS, Orders
from marketplace.documents import voucher_message
from marketplace.evidence.inbox import Statement
from marketplace.gateway.serving import _hand_in
from marketplace.intents import CHALLENGE_SECONDS, struct_hash
from marketplace.ledger.intake import intent_status
from marketplace.ledger.tables import LedgerIntent
from marketplace.queries.inbox.tally import has_unanswered
from marketplace.queries.permission.pricing import calls_of
from marketplace.queries.tables import QueryRow
from marketplace.refusals import refuse
from marketplace.sdk import api, claims, identifiers, orders, papers, persons, settlement
from marketplace.sdk.api.calling import Caller
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore
from marketplace.sdk.http.polling import task_in
from marketplace.settlement.inbox import claims as inbox
from marketplace.settlement.service import LastVoucher
from marketplace.settlement.statements.account import CHINA
from marketplace.storage.documents import StoredDocument
from marketplace.types import ZERO_ADDRESS, OrderStatus
from marketplace.vault.closing import Closing
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.integration.service.calling import gateway, offer_calls, order_calls
from tests.integration.service.late import Late
from tests.integration.service.test_panel import audited
from tests.integration.service.test_refusals import code_of
from tests.integration.service.town import ESCROW, NODES, PRICE
from tests.sealed_market import keys

PASSWORD = "a long password"
HOUR = 3_600


def claim_nothing(late: Late, order: str, **figures: Any) -> None:
    """As a buyer that has had answers and would not pay for them; or would have it look otherwise."""
    buyer = late.town["buyer"]
    nothing = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT), **figures}
    wish: dict[str, Any] = {"orderId": order, "voucherHash": to_hex(struct_hash("Voucher", nothing))}
    wish |= {"by": buyer.address, "deadline": buyer.deadline()}
    body = {"voucher": nothing, "buyerSignature": buyer.sign("Voucher", nothing), "claim": wish}
    buyer.submit("/settlement/claims", {**body, "signature": buyer.sign("Claim", wish)})


def test_a_buyer_ends_its_order_by_command(
    late: Late, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order = late.asking().query["order"]
    (tmp_path / "keystore.json").write_text(json.dumps(encrypt(late.town["buyer"].keys, PASSWORD, 12)), "utf-8")
    (tmp_path / "keystore.json").chmod(0o600)
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    where = ["--url", late.town.url, "--home", str(tmp_path)]
    assert cli.main(["orders", "claim", order, *where]) == 0
    assert "stands at" in capsys.readouterr().out
    assert cli.main(["orders", "show", order, *where, "--lang", "zh"]) == 0
    assert "现凭证金额" in capsys.readouterr().out
    for verb, code in (("challenge", "voucher_unknown"), ("finish", "window_open")):
        assert cli.main(["orders", verb, order, *where, "--json"]) != 0
        assert code in capsys.readouterr().err


def test_the_voucher_of_calls_counts_though_it_comes_after_the_claim(late: Late, tmp_path: Path) -> None:
    """The gateway stops by itself; what it hands in while the window is open is presented by the service."""
    town = late.town
    listing = offer_calls(town)
    order, where = order_calls(town, listing), [{"column": "id", "test": "EQ", "value": "F0001"}]
    store = CallStore(tmp_path / "buyer.sqlite")
    with gateway(town, listing, tmp_path) as desk, Caller(town["buyer"], order, store) as calls:
        calls.call("flight", where)
        calls.pay()
        claim_nothing(late, order)
        assert code_of(lambda: calls.call("flight", where)) == "calls_over"
        api.hand_in(town["supplier"], order, desk.store)
    store.close()
    found = late.until(order, lambda item: item["claim"]["amount"] == 30)
    assert (found["status"], found["claim"]["calls"]) == (OrderStatus.CLAIMED, 1)


def test_a_seller_that_sleeps_is_paid_for_what_was_answered(late: Late) -> None:
    """The buyer claims for nothing while its second question is open; the service presents the voucher of the first."""
    town, asking = late.town, late.answered()
    order, first = asking.query["order"], documents.digest(asking.query)
    asking.query = {**asking.query, "sequence": 2, "epsilon": next(late.epsilons)}
    root = to_hex(calls_of([first, documents.digest(asking.query)]).root())
    second = asking.post(amount=2 * PRICE, epsilon=2_001, calls=2, callsRoot=root)["digest"]

    claim_nothing(late, order)
    late.wait(lambda: town["buyer"].get(f"/queries/{second}")["state"] == "failed")
    asking.query = {**asking.query, "sequence": 3}
    assert code_of(asking.post) == "order_closing"
    found = late.until(order, lambda item: item["claim"]["amount"] == PRICE)
    assert (found["status"], found["claim"]["calls"]) == (OrderStatus.CLAIMED, 1)
    assert found["claim"]["claimedBy"] == town["buyer"].address
    assert settlement.statement(town["supplier"], order)["lines"] == [{"what": "escrow", "to": "", "amount": ESCROW}]

    assert claims.challenge(town["supplier"], order)["claim"] == found["claim"]  # said already
    assert code_of(lambda: claims.finish(town["supplier"], order)) == "window_open"
    assert code_of(lambda: claims.finish(town["rival"], order)) == "order_unknown"
    assert code_of(lambda: settlement.refund(town["buyer"], order)) == "order_not_funded"
    late.pass_window()
    paid = late.until(order, lambda item: item["status"] == OrderStatus.SETTLED)
    assert (paid["amount"], paid["refund"], paid["calls"]) == (PRICE, ESCROW - PRICE, 1)


def test_a_buyer_whose_seller_is_silent_has_its_money_back_after_the_window(late: Late) -> None:
    asking = late.asking()
    order, before = asking.query["order"], settlement.balance(late.town["buyer"])["balance"]
    result = claims.claim(late.town["buyer"], order)
    assert (result["claim"]["amount"], result["claim"]["calls"]) == (0, 0)
    late.pass_window()
    late.until(order, lambda item: item["status"] == OrderStatus.SETTLED)
    assert settlement.balance(late.town["buyer"])["balance"] == before + ESCROW


def test_a_seller_that_sleeps_past_the_term_is_paid_and_what_nobody_used_goes_back(late: Late) -> None:
    """After the term the service presents the voucher of the last answer; an order without one waits for three days."""
    used, unused = late.answered(HOUR).query["order"], late.asking(HOUR).query["order"]
    buyer, before = late.town["buyer"], settlement.balance(late.town["buyer"])["balance"]
    late.wait_for(HOUR + 10)
    found = late.until(used, lambda item: item["status"] == OrderStatus.CLAIMED)
    assert (found["claim"]["amount"], found["claim"]["claimedBy"]) == (PRICE, ZERO_ADDRESS)
    assert code_of(lambda: settlement.refund(buyer, used)) == "order_not_funded"
    assert code_of(lambda: settlement.refund(buyer, unused)) == "refund_not_due"
    assert code_of(lambda: claims.claim(buyer, unused)) == "claim_after_term"
    late.pass_window()
    assert late.until(used, lambda item: item["status"] == OrderStatus.SETTLED)["amount"] == PRICE
    settlement.refund(late.town["rival"], unused)
    assert settlement.balance(buyer)["balance"] == before + ESCROW - PRICE + ESCROW


def test_both_sides_still_end_a_claimed_order_at_once(late: Late) -> None:
    asking = late.answered()
    order = asking.query["order"]
    result = claims.claim(late.town["supplier"], order)
    assert (result["claim"]["amount"], result["claim"]["claimedBy"]) == (PRICE, late.town["supplier"].address)
    shown = identifiers.resolve(late.town["supplier"], order)
    assert (shown["status"], shown["inForce"]) == ("claimed", True)
    settlement.close(late.town["supplier"], order)
    assert late.order(order)["status"] == OrderStatus.SETTLED
    assert code_of(lambda: claims.finish(late.town["supplier"], order)) == "order_not_claimed"
    assert code_of(lambda: claim_nothing(late, order)) == "order_not_funded"


def test_an_answer_that_the_vault_has_in_hand_is_paid(late: Late) -> None:
    """The vault has taken the question when the buyer claims for nothing; it answers, and that voucher is presented."""
    town, asking = late.town, late.asking()
    asking.post()
    assert all(town.node(node).step(5) for node in NODES)
    task = task_in(town["supplier"].post("/vault/tasks", {}))
    assert task is not None
    assert task["query"]["order"] == asking.query["order"]
    claim_nothing(late, asking.query["order"])
    late.later[0] += town.context.settings.lease_seconds + 5
    assert late.vault().step(5)
    late.until(asking.query["order"], lambda item: item["claim"]["amount"] == PRICE)


def test_a_claim_ends_no_question_before_the_ledger_has_taken_it(late: Late) -> None:
    """It may refuse the claim; then the order goes on, and so do its questions."""
    buyer, asking, deployment = late.town["buyer"], late.asking(), late.town.context.deployment
    digest, order = asking.post()["digest"], asking.query["order"]
    nothing = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    wish = {"orderId": order, "voucherHash": to_hex(struct_hash("Voucher", nothing))}
    wish |= {"by": buyer.address, "deadline": buyer.deadline()}
    with late.town.context.writing() as session:  # rolled back: as far as the queue, and no further
        last = LastVoucher(nothing, buyer.sign("Voucher", nothing))
        inbox.claim(session, deployment, last, Statement("Claim", wish, (buyer.sign("Claim", wish),)), now=late.now())
        assert has_unanswered(session, order)
        session.rollback()
    assert buyer.get(f"/queries/{digest}")["state"] != "failed"
    claim_nothing(late, order)
    late.wait(lambda: buyer.get(f"/queries/{digest}")["state"] == "failed")


def test_what_the_ledger_refused_is_not_sent_again_within_the_hour(late: Late) -> None:
    order, context = late.asking().query["order"], late.town.context
    claim_nothing(late, order)
    name = act_digest("finish", [order], context.deployment.domain("Orders"))
    refused_at = datetime.fromtimestamp(late.now() + CHALLENGE_SECONDS, UTC)
    refused: dict[str, Any] = {
        "contract": "Orders",
        "verb": "finish",
        "calldata": b"",
        "by": late.town["buyer"].address,
    }
    refused |= {"status": "refused", "code": "call_failed", "reason": "0x", "queued_at": refused_at}
    with context.writing() as session:
        session.add(LedgerIntent(digest=name, finished_at=refused_at, **refused))
    late.pass_window()
    late.wait(lambda: "the ledger refused to finish an order: call_failed" in late.problem())
    time.sleep(2.5)  # steps of the chore
    with context.reading() as session:
        assert intent_status(session, name)["status"] == "refused"
        assert [due.verb for due in inbox.what_is_due(session, context.deployment, late.now())] == [""]
    late.later[0] += inbox.RETRY_SECONDS
    late.until(order, lambda item: item["status"] == OrderStatus.SETTLED)
    late.wait(lambda: not late.problem())


def test_an_order_whose_voucher_is_damaged_keeps_no_other_from_its_end(late: Late) -> None:
    damaged, other, context = late.answered(), late.answered(), late.town.context
    order = damaged.query["order"]
    with context.writing() as session:
        voucher = session.exec(select(QueryRow.voucher_digest).where(QueryRow.order_id == order)).one()
        stored = session.get_one(StoredDocument, voucher)
        body, stored.body = stored.body, b"{}"
    for claimed in (order, other.query["order"]):
        claim_nothing(late, claimed)
    late.until(other.query["order"], lambda item: item["claim"]["amount"] == PRICE)
    late.wait(lambda: "an order cannot be judged: document_altered" in late.problem())
    assert late.order(order)["claim"]["amount"] == 0
    with context.writing() as session:
        session.get_one(StoredDocument, voucher).body = body
    late.until(order, lambda item: item["claim"]["amount"] == PRICE)
    late.wait(lambda: not late.problem())


def test_a_stranger_claims_nothing_and_is_told_nothing(late: Late) -> None:
    order, stranger = late.asking().query["order"], late.town["rival"]
    nothing = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    for by, code in ((stranger, "order_unknown"), (late.town["buyer"], "intent_signature_invalid")):
        wish = {"orderId": order, "voucherHash": to_hex(struct_hash("Voucher", nothing))}
        wish |= {"by": by.address, "deadline": stranger.deadline()}
        body = {"voucher": nothing, "buyerSignature": stranger.sign("Voucher", nothing), "claim": wish}
        body["signature"] = stranger.sign("Claim", wish)
        assert code_of(partial(stranger.submit, "/settlement/claims", body)) == code
    assert code_of(lambda: claims.challenge(late.town["supplier"], order)) == "voucher_unknown"
    assert code_of(lambda: claims.claim(late.town["supplier"], order)) == "voucher_unknown"


def test_the_auditor_finds_nothing_against_it(late: Late, tmp_path: Path) -> None:
    assert audited(late.town, tmp_path).findings == []


def test_an_answer_after_the_finish_is_unpaid_and_the_auditor_says_so(late: Late, tmp_path: Path) -> None:
    """One call is what a seller risks that answers so late."""
    town, asking = late.town, late.asking()
    asking.post()
    assert all(town.node(node).step(5) for node in NODES)
    assert task_in(town["supplier"].post("/vault/tasks", {})) is not None
    claim_nothing(late, asking.query["order"])
    late.pass_window()
    late.until(asking.query["order"], lambda item: item["status"] == OrderStatus.SETTLED)
    assert late.vault().step(5)
    (finding,) = audited(town, tmp_path).findings
    assert (finding.code, finding.subject) == ("claim_unchallenged", f"order {asking.query['order']}")
    assert str(PRICE) in finding.expected


def test_a_claim_by_a_voucher_that_no_answer_earned_is_held_against_the_claimer(late: Late, tmp_path: Path) -> None:
    """As high in money, with more calls than anybody asks: no honest voucher leads it, and papers do not count so."""
    town, order, buyer = late.town, late.answered().query["order"], late.town["buyer"]
    epsilon = voucher_message(town["supplier"].get(f"/orders/{order}/voucher"))["epsilon"]
    forged = {"amount": PRICE, "epsilon": epsilon, "calls": 2**32 - 1, "callsRoot": "0x" + "11" * 32}
    claim_nothing(late, order, **forged)
    late.pass_window()
    late.until(order, lambda item: item["status"] == OrderStatus.SETTLED)
    signed = papers.trade_voucher(buyer, order)
    paper = papers.content(buyer, signed)
    assert paper["delivery"]["calls"] == 1
    month = datetime.fromisoformat(paper["payment"]["settledAt"]).astimezone(CHINA).strftime("%Y-%m")
    invoice = papers.invoice(buyer, town["supplier"].address, buyer.address, month)
    (line,) = [item for item in papers.content(buyer, invoice)["lines"] if item["order"] == order]
    assert [(part["code"], part["units"], part["amount"]) for part in line["bill"]] == [("call", 1, PRICE)]
    report = audited(
        town, tmp_path, papers=[Paper("voucher", signed, late.now()), Paper("invoice", invoice, late.now())]
    )
    (finding,) = [item for item in report.findings if order in item.subject or item.code.startswith("paper")]
    assert (finding.code, finding.subject) == ("claim_unearned", f"order {order} claimed by {buyer.address}")
    assert not [item for item in report.findings if item.code == "settled_differs"]


def test_what_stands_is_what_the_last_voucher_says(late: Late) -> None:
    asking = late.answered()
    order = asking.query["order"]
    claims.claim(late.town["buyer"], order)
    stands = late.order(order)["claim"]
    last = voucher_message(late.town["supplier"].get(f"/orders/{order}/voucher"))
    assert {name: stands[name] for name in ("amount", "epsilon", "calls", "callsRoot")} == {
        name: last[name] for name in ("amount", "epsilon", "calls", "callsRoot")
    }


def rotated(late: Late, name: str) -> Client:
    """A party whose next key signs from now on."""
    town, fresh = late.town, keys(f"the next key after {late.town[name].keys.address}")
    persons.rotate_key(town[name], fresh)
    client = Client(town.url, fresh, account=town[name].address, now=late.now)
    town[name].close()
    town.clients[name] = client
    return client


def test_a_gateway_closes_an_order_whose_voucher_would_soon_count_no_more(late: Late, tmp_path: Path) -> None:
    """A buyer could call, end its key, wait for three days and claim for nothing."""
    town, listing = late.town, offer_calls(late.town)
    order, store = order_calls(town, listing, "rival", seconds=110 * 86_400), CallStore(tmp_path / "buyer.sqlite")
    with gateway(town, listing, tmp_path, now=late.now) as desk:
        with Caller(town["rival"], order, store) as calls:
            calls.call("flight", [{"column": "id", "test": "EQ", "value": "F0001"}])
            calls.pay()
        rotated(late, "rival")
        for status in (OrderStatus.FUNDED, OrderStatus.FUNDED, OrderStatus.SETTLED):
            _hand_in(desk, lambda *_: None, {})
            found = orders.get(town["supplier"], order)
            assert found["status"] == status
            late.wait_for(25 * HOUR)
    store.close()
    assert (found["amount"], found["calls"]) == (30, 1)


def test_a_vault_closes_an_order_whose_voucher_would_soon_count_no_more(late: Late) -> None:
    """The same with a question: it looks once an hour."""
    town, order = late.town, late.answered().query["order"]
    store = PrivacyStore(town.folder / "vault" / "ledger.sqlite", Cipher(keys("supplier").seed))
    told: list[str] = []
    closing = Closing(town["supplier"], store, lambda english, _: told.append(english), late.now)
    rotated(late, "buyer")
    for status in (OrderStatus.FUNDED, OrderStatus.FUNDED, OrderStatus.SETTLED):
        closing.step()
        closing.step()
        found = orders.get(town["supplier"], order)
        assert found["status"] == status
        late.wait_for(25 * HOUR)
    assert (found["amount"], found["calls"]) == (PRICE, 1)
    assert [item for item in told if order in item] == [f"{order} is closed: its voucher's key has ended"]


def test_a_voucher_that_no_longer_counts_holds_nothing_else_up(late: Late) -> None:
    """Its key ended more than three days ago; the questions of the claimed order end all the same."""
    town, asking = late.town, late.answered()
    first = documents.digest(asking.query)
    asking.client = rotated(late, "buyer")
    late.wait_for(CHALLENGE_SECONDS + HOUR)
    asking.query = {**asking.query, "sequence": 2, "epsilon": next(late.epsilons)}
    root = to_hex(calls_of([first, documents.digest(asking.query)]).root())
    second = asking.post(amount=2 * PRICE, epsilon=2_001, calls=2, callsRoot=root)["digest"]
    claim_nothing(late, asking.query["order"])
    late.wait(lambda: town["buyer"].get(f"/queries/{second}")["state"] == "failed")


def test_what_the_rules_refuse_is_not_tried_every_second(late: Late) -> None:
    tried: list[int] = []

    def act(_: Session) -> None:
        tried.append(late.now())
        raise refuse("OrdersNotFunded", orderId="0x", current=0)

    attended = Orders(late.town.context)
    for _ in range(3):
        attended.do("0x", "challenge", act)
        attended.report()
    assert len(tried) == 1
    attended.do("0x", "finish", act)
    assert len(tried) == 2
    late.later[0] += REFUSED_SECONDS + 1
    attended.do("0x", "challenge", act)
    assert len(tried) == 3
