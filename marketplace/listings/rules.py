"""What is on offer: contracts/src/Listings.sol in Python, verb by verb.

STATES is the whole life of a listing; nothing leads back: changed terms are another listing.
"""

from dataclasses import dataclass, field
from typing import Any

from marketplace.documents.ids import listing_id
from marketplace.events import Event
from marketplace.lineage.rules import Lineage, require_sellable
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import Rights
from marketplace.rights.title_records import Titles
from marketplace.rights.titles import note_offer, require_operator
from marketplace.settlement.money import MAX_SUPPLY
from marketplace.types import ListingStatus

NONE, LISTED, DELISTED = ListingStatus.NONE, ListingStatus.LISTED, ListingStatus.DELISTED

# verb -> {status before: status after}; what is not in the table is refused.
STATES = {"list": {NONE: LISTED}, "delist": {LISTED: DELISTED}}


@dataclass
class Listing:
    """One offer. `price` in minor units of `currency` (numeric code) for one call; `valid_until` in unix
    seconds; the scope as bit masks.

    Args:
        title_id: the seller's title to operate.
    """

    seller: str
    asset_id: str
    title_id: str
    price: int
    currency: int
    valid_until: int
    purposes: int
    fields: str
    territories: int
    status: ListingStatus = STATES["list"][NONE]
    version: int = 1

    @property
    def product(self) -> dict[str, Any]:
        """What is on offer under which title, as in the intent List."""
        return {
            "titleId": self.title_id,
            "assetId": self.asset_id,
            "seller": self.seller,
            "purposes": self.purposes,
            "fields": self.fields,
            "territories": self.territories,
            "validUntil": self.valid_until,
        }


@dataclass
class Listings:
    """The state of the contract: listings by id."""

    records: dict[str, Listing] = field(default_factory=dict)

    def require_listed(self, listing: str) -> Listing:
        """The listing, refused unless it stands."""
        record = self.records.get(listing)
        current = record.status if record else NONE
        if record is None or current is not LISTED:
            raise refuse("ListingsNotListed", listingId=listing, current=int(current))
        return record


def list_asset(
    state: Listings,
    product: Message,
    now: int,
    *,
    participants: Participants,
    rights: Rights,
    titles: Titles,
    lineage: Lineage,
) -> list[Event]:
    """Put an asset on offer (the verb `list`).

    Args:
        product: the intent List, signed by the seller.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    seller, asset = product["seller"], product["assetId"]
    require_in_time(product, now)
    expected = listing_id(seller, asset, product["termsDigest"])
    if product["listingId"] != expected:
        raise refuse("ListingsIdMismatch", expected=expected, got=product["listingId"])
    if expected in state.records:
        raise refuse("ListingsExists", listingId=expected)
    if product["price"] > MAX_SUPPLY:
        raise refuse("ListingsPrice", price=product["price"])
    participants.require_active(seller)
    latest = require_operator(titles, rights, product, now)
    titles.require_not_passing(product["titleId"])
    if not now < product["validUntil"] <= latest:
        raise refuse("ListingsTerm", validUntil=product["validUntil"], latest=latest)
    _require_sellable(lineage, rights, titles, product, now)

    state.records[expected] = Listing(
        seller,
        asset,
        product["titleId"],
        product["price"],
        product["currency"],
        product["validUntil"],
        product["purposes"],
        product["fields"],
        product["territories"],
    )
    note_offer(titles, product, now)
    return [Event("Listings", "Listed", {name: product[name] for name in product if name != "deadline"})]


def delist(state: Listings, delisting: Message, now: int) -> list[Event]:
    """Take an offer back. Orders that are funded already run on.

    Args:
        delisting: the intent Delist, signed by the seller.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(delisting, now)
    record = state.require_listed(delisting["listingId"])
    if record.seller != delisting["seller"]:
        raise refuse("ListingsNotSeller", listingId=delisting["listingId"], account=delisting["seller"])
    require_version(record.version, delisting)

    record.status = STATES["delist"][record.status]
    record.version += 1
    return [Event("Listings", "Delisted", {"listingId": delisting["listingId"], "version": record.version})]


def require_live(
    state: Listings,
    listing: str,
    now: int,
    *,
    participants: Participants,
    rights: Rights,
    titles: Titles,
    lineage: Lineage,
) -> Listing:
    """The listing, refused unless it can be ordered now: it stands, is in its term, its seller is an active participant
    that still holds the operate title, and no input of the asset stops it."""
    record = state.require_listed(listing)
    if now > record.valid_until:
        raise refuse("ListingsExpired", listingId=listing, validUntil=record.valid_until)
    participants.require_active(record.seller)
    require_operator(titles, rights, record.product, now)
    _require_sellable(lineage, rights, titles, record.product, now)
    return record


def _require_sellable(lineage: Lineage, rights: Rights, titles: Titles, product: Message, now: int) -> None:
    require_sellable(
        lineage,
        rights,
        titles,
        product["assetId"],
        now,
        purposes=product["purposes"],
        territories=product["territories"],
        until=product["validUntil"],
    )
