"""Deliveries: a seller offers and delivers, a buyer asks, accepts or objects, and after their times anyone may act."""

from typing import Any

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.calls import act_digest
from marketplace.deliveries.modes import require_offer
from marketplace.deliveries.rules import Offer, require_time
from marketplace.deliveries.tables import Delivery, DeliveryOffer
from marketplace.documents import Document, digest, validate_defects
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import (
    Statement,
    check_statement,
    is_under_way,
    precheck,
    queue,
    recall,
    remember,
)
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
from marketplace.ledger.intake import refused_since
from marketplace.listings.service import get_listing, terms_of
from marketplace.listings.tables import Listing
from marketplace.orders.service import parties, unknown_order
from marketplace.orders.tables import Order
from marketplace.participants.service import oversees
from marketplace.participants.service.keyring import ledger_time
from marketplace.storage.blobs import BlobStore
from marketplace.storage.documents import store_document
from marketplace.types import DeliveryMark, DeliveryStatus, Digest, OrderStatus

RETRY_SECONDS = 3_600  # what the ledger refused, though the rules here did not, is not sent again before
_LATE = (DeliveryStatus.ARRANGED, DeliveryStatus.OBJECTED)


def offer(session: Session, deployment: Deployment, said: Statement, now: int) -> Digest:
    """Queue an offer of delivery under a listing whose terms name one.

    Raises:
        NotFoundError: `listing_unknown`. RuleError: as `require_offer`; `delivery_times`, no order under the listing
            could be delivered; or what the rules of deliveries say.
    """
    check_statement(said, deployment, now)
    listing = get_listing(session, said.message["listingId"])
    require_offer(terms_of(session, listing), said.message)
    require_time(Offer.of(said.message), listing.valid_until, now)
    return submit(session, deployment, said, "offer", now)


def speak(session: Session, deployment: Deployment, said: Statement, verb: str, now: int) -> Digest:
    """Queue what the buyer of an order says: "arrange", "acknowledge" or "accept".

    Raises:
        NotFoundError: `order_unknown`, no order of whoever signed. RuleError: as the rules of deliveries say.
    """
    check_statement(said, deployment, now)
    order = _require_party(session, said, "buyer")
    name = submit(session, deployment, said, verb, now)
    if said.name == "Arrange":
        remember(session, deployment, said, order.order_id)
    return name


def deliver(session: Session, deployment: Deployment, note: Statement, blobs: BlobStore, now: int) -> Digest:
    """Queue a delivery note whose ciphertext is here.

    Raises:
        NotFoundError: `order_unknown`, no order of whoever signed. RuleError: `delivery_not_here`, or as the rules of
            deliveries say.
    """
    check_statement(note, deployment, now)
    _require_party(session, note, "seller")
    if not blobs.has(note.message["ciphertextDigest"]):
        raise RuleError(
            "delivery_not_here",
            "the ciphertext that the note names is not here yet",
            zh="交付单所载密文尚未上传",
            rule="deliveries.ciphertext_comes_first",
            got=note.message["ciphertextDigest"],
            hint=f"upload it first: PUT /blobs/{note.message['ciphertextDigest']}",
            hint_zh=f"请先上传：PUT /blobs/{note.message['ciphertextDigest']}",
        )
    return submit(session, deployment, note, "deliver", now)


def object_to(session: Session, deployment: Deployment, said: Statement, defects: Document, now: int) -> Digest:
    """Queue an objection; its list of defects is kept for both parties and whoever oversees.

    Raises:
        NotFoundError: `order_unknown`. InvalidInputError: `defects_differ`. RuleError: as the rules of deliveries say.
    """
    check_statement(said, deployment, now)
    order = _require_party(session, said, "buyer")
    validate_defects(defects)
    stated = (defects["order"], defects["note"], digest(defects))
    signed = tuple(said.message[name] for name in ("orderId", "noteHash", "defectsDigest"))
    if stated != signed:
        raise InvalidInputError(
            "defects_differ",
            "the list of defects does not name this order, note and digest",
            zh="瑕疵清单与签署内容不一致",
            expected=signed,
            got=stated,
        )
    name = submit(session, deployment, said, "object", now)
    store_document(session, defects, now=now, readers=parties(session, order))
    return name


def end(session: Session, deployment: Deployment, verb: str, order_id: str, account: str | None, *, now: int) -> Digest:
    """Queue what nobody has to sign: "deem", after an inspection in silence, or "lapse", after a delivery did not come.

    Args:
        account: who asks; None for somebody who has not signed in.
    Raises:
        NotFoundError: `order_unknown`: there is none, or it cannot be done and is not theirs.
        RuleError: as the rules of deliveries say, for its parties.
    """
    row, order = session.get(Delivery, order_id), session.get(Order, order_id)
    if row is None or order is None:
        raise unknown_order(order_id)
    name = act_digest(verb, [order_id], deployment.domain("Deliveries"))
    if is_under_way(session, name):
        return name
    try:
        precheck.run(session, "Deliveries", verb, [order_id], now)
    except RuleError:
        if account not in parties(session, order) and not oversees(session, account):
            raise unknown_order(order_id) from None
        raise
    return queue(session, contract="Deliveries", verb=verb, arguments=[order_id], digest=name, by=order.buyer, now=now)


def overdue(session: Session, deployment: Deployment, now: int) -> list[tuple[str, str]]:
    """Deliveries that time alone has ended and that nobody has told the ledger of, the oldest first.

    Returns:
        (verb, order id): "deem" after an inspection in silence that the terms let accept, "lapse" where no delivery or
        correction came in time. What the ledger refused within the hour is not among them.
    """
    rows = select(Delivery, DeliveryOffer.marks).join(Order, col(Order.order_id) == col(Delivery.order_id))
    rows = rows.join(DeliveryOffer, col(DeliveryOffer.listing_id) == col(Order.listing_id))
    rows = rows.where(Order.status == int(OrderStatus.FUNDED), col(Delivery.due_at) < ledger_time(session, now))
    found = []
    for row, marks in session.exec(rows.order_by(col(Delivery.due_at))):
        silent = row.status == DeliveryStatus.INSPECTING and DeliveryMark.SILENCE_ACCEPTS in DeliveryMark(marks)
        verb = "deem" if silent else "lapse" if row.status in _LATE else ""
        name = act_digest(verb, [row.order_id], deployment.domain("Deliveries")) if verb else ""
        if verb and not is_under_way(session, name) and refused_since(session, name, now - RETRY_SECONDS) is None:
            found.append((verb, row.order_id))
    return found


def get_offer(session: Session, listing_id: str) -> DeliveryOffer:
    """On what terms orders of a listing are delivered. Raises NotFoundError `delivery_offer_unknown`."""
    row = session.get(DeliveryOffer, listing_id)
    if row is None:
        raise NotFoundError(
            "delivery_offer_unknown", f"nothing is delivered under listing {listing_id}", zh="该挂牌不提供交付"
        )
    return row


def deliveries_of(session: Session, account: str) -> SelectOfScalar[Delivery]:
    """The deliveries of orders that `account` bought or sold; all of them for whoever oversees."""
    if oversees(session, account):
        return select(Delivery)
    listed = select(Listing.listing_id).where(Listing.seller == account)
    sold = select(Order.order_id).where(col(Order.listing_id).in_(listed))
    return select(Delivery).where(or_(col(Delivery.buyer) == account, col(Delivery.order_id).in_(sold)))


def get_delivery(session: Session, order_id: str, account: str) -> Delivery:
    """The delivery of an order that `account` may see. Raises NotFoundError `order_unknown`."""
    row = session.exec(deliveries_of(session, account).where(Delivery.order_id == order_id)).one_or_none()
    if row is None:
        raise unknown_order(order_id)
    return row


def delivery_json(session: Session, row: Delivery) -> dict[str, Any]:
    """A delivery with its order's seller and listing."""
    order = session.get_one(Order, row.order_id)
    return {**row.as_json(), "listingId": order.listing_id, "seller": parties(session, order)[1]}


def signed_delivery(session: Session, row: Delivery) -> dict[str, Any]:
    """As `delivery_json`, with the buyer's signed Arrange: the seller seals to the key in it and need not believe this
    service.
    """
    said = recall(session, "Arrange", row.order_id)
    return {**delivery_json(session, row), "arrange": {"message": said.message, "signature": said.signature}}


def _require_party(session: Session, said: Statement, side: str) -> Order:
    order = session.get(Order, said.message["orderId"])
    sides = {} if order is None else dict(zip(("buyer", "seller"), parties(session, order), strict=True))
    if order is None or said.message[side] != sides[side]:
        raise unknown_order(said.message["orderId"])
    return order
