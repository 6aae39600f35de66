"""Taking a question."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from marketplace.documents import Document, digest, iso_time, series_of, validate_query, validate_voucher
from marketplace.errors import InvalidInputError
from marketplace.evidence import log
from marketplace.evidence.inbox import is_under_way, recalled
from marketplace.intents import Deployment
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.service import unknown_order
from marketplace.orders.tables import Order
from marketplace.participants.service import require_role
from marketplace.participants.service.proving import book_of
from marketplace.queries.permission.papers import OrderPapers
from marketplace.queries.permission.pricing import (
    check_asset_budget,
    check_buyer_budget,
    check_voucher,
    check_voucher_signature,
)
from marketplace.queries.permission.use import check_permitted
from marketplace.queries.planning.plan import Plan, make_plan
from marketplace.queries.service.accounts import account_of, buyer_of, charge_of, papers_of, spent_of
from marketplace.queries.service.topics import PANEL, query_in_flight, rule_error, topic
from marketplace.queries.tables import UNFINISHED, PanelTask, QueryRow
from marketplace.rights.service import get_asset, manifest_of
from marketplace.rights.tables import Asset
from marketplace.storage.documents import store_document
from marketplace.types import OrderStatus, Role
from marketplace.web.context import announce
from marketplace.words import Words, word


def ask(
    session: Session,
    deployment: Deployment,
    query: Document,
    voucher: Document,
    *,
    account: str,
    panel_seconds: int,
    now: int,
) -> QueryRow:
    """Take a question. The same question document again is the same row.

    Args:
        account: who has signed in; only the order's buyer may ask.
        panel_seconds: how long the panel has for it.
    Raises:
        NotFoundError: `order_unknown`.
        InvalidInputError: a document's shape, or a name that the manifest does not have.
        NotAuthorizedError: `role_missing`: the buyer is suspended, or is a buyer no more.
        RuleError: `order_not_open`, `order_closing`, `query_in_flight`, `sequence_wrong`, or what the rules of queries
            say.
        VerificationError: `voucher_signature`.
    """
    validate_query(query)
    validate_voucher(voucher)
    order = session.get(Order, query["order"])
    if order is None or order.buyer != account:
        raise unknown_order(query["order"])
    name = digest(query)
    known = session.get(QueryRow, name)
    if known is not None:
        return known
    require_role(session, account, Role.BUYER)
    _check_open(session, deployment, order, query)
    asset = get_asset(session, order.asset_id)
    papers, manifest = papers_of(session, order), manifest_of(session, asset)
    _check_data(asset, query)
    check_permitted(papers, query, manifest, now)
    plan = make_plan(manifest, query)
    charge = charge_of(session, manifest, papers.terms, plan)
    _check_buyer(session, deployment, order, voucher, now)
    paid = account_of(session, order, papers)
    check_voucher(paid, voucher, name, charge)
    check_buyer_budget(buyer_of(session, manifest, papers.terms, order.buyer), charge)
    check_asset_budget(asset.epsilon_budget, spent_of(session, series_of(manifest)), charge)
    return _accept(
        session,
        order=order,
        papers=papers,
        manifest=manifest,
        plan=plan,
        query=query,
        voucher=voucher,
        price=paid.price,
        deadline=now + panel_seconds,
        now=now,
    )


def _check_open(session: Session, deployment: Deployment, order: Order, query: Mapping[str, Any]) -> None:
    if order.status not in IN_ESCROW:
        raise rule_error(
            "order_not_open",
            "this order is closed",
            "该订单已关闭",
            Words("an order with money in escrow", "托管中的订单"),
            word(OrderStatus(order.status)),
            hint="place another order",
            hint_zh="请另行下单",
        )
    if order.status == OrderStatus.CLAIMED or _is_closing(session, deployment, order):
        raise rule_error(
            "order_closing",
            "this order is being closed, or one of its sides has claimed its end",
            "该订单正在结清，或一方已主张结算",
            Words("an open order", "未结清的订单"),
            hint="place another order, or wait: if a closing comes to nothing the order goes on",
            hint_zh="请另行下单，或等待：若结清未成，订单将继续",
        )
    mine = select(QueryRow.digest).where(QueryRow.order_id == order.order_id)
    open_ = session.exec(mine.where(col(QueryRow.state).in_(UNFINISHED))).first()
    if open_ is not None:
        raise query_in_flight(open_)
    last = session.exec(select(func.max(QueryRow.sequence)).where(QueryRow.order_id == order.order_id)).one() or 0
    if query["sequence"] <= last:
        raise rule_error(
            "sequence_wrong",
            "the query's sequence number was used before",
            "查询序号重复",
            f"> {last}",
            query["sequence"],
            hint="read the order and use the next number",
            hint_zh="请重新读取订单并使用下一序号",
        )


def _is_closing(session: Session, deployment: Deployment, order: Order) -> bool:
    """Whether the ledger has been asked to settle, or for a claim: an answer given now might be in no voucher that is
    settled."""
    said = [recalled(session, name, order.order_id) for name in ("Close", "Clear", "Claim")]
    return any(word is not None and is_under_way(session, word.digest(deployment)) for word in said)


def _check_data(asset: Asset, query: Mapping[str, Any]) -> None:
    if query["asset"] != asset.asset_id or query["ciphertextRoot"] != asset.ciphertext_root:
        raise rule_error(
            "data_mismatch",
            "the query is about other data than the order",
            "查询的数据与订单不符",
            {"asset": asset.asset_id, "ciphertextRoot": asset.ciphertext_root},
            {"asset": query["asset"], "ciphertextRoot": query["ciphertextRoot"]},
            hint="ask about the order's own asset and the ciphertext root that it names",
            hint_zh="请就订单所指资产及其密文根提问",
        )


def _check_buyer(session: Session, deployment: Deployment, order: Order, voucher: Document, now: int) -> None:
    if voucher["buyer"] != order.buyer:
        raise InvalidInputError(
            "voucher_buyer",
            "the voucher names another buyer",
            zh="凭证所列买方不符",
            expected=order.buyer,
            got=voucher["buyer"],
        )
    check_voucher_signature(order.buyer, voucher, book_of(session, deployment, order.buyer), now)


def _accept(
    session: Session,
    *,
    order: Order,
    papers: OrderPapers,
    manifest: Document,
    plan: Plan,
    query: Document,
    voucher: Document,
    price: int,
    deadline: int,
    now: int,
) -> QueryRow:
    nodes = [node["address"] for node in papers.terms["panel"]["nodes"]]
    seller, vault = papers.listing.message["seller"], manifest["releaseKey"]
    holders = [vault, manifest["custodian"]] if manifest["custodian"] else [vault]
    name = store_document(session, query, now=now, readers=(order.buyer, seller, *holders, *nodes))
    paid = store_document(session, voucher, now=now, readers=(order.buyer, seller, *holders))
    row = QueryRow(
        digest=name,
        order_id=order.order_id,
        asset_id=order.asset_id,
        series=series_of(manifest),
        buyer=order.buyer,
        release_key=vault,
        sequence=query["sequence"],
        price=price,
        epsilon=query["epsilon"],
        plan_digest=plan.digest,
        numbers=len(plan.numbers),
        terms_digest=digest(papers.terms),
        manifest_digest=digest(manifest),
        voucher_digest=paid,
        panel_deadline=deadline,
        accepted_at=now,
    )
    said = {"query": name, "order": order.order_id, "voucher": paid, "deadline": iso_time(deadline)}
    row.leaf = log.append(session, "query.accepted", now, **said)
    session.add(row)
    for node in nodes:
        session.add(PanelTask(query=name, node=node))
    announce(session, PANEL, topic(name))
    return row
