"""At which second an order may be claimed, challenged, presented, refunded and finished: as contracts/test/Claim.t.sol
and Refund.t.sol say of the contract."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from crypto.canonical import to_hex
from marketplace.errors import RuleError
from marketplace.intents import struct_hash
from marketplace.orders.rules import Order, Orders
from marketplace.settlement import claims, rules
from marketplace.settlement.money import Accounts
from marketplace.settlement.rules import FeeTerms
from marketplace.types import OrderStatus

END, DAY = 1_800_000_000, 86_400
ORDER, BUYER, SELLER, LISTING = "0x" + "01" * 32, "0x" + "02" * 20, "0x" + "03" * 20, "0x" + "04" * 32
VOUCHER = {"orderId": ORDER, "amount": 0, "epsilon": 0, "calls": 1, "callsRoot": "0x" + "05" * 32}
HIGHER = VOUCHER | {"epsilon": 1}
LISTINGS: Any = SimpleNamespace(records={LISTING: SimpleNamespace(seller=SELLER, asset_id="0x" + "06" * 32)})


def orders() -> Orders:
    """One funded order of no money, whose term ends at END."""
    return Orders({ORDER: Order(BUYER, LISTING, 0, 156, 10, END)})


def claim(state: Orders, now: int) -> None:
    wish = {"orderId": ORDER, "voucherHash": to_hex(struct_hash("Voucher", VOUCHER)), "by": BUYER, "deadline": now}
    claims.claim(state, VOUCHER, wish, now, listings=LISTINGS, delivered=())


def refused(act: Callable[[], object]) -> str:
    """The code of a refusal; "" where there is none."""
    try:
        act()
    except RuleError as error:
        return error.code
    return ""


@pytest.mark.parametrize(("now", "code"), [(END, ""), (END + 1, "claim_after_term")])
def test_a_claim_comes_within_the_term(now: int, code: str) -> None:
    assert refused(lambda: claim(orders(), now)) == code


@pytest.mark.parametrize(
    ("now", "code"),
    [(END, "order_not_claimed"), (END + 1, ""), (END + 3 * DAY, ""), (END + 3 * DAY + 1, "claim_after_term")],
)
def test_a_voucher_against_a_refund_comes_in_the_three_days_after_it(now: int, code: str) -> None:
    assert refused(lambda: claims.challenge(orders(), VOUCHER, now, delivered=())) == code


@pytest.mark.parametrize(("now", "code"), [(END + 3 * DAY, "refund_not_due"), (END + 3 * DAY + 1, "")])
def test_a_refund_comes_after_them(now: int, code: str) -> None:
    state = orders()
    assert refused(lambda: rules.refund(state, Accounts(escrow=SELLER), ORDER, now)) == code
    assert (state.records[ORDER].status is OrderStatus.REFUNDED) is (code == "")


@pytest.mark.parametrize(("now", "code"), [(END + 3 * DAY, ""), (END + 3 * DAY + 1, "window_over")])
def test_a_higher_voucher_comes_within_the_window(now: int, code: str) -> None:
    state = orders()
    claim(state, END)
    assert refused(lambda: claims.challenge(state, HIGHER, now, delivered=())) == code


def test_nothing_is_finished_within_the_window() -> None:
    state, nothing = orders(), SimpleNamespace()
    claim(state, END)
    around: Any = {"rights": nothing, "lineage": nothing, "listings": LISTINGS, "accounts": Accounts(escrow=SELLER)}
    last = END + 3 * DAY
    assert refused(lambda: rules.finish(state, ORDER, last, terms=FeeTerms(SELLER, 0), **around)) == "window_open"
