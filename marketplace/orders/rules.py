"""Orders and their funding: contracts/src/Orders.sol in Python. Their ends: settlement/rules.py and
settlement/claims.py, clearing/rules.py.

STATES is the whole life of an order; nothing leads back.
"""

from dataclasses import dataclass, field
from typing import Protocol

from marketplace.agreements.rules import Agreements
from marketplace.documents.ids import order_id
from marketplace.events import Event
from marketplace.lineage.rules import Lineage
from marketplace.listings.rules import Listing, Listings, require_live
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.rights.records import Rights
from marketplace.rights.rules import commit_budget
from marketplace.rights.title_records import Titles
from marketplace.rights.titles import grant_use
from marketplace.types import ZERO_DIGEST, OrderStatus, Role

NONE, FUNDED, SETTLED, REFUNDED, CLAIMED = OrderStatus

# verb -> {status before: status after}; what is not in the table is refused.
STATES = {
    "fund": {NONE: FUNDED},
    "settle": {FUNDED: SETTLED, CLAIMED: SETTLED},
    "clear": {FUNDED: SETTLED, CLAIMED: SETTLED},
    "refund": {FUNDED: REFUNDED},
    "conclude": {FUNDED: SETTLED},  # by an accepted delivery
    "giveBack": {FUNDED: REFUNDED},  # by a delivery that did not come
    "claim": {FUNDED: CLAIMED},  # by one side alone
    "challenge": {CLAIMED: CLAIMED, FUNDED: CLAIMED},  # of a funded one after its term: in the stead of a refund
    "finish": {CLAIMED: SETTLED},
}


IN_ESCROW = (FUNDED, CLAIMED)  # nothing of its money has moved yet


@dataclass
class Order:
    """One order. `escrow` in minor units of `currency` (numeric code), `epsilon_cap` in millionths, `valid_until`
    in unix seconds."""

    buyer: str
    listing_id: str
    escrow: int
    currency: int
    epsilon_cap: int
    valid_until: int
    status: OrderStatus = STATES["fund"][NONE]


@dataclass
class Window:
    """What a claimed order will be settled with, and until when (unix seconds) a higher voucher replaces it. Of all
    that were presented: the greatest amount, with the calls of that voucher; and the greatest epsilon."""

    voucher_hash: str
    amount: int
    epsilon: int
    calls: int
    calls_root: str
    until: int


@dataclass
class Orders:
    """The state of the contract: orders, and the windows of those that were ever claimed, by order id."""

    records: dict[str, Order] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)

    def require(self, order: str, verb: str) -> Order:
        """The order, refused unless `verb` leads on from its status: its money is in escrow."""
        record = self.records.get(order)
        current = record.status if record else NONE
        if record is not None and current in STATES[verb]:
            return record
        if verb in ("challenge", "finish"):
            raise refuse("OrdersNotClaimed", orderId=order, current=int(current))
        raise refuse("OrdersNotFunded", orderId=order, current=int(current))


class Purse(Protocol):
    """The money side of funding, which a later stage implements."""

    def of(self, currency: int) -> "Purse":
        """The money of one currency, by its numeric code; refused where the market has none."""

    def require_balance(self, account: str, amount: int) -> None:
        """Refuse if `account` has less than `amount`."""

    def take_into_escrow(self, account: str, amount: int) -> list[Event]:
        """Move money of `account` into escrow."""


def fund(
    state: Orders,
    order: Message,
    now: int,
    *,
    participants: Participants,
    rights: Rights,
    titles: Titles,
    lineage: Lineage,
    listings: Listings,
    agreements: Agreements,
    purse: Purse,
) -> list[Event]:
    """Put the buyer's money into escrow, commit privacy budget and grant the use title.

    Args:
        order: the intent Fund, signed by the buyer.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    buyer = order["buyer"]
    require_in_time(order, now)
    expected = order_id(buyer, order["listingId"], order["agreementDigest"])
    if order["orderId"] != expected:
        raise refuse("OrdersIdMismatch", expected=expected, got=order["orderId"])
    if expected in state.records:
        raise refuse("OrdersExists", orderId=expected)
    participants.require_active(buyer, Role.BUYER)
    listing = require_live(
        listings,
        order["listingId"],
        now,
        participants=participants,
        rights=rights,
        titles=titles,
        lineage=lineage,
    )
    require_terms(order, listing, now, purse)
    if order["agreementId"] != ZERO_DIGEST:
        agreements.require_between(order["agreementId"], listing.seller, buyer, now)
    money = purse.of(order["currency"])
    money.require_balance(buyer, order["escrow"])
    rights.require_budget(listing.asset_id, order["epsilonCap"])
    titles.require_not_passing(listing.title_id)

    state.records[expected] = Order(
        buyer, order["listingId"], order["escrow"], order["currency"], order["epsilonCap"], order["validUntil"]
    )
    args = {name: order[name] for name in order if name not in ("deadline", "currency")} | {"assetId": listing.asset_id}
    return [
        Event("Orders", "Funded", args),
        *money.take_into_escrow(buyer, order["escrow"]),
        *commit_budget(rights, listing.asset_id, expected, order["epsilonCap"]),
        *grant_use(titles, listing.title_id, listing.asset_id, order),
    ]


def require_terms(order: Message, listing: Listing, now: int, purse: Purse | None = None) -> None:
    """Refuse an order that does not fit its listing.

    Args:
        order: at least buyer, escrow, currency, epsilonCap and validUntil of a Fund.
        now: unix seconds.
        purse: the market's money, where it is there to be asked for its currencies.
    """
    if order["buyer"] == listing.seller:
        raise refuse("OrdersOwnListing", buyer=order["buyer"])
    if order["currency"] != listing.currency:
        raise refuse("CurrenciesDiffer", expected=listing.currency, got=order["currency"])
    if purse is not None:
        purse.of(order["currency"])
    if order["escrow"] < listing.price:
        raise refuse("OrdersEscrowTooSmall", escrow=order["escrow"], price=listing.price)
    if order["epsilonCap"] == 0:
        raise refuse("OrdersEpsilonCapZero")
    if not now < order["validUntil"] <= listing.valid_until:
        raise refuse("OrdersTerm", validUntil=order["validUntil"], latest=listing.valid_until)
