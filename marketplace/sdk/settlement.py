"""Money: a bank issues, the last voucher closes an order, fee and shares are paid, the rest goes back."""

import secrets
from typing import Any

from crypto.canonical import from_hex, to_hex
from marketplace import documents
from marketplace.documents import Document
from marketplace.intents import struct_hash, verify_intent
from marketplace.sdk import orders
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client


def issue(client: Client, account: str, amount: int) -> dict[str, Any]:
    """Issue settlement money to an account, as a bank.

    Args:
        amount: fen.
    """
    reference = to_hex(secrets.token_bytes(32))
    message = {"account": account, "amount": amount, "ref": reference, "bank": client.address}
    message |= {"deadline": client.deadline()}
    outcome = client.submit("/settlement/issues", {"issue": message, "signature": client.sign("Issue", message)})
    return {**outcome, "ref": reference}


def balance(client: Client, account: str | None = None) -> dict[str, Any]:
    """How much an account holds, in fen; one's own by default."""
    found: dict[str, Any] = client.get(f"/settlement/balances/{account or client.address}")
    return found


def close(client: Client, order_id: str, own: Document | None = None) -> dict[str, Any]:
    """Close an order as its seller, with the buyer's voucher of the last released query.

    Args:
        own: the last voucher in the seller's own vault; without it the service's word is taken for which one is last.
    Returns:
        the intent's outcome with "voucher".
    Raises:
        crypto.errors.InvalidSignature: the buyer did not sign the voucher.
        VerificationError: the voucher is for another order, or the service shows another one than the vault holds.
    """
    voucher = documents.validate_voucher(client.get(f"/orders/{order_id}/voucher"))
    if own is not None:
        expect(voucher, own, "voucher_not_the_vaults", "settlement.last_voucher_of_the_vault")
    order = orders.get(client, order_id)
    expect(
        (voucher["order"], voucher["buyer"]), (order_id, order["buyer"]), "voucher_for_another", "settlement.voucher"
    )
    message = documents.voucher_message(voucher)
    signature = from_hex(voucher["signature"], 65)
    verify_intent("Voucher", message, client.deployment, order["buyer"], signature)
    closing: dict[str, Any] = {
        "orderId": order_id,
        "voucherHash": to_hex(struct_hash("Voucher", message)),
        "seller": client.address,
    }
    closing |= {"deadline": client.deadline()}
    body = {"voucher": message, "buyerSignature": voucher["signature"], "close": closing}
    outcome = client.submit("/settlement/closings", {**body, "sellerSignature": client.sign("Close", closing)})
    return {**outcome, "voucher": message}


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
