"""What an order and a data set have spent so far, and the papers behind an order."""

from sqlmodel import Session, col, func, select

from crypto.canonical import from_hex
from marketplace.documents import Document
from marketplace.errors import NotFoundError
from marketplace.evidence.inbox import recall
from marketplace.listings.service import get_listing, terms_of
from marketplace.orders.tables import Order
from marketplace.queries.permission import OrderPapers, SignedIntent
from marketplace.queries.plan import Plan
from marketplace.queries.pricing import OrderAccount
from marketplace.queries.tables import RELEASED, QueryRow
from marketplace.storage.documents import read_document


def papers_of(session: Session, order: Order) -> OrderPapers:
    """What stands behind an order, with the signatures of holder, seller and buyer."""
    listing = get_listing(session, order.listing_id)
    return OrderPapers(
        registration=_signed(session, "Register", order.asset_id),
        listing=_signed(session, "List", order.listing_id),
        fund=_signed(session, "Fund", order.order_id),
        terms=terms_of(session, listing),
        agreement=read_document(session, order.agreement_digest),
    )


def _signed(session: Session, name: str, subject: str) -> SignedIntent:
    row = recall(session, name, subject)
    return SignedIntent(row.message, from_hex(row.signature))


def account_of(session: Session, order: Order, price: int) -> OrderAccount:
    """What the order has promised so far by its answered queries, and what all its queries have spent."""
    rows = released_queries(session, order.order_id)
    charged = select(func.sum(QueryRow.epsilon_charged)).where(QueryRow.order_id == order.order_id)
    spent = int(session.exec(charged).one() or 0)
    last = read_document(session, rows[-1].voucher_digest) if rows else {"amount": 0, "epsilon": 0}
    return OrderAccount(
        order=order.order_id,
        buyer=order.buyer,
        escrow=order.escrow,
        price=price,
        cap=order.epsilon_cap,
        spent=spent,
        amount=last["amount"],
        epsilon=last["epsilon"],
        calls=tuple(row.digest for row in rows),
    )


def released_queries(session: Session, order_id: str) -> list[QueryRow]:
    """The order's answered queries in the order of their answers."""
    statement = select(QueryRow).where(QueryRow.order_id == order_id, QueryRow.state == RELEASED)
    return list(session.exec(statement.order_by(col(QueryRow.leaf))))


def last_voucher(session: Session, order_id: str) -> Document | None:
    """The voucher document of the order's last answered query; None before the first."""
    rows = released_queries(session, order_id)
    return read_document(session, rows[-1].voucher_digest) if rows else None


def require_last_voucher(session: Session, order_id: str) -> Document:
    """As `last_voucher`. Raises NotFoundError `voucher_unknown` before the first answer."""
    voucher = last_voucher(session, order_id)
    if voucher is None:
        raise NotFoundError(
            "voucher_unknown", "no query of this order has been answered yet", zh="该订单尚无已答复的查询"
        )
    return voucher


def charge_of(session: Session, asset_id: str, plan: Plan) -> int:
    """Privacy budget that answering this plan would cost, in millionths: nothing if the question was answered
    before."""
    statement = select(QueryRow.digest).where(QueryRow.asset_id == asset_id, QueryRow.plan_digest == plan.digest)
    answered = (col(QueryRow.state) == RELEASED) | (col(QueryRow.epsilon_charged) > 0)
    repeated = session.exec(statement.where(answered)).first() is not None
    return 0 if repeated else plan.epsilon


def spent_of(session: Session, asset_id: str) -> int:
    """Privacy budget that the answers about an asset have cost so far, in millionths, over all buyers."""
    statement = select(func.sum(QueryRow.epsilon_charged)).where(QueryRow.asset_id == asset_id)
    return int(session.exec(statement).one() or 0)
