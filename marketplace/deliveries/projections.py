"""What the ledger's events say about deliveries."""

from collections.abc import Callable

from sqlmodel import Session

from marketplace.deliveries.rules import STATES
from marketplace.deliveries.tables import Delivery, DeliveryOffer
from marketplace.ledger.tables import LedgerEvent
from marketplace.storage.projected import projected
from marketplace.types import ZERO_DIGEST, DeliveryStatus


def offered(session: Session, event: LedgerEvent) -> None:
    """`DeliveryOffered`: orders of a listing may be delivered."""
    args = event.args
    offer = DeliveryOffer(
        listing_id=args["listingId"],
        seller=args["seller"],
        amount=args["amount"],
        deliver_within=args["deliverWithin"],
        inspection=args["inspection"],
        correction=args["correction"],
        corrections=args["corrections"],
        marks=args["marks"],
    )
    session.add(offer.stamp(event))


def arranged(session: Session, event: LedgerEvent) -> None:
    """`DeliveryArranged`: the seller's time runs."""
    args = event.args
    delivery = Delivery(
        order_id=args["orderId"],
        buyer=args["buyer"],
        receive_key=args["receiveKey"],
        due_at=args["dueAt"],
        status=DeliveryStatus.ARRANGED,
    )
    session.add(delivery.stamp(event))


def delivered(session: Session, event: LedgerEvent) -> None:
    """`Delivered`: first or corrected; the buyer's time runs."""
    args = event.args
    row = projected(session, Delivery, args["orderId"])
    row.status, row.due_at, row.rounds = DeliveryStatus.INSPECTING, args["dueAt"], args["round"]
    row.note_hash, row.ciphertext_digest = args["noteHash"], args["ciphertextDigest"]
    row.fingerprint_id, row.plaintext_commitment = args["fingerprintId"], args["plaintextCommitment"]
    row.acknowledged, row.delivered_at, row.defects_digest = 0, event.timestamp, ZERO_DIGEST
    session.add(row.stamp(event))


def acknowledged(session: Session, event: LedgerEvent) -> None:
    """`DeliveryAcknowledged`: the buyer opened and verified it, which may accept it."""
    row = projected(session, Delivery, event.args["orderId"])
    row.acknowledged, row.status = 1, event.args["status"]
    session.add(row.stamp(event))


def objected(session: Session, event: LedgerEvent) -> None:
    """`DeliveryObjected`: the seller's time to correct runs."""
    row = projected(session, Delivery, event.args["orderId"])
    row.status, row.due_at = DeliveryStatus.OBJECTED, event.args["dueAt"]
    row.defects_digest = event.args["defectsDigest"]
    session.add(row.stamp(event))


def _ended(status: DeliveryStatus) -> Callable[[Session, LedgerEvent], None]:
    def project(session: Session, event: LedgerEvent) -> None:
        row = projected(session, Delivery, event.args["orderId"])
        row.status = status
        session.add(row.stamp(event))

    return project


def order_ended(session: Session, event: LedgerEvent) -> None:
    """`Settled` or `Refunded`: a delivery that was neither accepted nor late has ended with its order."""
    row = session.get(Delivery, event.args["orderId"])
    if row is None or row.status not in STATES["settle"]:
        return
    row.status = STATES["settle"][DeliveryStatus(row.status)]
    session.add(row.stamp(event))


PROJECTORS = {
    "DeliveryOffered": (offered,),
    "DeliveryArranged": (arranged,),
    "Delivered": (delivered,),
    "DeliveryAcknowledged": (acknowledged,),
    "DeliveryObjected": (objected,),
    "DeliveryAccepted": (_ended(DeliveryStatus.ACCEPTED),),
    "DeliveryDeemed": (_ended(DeliveryStatus.DEEMED),),
    "DeliveryLapsed": (_ended(DeliveryStatus.LAPSED),),
    "Settled": (order_ended,),
    "Refunded": (order_ended,),
}
