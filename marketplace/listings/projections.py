"""What the ledger's events say about listings."""

from sqlmodel import Session

from marketplace.currencies import code_of
from marketplace.ledger.tables import LedgerEvent
from marketplace.listings.tables import Listing
from marketplace.storage.projected import projected
from marketplace.types import ListingStatus


def listed(session: Session, event: LedgerEvent) -> None:
    """`Listed`: a product is on offer, version 1."""
    args = event.args
    listing = Listing(
        listing_id=args["listingId"],
        asset_id=args["assetId"],
        title_id=args["titleId"],
        seller=args["seller"],
        terms_digest=args["termsDigest"],
        purposes=args["purposes"],
        fields=args["fields"],
        territories=args["territories"],
        price=args["price"],
        currency=code_of(args["currency"]),
        valid_until=args["validUntil"],
        status=ListingStatus.LISTED,
        version=1,
    )
    session.add(listing.stamp(event))


def delisted(session: Session, event: LedgerEvent) -> None:
    """`Delisted`: no longer on offer; funded orders run on."""
    listing = projected(session, Listing, event.args["listingId"])
    listing.status, listing.version = ListingStatus.DELISTED, event.args["version"]
    session.add(listing.stamp(event))


PROJECTORS = {"Listed": (listed,), "Delisted": (delisted,)}
