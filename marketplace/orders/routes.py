"""Orders over HTTP; visible to buyer, seller and overseers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from crypto.canonical import load_json
from crypto.errors import CryptoError
from marketplace.documents.shapes import refuse
from marketplace.evidence.inbox import Statement
from marketplace.orders import service
from marketplace.orders.tables import Order
from marketplace.pricing import Usage, usage_of
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account
from marketplace.web.shapes import (
    AddressText,
    Count,
    CurrencyNumber,
    DigestText,
    Document,
    Queued,
    Shape,
    SignatureText,
)
from marketplace.words import Words

router = APIRouter(prefix="/orders", tags=["orders"])

MAX_PLAN = 8_192  # bytes, of JSON in a query

WithOffer = Annotated[bool, Query(description='send "listing" and "asset" along, as their own operations do')]


class Fund(Shape):
    """Signed by `buyer`."""

    order_id: DigestText
    listing_id: DigestText
    buyer: AddressText
    escrow: Count
    currency: CurrencyNumber
    epsilon_cap: Count
    valid_until: Count
    agreement_digest: DigestText
    agreement_id: DigestText
    deadline: Count


class OrderBody(Shape):
    """A Fund, and the agreement whose digest it names."""

    fund: Fund
    signature: SignatureText
    agreement: Document


@router.post("", status_code=202)
def place_order(here: Here, body: OrderBody) -> Queued:
    """Order: accept a listing's terms and put money into escrow."""
    wish = Statement("Fund", body.fund.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.place(session, here.deployment, wish, body.agreement, here.clock()))


@router.get("")
def list_orders(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Your orders, as buyer or seller."""
    with here.reading() as session:
        statement = service.orders_of(session, account)
        rows = page_of(session, statement, Order.order_id, page, lambda row: service.order_json(session, row))
    return link_next(request, response, rows)


def _usage(
    calls: Annotated[int, Query(ge=1, le=10**9)] = 1,
    hits: Annotated[int | None, Query(ge=0, le=10**9, description="of the calls; all by default")] = None,
    records: Annotated[int | None, Query(ge=0, le=10**9, description="one a hit by default")] = None,
    periods: Annotated[int, Query(ge=1, le=10**4, description="with an answer, of the plan's kind")] = 1,
) -> Usage:
    return usage_of(calls, hits=hits, records=records, periods=periods)


AgreedPlan = Annotated[str | None, Query(max_length=MAX_PLAN, description="as JSON, where the listing's is negotiated")]


def _plan(text: str) -> object:
    """A plan from the JSON in a query. Raises InvalidInputError `malformed_document`."""
    try:
        return load_json(text.encode(), max_bytes=MAX_PLAN)
    except CryptoError as error:
        raise refuse("plan", Words("a price plan as JSON", "JSON 格式的价格方案"), str(error)) from error


@router.get("/quote")
def quote_order(
    here: Here,
    listing: DigestText,
    purpose: Annotated[str, Query(max_length=40)],
    usage: Annotated[Usage, Depends(_usage)],
    plan: AgreedPlan = None,
) -> dict[str, Any]:
    """What a use under a listing would cost, line by line, before anything is signed; vouchers are billed the same."""
    agreed = None if plan is None else _plan(plan)
    with here.reading() as session:
        return service.quote_listing(session, listing, usage=usage, purpose=purpose, agreed=agreed)


@router.get("/{order_id}")
def get_order(
    here: Here, account: Account, order_id: Annotated[DigestText, Path()], offer: WithOffer = False
) -> dict[str, Any]:
    """One order of yours with what it paid out."""
    with here.reading() as session:
        order = service.get_order(session, order_id, account)
        more = service.offer_json(session, order, here.clock()) if offer else {}
        return {**service.order_json(session, order), **more}
