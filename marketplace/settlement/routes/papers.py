"""Statements, invoices and trade vouchers over HTTP: as data, or signed as a credential where the reader accepts
`application/vc`."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response

from crypto.canonical import canonical_json
from marketplace.currencies import CNY
from marketplace.documents import Document
from marketplace.rights.issuing import list_key
from marketplace.settlement import service
from marketplace.settlement.inbox.currencies import CurrencyCode, traded
from marketplace.settlement.inbox.movements import movements_of
from marketplace.settlement.inbox.sales import sale_of, sales_between
from marketplace.settlement.papers.credentials import issue_paper
from marketplace.settlement.papers.sales import make_invoice, make_trade_voucher
from marketplace.settlement.statements.account import make_statement, require_begun
from marketplace.web.context import Context, Here
from marketplace.web.principal import Account
from marketplace.web.shapes import AddressText, DigestText

router = APIRouter(prefix="/settlement", tags=["settlement"])

CREDENTIAL = "application/vc"
_OBJECT = {"schema": {"type": "object"}}
_PAPER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": _OBJECT, CREDENTIAL: _OBJECT}, "description": "the paper, or its credential"}
}
Accept = Annotated[str, Header()]
Address = Annotated[AddressText, Path()]
Period = Annotated[str, Path(max_length=20, description="a month of China, e.g. 2026-11")]


@router.get("/accounts/{address}/statements/{period}", responses=_PAPER, response_class=Response)
def get_account_statement(
    *,
    here: Here,
    account: Account,
    address: Address,
    period: Period,
    currency: CurrencyCode = CNY.code,
    accept: Accept = "*/*",
) -> Response:
    """An account's month in one currency: opening balance, every movement with its cause, closing balance. For
    whoever may see its balance."""
    require_begun(period, here.clock())
    with here.reading() as session:
        money = traded(here.deployment, currency)
        service.balance_json(session, address, account, money)
        paper = make_statement(address, period, movements_of(session, address, money), money)
    return _answer(here, paper, accept)


@router.get("/invoices/{seller}/{buyer}/{period}", responses=_PAPER, response_class=Response)
def get_invoice(
    *,
    here: Here,
    account: Account,
    seller: Address,
    buyer: Address,
    period: Period,
    currency: CurrencyCode = CNY.code,
    accept: Accept = "*/*",
) -> Response:
    """What a seller's orders of one buyer came to in a month, a line for each order that was settled in it; orders
    of one currency."""
    require_begun(period, here.clock())
    with here.reading() as session:
        money = traded(here.deployment, currency)
        sales = sales_between(session, seller, buyer, period, account)
        paper = make_invoice(seller, buyer, period, sales, money)
    return _answer(here, paper, accept)


@router.get("/trade-vouchers/{order_id}", responses=_PAPER, response_class=Response)
def get_trade_voucher(
    here: Here, account: Account, order_id: Annotated[DigestText, Path()], accept: Accept = "*/*"
) -> Response:
    """Proof of one settled and paid order: contract facts, assessment, delivery, payment, unique id."""
    with here.reading() as session:
        paper = make_trade_voucher(sale_of(session, order_id, account))
    return _answer(here, paper, accept)


def _answer(here: Context, paper: Document, accept: str) -> Response:
    signed = accept.partition(";")[0].strip().lower() == CREDENTIAL
    told = issue_paper(paper, list_key(here.settings), here.clock()) if signed else paper
    headers = {"vary": "accept, authorization", "cache-control": "private, no-cache"}
    return Response(canonical_json(told), media_type=CREDENTIAL if signed else "application/json", headers=headers)
