"""How an order ends where one side is alone: claim and challenge of contracts/src/Orders.sol, in Python. `finish`,
which pays, stands in settlement/rules.py.

A side presents a voucher of the buyer's and a window opens. Until it ends, any higher voucher of the buyer's takes its
place, whoever presents it; then what stands is paid. The buyer alone makes vouchers, so which is higher must leave it
no way to hide one behind another: amount and epsilon each only rise, and calls follow the amount.

After the term of an order that nobody ended, a voucher opens the window by itself, in the stead of a refund, which
waits so long.
"""

from collections.abc import Container

from crypto.canonical import to_hex
from marketplace.events import Event
from marketplace.intents import CHALLENGE_SECONDS, REFUND_GRACE_SECONDS, struct_hash
from marketplace.listings.rules import Listings
from marketplace.orders.rules import STATES, Order, Orders, Window
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.settlement.rules import require_named, require_within
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, OrderStatus


def claim(
    state: Orders, voucher: Message, wish: Message, now: int, *, listings: Listings, delivered: Container[str]
) -> list[Event]:
    """Open the window of an order for one of its sides.

    Args:
        voucher: the intent Voucher, signed by the order's buyer.
        wish: the intent Claim, signed by buyer or seller.
        now: the block's time, unix seconds.
        delivered: ids of the orders for which a delivery was arranged.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key = voucher["orderId"]
    order = state.require(key, "claim")
    require_in_time(wish, now)
    voucher_hash = to_hex(struct_hash("Voucher", voucher))
    require_named(voucher, voucher_hash, wish)
    if wish["by"] not in (order.buyer, listings.records[order.listing_id].seller):
        raise refuse("OrdersNotParty", orderId=key, account=wish["by"])
    if now > order.valid_until:
        raise refuse("OrdersTermOver", orderId=key, validUntil=order.valid_until)
    if key in delivered:
        raise refuse("OrdersDelivered", orderId=key)
    _require_presentable(order, voucher)

    order.status = STATES["claim"][order.status]
    return _open(state, voucher, wish["by"], now)


def _open(state: Orders, voucher: Message, by: str, now: int) -> list[Event]:
    window = state.windows[voucher["orderId"]] = Window(
        voucher_hash=to_hex(struct_hash("Voucher", voucher)),
        amount=voucher["amount"],
        epsilon=voucher["epsilon"],
        calls=voucher["calls"],
        calls_root=voucher["callsRoot"],
        until=now + CHALLENGE_SECONDS,
    )
    told = {**_standing(voucher["orderId"], window), "by": by, "until": window.until}
    return [Event("Orders", "Claimed", told)]


def challenge(state: Orders, voucher: Message, now: int, *, delivered: Container[str]) -> list[Event]:
    """Present a higher voucher of a claimed order, or any of one that nobody ended in its term; anyone may.

    Args:
        voucher: the intent Voucher, signed by the order's buyer.
        now: the block's time, unix seconds.
        delivered: ids of the orders for which a delivery was arranged.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key = voucher["orderId"]
    order = state.require(key, "challenge")
    if order.status is OrderStatus.FUNDED:
        _require_sleeping(order, key, now, delivered)
        _require_presentable(order, voucher)
        order.status = STATES["challenge"][order.status]
        return _open(state, voucher, ZERO_ADDRESS, now)
    window = state.windows[key]
    if now > window.until:
        raise refuse("OrdersWindowOver", orderId=key, until=window.until)
    _require_presentable(order, voucher)
    if not is_higher(voucher, window):
        raise refuse("OrdersNotHigher", orderId=key, amount=window.amount, epsilon=window.epsilon)

    if _leads(voucher, window):
        window.voucher_hash = to_hex(struct_hash("Voucher", voucher))
        window.amount, window.calls, window.calls_root = voucher["amount"], voucher["calls"], voucher["callsRoot"]
    window.epsilon = max(window.epsilon, voucher["epsilon"])
    return [Event("Orders", "Challenged", _standing(key, window))]


def _require_sleeping(order: Order, key: str, now: int, delivered: Container[str]) -> None:
    """Refuse unless the order's term is over, and the time in which a voucher may be presented is not."""
    until = order.valid_until + REFUND_GRACE_SECONDS
    if now <= order.valid_until:
        raise refuse("OrdersNotClaimed", orderId=key, current=int(order.status))
    if now > until:
        raise refuse("OrdersTermOver", orderId=key, validUntil=until)
    if key in delivered:
        raise refuse("OrdersDelivered", orderId=key)


def is_higher(voucher: Message, window: Window) -> bool:
    """Whether a voucher of the order would change what stands in its window."""
    return _leads(voucher, window) or bool(voucher["epsilon"] > window.epsilon)


def seconds_open(window: Window, now: int) -> int:
    """For how long a window has stood: for so long more a voucher outlives its key, so that what was good when the
    window opened is good until it ends."""
    return now + CHALLENGE_SECONDS - window.until


def _leads(voucher: Message, window: Window) -> bool:
    return bool((voucher["amount"], voucher["calls"]) > (window.amount, window.calls))


def _standing(key: str, window: Window) -> dict[str, str | int]:
    return {
        "orderId": key,
        "voucherHash": window.voucher_hash,
        "amount": window.amount,
        "epsilon": window.epsilon,
        "calls": window.calls,
        "callsRoot": window.calls_root,
    }


def _require_presentable(order: Order, voucher: Message) -> None:
    require_within(order, voucher)
    if voucher["callsRoot"] == ZERO_DIGEST:
        raise refuse("OrdersCallsRootZero")
