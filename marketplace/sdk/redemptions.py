"""Money goes back to a bank: a holder asks, the bank pays or rejects, and after its time anyone may undo."""

import secrets
from typing import Any

from crypto.canonical import sha256, to_hex
from marketplace import documents
from marketplace.currencies import CNY, currency_of
from marketplace.documents import Document
from marketplace.documents.ids import redemption_id
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client

DAY = 86_400


def redeem(
    client: Client,
    bank: str,
    amount: int,
    *,
    beneficiary: str,
    account_number: str,
    days: int = 5,
    currency: str = CNY.code,
) -> dict[str, Any]:
    """Ask a bank for money back.

    Args:
        bank: its address. amount: minor units of `currency`, an ISO 4217 code.
        beneficiary, account_number: whose bank account it is paid to; you, the bank and whoever oversees can read it.
        days: how long the bank may take, 1 to 90.
    Returns:
        the intent's outcome with "redemptionId".
    """
    payout = {
        "type": "payout",
        "version": 1,
        "account": client.address,
        "bank": bank,
        "beneficiary": beneficiary,
        "accountNumber": account_number,
        "nonce": to_hex(secrets.token_bytes(32)),
    }
    digest = documents.digest(documents.validate_payout(payout))
    # The ledger's time may be a little ahead of ours: an hour keeps a single day above the contract's lower limit.
    pay_by = client.now() + min(days * DAY + 3600, 90 * DAY - 3600)
    money = currency_of(currency).number
    message: dict[str, Any] = {"redemptionId": redemption_id(client.address, money, digest), "account": client.address}
    message |= {"amount": amount, "currency": money}
    message |= {"payoutDigest": digest, "bank": bank, "payBy": pay_by, "deadline": client.deadline()}
    body = {"redeem": message, "signature": client.sign("Redeem", message), "payout": payout}
    return {**client.submit("/settlement/redemptions", body), "redemptionId": message["redemptionId"]}


def redemptions(client: Client) -> list[dict[str, Any]]:
    """Redemptions that one asked for, or is asked to pay; all of them for whoever oversees."""
    return client.pages("/settlement/redemptions")


def get(client: Client, redemption: str) -> dict[str, Any]:
    """One redemption."""
    found: dict[str, Any] = client.get(f"/settlement/redemptions/{redemption}")
    return found


def payout(client: Client, redemption: str) -> Document:
    """Where a redemption is to be paid to; for its holder, its bank and whoever oversees.

    Raises:
        VerificationError: what the service shows is not what the holder signed for.
    """
    row = get(client, redemption)
    found = documents.validate_payout(client.get_document(row["payoutDigest"]))
    signed = (row["account"], row["bank"], redemption)
    named = redemption_id(found["account"], documents.money_of(row).number, documents.digest(found))
    expect(
        (found["account"], found["bank"], named),
        signed,
        "redemption_payout_differs",
        "settlement.payout_is_the_signed_one",
    )
    return found


def pay(client: Client, redemption: str, reference: str) -> dict[str, Any]:
    """Say, as its bank, that a redemption is paid.

    Args:
        reference: the bank's own reference of the payment, as its statement will have it.
    """
    ref = documents.payment_reference(client.address, reference)
    message: dict[str, Any] = {"redemptionId": redemption, "currency": _money(client, redemption), "ref": ref}
    message |= {"bank": client.address, "deadline": client.deadline()}
    body = {"pay": message, "signature": client.sign("PayRedemption", message)}
    return {**client.submit("/settlement/redemptions/payments", body), "ref": ref, "reference": reference}


def reject(client: Client, redemption: str, reason: str) -> dict[str, Any]:
    """Say, as its bank, that a redemption is not paid. The reason's digest goes onto the ledger, its text stays."""
    digest = to_hex(sha256(reason.encode()))
    message: dict[str, Any] = {"redemptionId": redemption, "currency": _money(client, redemption)}
    message |= {"reasonDigest": digest, "bank": client.address, "deadline": client.deadline()}
    body = {"reject": message, "signature": client.sign("RejectRedemption", message)}
    return {**client.submit("/settlement/redemptions/rejections", body), "reasonDigest": digest}


def _money(client: Client, redemption: str) -> int:
    return documents.money_of(get(client, redemption)).number


def expire(client: Client, redemption: str) -> dict[str, Any]:
    """After its bank's time, have the money of a redemption given back to its holder; anyone may."""
    return client.submit("/settlement/redemptions/expiries", {"redemption": redemption})
