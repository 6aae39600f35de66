"""What an order and a data set have spent so far, and the papers behind an order."""

from collections.abc import Collection

from sqlmodel import Session, col, func, select

from crypto.canonical import from_hex, to_hex
from crypto.merkle import Frontier
from marketplace.agreements import service as agreements
from marketplace.api import service as calls
from marketplace.documents import Document, series_of
from marketplace.errors import NotFoundError
from marketplace.evidence.inbox import recall
from marketplace.intents import INTENTS, intent_digest
from marketplace.ledger.profile import ledger_profile
from marketplace.listings.service import get_listing, terms_of
from marketplace.orders.tables import Order
from marketplace.participants.proofs import KeyProof
from marketplace.participants.service.proving import steps_of, taken_at
from marketplace.pricing import is_negotiated
from marketplace.queries.permission.papers import Cited, OrderPapers, SignedIntent
from marketplace.queries.permission.pricing import BuyerAccount, OrderAccount, buyer_account, calls_of, question_of
from marketplace.queries.planning.plan import Plan
from marketplace.queries.tables import RELEASED, AnsweredCalls, QueryRow
from marketplace.storage.documents import read_document


def papers_of(session: Session, order: Order) -> OrderPapers:
    """What stands behind an order, with the signatures of holder, seller and buyer."""
    listing = get_listing(session, order.listing_id)
    terms = terms_of(session, listing)
    return OrderPapers(
        registration=_signed(session, "Register", order.asset_id),
        listing=_signed(session, "List", order.listing_id),
        fund=_signed(session, "Fund", order.order_id),
        terms=terms,
        agreement=read_document(session, order.agreement_digest),
        cited=_cited(session, order, listing.seller) if is_negotiated(terms) else None,
    )


def _cited(session: Session, order: Order, seller: str) -> Cited:
    """The agreement that has the order's price, with its seller's signature."""
    name, message, signatures = agreements.signed_of(session, order.agreement_id)
    signed = SignedIntent(message, from_hex(signatures[seller]))
    return Cited(name, signed, agreements.document_of(session, order.agreement_id))


def key_proof(session: Session, papers: OrderPapers) -> KeyProof:
    """What signs for the parties of an order, and when the ledger took what they signed."""
    deployment = ledger_profile(session).deployment
    signed = {"Register": papers.registration, "List": papers.listing, "Fund": papers.fund}
    messages = {name: item.message for name, item in signed.items() if item is not None}
    names = {name.lower(): to_hex(intent_digest(name, message, deployment)) for name, message in messages.items()}
    if papers.cited is not None:
        names["cited"] = to_hex(intent_digest(papers.cited.name, papers.cited.signed.message, deployment))
    taken = taken_at(session, names.values())
    times = {name: taken[digest] for name, digest in names.items() if digest in taken}
    parties = [str(message[INTENTS[name].signers[0]]) for name, message in messages.items()]
    return KeyProof(steps_of(session, parties), times)


def _signed(session: Session, name: str, subject: str) -> SignedIntent:
    row = recall(session, name, subject)
    return SignedIntent(row.message, from_hex(row.signature))


def account_of(session: Session, order: Order, papers: OrderPapers) -> OrderAccount:
    """What the order has promised so far by its answered queries, and what all its queries have spent."""
    answered = session.get(AnsweredCalls, order.order_id)
    charged = select(func.sum(QueryRow.epsilon_charged)).where(QueryRow.order_id == order.order_id)
    spent = int(session.exec(charged).one() or 0)
    last = read_document(session, answered.voucher_digest) if answered else {"amount": 0, "epsilon": 0}
    return OrderAccount(
        order=order.order_id,
        buyer=order.buyer,
        escrow=order.escrow,
        tariff=papers.tariff,
        cap=order.epsilon_cap,
        spent=spent,
        amount=last["amount"],
        epsilon=last["epsilon"],
        calls=answered_calls(session, order.order_id),
    )


def count_answer(session: Session, row: QueryRow) -> None:
    """Enter a query that is answered now among its order's calls."""
    answered = calls_of([row.digest], answered_calls(session, row.order_id))
    edge = [to_hex(item) for item in answered.hashes]
    session.merge(
        AnsweredCalls(order_id=row.order_id, calls=answered.size, edge=edge, voucher_digest=row.voucher_digest)
    )


def answered_calls(session: Session, order_id: str) -> Frontier:
    """The order's answered queries in the order of their answers, as the right edge of the tree over their digests."""
    row = session.get(AnsweredCalls, order_id)
    return Frontier(row.calls, [from_hex(item, 32) for item in row.edge]) if row else Frontier()


def last_voucher(session: Session, order_id: str) -> Document | None:
    """The voucher document of the order's last answered query, or, of an order of calls, the last that was handed in;
    None before the first."""
    answered = session.get(AnsweredCalls, order_id)
    return read_document(session, answered.voucher_digest) if answered else calls.last_voucher(session, order_id)


def require_last_voucher(session: Session, order_id: str) -> Document:
    """As `last_voucher`. Raises NotFoundError `voucher_unknown` before the first answer."""
    voucher = last_voucher(session, order_id)
    if voucher is None:
        raise NotFoundError(
            "voucher_unknown",
            "nothing of this order has been answered and paid yet",
            zh="该订单尚无已答复并付款的查询或调用",
        )
    return voucher


def charge_of(session: Session, manifest: Document, terms: Document, plan: Plan) -> int:
    """Privacy budget that answering this plan would cost, in millionths: nothing if the question was answered before,
    whoever asked it and under whichever version of the data set."""
    statement = select(QueryRow).where(QueryRow.series == series_of(manifest), QueryRow.plan_digest == plan.digest)
    answered = (col(QueryRow.state) == RELEASED) | (col(QueryRow.epsilon_charged) > 0)
    question = question_of(plan.digest, manifest, terms)
    repeated = any(_question(session, row) == question for row in session.exec(statement.where(answered)))
    return 0 if repeated else plan.epsilon


def _question(session: Session, row: QueryRow) -> str:
    manifest, terms = (read_document(session, name) for name in (row.manifest_digest, row.terms_digest))
    return question_of(row.plan_digest, manifest, terms)


def spent_of(session: Session, series: str, accounts: Collection[str] | None = None) -> int:
    """Privacy budget that the answers about a series have cost so far, in millionths, over all buyers or these."""
    statement = select(func.sum(QueryRow.epsilon_charged)).where(QueryRow.series == series)
    if accounts is not None:
        statement = statement.where(col(QueryRow.buyer).in_(accounts))
    return int(session.exec(statement).one() or 0)


def buyer_of(session: Session, manifest: Document, terms: Document, buyer: str) -> BuyerAccount:
    """What a buyer, or its group, has spent of a series, and the cap that the terms set."""
    return buyer_account(terms, buyer, lambda accounts: spent_of(session, series_of(manifest), accounts))
