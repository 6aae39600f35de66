"""What the clock brings and no row says: a time that is nearly over, and papers of a month that is.

Each source has a cursor in time. It reads what came due since, so each of its facts is told once, and what a service
that was down missed is told when it is up again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from marketplace.clearing.tables import ClearingBatch
from marketplace.deliveries.tables import Delivery
from marketplace.ledger.tables import LedgerBlock
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order, OrderClaim
from marketplace.settlement.statements.account import CHINA, bounds
from marketplace.settlement.tables import AccountMovement, Redemption
from marketplace.types import BatchStatus, DeliveryStatus, OrderStatus, RedemptionStatus
from marketplace.webhooks import rules
from marketplace.webhooks.service.facts import START, Fact, Place, in_batch, named

LEAD_SECONDS = 86_400  # how long before a time is over it is told
MONTH_LAG_SECONDS = 3_600  # the ledger's last blocks of a month are followed by then
News = tuple[Place, list[Fact]]  # how far the cursor goes, and what is told


@dataclass(frozen=True)
class Ending:
    """A time that somebody has to act in.

    Args:
        until, subject: columns of `table`: the time's last second, and whose time it is.
        name: what the subject is called in the message. tells: further columns, by what they are called there.
        open_: the state column, and the states in which the time runs.
    """

    kind: str
    table: Any
    until: str
    subject: str
    name: str
    open_: tuple[str, tuple[int, ...]] = ("", ())
    tells: tuple[tuple[str, str], ...] = ()


_RUNNING = (DeliveryStatus.ARRANGED, DeliveryStatus.INSPECTING, DeliveryStatus.OBJECTED)
_REDEEMERS = (("account", "account"), ("bank", "bank"), ("amount", "amount"))
ENDINGS = (
    Ending(rules.WINDOW_ENDING, OrderClaim, "until", "order_id", "orderId", tells=(("amount", "amount"),)),
    Ending(rules.TERM_ENDING, Order, "valid_until", "order_id", "orderId", ("status", (OrderStatus.FUNDED,))),
    Ending(rules.DELIVERY_ENDING, Delivery, "due_at", "order_id", "orderId", ("status", _RUNNING)),
    Ending(
        rules.PAYOUT_ENDING,
        Redemption,
        "pay_by",
        "redemption_id",
        "redemptionId",
        ("status", (RedemptionStatus.LOCKED,)),
        _REDEEMERS,
    ),
    Ending(rules.PAY_IN_ENDING, ClearingBatch, "pay_by", "batch_id", "batchId", ("status", (BatchStatus.CLOSED,))),
)


def endings(ending: Ending, session: Session, after: Place, now: int) -> News | None:
    """Times of one kind that end within a day and were not told; None where there are none.

    A time that was shorter than a day from the act that began it is not told of: the act itself was.
    """
    table, until = ending.table, col(getattr(ending.table, ending.until))
    query = select(table, LedgerBlock.timestamp).join(LedgerBlock, col(LedgerBlock.number) == table.event_block)
    query = query.where(until > max(after[0], now), until <= now + LEAD_SECONDS)
    if ending.open_[0]:
        query = query.where(col(getattr(table, ending.open_[0])).in_([int(state) for state in ending.open_[1]]))
    else:
        query = query.join(Order, col(Order.order_id) == table.order_id)
        query = query.where(Order.status == int(OrderStatus.CLAIMED))
    found = session.exec(query.order_by(until)).all()
    if not found:
        return None
    facts = [_ending(session, ending, row) for row, began in found if getattr(row, ending.until) - began > LEAD_SECONDS]
    return (getattr(found[-1][0], ending.until), 0), facts


def _ending(session: Session, ending: Ending, row: Any) -> Fact:
    subject, until = getattr(row, ending.subject), getattr(row, ending.until)
    data = {ending.name: subject, "until": until, **{name: getattr(row, field) for name, field in ending.tells}}
    parties = named(session, data)
    if ending.name == "batchId":
        parties |= in_batch(session, subject)
    key = f"ending-{ending.kind.replace('.', '-').replace('_', '-')}-{subject[2:]}-{until}"
    return Fact(key, ending.kind, until - LEAD_SECONDS, parties, data)


def months(session: Session, after: Place, now: int) -> News | None:
    """The papers of the month that was over an hour ago: a statement for every account and currency in which money
    moved, an invoice for every seller and buyer; None where they were told. A cursor that never moved begins with the
    last month."""
    local = datetime.fromtimestamp(now - MONTH_LAG_SECONDS, CHINA)
    last = local.year * 12 + local.month - 2
    number = last if after == START else min(after[0] + 1, last)
    if number <= after[0]:
        return None
    period = f"{number // 12}-{number % 12 + 1:02d}"
    return (number, 0), [*_statements(session, period), *_invoices(session, period)]


def _statements(session: Session, period: str) -> list[Fact]:
    begin, end = bounds(period)
    query = select(AccountMovement.account, AccountMovement.currency)
    query = query.where(AccountMovement.at >= begin, AccountMovement.at < end).distinct()
    return [
        _paper(rules.STATEMENT, period, end, account=account, currency=currency)
        for account, currency in sorted(session.exec(query).all())
    ]


def _invoices(session: Session, period: str) -> list[Fact]:
    begin, end = bounds(period)
    query = select(Listing.seller, Order.buyer, Order.currency)
    query = query.join(Listing, col(Listing.listing_id) == col(Order.listing_id))
    query = query.join(LedgerBlock, col(LedgerBlock.number) == col(Order.event_block))
    query = query.where(Order.status == int(OrderStatus.SETTLED))
    query = query.where(LedgerBlock.timestamp >= begin, LedgerBlock.timestamp < end).distinct()
    return [
        _paper(rules.INVOICE, period, end, seller=seller, buyer=buyer, currency=currency)
        for seller, buyer, currency in sorted(session.exec(query).all())
    ]


def _paper(kind: str, period: str, at: int, **about: str) -> Fact:
    parties = frozenset(value for name, value in about.items() if name != "currency")
    key = "-".join((kind.replace(".", "-"), period, *(value.removeprefix("0x") for value in about.values())))
    return Fact(key, kind, at, parties, {"period": period, **about})


def _of(ending: Ending) -> Callable[[Session, Place, int], News | None]:
    return lambda session, after, now: endings(ending, session, after, now)


#: by the name of their cursor
TIMED: dict[str, Callable[[Session, Place, int], News | None]] = {
    **{ending.kind: _of(ending) for ending in ENDINGS},
    "papers": months,
}
