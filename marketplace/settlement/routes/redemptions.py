"""Redemptions over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from marketplace.evidence.inbox import Statement
from marketplace.settlement.inbox import redemptions
from marketplace.settlement.tables import Redemption
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, MaybeAccount
from marketplace.web.shapes import (
    AddressText,
    Count,
    CurrencyNumber,
    DigestText,
    Document,
    Queued,
    Shape,
    SignatureText,
)

router = APIRouter(prefix="/settlement/redemptions", tags=["settlement"])


class Redeem(Shape):
    """Signed by `account`; `payoutDigest` names the payout document."""

    redemption_id: DigestText
    account: AddressText
    amount: Count
    currency: CurrencyNumber
    payout_digest: DigestText
    bank: AddressText
    pay_by: Count
    deadline: Count


class PayRedemption(Shape):
    """Signed by `bank`; `ref` is the SHA-256 of the canonical JSON {"bank", "reference"}."""

    redemption_id: DigestText
    currency: CurrencyNumber
    ref: DigestText
    bank: AddressText
    deadline: Count


class RejectRedemption(Shape):
    """Signed by `bank`."""

    redemption_id: DigestText
    currency: CurrencyNumber
    reason_digest: DigestText
    bank: AddressText
    deadline: Count


class RedeemBody(Shape):
    """A Redeem, and the payout document whose digest it names."""

    redeem: Redeem
    signature: SignatureText
    payout: Document


class PaymentBody(Shape):
    """A PayRedemption."""

    pay: PayRedemption
    signature: SignatureText


class RejectionBody(Shape):
    """A RejectRedemption."""

    reject: RejectRedemption
    signature: SignatureText


class ExpiryBody(Shape):
    """Which redemption."""

    redemption: DigestText


@router.post("", status_code=202)
def redeem_money(here: Here, body: RedeemBody) -> Queued:
    """Ask a bank for money back. It is locked until the bank has paid or rejected, or its time is over."""
    wish = Statement("Redeem", body.redeem.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=redemptions.redeem(session, here.deployment, wish, body.payout, here.clock()))


@router.post("/payments", status_code=202)
def pay_redemption(here: Here, body: PaymentBody) -> Queued:
    """Say, as its bank, that a redemption is paid: the money leaves the market."""
    said = Statement("PayRedemption", body.pay.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        name = redemptions.answer(session, here.deployment, "payRedemption", said, here.clock())
        return Queued(intent=name)


@router.post("/rejections", status_code=202)
def reject_redemption(here: Here, body: RejectionBody) -> Queued:
    """Say, as its bank, that a redemption is not paid: the money goes back to its holder."""
    said = Statement("RejectRedemption", body.reject.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        name = redemptions.answer(session, here.deployment, "rejectRedemption", said, here.clock())
        return Queued(intent=name)


@router.post("/expiries", status_code=202)
def expire_redemption(here: Here, account: MaybeAccount, body: ExpiryBody) -> Queued:
    """Give the money of a redemption whose bank kept silent back to its holder; anyone may ask. Why it cannot be yet is
    told to its parties alone."""
    with here.writing() as session:
        return Queued(intent=redemptions.expire(session, here.deployment, body.redemption, account, here.clock()))


@router.get("")
def list_redemptions(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Redemptions that you asked for or are asked to pay; all for registrars, auditors and the exchange."""
    with here.reading() as session:
        query = redemptions.redemptions_of(session, account)
        rows = page_of(session, query, Redemption.redemption_id, page, Redemption.as_json)
    return link_next(request, response, rows)


@router.get("/{redemption}")
def get_redemption(here: Here, account: Account, redemption: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One redemption of yours."""
    with here.reading() as session:
        return redemptions.get_redemption(session, redemption, account).as_json()
