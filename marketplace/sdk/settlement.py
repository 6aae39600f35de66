"""Money: a bank issues, the last voucher closes an order, fee and shares are paid, the rest goes back."""

import secrets
from typing import Any

from crypto.canonical import from_hex, to_hex
from marketplace import documents
from marketplace.currencies import CNY, currency_of
from marketplace.documents import Document
from marketplace.errors import RuleError
from marketplace.intents import INTENTS, struct_hash
from marketplace.participants.keybook import KeyBook
from marketplace.sdk import orders
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.words import Words

_ENDINGS = {"Close": "/settlement/closings", "Clear": "/clearing/orders"}  # where each is sent


def issue(
    client: Client, account: str, amount: int, reference: str | None = None, *, currency: str = CNY.code
) -> dict[str, Any]:
    """Issue settlement money to an account, as a bank.

    Args:
        amount: minor units of `currency`, an ISO 4217 code.
        reference: the bank's own reference of the payment received, as its statement will have it; made up if None.
    Returns:
        the intent's outcome with "reference" and "ref", its name on the ledger.
    """
    text = reference or f"ISSUE-{secrets.token_hex(8).upper()}"
    ref = documents.payment_reference(client.address, text)
    message = {"account": account, "amount": amount, "currency": currency_of(currency).number, "ref": ref}
    message |= {"bank": client.address, "deadline": client.deadline()}
    outcome = client.submit("/settlement/issues", {"issue": message, "signature": client.sign("Issue", message)})
    return {**outcome, "ref": ref, "reference": text}


def issues(client: Client) -> list[dict[str, Any]]:
    """Issues that one made as a bank or got; all of them for whoever oversees."""
    return client.pages("/settlement/issues")


def balance(client: Client, account: str | None = None, currency: str = CNY.code) -> dict[str, Any]:
    """How much an account holds in one currency, in minor units; one's own by default."""
    path = f"/settlement/balances/{account or client.address}"
    found: dict[str, Any] = client.get(path, currency=currency_of(currency).code)
    return found


def balances(client: Client, account: str | None = None) -> list[dict[str, Any]]:
    """How much an account holds in each of the market's currencies, the first one first."""
    return [balance(client, account, currency) for currency in client.deployment.currencies]


def close(client: Client, order_id: str, own: Document | None = None) -> dict[str, Any]:
    """Close an order as its seller, with the buyer's voucher of the last released query.

    Args:
        own: the last voucher in the seller's own vault; without it the service's word is taken for which one is last.
    Returns:
        the intent's outcome with "voucher".
    Raises:
        RuleError: `order_closed_by_seller`: you are its buyer; `intent_signature_invalid`: no key of the buyer signed
            the voucher, or one that ended more than three days ago; `act_not_permitted`, `act_over_limit`.
        VerificationError: the voucher is for another order, or the service shows another one than the vault holds, or
            does not prove the buyer's keys.
    """
    return _end(client, order_id, own, "Close")


def clear(client: Client, order_id: str, batch_id: str, own: Document | None = None) -> dict[str, Any]:
    """As `close`, but the order's parts are paid by a clearing batch. Arguments and errors as there."""
    return _end(client, order_id, own, "Clear", batchId=batch_id)


def _end(client: Client, order_id: str, own: Document | None, intent: str, **more: str) -> dict[str, Any]:
    _require_seller(client, order_id)
    voucher, signature = _last_voucher(client, order_id, own)
    outcome = client.submit(_ENDINGS[intent], signed_end(client, voucher, signature, intent, **more))
    return {**outcome, "voucher": voucher}


def _require_seller(client: Client, order_id: str) -> None:
    """Tell a buyer that it is the seller who ends an order so; the service would answer that it is none of its own."""
    if orders.get(client, order_id)["buyer"] == client.address:
        raise RuleError(
            "order_closed_by_seller",
            f"order {order_id} is closed by its seller; you are its buyer",
            zh=f"订单 {order_id} 由卖方结清，您为买方",
            rule="settlement.seller_closes",
            expected=Words("the seller", "卖方"),
            got=client.address,
            hint="end it alone by `marketplace orders claim`; what was not used comes back",
            hint_zh="可执行 `marketplace orders claim` 单方结束，未使用的金额退回",
        )


def signed_end(client: Client, voucher: dict[str, Any], signature: str, intent: str, **more: str) -> dict[str, Any]:
    """What a seller sends to end an order by a voucher that was checked.

    Args:
        voucher, signature: the Voucher message and its buyer's. intent: "Close", or "Clear" with `batchId`.
    """
    closing: dict[str, Any] = {"orderId": voucher["orderId"], "voucherHash": to_hex(struct_hash("Voucher", voucher))}
    closing |= {**more, "seller": client.address, "deadline": client.deadline()}
    body = {"voucher": voucher, "buyerSignature": signature, intent.lower(): closing}
    return {**body, "sellerSignature": client.sign(intent, closing)}


def _last_voucher(client: Client, order_id: str, own: Document | None) -> tuple[dict[str, Any], str]:
    """The voucher that an order ends with, as an intent, and its buyer's signature; checked as `close` says."""
    voucher, order = client.get(f"/orders/{order_id}/voucher"), orders.get(client, order_id)
    buyer = order["buyer"]
    return checked_voucher(client, voucher, order_id, own=own, book=book_of(client, buyer), buyer=buyer)


def checked_voucher(
    client: Client, shown: object, order_id: str, *, own: Document | None, book: KeyBook, buyer: str
) -> tuple[dict[str, Any], str]:
    """The Voucher message and its buyer's signature of a voucher that the service shows; checked as `close` says.

    Args:
        book: what signs for `buyer`.
    """
    voucher = documents.validate_voucher(shown)
    if own is not None:
        expect(voucher, own, "voucher_not_the_vaults", "settlement.last_voucher_of_the_vault")
    expect((voucher["order"], voucher["buyer"]), (order_id, buyer), "voucher_for_another", "settlement.voucher")
    message, signature = documents.voucher_message(voucher), from_hex(voucher["signature"], 65)
    grace = INTENTS["Voucher"].grace
    book.require("Voucher", message, buyer, signature, max(client.now(), book.time), grace=grace)
    return message, voucher["signature"]


def refund(client: Client, order_id: str) -> dict[str, Any]:
    """Send the escrow of an expired, unsettled order back to its buyer; anyone may."""
    return client.submit("/settlement/refunds", {"order": order_id})


def statement(client: Client, order_id: str) -> dict[str, Any]:
    """Where an order's escrow is or went, to the fen; refused unless the parts sum to it exactly.

    Returns:
        {"order", "status", "escrow", "lines": [{"what": "escrow" | "fee" | "share" | "refund", "to", "amount"}],
        "sum"}.
    Raises:
        VerificationError: the lines do not sum to the escrow.
    """
    found: dict[str, Any] = client.get(f"/settlement/statements/{order_id}")
    total = sum(line["amount"] for line in found["lines"])
    expect(total, found["escrow"], "statement_does_not_sum", "settlement.parts_sum_to_escrow")
    return {**found, "sum": total}
