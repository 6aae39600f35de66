"""What a buyer sees: the standing of a query, and what a question would cost."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from marketplace.documents import Document, series_of
from marketplace.errors import NotFoundError
from marketplace.listings.service import get_listing, terms_of
from marketplace.orders.service import unknown_order
from marketplace.orders.tables import Order
from marketplace.queries.explain import (
    NOBODY,
    Question,
    document_of,
    explanation,
    nobodys_papers,
    plan_or_refusal,
    refusals_of,
)
from marketplace.queries.permission.pricing import OrderAccount, check_asset_budget, check_buyer_budget
from marketplace.queries.service.accounts import account_of, buyer_of, charge_of, papers_of, spent_of
from marketplace.queries.service.topics import rule_error
from marketplace.queries.tables import ACCEPTED, APPROVED, ATTESTED, EVALUATING, RELEASED, CustodianTask, QueryRow
from marketplace.rights.service import get_asset, manifest_of
from marketplace.storage.documents import read_document

ANSWER = ("result", "attestation", "shares", "release", "custodianShares", "custodianRelease")


def get_query(session: Session, name: str, account: str) -> QueryRow:
    """A query of `account`'s own. Raises NotFoundError `query_unknown`: it does not exist, or is not theirs."""
    row = session.get(QueryRow, name)
    if row is None or row.buyer != account:
        raise NotFoundError("query_unknown", f"there is no query {name} of yours", zh="没有您的该查询")
    return row


def query_json(session: Session, row: QueryRow, *, documents: bool = False) -> dict[str, Any]:
    """A query's standing; "query", "voucher", "result" and so on name documents, null until there is one.

    Args:
        documents: add "documents", those of an answer by their digests; empty where there is no answer.
    """
    names = {
        name: getattr(row, f"{name}_digest")
        for name in ("voucher", "result", "attestation", "shares", "release", "refusal")
    }
    names |= _custodians_part(session, row.digest)
    waiting = {ACCEPTED: "panel", EVALUATING: "panel", ATTESTED: "vault", APPROVED: "custodian"}.get(row.state)
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
        **names,
        "failure": row.failure,
        "acceptedAt": row.accepted_at,
        "panelDeadline": row.panel_deadline,
        "attestedAt": row.attested_at,
        "finishedAt": row.finished_at,
        **({"documents": _of_answer(session, row, names)} if documents else {}),
    }


def _custodians_part(session: Session, query: str) -> dict[str, str | None]:
    """Names of the custodian's shares and of its release, null where there is none."""
    task = session.get(CustodianTask, query)
    return {
        "custodianShares": task.shares_digest if task else None,
        "custodianRelease": task.release_digest if task else None,
    }


def _of_answer(session: Session, row: QueryRow, names: Mapping[str, str | None]) -> dict[str, Document]:
    """What the buyer puts its answer together from."""
    if row.state != RELEASED:
        return {}
    wanted = (names[name] for name in ANSWER)
    return {name: read_document(session, name) for name in wanted if name is not None}


def explain(
    session: Session, question: Question, *, listing_id: str, order_id: str, account: str | None, now: int
) -> dict[str, Any]:
    """What a question would cost under an order of `account`'s, or under a listing, and why it would be refused.

    Args:
        order_id: the order; empty to explain it under `listing_id` alone.
    Raises:
        NotFoundError: `order_unknown`, `listing_unknown`. InvalidInputError: outside the algebra.
    """
    order = session.get(Order, order_id) if order_id else None
    if order_id and (order is None or order.buyer != account):
        raise unknown_order(order_id)
    listing = get_listing(session, order.listing_id if order else listing_id)
    asset = get_asset(session, listing.asset_id)
    papers = papers_of(session, order) if order else nobodys_papers(listing.as_json(), terms_of(session, listing))
    manifest = manifest_of(session, asset)
    document = document_of(question, order_id or NOBODY, asset.asset_id, asset.ciphertext_root, manifest)
    plan, unplanned = plan_or_refusal(manifest, document)
    charge = 0 if plan is None else charge_of(session, manifest, papers.terms, plan)
    spent = spent_of(session, series_of(manifest))
    answer = explanation(plan, document, manifest, papers, now)
    answer["refusals"] = unplanned + answer["refusals"]
    answer["refusals"] += refusals_of(lambda: check_asset_budget(asset.epsilon_budget, spent, charge))
    answer |= {"charge": charge, "assetEpsilonLeft": max(0, asset.epsilon_budget - spent)}
    if account is not None:
        buyer = buyer_of(session, manifest, papers.terms, account)
        answer |= {"buyerEpsilonLeft": buyer.left, "buyerGroup": buyer.group}
        answer["refusals"] += refusals_of(lambda: check_buyer_budget(buyer, charge))
    if order is not None:
        paid = account_of(session, order, papers)
        answer |= {"orderEpsilonLeft": order.epsilon_cap - paid.spent, "escrowLeft": order.escrow - paid.amount}
        beyond = refusals_of(lambda: _check_means(paid, charge))
        answer["refusals"] += beyond
        if not any(item["code"] == "quota_exhausted" for item in beyond):
            answer["price"] = paid.price
    return answer


def _check_means(account: OrderAccount, charge: int) -> None:
    left = account.escrow - account.amount
    if account.price > left:
        raise rule_error(
            "escrow_exceeded",
            "the escrow does not pay for another call",
            "托管金额不足",
            account.price,
            left,
            hint="place another order with a larger escrow",
            hint_zh="请另下托管金额更高的订单",
        )
    if account.spent + charge > account.cap:
        raise rule_error(
            "order_budget_exhausted",
            "the order's privacy budget does not suffice",
            "订单隐私预算不足",
            account.cap - account.spent,
            charge,
            hint="ask for less epsilon, or place another order",
            hint_zh="请降低 epsilon，或另行下单",
        )
