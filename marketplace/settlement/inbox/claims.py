"""Where one side alone ends an order: its claim, higher vouchers against it, and the finish.

What the service can do for a side that sleeps it does by itself (`attend`): it presents the voucher of the last answer
against a lower claim, and after the term of an order that nobody ended, and finishes what is due. Nobody has to trust
it for that: anyone may do the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from marketplace.calls import act_digest
from marketplace.documents import Document, voucher_message
from marketplace.errors import RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue, remember
from marketplace.intents import REFUND_GRACE_SECONDS, Deployment
from marketplace.ledger.intake import refused_since
from marketplace.orders.rules import Window
from marketplace.orders.service import parties, unknown_order
from marketplace.orders.tables import Order, OrderClaim
from marketplace.participants.service import oversees
from marketplace.participants.service.keyring import ledger_time
from marketplace.queries.inbox.tally import has_unanswered
from marketplace.queries.service.accounts import last_voucher
from marketplace.settlement.claims import is_higher
from marketplace.settlement.service import LastVoucher
from marketplace.types import Digest, OrderStatus

RETRY_SECONDS = 3_600  # what the ledger refused, though the rules here did not, is not sent again before


def claim(session: Session, deployment: Deployment, last: LastVoucher, wish: Statement, *, now: int) -> Digest:
    """Queue the claim of a buyer or a seller. Nothing more is asked under the order meanwhile; once the ledger has
    taken the claim, what its vault has not in hand comes to no result (`Due.asked`).

    Args:
        last: a voucher that the buyer signed. wish: the Claim.
    Raises:
        NotFoundError: `order_unknown`: whoever signed is no party to it.
        RuleError: as the rules of orders say.
    """
    name, by = wish.digest(deployment), wish.message["by"]
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    precheck.require_signed(session, wish.name, wish.message, wish.raw_signatures()[0], now)
    order = session.get(Order, last.message["orderId"])
    if order is None or by not in parties(session, order):
        raise unknown_order(last.message["orderId"])
    arguments = [dict(last.message), last.signature, dict(wish.message), wish.signatures[0]]
    precheck.run(session, "Orders", "claim", arguments, now)
    remember(session, deployment, wish, order.order_id)
    return queue(session, contract="Orders", verb="claim", arguments=arguments, digest=name, by=by, now=now)


def challenge(session: Session, deployment: Deployment, last: LastVoucher, account: str | None, now: int) -> Digest:
    """Queue a higher voucher against a claim, or one of an order that nobody ended in its term; the buyer's signature
    is all that it needs.

    Args:
        account: who presents it; None for somebody who has not signed in.
    Raises:
        NotFoundError: `order_unknown`: there is none, or the voucher does not count and the order is not theirs.
        RuleError: as the rules of orders say, for its parties.
    """
    order = session.get(Order, last.message["orderId"])
    if order is None:
        raise unknown_order(last.message["orderId"])
    name = Statement("Voucher", last.message, (last.signature,)).digest(deployment)
    arguments = [dict(last.message), last.signature]
    return _queue_of_anyone(session, order, "challenge", arguments, name=name, account=account, now=now)


def finish(session: Session, deployment: Deployment, order_id: str, account: str | None, now: int) -> Digest:
    """Queue the payment of a claimed order whose window is over; nobody has to sign it.

    Args:
        account: who asks; None for somebody who has not signed in.
    Raises:
        NotFoundError: `order_unknown`: there is none, or it cannot be finished and is not theirs.
        RuleError: as the rules of orders say, for its parties.
    """
    order = session.get(Order, order_id)
    if order is None:
        raise unknown_order(order_id)
    name = _finish_digest(deployment, order_id)
    return _queue_of_anyone(session, order, "finish", [order_id], name=name, account=account, now=now)


def _queue_of_anyone(
    session: Session,
    order: Order,
    verb: str,
    arguments: Sequence[Any],
    *,
    name: Digest,
    account: str | None,
    now: int,
) -> Digest:
    if is_under_way(session, name):
        return name
    try:
        precheck.run(session, "Orders", verb, arguments, now)
    except RuleError:
        if account not in parties(session, order) and not oversees(session, account):
            raise unknown_order(order.order_id) from None
        raise
    return queue(session, contract="Orders", verb=verb, arguments=arguments, digest=name, by=order.buyer, now=now)


@dataclass(frozen=True)
class Due:
    """What the service has to do about a claimed order, or one that nobody ended in its term.

    Args:
        verb: "challenge", by `voucher`, "finish", or "" for nothing.
        asked: whether questions are still open that come to no result.
        problem: why the rest cannot be done now, in words without a name; "" if nothing hinders it.
    """

    order_id: str
    verb: str = ""
    voucher: Document | None = None
    asked: bool = False
    problem: str = ""


def what_is_due(session: Session, deployment: Deployment, now: int) -> list[Due]:
    """What is to be done now about claimed orders, the oldest window first, then about those that nobody ended in their
    term, and is not under way. An order that cannot be judged is among them with its problem."""
    latest = ledger_time(session, now)
    found = (_judged(session, deployment, *item, latest) for item in (*_claimed(session), *_sleeping(session, latest)))
    return [due for due in found if due != Due(due.order_id)]


def _claimed(session: Session) -> list[tuple[str, OrderClaim | None]]:
    rows = select(OrderClaim).join(Order, col(Order.order_id) == col(OrderClaim.order_id))
    rows = rows.where(Order.status == int(OrderStatus.CLAIMED)).order_by(col(OrderClaim.until))
    return [(row.order_id, row) for row in session.exec(rows).all()]


def _sleeping(session: Session, now: int) -> list[tuple[str, OrderClaim | None]]:
    """Orders that nobody ended in their term, while a voucher still keeps their escrow from going back."""
    query = select(Order.order_id).where(Order.status == int(OrderStatus.FUNDED), Order.valid_until < now)
    query = query.where(Order.valid_until >= now - REFUND_GRACE_SECONDS).order_by(col(Order.valid_until))
    return [(key, None) for key in session.exec(query).all()]


def _judged(session: Session, deployment: Deployment, key: str, claim: OrderClaim | None, now: int) -> Due:
    try:
        return _due(session, deployment, key, claim, now)
    except Exception as error:  # its voucher is lost or damaged, say: the other orders go on
        return Due(key, problem=f"an order cannot be judged: {getattr(error, 'code', type(error).__name__)}")


def _due(session: Session, deployment: Deployment, key: str, claim: OrderClaim | None, now: int) -> Due:
    """
    Args:
        claim: what stands in the order's window; None for an order that nobody ended in its term.
    """
    asked = has_unanswered(session, key)
    if claim is not None and now > claim.until:
        verb, name, voucher = "finish", _finish_digest(deployment, key), None
    else:
        voucher = last_voucher(session, key)
        if voucher is None or not (claim is None or is_higher(voucher_message(voucher), _window(claim))):
            return Due(key, asked=asked)
        said = Statement("Voucher", voucher_message(voucher), (voucher["signature"],))
        verb, name = "challenge", said.digest(deployment)
    if is_under_way(session, name):
        return Due(key, asked=asked)
    refusal = refused_since(session, name, now - RETRY_SECONDS)
    if refusal is not None:
        return Due(key, asked=asked, problem=f"the ledger refused to {verb} an order: {refusal}")
    return Due(key, verb, voucher, asked)


def _window(row: OrderClaim) -> Window:
    return Window(row.voucher_hash, row.amount, row.epsilon, row.calls, row.calls_root, row.until)


def attend(session: Session, deployment: Deployment, due: Due, now: int) -> None:
    """Queue what is due about an order; its questions end by themselves (`tally.end_unanswered`). Raises RuleError as
    the rules of orders say."""
    order = session.get_one(Order, due.order_id)
    if due.voucher is not None:
        last = LastVoucher(voucher_message(due.voucher), due.voucher["signature"])
        challenge(session, deployment, last, order.buyer, now)
    elif due.verb:
        finish(session, deployment, due.order_id, order.buyer, now)


def _finish_digest(deployment: Deployment, order_id: str) -> Digest:
    return act_digest("finish", [order_id], deployment.domain("Orders"))
