"""The end of an order where one side is alone, over HTTP."""

from fastapi import APIRouter

from marketplace.evidence.inbox import Statement
from marketplace.settlement.inbox import claims
from marketplace.settlement.service import LastVoucher
from marketplace.web.context import Here
from marketplace.web.principal import MaybeAccount
from marketplace.web.shapes import AddressText, Count, DigestText, Queued, Shape, SignatureText, Voucher

router = APIRouter(prefix="/settlement", tags=["settlement"])


class Claim(Shape):
    """Signed by `by`, buyer or seller; `voucherHash` is the EIP-712 struct hash of the voucher."""

    order_id: DigestText
    voucher_hash: DigestText
    by: AddressText
    deadline: Count


class ClaimBody(Shape):
    """A Voucher and a Claim with their signatures."""

    voucher: Voucher
    buyer_signature: SignatureText
    claim: Claim
    signature: SignatureText


class ChallengeBody(Shape):
    """A Voucher with its signature."""

    voucher: Voucher
    buyer_signature: SignatureText


class FinishBody(Shape):
    """Which order."""

    order: DigestText


@router.post("/claims", status_code=202)
def claim_order(here: Here, body: ClaimBody) -> Queued:
    """Claim the end of an order by one of the buyer's vouchers, as its buyer or its seller. For three days any higher
    voucher takes its place; nothing more is asked under the order."""
    wish = Statement("Claim", body.claim.to_message(), (body.signature,)).verified(here.deployment)
    last = LastVoucher(body.voucher.to_message(), body.buyer_signature)
    with here.writing() as session:
        return Queued(intent=claims.claim(session, here.deployment, last, wish, now=here.clock()))


@router.post("/challenges", status_code=202)
def challenge_claim(here: Here, account: MaybeAccount, body: ChallengeBody) -> Queued:
    """Present a higher voucher of a claimed order; anyone may. Why it does not count is told to the parties alone."""
    last = LastVoucher(body.voucher.to_message(), body.buyer_signature)
    with here.writing() as session:
        return Queued(intent=claims.challenge(session, here.deployment, last, account, here.clock()))


@router.post("/finishes", status_code=202)
def finish_order(here: Here, account: MaybeAccount, body: FinishBody) -> Queued:
    """Have a claimed order paid whose window is over; anyone may ask. Why it cannot be yet is told to its parties
    alone."""
    with here.writing() as session:
        return Queued(intent=claims.finish(session, here.deployment, body.order, account, here.clock()))
