"""Clearing over HTTP."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from sqlmodel import col, or_, select

from marketplace.clearing import service
from marketplace.clearing.inbox import filling
from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.evidence.inbox import Statement
from marketplace.evidence.inbox.submitting import submit
from marketplace.orders.tables import Order
from marketplace.participants.service import oversees
from marketplace.settlement.service import LastVoucher, close
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, Clearer
from marketplace.web.shapes import (
    AddressText,
    Count,
    CurrencyNumber,
    DigestText,
    Queued,
    Shape,
    SignatureText,
    UInt32,
    UInt48,
    Voucher,
)

router = APIRouter(prefix="/clearing", tags=["clearing"])
BatchId = Annotated[DigestText, Path()]


class OpenBatch(Shape):
    """Signed by `exchange`; batchId = keccak256(exchange, number). After `closeBy`, unix seconds, anyone may close."""

    batch_id: DigestText
    exchange: AddressText
    number: UInt48
    currency: CurrencyNumber
    close_by: Count
    deadline: Count


class Owe(Shape):
    """Signed by `debtor`; debtId = keccak256(debtor, creditor, ref)."""

    debt_id: DigestText
    batch_id: DigestText
    debtor: AddressText
    creditor: AddressText
    amount: Count
    currency: CurrencyNumber
    ref: DigestText
    deadline: Count


class CloseBatch(Shape):
    """Signed by `exchange`; `legs` is how many it saw."""

    batch_id: DigestText
    legs: UInt32
    pay_by: Count
    exchange: AddressText
    deadline: Count


class ConfirmBatch(Shape):
    """Signed by `exchange`; `payoutsDigest` as in the batch's `payouts`."""

    batch_id: DigestText
    payouts_digest: DigestText
    exchange: AddressText
    deadline: Count


class Clear(Shape):
    """Signed by the listing's seller; `voucherHash` is the EIP-712 struct hash of the voucher."""

    order_id: DigestText
    voucher_hash: DigestText
    batch_id: DigestText
    seller: AddressText
    deadline: Count


class OpeningBody(Shape):
    """An OpenBatch."""

    open_: OpenBatch = Field(alias="open")
    signature: SignatureText


class DebtBody(Shape):
    """An Owe."""

    owe: Owe
    signature: SignatureText


class BatchClosingBody(Shape):
    """A CloseBatch."""

    close: CloseBatch
    signature: SignatureText


class ConfirmationBody(Shape):
    """A ConfirmBatch."""

    confirm: ConfirmBatch
    signature: SignatureText


class OverdueBody(Shape):
    """Which batch."""

    batch: DigestText


class ClearedOrderBody(Shape):
    """A Voucher and a Clear with their signatures."""

    voucher: Voucher
    buyer_signature: SignatureText
    clear: Clear
    seller_signature: SignatureText


class ClearedOrdersBody(Shape):
    """Several of them, of one seller."""

    orders: Annotated[list[ClearedOrderBody], Field(min_length=1, max_length=filling.AT_ONCE)]


@router.post("/batches", status_code=202)
def open_batch(here: Here, body: OpeningBody) -> Queued:
    """Open a clearing batch, as the exchange."""
    return _submit(here, "OpenBatch", "openBatch", body.open_, body.signature)


@router.post("/debts", status_code=202)
def owe(here: Here, body: DebtBody) -> Queued:
    """Enter a debt into an open batch, as its debtor."""
    return _submit(here, "Owe", "owe", body.owe, body.signature)


@router.post("/orders", status_code=202)
def clear_order(here: Here, body: ClearedOrderBody) -> Queued:
    """Settle an order into an open batch: its parts become credits there."""
    clearing = Statement("Clear", body.clear.to_message(), (body.seller_signature,)).verified(here.deployment)
    last = LastVoucher(body.voucher.to_message(), body.buyer_signature)
    with here.writing() as session:
        return Queued(intent=close(session, here.deployment, last, clearing, now=here.clock()))


@router.post("/orders/many", status_code=202)
def clear_orders(here: Here, account: Account, body: ClearedOrdersBody) -> dict[str, Any]:
    """Settle many of your orders into an open batch; each is queued or refused by itself."""
    wishes = [
        (
            LastVoucher(item.voucher.to_message(), item.buyer_signature),
            Statement("Clear", item.clear.to_message(), (item.seller_signature,)),
        )
        for item in body.orders
    ]
    with here.writing() as session:
        return {"items": filling.clear_each(session, here.deployment, account, wishes, here.clock())}


@router.post("/closings", status_code=202)
def close_batch(here: Here, body: BatchClosingBody) -> Queued:
    """Close a batch to further legs, and say until when its debtors may pay in."""
    return _submit(here, "CloseBatch", "closeBatch", body.close, body.signature)


@router.post("/confirmations", status_code=202)
def confirm_batch(here: Here, body: ConfirmationBody) -> Queued:
    """Confirm who is paid what, once everybody is covered."""
    return _submit(here, "ConfirmBatch", "confirmBatch", body.confirm, body.signature)


@router.post("/batches/{batch_id}/advance", status_code=202)
def advance_batch(here: Here, account: Clearer, batch_id: BatchId) -> dict[str, Any]:
    """Queue what is due next, as the exchange: collecting, dropping, paying. Asking again changes nothing."""
    with here.writing() as session:
        return service.advance(session, here.deployment, batch_id, account, here.clock())


@router.post("/overdue", status_code=202)
def advance_overdue_batch(here: Here, account: Clearer, body: OverdueBody) -> dict[str, Any]:
    """Queue what is due next in the stead of an exchange whose time is over: also closing and confirming. Anyone may
    ask; asking again changes nothing."""
    with here.writing() as session:
        return service.advance_overdue(session, here.deployment, body.batch, account, here.clock())


@router.get("/batches")
def list_batches(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every batch; batches are public, positions are not."""
    with here.reading() as session:
        rows = page_of(session, select(ClearingBatch), ClearingBatch.batch_id, page, ClearingBatch.as_json)
    return link_next(request, response, rows)


@router.get("/batches/{batch_id}")
def get_batch(here: Here, batch_id: BatchId) -> dict[str, Any]:
    """One batch, with how much is left to do in it."""
    with here.reading() as session:
        return service.batch_json(session, batch_id)


@router.get("/batches/{batch_id}/orders")
def list_clearable_orders(
    *, here: Here, account: Account, batch_id: BatchId, page: AskedPage, request: Request, response: Response
) -> Rows:
    """The orders that you sold and could settle into a batch, each with its last voucher."""
    with here.reading() as session:
        query = filling.orders_for(session.get(ClearingBatch, batch_id), account)
        show = partial(filling.order_json, session, here.deployment, batch_id=batch_id)
        rows = page_of(session, query, Order.order_id, page, show)
    return link_next(request, response, rows)


@router.get("/batches/{batch_id}/positions")
def list_positions(
    *, here: Here, account: Account, batch_id: BatchId, page: AskedPage, request: Request, response: Response
) -> Rows:
    """What parties are due and owe: your own position; everybody's for overseers."""
    with here.reading() as session:
        query = select(ClearingPosition).where(ClearingPosition.batch_id == batch_id)
        if not oversees(session, account):
            query = query.where(ClearingPosition.party == account)
        batch = session.get(ClearingBatch, batch_id)
        code = batch.currency if batch else ""
        rows = page_of(session, query, ClearingPosition.party, page, lambda row: service.position_json(row, code))
    return link_next(request, response, rows)


@router.get("/batches/{batch_id}/debts")
def list_debts(
    *, here: Here, account: Account, batch_id: BatchId, page: AskedPage, request: Request, response: Response
) -> Rows:
    """The debts of a batch that you owe or are owed; all of them for overseers."""
    with here.reading() as session:
        query = select(ClearingDebt).where(ClearingDebt.batch_id == batch_id)
        if not oversees(session, account):
            query = query.where(or_(col(ClearingDebt.debtor) == account, col(ClearingDebt.creditor) == account))
        rows = page_of(session, query, ClearingDebt.debt_id, page, ClearingDebt.as_json)
    return link_next(request, response, rows)


def _submit(here: Here, name: str, verb: str, intent: Shape, signature: str) -> Queued:
    wish = Statement(name, intent.to_message(), (signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=submit(session, here.deployment, wish, verb, here.clock()))
