"""Filling a batch: every order of a seller that is ready, in few requests.

What was queued and what was not, the ledger's queue knows; so a seller's program that died asks again which of its
orders are ready, and goes on with those whose end is not on its way.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.clearing.tables import ClearingBatch
from marketplace.errors import MarketplaceError
from marketplace.evidence.inbox import Statement, is_under_way, precheck, recalled
from marketplace.intents import Deployment
from marketplace.listings.tables import Listing
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.service import unknown_order
from marketplace.orders.tables import Order
from marketplace.queries.service.accounts import last_voucher
from marketplace.settlement.service import LastVoucher, arguments_of, close

AT_ONCE = 100  # orders that one request may end: about a second of the writers' turn


def orders_for(batch: ClearingBatch | None, seller: str) -> SelectOfScalar[Order]:
    """The orders of a seller that have money of the batch's currency in escrow; none for a batch that is unknown."""
    sold = select(Listing.listing_id).where(Listing.seller == seller)
    query = select(Order).where(col(Order.listing_id).in_(sold), Order.currency == (batch.currency if batch else ""))
    return query.where(col(Order.status).in_([int(status) for status in IN_ESCROW]))


def order_json(session: Session, deployment: Deployment, order: Order, batch_id: str) -> dict[str, Any]:
    """What its seller needs to end an order.

    Returns:
        "order", "buyer", "escrow"; "voucher": the last, or null before the first answer; "ending": the digest of the
        seller's Clear into this batch that is on its way to the ledger, or null.
    """
    said = recalled(session, "Clear", order.order_id)
    ending = said.digest(deployment) if said is not None and said.message["batchId"] == batch_id else None
    return {
        "order": order.order_id,
        "buyer": order.buyer,
        "escrow": order.escrow,
        "currency": order.currency,
        "voucher": last_voucher(session, order.order_id),
        "ending": ending if ending is not None and is_under_way(session, ending) else None,
    }


def clear_each(
    session: Session, deployment: Deployment, account: str, wishes: Sequence[tuple[LastVoucher, Statement]], now: int
) -> list[dict[str, Any]]:
    """Queue the ends of several orders of `account`'s, each by itself: one that is refused holds up no other.

    Args:
        wishes: for each the last voucher and the seller's Clear; at most AT_ONCE.
        now: unix seconds.
    Returns:
        for each, in their order, {"order", "intent", "refusal"}: the intent's digest, or why there is none.
    """
    trial = precheck.Trial(session, [arguments_of(*wish) for wish in wishes], now)

    def clear(last: LastVoucher, clearing: Statement) -> str:
        if clearing.message["seller"] != account:
            raise unknown_order(clearing.message["orderId"])
        return str(close(session, deployment, last, clearing, now=now, trial=trial))

    return [_tried(session, clearing.message["orderId"], partial(clear, last, clearing)) for last, clearing in wishes]


def _tried(session: Session, order: str, act: Callable[[], str]) -> dict[str, Any]:
    try:
        with session.begin_nested():  # a refusal leaves nothing of its order behind
            digest = act()
    except MarketplaceError as error:
        return {"order": order, "intent": None, "refusal": error.as_dict()}
    return {"order": order, "intent": digest, "refusal": None}
