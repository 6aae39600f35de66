"""Ending an order alone: claim it, present a higher voucher, have it finished after the window."""

from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace import documents
from marketplace.documents import Document
from marketplace.errors import NotFoundError
from marketplace.intents import INTENTS, struct_hash
from marketplace.sdk import orders
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import OrderStatus


def claim(client: Client, order_id: str, own: Document | None = None) -> dict[str, Any]:
    """Claim the end of an order, as its buyer or its seller, by the highest voucher that is at hand. For three days any
    higher one takes its place; then anyone has it paid.

    Args:
        own: the last voucher in the seller's own vault or gateway. A buyer under whose order nothing was answered signs
            a voucher of nothing.
    Returns:
        the intent's outcome with "claim", what stands, and the order's "currency".
    Raises:
        NotFoundError: `voucher_unknown`: a seller without any voucher. RuleError: as the rules of orders say.
        VerificationError: a voucher is for another order, or no key of the buyer signed it.
    """
    order = orders.get(client, order_id)
    voucher, signature = _at_hand(client, order, own) or _nothing(client, order)
    wish: dict[str, Any] = {"orderId": order_id, "voucherHash": to_hex(struct_hash("Voucher", voucher))}
    wish |= {"by": client.address, "deadline": client.deadline()}
    body = {"voucher": voucher, "buyerSignature": signature, "claim": wish, "signature": client.sign("Claim", wish)}
    return {**client.submit("/settlement/claims", body), **_standing(client, order_id)}


def challenge(client: Client, order_id: str, own: Document | None = None) -> dict[str, Any]:
    """Present the highest voucher at hand against the claim on an order; whoever has one may.

    Args:
        own: the last voucher in the seller's own vault or gateway.
    Returns:
        the intent's outcome with "claim", what stands, and the order's "currency".
    Raises:
        NotFoundError: `voucher_unknown`. RuleError: `voucher_not_higher`, `window_over`, `order_not_claimed`, or what
            else the rules of orders say. VerificationError: as `claim`.
    """
    found = _at_hand(client, orders.get(client, order_id), own)
    if found is None:
        raise _none_known()
    body = {"voucher": found[0], "buyerSignature": found[1]}
    return {**client.submit("/settlement/challenges", body), **_standing(client, order_id)}


def finish(client: Client, order_id: str) -> dict[str, Any]:
    """Have a claimed order paid whose window is over; anyone may.

    Raises:
        RuleError: `window_open`, `order_not_claimed`.
    """
    return client.submit("/settlement/finishes", {"order": order_id})


def spent(client: Client, order: dict[str, Any]) -> dict[str, int]:
    """What of an order was used: "amount", "epsilon" and "calls" as the ledger settled it, or while it runs by the
    highest voucher that the exchange has; nothing before the first.

    Raises:
        VerificationError: as `claim`.
    """
    found = None if order["status"] in (OrderStatus.SETTLED, OrderStatus.REFUNDED) else _at_hand(client, order, None)
    told = order if found is None else found[0]
    return {name: int(told[name]) for name in ("amount", "epsilon", "calls")}


def _at_hand(client: Client, order: dict[str, Any], own: Document | None) -> tuple[dict[str, Any], str] | None:
    """The highest voucher of an order that its owner or the service has, and its buyer's signature; checked."""
    known = [documents.validate_voucher(value) for value in (own, _told(client, order["orderId"])) if value is not None]
    if not known:
        return None
    voucher = max(known, key=lambda item: (item["amount"], item["calls"]))
    stated = (voucher["order"], voucher["buyer"])
    expect(stated, (order["orderId"], order["buyer"]), "voucher_for_another", "settlement.voucher")
    message, signature = documents.voucher_message(voucher), from_hex(voucher["signature"], 65)
    book = book_of(client, order["buyer"])
    grace = 2 * INTENTS["Voucher"].grace  # within a window as long as the grace itself
    book.require("Voucher", message, order["buyer"], signature, max(client.now(), book.time), grace=grace)
    return message, voucher["signature"]


def _standing(client: Client, order_id: str) -> dict[str, Any]:
    order = orders.get(client, order_id)
    return {name: order[name] for name in ("claim", "currency")}


def _told(client: Client, order_id: str) -> Any:
    try:
        return client.get(f"/orders/{order_id}/voucher")
    except NotFoundError:
        return None


def _nothing(client: Client, order: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if client.address != order["buyer"]:
        raise _none_known()
    voucher = {"orderId": order["orderId"], "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    return voucher, client.sign("Voucher", voucher)


def _none_known() -> NotFoundError:
    return NotFoundError(
        "voucher_unknown",
        "nothing of this order has been answered and paid yet",
        zh="该订单尚无已答复并付款的查询或调用",
    )
