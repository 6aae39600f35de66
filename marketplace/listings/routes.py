"""Products over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from sqlmodel import select

from marketplace.errors import InvalidInputError
from marketplace.evidence.inbox import Statement
from marketplace.listings import service
from marketplace.listings.tables import Listing
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_together
from marketplace.web.shapes import (
    AddressText,
    Count,
    CurrencyNumber,
    DigestText,
    Queued,
    Shape,
    SignatureText,
    UInt32,
    UInt48,
)

router = APIRouter(prefix="/listings", tags=["listings"])


class List(Shape):
    """Signed by `seller`."""

    listing_id: DigestText
    asset_id: DigestText
    title_id: DigestText
    seller: AddressText
    terms_digest: DigestText
    purposes: UInt32
    fields: DigestText
    territories: UInt48
    price: Count
    currency: CurrencyNumber
    valid_until: Count
    deadline: Count


class Delist(Shape):
    """Signed by `seller`."""

    listing_id: DigestText
    seller: AddressText
    version: Count
    deadline: Count


class ListingBody(Shape):
    """A List; its terms document is uploaded before."""

    list_: List = Field(alias="list")
    signature: SignatureText


class DelistingBody(Shape):
    """A Delist."""

    delist: Delist
    signature: SignatureText


@router.post("", status_code=202)
def list_product(here: Here, body: ListingBody) -> Queued:
    """Put a product on offer: permitted computations, price, privacy budget, purposes, panel and term stand in its
    terms."""
    offer = Statement("List", body.list_.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.list_product(session, here.deployment, offer, here.clock()))


@router.post("/{listing_id}/delisting", status_code=202)
def delist_product(here: Here, listing_id: Annotated[DigestText, Path()], body: DelistingBody) -> Queued:
    """Take a product off the market; funded orders run on."""
    if body.delist.listing_id != listing_id:
        raise InvalidInputError(
            "listing_differs",
            "the path names another listing than the intent",
            zh="路径与意图所指挂牌不同",
            got=listing_id,
        )
    wish = Statement("Delist", body.delist.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.delist(session, here.deployment, wish, here.clock()))


@router.get("")
def list_listings(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every listing with its terms, whether it can be bought now, and if not, why."""
    now = here.clock()
    with here.reading() as session:
        rows = page_together(
            session, select(Listing), Listing.listing_id, page, lambda found: service.listings_json(session, found, now)
        )
    return link_next(request, response, rows)


@router.get("/{listing_id}")
def get_listing(here: Here, listing_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One listing with its terms, whether it can be bought now, and if not, why."""
    with here.reading() as session:
        return service.listings_json(session, [service.get_listing(session, listing_id)], here.clock())[0]
