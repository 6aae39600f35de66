"""Ordering: terms are accepted, money goes into escrow, privacy budget is set aside, a right to use is granted."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.agreements import service as agreements
from marketplace.agreements.scope import check_order_within
from marketplace.api.rules import LEAST_BUDGET
from marketplace.calls import decode_call
from marketplace.deliveries.tables import DeliveryOffer
from marketplace.documents import PURPOSES, Document, digest, validate_agreement
from marketplace.documents.scopes import is_within
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue, remember
from marketplace.intents import Deployment
from marketplace.ledger.intake import pending_intents
from marketplace.ledger.profile import ledger_profile
from marketplace.listings.service import get_listing, listing_json, terms_of
from marketplace.listings.tables import Listing
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.tables import Order, OrderClaim
from marketplace.participants.service import oversees
from marketplace.pricing import (
    Plan,
    Usage,
    is_negotiated,
    plan_not_agreed,
    plan_of,
    quote,
    require_one_period,
    require_within_cap,
    terms_under,
    terms_with,
)
from marketplace.refusals import refuse
from marketplace.rights.service import asset_json, get_asset, manifest_of
from marketplace.settlement.tables import Payout
from marketplace.storage.documents import store_document
from marketplace.types import ZERO_DIGEST, Digest
from marketplace.words import Words


def get_order(session: Session, order_id: str, account: str) -> Order:
    """An order that `account` is a party to, or oversees.

    Raises:
        NotFoundError: `order_unknown`: it does not exist, or is not theirs.
    """
    row = session.get(Order, order_id)
    if row is None or not (account in parties(session, row) or oversees(session, account)):
        raise unknown_order(order_id)
    return row


def unknown_order(order_id: str) -> NotFoundError:
    """The error for an order that does not exist, or is not theirs: the same in every respect."""
    return NotFoundError("order_unknown", f"there is no order {order_id} of yours", zh="没有您的该订单")


def parties(session: Session, order: Order) -> tuple[str, str]:
    """Buyer and seller of an order."""
    return order.buyer, get_listing(session, order.listing_id).seller


def orders_of(session: Session, account: str) -> SelectOfScalar[Order]:
    """The orders that `account` bought or sold; all of them for whoever oversees."""
    if oversees(session, account):
        return select(Order)
    sold = select(Listing.listing_id).where(Listing.seller == account)
    return select(Order).where(or_(col(Order.buyer) == account, col(Order.listing_id).in_(sold)))


def order_json(session: Session, order: Order) -> dict[str, Any]:
    """An order with its seller, the payouts of its settlement, and what one side claimed, or null."""
    payouts = session.exec(
        select(Payout).where(Payout.order_id == order.order_id).order_by(col(Payout.event_log_index))
    )
    paid = [{"asset": payout.asset_id, "holder": payout.holder, "amount": payout.amount} for payout in payouts]
    claim = session.get(OrderClaim, order.order_id)
    more = {"payouts": paid, "claim": claim.as_json() | {"currency": order.currency} if claim else None}
    return {**order.as_json(), "seller": parties(session, order)[1], **more}


def offer_json(session: Session, order: Order, now: int) -> dict[str, Any]:
    """{"listing", "asset"} of an order, as they stand at `now`."""
    listing, asset = get_listing(session, order.listing_id), get_asset(session, order.asset_id)
    return {"listing": listing_json(session, listing), "asset": asset_json(session, asset, now)}


def place(session: Session, deployment: Deployment, wish: Statement, agreement: Document, now: int) -> Digest:
    """Queue the funding of an order whose agreement accepts the listing's terms.

    Raises:
        InvalidInputError: `agreement_differs`.
        RuleError: `purpose_not_permitted`, `region_not_permitted`, `budget_not_needed`, `plan_not_agreed`, what the
        rules of orders say, or what `check_order_within` says of the agreement that it cites.
    """
    name, message = wish.digest(deployment), wish.message
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    listing = get_listing(session, message["listingId"])
    terms = terms_of(session, listing)
    _check_agreement(message, agreement, listing)
    _check_terms(agreement, terms)
    _check_budget(message["epsilonCap"], terms)
    _check_cited(agreement, terms)
    arguments = [dict(message), wish.signatures[0]]
    precheck.run(session, "Orders", "fund", arguments, now)
    _check_within(session, message, agreement, listing)
    _check_plan(session, message, billed_by(session, terms, message["agreementId"]), now)
    manifest = manifest_of(session, get_asset(session, listing.asset_id))
    readers = (message["buyer"], listing.seller, manifest["releaseKey"])
    store_document(session, agreement, now=now, readers=readers)
    remember(session, deployment, wish, message["orderId"])
    by = message["buyer"]
    return queue(session, contract="Orders", verb="fund", arguments=arguments, digest=name, by=by, now=now)


def _check_agreement(message: Mapping[str, Any], agreement: Document, listing: Listing) -> None:
    validate_agreement(agreement)
    under = agreement.get("under", message["agreementId"])
    stated = (agreement["buyer"], agreement["listing"], agreement["terms"], digest(agreement), under)
    buyer, listed, accepted, cited = (message[n] for n in ("buyer", "listingId", "agreementDigest", "agreementId"))
    signed = (buyer, listed, listing.terms_digest, accepted, cited)
    if stated != signed:
        raise InvalidInputError(
            "agreement_differs",
            "the agreement does not name this buyer, listing, terms, digest, and the agreement that the order is under",
            zh="协议内容与签署内容不一致",
            expected=signed,
            got=stated,
        )


def _check_cited(agreement: Document, terms: Document) -> None:
    """Where the price is negotiated, the acceptance names the agreement that has it, and so does the order's id."""
    if is_negotiated(terms) and "under" not in agreement:
        raise plan_not_agreed()


def billed_by(session: Session, terms: Document, agreement_id: str) -> Document:
    """`pricing.terms_under`, with the agreement that the ledger has under this id; ZERO_DIGEST for none."""
    if not is_negotiated(terms):
        return terms
    none = agreement_id == ZERO_DIGEST
    return terms_under(terms, None if none else agreements.document_of(session, agreement_id))


def order_terms(session: Session, order: Order) -> Document:
    """The terms that an order is billed by: its listing's, with the plan of the agreement that it cites where theirs
    is negotiated."""
    return billed_by(session, terms_of(session, get_listing(session, order.listing_id)), order.agreement_id)


def _check_within(session: Session, message: Mapping[str, Any], accepted: Document, listing: Listing) -> None:
    """The order keeps within the agreement that it cites. Comes after the ledger's own check that it is in force
    between these two, so nobody learns of others' agreements."""
    if message["agreementId"] == ZERO_DIGEST:
        return
    agreement = agreements.document_of(session, message["agreementId"])
    offer = session.get(DeliveryOffer, listing.listing_id)
    check_order_within(
        agreement,
        asset=listing.asset_id,
        purpose=accepted["purpose"],
        region=accepted["region"],
        terms=terms_of(session, listing),
        offer=None if offer is None else offer.as_json(),
    )


def quote_listing(
    session: Session, listing_id: str, *, usage: Usage, purpose: str, agreed: object = None
) -> dict[str, Any]:
    """What a use under a listing would cost; see `marketplace.pricing.quote`.

    Args:
        agreed: the plan that the two sides agreed on, or would, where the listing's is negotiated.
    Raises:
        InvalidInputError, RuleError: as `pricing.terms_with` says of it.
        NotFoundError: `listing_unknown`. InvalidInputError: `purpose_unknown`. RuleError: `purpose_not_permitted`; as
            `quote` says.
    """
    if purpose not in PURPOSES:
        raise InvalidInputError(
            "purpose_unknown",
            f"there is no purpose {purpose}",
            zh=f"没有用途 {purpose}",
            expected=", ".join(PURPOSES),
            got=purpose,
            hint="name one of the purposes that exist",
            hint_zh="请填写已有的用途之一",
        )
    listing = get_listing(session, listing_id)
    terms = terms_of(session, listing)
    _require_purpose(purpose, terms)
    plan = plan_of(terms_with(terms, agreed) if is_negotiated(terms) else terms)
    fee, promised = ledger_profile(session).fee_bps, _promised(session, plan, listing.asset_id)
    return quote(plan, usage, purpose=purpose, fee_bps=fee, promised=promised, currency=listing.currency)


def _promised(session: Session, plan: Plan, asset_id: str) -> int:
    """What public data earned, and what stands in escrow for it or is about to, over all its listings, in fen; 0 for
    other data."""
    if plan["publicData"] is None:
        return 0
    rows = session.exec(select(Order).where(Order.asset_id == asset_id))
    listings = set(session.exec(select(Listing.listing_id).where(Listing.asset_id == asset_id)))
    coming: int = sum(order["escrow"] for order in _under_way(session) if order["listingId"] in listings)
    return coming + sum(row.escrow if row.status in IN_ESCROW else row.amount for row in rows)


def _under_way(session: Session) -> list[Mapping[str, Any]]:
    """Orders that are queued and not on the ledger yet. Whoever queues has the writers' turn, so none is missed."""
    return [decode_call("Orders", row.calldata)[1][0] for row in pending_intents(session, "Orders", "fund")]


def _check_plan(session: Session, message: Mapping[str, Any], terms: Document, now: int) -> None:
    """The first use in escrow, one period long; a trial once a buyer; public data within what its operator may earn.

    Args:
        terms: those that the order is billed by.
    """
    plan, listing = plan_of(terms), message["listingId"]
    if message["escrow"] < terms["price"]:  # of a negotiated price the ledger knows nothing
        raise refuse("OrdersEscrowTooSmall", escrow=message["escrow"], price=terms["price"])
    require_one_period(terms, now, message["validUntil"])
    require_within_cap(plan, _promised(session, plan, terms["asset"]), message["escrow"])
    if plan["mode"] != "FREE_TRIAL":
        return
    earlier = select(Order.order_id).where(Order.listing_id == listing, Order.buyer == message["buyer"])
    coming = (order for order in _under_way(session) if order["listingId"] == listing)
    ordered = (order["orderId"] for order in coming if order["buyer"] == message["buyer"])
    if (found := session.exec(earlier).first() or next(ordered, None)) is not None:
        raise RuleError(
            "trial_used",
            "a free trial is for each buyer once",
            zh="每一买方仅可免费试用一次",
            rule="pricing.trial_once_a_buyer",
            expected=Words("no earlier order of this buyer under the listing", "该买方此前未在该挂牌下订购"),
            got=found,
            hint="order another product of the same data",
            hint_zh="请另购同一数据的其他产品",
        )


def _check_budget(cap: int, terms: Document) -> None:
    """Calls and files spend no privacy budget: an order that set more aside would keep it from whoever asks questions,
    for ever where it ends in a refund."""
    if "delivery" in terms and cap > LEAST_BUDGET:
        raise RuleError(
            "budget_not_needed",
            "calls and files spend no privacy budget, and an order of them sets none aside but the smallest unit",
            zh="接口调用与文件交付不消耗隐私预算，订单仅可预留最小单位",
            rule="orders.questions_alone_spend_budget",
            expected=LEAST_BUDGET,
            got=cap,
            hint="order by: marketplace api order, or marketplace deliveries order",
            hint_zh="请使用 marketplace api order 或 marketplace deliveries order 下单",
        )


def _require_purpose(purpose: str, terms: Document) -> None:
    if purpose not in terms["purposes"]:
        raise RuleError(
            "purpose_not_permitted",
            f"the listing is not for the purpose {purpose}",
            zh=f"该挂牌不允许用于 {purpose}",
            rule="orders.purpose_is_permitted",
            expected=terms["purposes"],
            got=purpose,
            hint="order for a permitted purpose, or ask the seller for another listing",
            hint_zh="请选择允许的用途，或与供方协商",
        )


def _check_terms(agreement: Document, terms: Document) -> None:
    _require_purpose(agreement["purpose"], terms)
    region = agreement["region"]
    if not is_within(region, terms["regions"]):
        raise RuleError(
            "region_not_permitted",
            f"the listing is not for use in {agreement['region']}",
            zh=f"该挂牌不允许在 {agreement['region']} 使用",
            rule="orders.region_is_permitted",
            expected=terms["regions"],
            got=agreement["region"],
            hint="order for a region that the terms permit, or ask the seller for another listing",
            hint_zh="请选择条款允许的区域，或请卖方另行挂牌",
        )
