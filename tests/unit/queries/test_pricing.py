"""Vouchers only go forward, pay for the call at hand, and are the buyer's own."""

from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.merkle import root
from marketplace.documents import voucher_document
from marketplace.documents.plans import flat_plan
from marketplace.errors import RuleError, VerificationError
from marketplace.intents import Deployment, sign_intent
from marketplace.participants.keybook import KeyBook
from marketplace.pricing import Tariff
from marketplace.queries.permission.pricing import (
    OrderAccount,
    calls_of,
    check_asset_budget,
    check_voucher,
    check_voucher_signature,
    next_voucher,
)
from tests.sealed_market import DEPLOYMENT, NOW, keys

BUYER = keys("buyer")
DONE = "0x" + "01" * 32
QUERY = "0x" + "02" * 32
ACCOUNT = OrderAccount(
    order="0x" + "aa" * 32,
    buyer=BUYER.address,
    escrow=5_000,
    tariff=Tariff(flat_plan(500)),
    cap=3_000_000,
    spent=1_000_000,
    amount=500,
    epsilon=1_000_000,
    calls=calls_of([DONE]),
)


def paper(**changes: Any) -> dict[str, Any]:
    message = next_voucher(ACCOUNT, QUERY, 1_000_000) | changes
    return voucher_document(message, BUYER.address, sign_intent("Voucher", message, DEPLOYMENT, BUYER.signing_key))


def test_the_next_voucher_is_the_smallest_that_passes() -> None:
    message = next_voucher(ACCOUNT, QUERY, 1_000_000)
    assert (message["amount"], message["epsilon"], message["calls"]) == (1_000, 2_000_000, 2)
    assert message["callsRoot"] == "0x" + root([bytes.fromhex(name[2:]) for name in (DONE, QUERY)]).hex()
    check_voucher(ACCOUNT, paper(), QUERY, 1_000_000)
    check_voucher(ACCOUNT, paper(), QUERY, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"orderId": "0x" + "bb" * 32}, "voucher_order"),
        ({"amount": 499}, "voucher_backwards"),
        ({"epsilon": 999_999}, "voucher_backwards"),
        ({"amount": 999}, "voucher_too_small"),
        ({"amount": 5_001}, "escrow_exceeded"),
        ({"calls": 1}, "voucher_calls"),
        ({"callsRoot": to_hex(calls_of([QUERY]).root())}, "voucher_calls"),
        ({"epsilon": 1_999_999}, "voucher_epsilon"),
        ({"epsilon": 3_000_001}, "voucher_epsilon"),
    ],
)
def test_a_voucher_that_does_not_cover_the_call_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_voucher(ACCOUNT, paper(**changes), QUERY, 1_000_000)
    assert caught.value.code == code


def test_an_order_cannot_spend_beyond_its_cap() -> None:
    with pytest.raises(RuleError) as caught:
        check_voucher(ACCOUNT, paper(epsilon=3_000_000), QUERY, 2_000_001)
    assert caught.value.code == "order_budget_exhausted"
    assert caught.value.expected == "at most 2000000"


def test_a_data_set_says_how_much_is_left() -> None:
    check_asset_budget(10, 4, 6)
    with pytest.raises(RuleError) as caught:
        check_asset_budget(10, 4, 7)
    assert (caught.value.code, caught.value.expected) == ("budget_exhausted", "at most 6")


def test_a_voucher_of_another_signer_chain_or_contract_is_refused() -> None:
    check_voucher_signature(ACCOUNT.buyer, paper(), KeyBook(DEPLOYMENT), NOW)
    other_chain = Deployment(1, DEPLOYMENT.addresses)
    other_contract = Deployment(DEPLOYMENT.chain_id, {**DEPLOYMENT.addresses, "Orders": "0x" + "09" * 20})
    cases = [
        (keys("thief").address, DEPLOYMENT),
        (ACCOUNT.buyer, other_chain),
        (ACCOUNT.buyer, other_contract),
    ]
    for buyer, deployment in cases:
        with pytest.raises(VerificationError) as caught:
            check_voucher_signature(buyer, paper(), KeyBook(deployment), NOW)
        assert caught.value.code == "voucher_signature"
