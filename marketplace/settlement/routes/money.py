"""Money over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from marketplace.currencies import CNY
from marketplace.evidence.inbox import Statement
from marketplace.orders.service import get_order
from marketplace.queries.service.accounts import require_last_voucher
from marketplace.settlement import service
from marketplace.settlement.inbox.currencies import CurrencyCode, traded
from marketplace.settlement.tables import Issue as IssueRow
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, MaybeAccount
from marketplace.web.shapes import AddressText, Count, CurrencyNumber, DigestText, Queued, Shape, SignatureText, Voucher

router = APIRouter(tags=["settlement"])


class Issue(Shape):
    """Signed by `bank`."""

    account: AddressText
    amount: Count
    currency: CurrencyNumber
    ref: DigestText
    bank: AddressText
    deadline: Count


class Close(Shape):
    """Signed by `seller`; `voucherHash` is the EIP-712 struct hash of the voucher."""

    order_id: DigestText
    voucher_hash: DigestText
    seller: AddressText
    deadline: Count


class IssueBody(Shape):
    """An Issue."""

    issue: Issue
    signature: SignatureText


class ClosingBody(Shape):
    """A Voucher and a Close with their signatures."""

    voucher: Voucher
    buyer_signature: SignatureText
    close: Close
    seller_signature: SignatureText


class RefundBody(Shape):
    """Which order."""

    order: DigestText


@router.post("/settlement/issues", status_code=202)
def issue_money(here: Here, body: IssueBody) -> Queued:
    """Issue settlement money to a participant."""
    wish = Statement("Issue", body.issue.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.issue(session, here.deployment, wish, here.clock()))


@router.post("/settlement/closings", status_code=202)
def close_order(here: Here, body: ClosingBody) -> Queued:
    """Close an order: fee and shares are paid, the rest goes back to the buyer."""
    closing = Statement("Close", body.close.to_message(), (body.seller_signature,)).verified(here.deployment)
    with here.writing() as session:
        last = service.LastVoucher(body.voucher.to_message(), body.buyer_signature)
        return Queued(intent=service.close(session, here.deployment, last, closing, now=here.clock()))


@router.post("/settlement/refunds", status_code=202)
def refund_order(here: Here, account: MaybeAccount, body: RefundBody) -> Queued:
    """Give the escrow of an order whose term has passed back to its buyer; anyone may ask. Why an order cannot be
    refunded is told to its parties alone."""
    with here.writing() as session:
        return Queued(intent=service.refund(session, here.deployment, body.order, account, here.clock()))


@router.get("/settlement/issues")
def list_issues(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Issues that you made as a bank or got; all for registrars, auditors and the exchange."""
    with here.reading() as session:
        rows = page_of(session, service.issues_of(session, account), IssueRow.ref, page, IssueRow.as_json)
    return link_next(request, response, rows)


@router.get("/settlement/balances/{address}")
def get_balance(
    here: Here, account: Account, address: Annotated[AddressText, Path()], currency: CurrencyCode = CNY.code
) -> dict[str, Any]:
    """A balance in minor units of one currency: your own; anybody's for banks, registrars, auditors, the exchange."""
    with here.reading() as session:
        return service.balance_json(session, address, account, traded(here.deployment, currency))


@router.get("/orders/{order_id}/voucher", tags=["orders"])
def get_last_voucher(here: Here, account: Account, order_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """The voucher document of the order's last answered query: what its seller may settle with."""
    with here.reading() as session:
        get_order(session, order_id, account)
        return require_last_voucher(session, order_id)


@router.get("/settlement/statements/{order_id}")
def get_statement(here: Here, account: Account, order_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """Where an order's escrow went, line by line; the lines sum to it exactly."""
    with here.reading() as session:
        return service.statement_json(session, get_order(session, order_id, account), here.treasury)
