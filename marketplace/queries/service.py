"""Asking: a signed question and a signed voucher come in, are checked against public documents, and become a row.

Every rule is the same pure function that the vault applies once more; the service only spares everybody a lost round.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from crypto.canonical import from_hex
from marketplace.documents import Document, digest, validate_query, validate_voucher
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence import log
from marketplace.evidence.inbox import recall
from marketplace.intents import Deployment
from marketplace.listings.service import get_listing, terms_of
from marketplace.orders.tables import Order
from marketplace.queries.explain import NOBODY, Question, explanation, nobodys_papers, plan_of, refusals_of
from marketplace.queries.permission import OrderPapers, SignedIntent, check_permitted
from marketplace.queries.plan import Plan, make_plan
from marketplace.queries.pricing import OrderAccount, check_asset_budget, check_voucher, check_voucher_signature
from marketplace.queries.tables import ACCEPTED, ATTESTED, EVALUATING, RELEASED, UNFINISHED, PanelTask, QueryRow
from marketplace.rights.service import get_asset, manifest_of
from marketplace.rights.tables import Asset
from marketplace.storage.documents import read_document, store_document
from marketplace.types import OrderStatus
from marketplace.web.context import announce

PANEL = "panel"  # the bell's topic for new tasks of the panel


def topic(digest_: str) -> str:
    """The bell's topic for news of one query."""
    return f"query:{digest_}"


def vault_topic(release_key: str) -> str:
    """The bell's topic for new tasks of one vault."""
    return f"vault:{release_key}"


def get_query(session: Session, name: str, account: str) -> QueryRow:
    """A query of `account`'s own. Raises NotFoundError `query_unknown`: it does not exist, or is not theirs."""
    row = session.get(QueryRow, name)
    if row is None or row.buyer != account:
        raise NotFoundError("query_unknown", f"there is no query {name} of yours", zh="没有您的该查询")
    return row


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
    """What the order has spent and promised so far: by its answered queries alone."""
    rows = released_queries(session, order.order_id)
    spent = sum(row.epsilon_charged or 0 for row in rows)
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


def ask(
    session: Session, deployment: Deployment, query: Document, voucher: Document, *, account: str, now: int
) -> QueryRow:
    """Take a question. The same question document again is the same row.

    Args:
        account: who has signed in; only the order's buyer may ask.
    Raises:
        NotFoundError: `order_unknown`.
        InvalidInputError: a document's shape, or a name that the manifest does not have.
        RuleError: `order_not_open`, `query_in_flight`, `sequence_wrong`, or what the rules of queries say.
        VerificationError: `voucher_signature`.
    """
    validate_query(query)
    validate_voucher(voucher)
    order = session.get(Order, query["order"])
    if order is None or order.buyer != account:
        raise NotFoundError("order_unknown", f"there is no order {query['order']} of yours", zh="没有您的该订单")
    name = digest(query)
    known = session.get(QueryRow, name)
    if known is not None:
        return known
    _check_open(session, order, query)
    asset = get_asset(session, order.asset_id)
    papers, manifest = papers_of(session, order), manifest_of(session, asset)
    _check_data(asset, query)
    check_permitted(papers, query, manifest, now)
    plan = make_plan(manifest, query)
    _check_voucher(session, deployment, order=order, asset=asset, papers=papers, plan=plan, voucher=voucher, name=name)
    return _accept(
        session, order=order, papers=papers, manifest=manifest, plan=plan, query=query, voucher=voucher, now=now
    )


def explain(
    session: Session, question: Question, *, listing_id: str, order_id: str, account: str | None, now: int
) -> dict[str, Any]:
    """What a question would cost under an order of `account`'s, or under a listing, and why it would be refused.

    Args:
        order_id: the order; empty to explain it under `listing_id` alone.
    Raises:
        NotFoundError: `order_unknown`, `listing_unknown`. InvalidInputError, RuleError: as make_plan.
    """
    order = session.get(Order, order_id) if order_id else None
    if order_id and (order is None or order.buyer != account):
        raise NotFoundError("order_unknown", f"there is no order {order_id} of yours", zh="没有您的该订单")
    listing = get_listing(session, order.listing_id if order else listing_id)
    asset = get_asset(session, listing.asset_id)
    papers = papers_of(session, order) if order else nobodys_papers(listing.as_json(), terms_of(session, listing))
    manifest = manifest_of(session, asset)
    plan, document = plan_of(question, order_id or NOBODY, asset.asset_id, asset.ciphertext_root, manifest)
    charge, spent = charge_of(session, asset.asset_id, plan), spent_of(session, asset.asset_id)
    answer = explanation(plan, document, manifest, papers, now)
    answer["refusals"] += refusals_of(lambda: check_asset_budget(asset.epsilon_budget, spent, charge))
    answer |= {"charge": charge, "assetEpsilonLeft": asset.epsilon_budget - spent}
    if order is not None:
        paid = account_of(session, order, papers.terms["price"])
        answer |= {"orderEpsilonLeft": order.epsilon_cap - paid.spent, "escrowLeft": order.escrow - paid.amount}
        answer["refusals"] += refusals_of(lambda: _check_means(paid, charge))
    return answer


def _check_means(account: OrderAccount, charge: int) -> None:
    left = account.escrow - account.amount
    if account.price > left:
        raise _rule("escrow_exceeded", "the escrow does not pay for another call", "托管金额不足", account.price, left)
    if account.spent + charge > account.cap:
        raise _rule(
            "order_budget_exhausted",
            "the order's privacy budget does not suffice",
            "订单隐私预算不足",
            account.cap - account.spent,
            charge,
        )


def charge_of(session: Session, asset_id: str, plan: Plan) -> int:
    """Privacy budget that answering this plan would cost, in millionths: nothing if the question was answered
    before."""
    statement = select(QueryRow.digest).where(QueryRow.asset_id == asset_id, QueryRow.plan_digest == plan.digest)
    repeated = session.exec(statement.where(QueryRow.state == RELEASED)).first() is not None
    return 0 if repeated else plan.epsilon


def spent_of(session: Session, asset_id: str) -> int:
    """Privacy budget that the answers about an asset have cost so far, in millionths, over all buyers."""
    statement = select(func.sum(QueryRow.epsilon_charged)).where(
        QueryRow.asset_id == asset_id, QueryRow.state == RELEASED
    )
    return int(session.exec(statement).one() or 0)


def _check_open(session: Session, order: Order, query: Mapping[str, Any]) -> None:
    if order.status != OrderStatus.FUNDED:
        raise _rule(
            "order_not_open", "this order is closed", "该订单已关闭", "an order with money in escrow", order.status
        )
    mine = select(func.count()).select_from(QueryRow).where(QueryRow.order_id == order.order_id)
    if session.exec(mine.where(col(QueryRow.state).in_(UNFINISHED))).one():
        raise _rule(
            "query_in_flight",
            "the order's last query has no outcome yet; the next voucher depends on it",
            "上一查询尚无结果,下一凭证取决于它",
            "one query at a time",
            hint="wait for it with GET /queries/{digest}?wait=30",
        )
    last = session.exec(select(func.max(QueryRow.sequence)).where(QueryRow.order_id == order.order_id)).one() or 0
    if query["sequence"] <= last:
        raise _rule(
            "sequence_wrong",
            "the query's sequence number was used before",
            "查询序号重复",
            f"> {last}",
            query["sequence"],
        )


def _check_data(asset: Asset, query: Mapping[str, Any]) -> None:
    if query["asset"] != asset.asset_id or query["ciphertextRoot"] != asset.ciphertext_root:
        raise _rule(
            "data_mismatch",
            "the query is about other data than the order",
            "查询的数据与订单不符",
            {"asset": asset.asset_id, "ciphertextRoot": asset.ciphertext_root},
            {"asset": query["asset"], "ciphertextRoot": query["ciphertextRoot"]},
        )


def _check_voucher(
    session: Session,
    deployment: Deployment,
    *,
    order: Order,
    asset: Asset,
    papers: OrderPapers,
    plan: Plan,
    voucher: Document,
    name: str,
) -> None:
    account = account_of(session, order, papers.terms["price"])
    charge = charge_of(session, asset.asset_id, plan)
    if voucher["buyer"] != order.buyer:
        raise InvalidInputError(
            "voucher_buyer", "the voucher names another buyer", expected=order.buyer, got=voucher["buyer"]
        )
    check_voucher_signature(account, voucher, deployment)
    check_voucher(account, voucher, name, charge)
    check_asset_budget(asset.epsilon_budget, spent_of(session, asset.asset_id), charge)


def _accept(
    session: Session,
    *,
    order: Order,
    papers: OrderPapers,
    manifest: Document,
    plan: Plan,
    query: Document,
    voucher: Document,
    now: int,
) -> QueryRow:
    nodes = [node["address"] for node in papers.terms["panel"]["nodes"]]
    seller, vault = papers.listing.message["seller"], manifest["releaseKey"]
    name = store_document(session, query, now=now, readers=(order.buyer, seller, vault, *nodes))
    paid = store_document(session, voucher, now=now, readers=(order.buyer, seller, vault))
    row = QueryRow(
        digest=name,
        order_id=order.order_id,
        asset_id=order.asset_id,
        buyer=order.buyer,
        release_key=vault,
        sequence=query["sequence"],
        price=papers.terms["price"],
        epsilon=query["epsilon"],
        plan_digest=plan.digest,
        numbers=len(plan.numbers),
        terms_digest=digest(papers.terms),
        manifest_digest=digest(manifest),
        voucher_digest=paid,
        accepted_at=now,
    )
    row.leaf = log.append(
        session, "query.accepted", now, query=name, order=order.order_id, voucher=paid, plan=plan.digest
    )
    session.add(row)
    for node in nodes:
        session.add(PanelTask(query=name, node=node))
    announce(session, PANEL, topic(name))
    return row


def _rule(code: str, message: str, zh: str, expected: object, got: object = None, *, hint: str = "") -> RuleError:
    return RuleError(code, message, zh=zh, rule=f"queries.{code}", expected=expected, got=got, hint=hint)


def query_json(row: QueryRow) -> dict[str, Any]:
    """A query's standing; "query", "voucher", "result" and so on name documents, null until there is one."""
    documents = {
        name: getattr(row, f"{name}_digest")
        for name in ("voucher", "result", "attestation", "shares", "release", "refusal")
    }
    waiting = {ACCEPTED: "panel", EVALUATING: "panel", ATTESTED: "vault"}.get(row.state)
    return {
        "digest": row.digest,
        "query": row.digest,
        "order": row.order_id,
        "asset": row.asset_id,
        "sequence": row.sequence,
        "state": row.state,
        "waitingFor": waiting,
        "price": row.price,
        "epsilon": row.epsilon,
        "charged": row.epsilon_charged,
        "plan": row.plan_digest,
        **documents,
        "acceptedAt": row.accepted_at,
        "attestedAt": row.attested_at,
        "finishedAt": row.finished_at,
    }
