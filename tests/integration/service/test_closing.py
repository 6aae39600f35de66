"""Closing an order: only with the voucher of the last answer, never beside a question that is still open."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace import documents
from marketplace.documents import voucher_document, voucher_message
from marketplace.intents import REFUND_GRACE_SECONDS, Deployment, sign_intent, struct_hash
from marketplace.queries.permission.pricing import calls_of, next_voucher
from marketplace.sdk import orders, participants, queries, settlement
from marketplace.sdk.client import Client
from marketplace.types import OrderStatus, ParticipantStatus
from tests.integration.service.test_refusals import Asking, code_of
from tests.integration.service.town import ESCROW, NODES, PRICE, ROLES, Town, running, town_settings
from tests.sealed_market import keys


@pytest.fixture
def asking(town: Town) -> Asking:
    """A question under an order of its own, and the money for it."""
    settlement.issue(town["bank"], town["buyer"].address, ESCROW)
    made = Asking(town, town.fund(town.facts["listing"]))
    made.query = {**made.query, "epsilon": 900}  # no other test's question: repeating one would cost nothing
    return made


def voucher_of(asking: Asking) -> dict[str, Any]:
    """The voucher that pays for the question."""
    account = queries.account_of(asking.client, asking.deal)
    return next_voucher(account, documents.digest(asking.query), 1000)


def close(town: Town, voucher: dict[str, Any]) -> Any:
    """Close with a voucher that the buyer signs, as a seller's own program might."""
    seller = town["supplier"]
    message = {"orderId": voucher["orderId"], "voucherHash": to_hex(struct_hash("Voucher", voucher))}
    message |= {"seller": seller.address, "deadline": seller.deadline()}
    body = {"voucher": voucher, "buyerSignature": town["buyer"].sign("Voucher", voucher), "close": message}
    return seller.submit("/settlement/closings", {**body, "sellerSignature": seller.sign("Close", message)})


def state_of(town: Town, query: str) -> str:
    """How a query stands."""
    return str(town["buyer"].get(f"/queries/{query}")["state"])


def test_an_unanswered_question_is_not_paid_for(town: Town, asking: Asking) -> None:
    """Nor does it hold the closing up: what the panel has not attested comes to no result."""
    name, voucher = asking.post()["digest"], voucher_of(asking)
    assert code_of(lambda: close(town, voucher)) == "voucher_not_last"
    nothing = {**voucher, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    close(town, nothing)
    order = orders.get(town["buyer"], asking.query["order"])
    assert (order["status"], order["refund"]) == (OrderStatus.SETTLED, ESCROW)
    assert state_of(town, name) == "failed"
    assert town.leaves("query.failed")[-1]["query"] == name
    asking.query = {**asking.query, "sequence": 2}
    assert code_of(asking.post) == "order_not_open"


def test_an_order_is_not_closed_while_its_vault_may_be_answering(town: Town, asking: Asking) -> None:
    first = asking.post()["digest"]
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    paid = voucher_message(town["supplier"].get(f"/orders/{asking.query['order']}/voucher"))

    asking.query = {**asking.query, "sequence": 2, "epsilon": 901}
    calls = {"calls": 2, "callsRoot": to_hex(calls_of([first, documents.digest(asking.query)]).root())}
    dearer = {**paid, **calls, "amount": 2 * PRICE, "epsilon": 2001}
    second = asking.post(**dearer)["digest"]
    assert all(town.node(node).step(5) for node in NODES)
    assert code_of(lambda: close(town, dearer)) == "voucher_not_last"
    assert code_of(lambda: close(town, paid)) == "query_in_flight"
    assert town.vault().step(5)
    assert (state_of(town, first), state_of(town, second)) == ("released", "released")
    assert code_of(lambda: close(town, paid)) == "voucher_not_last"
    close(town, dearer)
    assert orders.get(town["buyer"], asking.query["order"])["amount"] == dearer["amount"]


def test_a_voucher_that_goes_backwards_or_is_for_elsewhere_is_refused(town: Town, asking: Asking) -> None:
    first = asking.post()["digest"]
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    assert state_of(town, first) == "released"
    asking.query = {**asking.query, "sequence": 2, "epsilon": 902}
    calls = {"calls": 2, "callsRoot": to_hex(calls_of([first, documents.digest(asking.query)]).root())}
    good = {"orderId": asking.query["order"], "amount": 2 * PRICE, "epsilon": 2_000, **calls}
    for worse in ({"amount": PRICE - 1}, {"epsilon": 1}):
        assert code_of(partial(asking.post, **{**good, **worse})) == "voucher_backwards"
    buyer, here = town["buyer"], town["buyer"].deployment
    moved = dict.fromkeys(here.addresses, "0x" + "11" * 20)
    for elsewhere in (Deployment(here.chain_id + 1, here.addresses), Deployment(here.chain_id, moved)):
        signature = sign_intent("Voucher", good, elsewhere, buyer.keys.signing_key)
        body = {"query": asking.query, "voucher": voucher_document(good, buyer.address, signature)}
        assert code_of(partial(buyer.post, "/queries", body)) == "voucher_signature"
    asking.query = {**asking.query, "sequence": 1}
    assert code_of(partial(asking.post, **good)) == "sequence_wrong"


def test_nothing_is_asked_once_the_seller_closes(town: Town, asking: Asking) -> None:
    """Between the seller's word and its block the order is still funded; an answer then would be in no voucher."""
    voucher = {**voucher_of(asking), "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    body = {"voucher": voucher, "buyerSignature": town["buyer"].sign("Voucher", voucher)}
    message = {"orderId": voucher["orderId"], "voucherHash": to_hex(struct_hash("Voucher", voucher))}
    message |= {"seller": town["supplier"].address, "deadline": town["supplier"].deadline()}
    body |= {"close": message, "sellerSignature": town["supplier"].sign("Close", message)}
    town["supplier"].post("/settlement/closings", body)
    assert code_of(asking.post) in ("order_closing", "order_not_open")


def test_a_suspended_buyer_asks_nothing_though_its_session_lives(town: Town, asking: Asking) -> None:
    town["buyer"].get("/orders")  # signed in
    participants.set_status(town["registrar"], town["buyer"].address, ParticipantStatus.SUSPENDED, "test")
    assert code_of(asking.post) == "role_missing"
    participants.set_status(town["registrar"], town["buyer"].address, ParticipantStatus.ACTIVE, "test")
    name = asking.post()["digest"]
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    assert state_of(town, name) == "released"


def test_an_expired_order_answers_nothing_and_gives_everything_back(tmp_path: Path) -> None:
    later = [0]
    settings = town_settings(tmp_path / "service")
    with running(settings, lambda: int(time.time()) + later[0]) as context:
        town = Town(settings.public_url, tmp_path, context)
        for role in (*ROLES, "registrar"):
            town.clients[role] = Client(town.url, keys(role), now=lambda: int(time.time()) + later[0])
        town.open_market()
        order, other = (town.fund(town.facts["listing"], valid_until=int(time.time()) + 600) for _ in range(2))
        asking, before = Asking(town, order), settlement.balance(town["buyer"])["balance"]
        name = asking.post()["digest"]
        refused = code_of(lambda: settlement.refund(town["rival"], order))
        later[0] = 1_000
        expired = code_of(Asking(town, other).post)
        later[0] += REFUND_GRACE_SECONDS
        for client in town.clients.values():
            client.act_for(client.address)  # sessions ended meanwhile
        for _ in range(2):  # again is harmless
            settlement.refund(town["rival"], order)
        after, state = settlement.balance(town["buyer"])["balance"], state_of(town, name)
        asking.query = {**asking.query, "sequence": 2}
        ended = code_of(asking.post)
        town.close()
    assert (refused, expired, ended) == ("order_unknown", "order_expired", "order_not_open")
    assert (after, state) == (before + ESCROW, "failed")


def test_a_stranger_is_told_nothing_by_speaking_in_anothers_name(town: Town, asking: Asking) -> None:
    """An order that is there is answered like one that is not; neither voucher nor obligations are shown."""
    voucher, stranger, seller = voucher_of(asking), town["rival"], town["supplier"].address
    for path, name in (("/settlement/closings", "Close"), ("/clearing/orders", "Clear")):
        for order in (voucher["orderId"], "0x" + "77" * 32):
            said = {**voucher, "orderId": order}
            message = {"orderId": order, "voucherHash": to_hex(struct_hash("Voucher", said)), "seller": seller}
            message |= {"deadline": stranger.deadline()} | ({"batchId": "0x" + "11" * 32} if name == "Clear" else {})
            body = {"voucher": said, "buyerSignature": stranger.sign("Voucher", said), name.lower(): message}
            body["sellerSignature"] = stranger.sign(name, message)
            assert code_of(partial(stranger.submit, path, body)) == "intent_signature_invalid"
    leave = {"account": town["buyer"].address, "version": 1, "deadline": stranger.deadline()}
    body = {"leave": leave, "signature": stranger.sign("Leave", leave)}
    assert code_of(partial(stranger.submit, "/participants/exits", body)) == "intent_signature_invalid"
