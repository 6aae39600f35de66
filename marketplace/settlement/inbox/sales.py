"""Settled orders with what papers say of them."""

from collections.abc import Iterator
from itertools import islice

from sqlmodel import Session, col, select

from marketplace.api.rules import is_api
from marketplace.api.service import records_of
from marketplace.clearing.tables import ClearedOrder, ClearingBatch
from marketplace.deliveries.tables import Delivery
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.ledger.tables import LedgerBlock, time_of
from marketplace.listings.service import get_listing
from marketplace.listings.tables import Listing
from marketplace.orders.service import get_order, order_terms
from marketplace.orders.tables import Order
from marketplace.participants.service import oversees
from marketplace.queries.service.accounts import last_voucher
from marketplace.settlement.papers.sales import Sale, calls_of
from marketplace.settlement.statements.account import bounds
from marketplace.settlement.tables import Payout
from marketplace.storage.documents import read_document
from marketplace.types import BatchStatus, OrderStatus
from marketplace.words import Words, word


def sale_of(session: Session, order_id: str, account: str) -> Sale:
    """A settled and paid order of `account`'s.

    Raises:
        NotFoundError: `order_unknown`. RuleError: `trade_not_settled`; `trade_not_paid`: its batch is not settled.
    """
    order = get_order(session, order_id, account)
    if order.status != OrderStatus.SETTLED:
        raise _not_settled(order)
    _require_paid(session, order_id)
    return _sale(session, order, _time_of(session, order.event_block))


def sales_between(session: Session, seller: str, buyer: str, period: str, account: str) -> Iterator[Sale]:
    """What `seller` sold to `buyer` and was settled in a month of China, in the ledger's order.

    Raises:
        InvalidInputError: `period_invalid`; `invoice_sides`: nobody bills themselves.
        NotFoundError: `invoice_unknown`: `account` is neither of them, and does not oversee.
    """
    begin, end = bounds(period)
    if seller == buyer:
        raise InvalidInputError(
            "invoice_sides",
            "seller and buyer of an invoice are two participants",
            zh="账单的卖方与买方应为不同参与方",
            rule="settlement.nobody_in_own_matter",
            expected=Words("a seller and another participant as buyer", "卖方及另一参与方作为买方"),
            got=seller,
            hint="name the other side, e.g. --seller 0x…",
            hint_zh="请指明对方，如 --seller 0x…",
        )
    if account not in (seller, buyer) and not oversees(session, account):
        raise NotFoundError("invoice_unknown", "there is no such invoice for you", zh="没有您可查看的该账单")
    query = select(Order, LedgerBlock.timestamp)
    query = query.join(Listing, col(Listing.listing_id) == col(Order.listing_id))
    query = query.join(LedgerBlock, col(LedgerBlock.number) == col(Order.event_block))
    query = query.where(Order.status == int(OrderStatus.SETTLED), Order.buyer == buyer, Listing.seller == seller)
    query = query.where(col(LedgerBlock.timestamp) >= begin, col(LedgerBlock.timestamp) < end)
    for order, settled_at in session.exec(query.order_by(col(Order.event_block), col(Order.event_log_index))).all():
        yield _sale(session, order, settled_at)


def _sale(session: Session, order: Order, settled_at: int) -> Sale:
    listing = get_listing(session, order.listing_id)
    paid = select(Payout).where(Payout.order_id == order.order_id).order_by(col(Payout.event_log_index))
    cleared, terms = session.get(ClearedOrder, order.order_id), order_terms(session, order)
    delivered = session.get(Delivery, order.order_id)
    calls = calls_of(order.as_json(), terms, last_voucher(session, order.order_id))
    return Sale(
        order=order.as_json(),
        listing=listing.as_json(),
        terms=terms,
        agreement=read_document(session, order.agreement_digest),
        shares=[(row.asset_id, row.holder, row.amount) for row in session.exec(paid)],
        settled_at=settled_at,
        paid_at=_paid_at(session, cleared, settled_at),
        batch=cleared.batch_id if cleared else None,
        calls=calls,
        records=list(islice(records_of(session, order.order_id), calls)) if is_api(terms) else (),
        delivered=delivered.as_json() if delivered else None,
    )


def _paid_at(session: Session, cleared: ClearedOrder | None, settled_at: int) -> int | None:
    """When a settled order was paid: at once, or with the batch that it is in."""
    if cleared is None:
        return settled_at
    batch = session.get_one(ClearingBatch, cleared.batch_id)
    paid = batch.status == BatchStatus.SETTLED  # the last event of its life
    return _time_of(session, batch.event_block) if paid else None


def _time_of(session: Session, block: int) -> int:
    moment = time_of(session, block)
    assert moment is not None, "what an event made has the event's block"
    return moment


def _not_settled(order: Order) -> RuleError:
    return RuleError(
        "trade_not_settled",
        f"order {order.order_id} is not settled, so there is no trade to prove",
        zh=f"订单 {order.order_id} 尚未结算，不能出具交易凭证",
        rule="settlement.voucher_of_a_settled_order",
        expected=word(OrderStatus.SETTLED),
        got=word(OrderStatus(order.status)),
        hint="its seller closes it: marketplace settlement close ORDER",
        hint_zh="请由卖方结算：marketplace settlement close ORDER",
    )


def _require_paid(session: Session, order_id: str) -> None:
    """An order in a batch is settled before money moves; whoever finances on the paper must not read that as paid."""
    cleared = session.get(ClearedOrder, order_id)
    if cleared is None:
        return
    status = session.get_one(ClearingBatch, cleared.batch_id).status
    if status != BatchStatus.SETTLED:
        raise RuleError(
            "trade_not_paid",
            f"order {order_id} is in batch {cleared.batch_id}, which has not paid yet",
            zh=f"订单 {order_id} 已计入批次 {cleared.batch_id}，该批次尚未支付",
            rule="settlement.voucher_of_a_paid_order",
            expected=word(BatchStatus.SETTLED),
            got=word(BatchStatus(status)),
            hint="ask again once the batch is settled: marketplace clearing show BATCH",
            hint_zh="请在批次结清后再申领：marketplace clearing show BATCH",
        )
