"""Deliveries, from offer to acceptance: contracts/src/Deliveries.sol in Python.

STATES is the life of one delivery. What it does to its order is settlement/rules.py's `conclude` and `give_back`.
"""

from dataclasses import dataclass, field

from crypto.canonical import to_hex
from marketplace.events import Event
from marketplace.intents import struct_hash
from marketplace.lineage.rules import Lineage
from marketplace.listings.rules import Listings, require_live
from marketplace.orders.rules import Order, Orders
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.rights.records import Rights
from marketplace.rights.title_records import Titles
from marketplace.rights.titles import require_operator
from marketplace.settlement.money import MAX_SUPPLY, Accounts
from marketplace.settlement.rules import FeeTerms, conclude, give_back
from marketplace.types import ZERO_DIGEST, DeliveryMark, DeliveryStatus

NONE, ARRANGED, INSPECTING, OBJECTED, ACCEPTED, DEEMED, LAPSED, ENDED = DeliveryStatus

# verb -> {status before: status after}; what is not in the table is refused.
STATES = {
    "arrange": {NONE: ARRANGED},
    "deliver": {ARRANGED: INSPECTING, OBJECTED: INSPECTING},
    "acknowledge": {INSPECTING: INSPECTING},
    "accept": {INSPECTING: ACCEPTED},
    "object": {INSPECTING: OBJECTED},
    "deem": {INSPECTING: DEEMED},
    "lapse": {ARRANGED: LAPSED, OBJECTED: LAPSED},
    # Of its order, by both sides or after its term. The rules leave the record as it is, as every verb asks the order.
    "settle": {ARRANGED: ENDED, INSPECTING: ENDED, OBJECTED: ENDED},
    "clear": {ARRANGED: ENDED, INSPECTING: ENDED, OBJECTED: ENDED},
    "refund": {ARRANGED: ENDED, INSPECTING: ENDED, OBJECTED: ENDED},
}
# So long before the order's term ends the slowest course is over: else a refund could overtake a deemed acceptance.
SETTLING_SECONDS = 86_400
MOST_CORRECTIONS = 9


@dataclass(frozen=True)
class Offer:
    """On what terms orders of a listing are delivered. `amount` in fen; times in seconds; `corrections` a number."""

    amount: int
    deliver_within: int
    inspection: int
    correction: int
    corrections: int
    marks: DeliveryMark

    @classmethod
    def of(cls, terms: Message) -> "Offer":
        """From an OfferDelivery, or whatever else has its fields."""
        times = (terms["deliverWithin"], terms["inspection"], terms["correction"])
        return cls(terms["amount"], *times, terms["corrections"], DeliveryMark(terms["marks"]))

    @property
    def slowest(self) -> int:
        """Seconds from arrangement to the end of the last inspection, every party as slow as it may be."""
        return self.deliver_within + self.inspection * (self.corrections + 1) + self.correction * self.corrections


@dataclass
class Delivery:
    """The delivery of one order.

    Args:
        due_at: until when the seller may deliver, or the buyer object, unix seconds.
        rounds: deliveries made. acknowledged: whether the buyer has opened and verified the last of them.
        note_hash: the last delivery note's struct hash.
    """

    due_at: int
    status: DeliveryStatus = ARRANGED
    rounds: int = 0
    acknowledged: bool = False
    note_hash: str = ZERO_DIGEST


@dataclass
class Deliveries:
    """The state of the contract: offers by listing, deliveries by order."""

    offers: dict[str, Offer] = field(default_factory=dict)
    records: dict[str, Delivery] = field(default_factory=dict)

    def require(self, order: str, verb: str) -> Delivery:
        """The delivery, refused unless `verb` leads on from its status."""
        record = self.records.get(order)
        current = record.status if record else NONE
        if record is None or current not in STATES[verb]:
            raise refuse("DeliveriesStatus", orderId=order, current=int(current))
        return record


@dataclass(frozen=True)
class Around:
    """What deliveries stand on: orders, offers and titles, and the money that acceptance moves."""

    orders: Orders
    participants: Participants
    listings: Listings
    rights: Rights
    titles: Titles
    lineage: Lineage
    accounts: Accounts
    terms: FeeTerms


def offer(state: Deliveries, terms: Message, now: int, *, around: Around) -> list[Event]:
    """Offer delivery under a listing.

    Args:
        terms: the intent OfferDelivery, signed by the listing's seller.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(terms, now)
    key, seller = terms["listingId"], terms["seller"]
    listing = require_live(
        around.listings,
        key,
        now,
        participants=around.participants,
        rights=around.rights,
        titles=around.titles,
        lineage=around.lineage,
    )
    if listing.seller != seller:
        raise refuse("DeliveriesNotSeller", orderId=key, account=seller)
    if key in state.offers:
        raise refuse("DeliveriesOffered", listingId=key)
    if terms["amount"] > MAX_SUPPLY:
        raise refuse("DeliveriesAmount", amount=terms["amount"], escrow=MAX_SUPPLY)
    timeless = not terms["deliverWithin"] or not terms["inspection"]
    if timeless or terms["corrections"] > MOST_CORRECTIONS or terms["marks"] > sum(DeliveryMark):
        named = {name: terms[name] for name in ("deliverWithin", "inspection", "corrections", "marks")}
        raise refuse("DeliveriesTerms", **named)

    state.offers[key] = Offer.of(terms)
    return [Event("Deliveries", "DeliveryOffered", {name: terms[name] for name in terms if name != "deadline"})]


def arrange(state: Deliveries, wish: Message, now: int, *, around: Around) -> list[Event]:
    """Ask for the delivery of a funded order; the seller's time begins.

    Args:
        wish: the intent Arrange, signed by the order's buyer.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(wish, now)
    key = wish["orderId"]
    order = around.orders.require(key, "conclude")
    _require_buyer(key, order, wish["buyer"])
    if key in state.records:
        raise refuse("DeliveriesStatus", orderId=key, current=int(state.records[key].status))
    if wish["receiveKey"] == ZERO_DIGEST:
        raise refuse("DeliveriesKeyZero")
    terms = _require_fits(state, order, now)

    record = state.records[key] = Delivery(now + terms.deliver_within)
    args = {"orderId": key, "buyer": wish["buyer"], "receiveKey": wish["receiveKey"], "dueAt": record.due_at}
    return [Event("Deliveries", "DeliveryArranged", args)]


def deliver(state: Deliveries, note: Message, now: int, *, around: Around) -> list[Event]:
    """Deliver, first or corrected.

    Args:
        note: the intent Deliver, signed by the listing's seller, who must still hold its title to operate.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(note, now)
    key, seller = note["orderId"], note["seller"]
    order = around.orders.require(key, "conclude")
    listing = around.listings.records[order.listing_id]
    if listing.seller != seller:
        raise refuse("DeliveriesNotSeller", orderId=key, account=seller)
    record = state.require(key, "deliver")
    if note["round"] != record.rounds + 1:
        raise refuse("DeliveriesRound", expected=record.rounds + 1, got=note["round"])
    terms = state.offers[order.listing_id]
    if record.rounds > terms.corrections or now > record.due_at:
        raise refuse("DeliveriesOver", orderId=key, dueAt=record.due_at)
    require_operator(around.titles, around.rights, listing.product, now)

    record.rounds, record.acknowledged, record.status = note["round"], False, STATES["deliver"][record.status]
    record.due_at, record.note_hash = now + terms.inspection, to_hex(struct_hash("Deliver", note))
    args = {name: note[name] for name in note if name != "deadline"}
    args |= {"noteHash": record.note_hash, "dueAt": record.due_at}
    return [Event("Deliveries", "Delivered", args)]


def acknowledge(state: Deliveries, receipt: Message, now: int, *, around: Around) -> list[Event]:
    """The buyer's receipt: it opened and verified. Where quality does not show only in use, that accepts.

    Args:
        receipt: the intent Acknowledge, signed by the order's buyer.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    record, order = _require_inspecting(state, receipt, now, "acknowledge", around.orders)
    if record.acknowledged:
        raise refuse("DeliveriesStatus", orderId=receipt["orderId"], current=int(record.status))

    accepts = DeliveryMark.QUALITY_IN_USE not in state.offers[order.listing_id].marks
    record.acknowledged = True
    record.status = STATES["accept" if accepts else "acknowledge"][record.status]
    args = {"orderId": receipt["orderId"], "noteHash": receipt["noteHash"], "status": int(record.status)}
    said = Event("Deliveries", "DeliveryAcknowledged", args)
    return [said, *(_pay(state, record, receipt["orderId"], around) if accepts else [])]


def accept(state: Deliveries, acceptance: Message, now: int, *, around: Around) -> list[Event]:
    """Accept: the order ends, and what was offered is paid out.

    Args:
        acceptance: the intent AcceptDelivery, signed by the order's buyer.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    record, _ = _require_inspecting(state, acceptance, now, "accept", around.orders)
    return _accept(state, record, acceptance["orderId"], "accept", around)


def object_to(state: Deliveries, objection: Message, now: int, *, around: Around) -> list[Event]:
    """Object within the inspection (the verb `object`).

    Args:
        objection: the intent ObjectToDelivery, signed by the order's buyer.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    record, order = _require_inspecting(state, objection, now, "object", around.orders)
    if now > record.due_at:
        raise refuse("DeliveriesOver", orderId=objection["orderId"], dueAt=record.due_at)
    terms = state.offers[order.listing_id]

    record.status = STATES["object"][record.status]
    record.due_at = order.valid_until if record.rounds > terms.corrections else now + terms.correction
    args = {name: objection[name] for name in ("orderId", "noteHash", "defectsDigest")} | {"dueAt": record.due_at}
    return [Event("Deliveries", "DeliveryObjected", args)]


def deem(state: Deliveries, key: str, now: int, *, around: Around) -> list[Event]:
    """After an inspection that passed in silence, accept, where the terms say so; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    order = around.orders.require(key, "conclude")
    record = state.require(key, "deem")
    if DeliveryMark.SILENCE_ACCEPTS not in state.offers[order.listing_id].marks:
        raise refuse("DeliveriesSilence", orderId=key)
    _require_due(record, key, now)
    return _accept(state, record, key, "deem", around)


def lapse(state: Deliveries, key: str, now: int, *, around: Around) -> list[Event]:
    """After the time for a delivery or a correction, give the whole escrow back; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    order = around.orders.require(key, "conclude")
    record = state.require(key, "lapse")
    _require_due(record, key, now)

    record.status = STATES["lapse"][record.status]
    return [Event("Deliveries", "DeliveryLapsed", {"orderId": key}), *give_back(order, around.accounts, key)]


def _accept(state: Deliveries, record: Delivery, key: str, verb: str, around: Around) -> list[Event]:
    record.status = STATES[verb][record.status]
    name = "DeliveryDeemed" if record.status is DEEMED else "DeliveryAccepted"
    said = Event("Deliveries", name, {"orderId": key, "noteHash": record.note_hash})
    return [said, *_pay(state, record, key, around)]


def _pay(state: Deliveries, record: Delivery, key: str, around: Around) -> list[Event]:
    order = around.orders.records[key]
    return conclude(
        order,
        key,
        state.offers[order.listing_id].amount,
        record.note_hash,
        rights=around.rights,
        lineage=around.lineage,
        listings=around.listings,
        accounts=around.accounts,
        terms=around.terms,
    )


def require_time(terms: Offer, until: int, now: int) -> None:
    """Refuse where the slowest course from `now` on is not over a day before `until`, unix seconds.

    Raises:
        LedgerRuleError: `delivery_times`.
    """
    slowest = now + terms.slowest + SETTLING_SECONDS
    if slowest > until:
        raise refuse("DeliveriesTimes", slowest=slowest, validUntil=until)


def _require_fits(state: Deliveries, order: Order, now: int) -> Offer:
    terms = state.offers.get(order.listing_id)
    if terms is None:
        raise refuse("DeliveriesNotOffered", listingId=order.listing_id)
    if terms.amount > order.escrow:
        raise refuse("DeliveriesAmount", amount=terms.amount, escrow=order.escrow)
    require_time(terms, order.valid_until, now)
    return terms


def _require_inspecting(
    state: Deliveries, message: Message, now: int, verb: str, orders: Orders
) -> tuple[Delivery, Order]:
    require_in_time(message, now)
    key = message["orderId"]
    order = orders.require(key, "conclude")
    _require_buyer(key, order, message["buyer"])
    record = state.require(key, verb)
    if record.note_hash != message["noteHash"]:
        raise refuse("DeliveriesNoteMismatch", expected=record.note_hash, got=message["noteHash"])
    return record, order


def _require_buyer(key: str, order: Order, account: str) -> None:
    if order.buyer != account:
        raise refuse("DeliveriesNotBuyer", orderId=key, account=account)


def _require_due(record: Delivery, key: str, now: int) -> None:
    if now <= record.due_at:
        raise refuse("DeliveriesNotDue", orderId=key, dueAt=record.due_at)
