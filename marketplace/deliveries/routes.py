"""Deliveries over HTTP. Ciphertext goes in and out at /blobs; here are notes, receipts and objections."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from marketplace.deliveries import service
from marketplace.deliveries.tables import Delivery
from marketplace.evidence.inbox import Statement
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, MaybeAccount
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText, UInt8, UInt32

router = APIRouter(prefix="/deliveries", tags=["deliveries"])


class OfferDelivery(Shape):
    """Signed by the listing's `seller`. Times in seconds; `marks`: 1 silence accepts, 2 quality shows only in use."""

    listing_id: DigestText
    seller: AddressText
    amount: Count
    deliver_within: UInt32
    inspection: UInt32
    correction: UInt32
    corrections: UInt8
    marks: UInt8
    deadline: Count


class Arrange(Shape):
    """Signed by the order's `buyer`; `receiveKey` is the X25519 key to seal to."""

    order_id: DigestText
    receive_key: DigestText
    buyer: AddressText
    deadline: Count


class Deliver(Shape):
    """The delivery note, signed by the `seller`."""

    order_id: DigestText
    seller: AddressText
    round: UInt8
    ciphertext_digest: DigestText
    fingerprint_id: DigestText
    plaintext_commitment: DigestText
    deadline: Count


class Acknowledge(Shape):
    """Signed by the `buyer`: opened and verified."""

    order_id: DigestText
    note_hash: DigestText
    buyer: AddressText
    deadline: Count


class AcceptDelivery(Shape):
    """Signed by the `buyer`."""

    order_id: DigestText
    note_hash: DigestText
    buyer: AddressText
    deadline: Count


class ObjectToDelivery(Shape):
    """Signed by the `buyer`; `defectsDigest` names the list of defects."""

    order_id: DigestText
    note_hash: DigestText
    defects_digest: DigestText
    buyer: AddressText
    deadline: Count


class DeliveryOfferBody(Shape):
    """An OfferDelivery."""

    offer: OfferDelivery
    signature: SignatureText


class ArrangementBody(Shape):
    """An Arrange."""

    arrange: Arrange
    signature: SignatureText


class NoteBody(Shape):
    """A Deliver."""

    note: Deliver
    signature: SignatureText


class ReceiptBody(Shape):
    """An Acknowledge."""

    receipt: Acknowledge
    signature: SignatureText


class AcceptanceBody(Shape):
    """An AcceptDelivery."""

    acceptance: AcceptDelivery
    signature: SignatureText


class DeliveryObjectionBody(Shape):
    """An ObjectToDelivery, and the list of defects whose digest it names."""

    objection: ObjectToDelivery
    signature: SignatureText
    defects: Document


class DeliveryEndBody(Shape):
    """Which order."""

    order: DigestText


@router.post("/offers", status_code=202)
def offer_delivery(here: Here, body: DeliveryOfferBody) -> Queued:
    """Offer delivery under a listing whose terms name it, on terms that never change."""
    said = Statement("OfferDelivery", body.offer.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.offer(session, here.deployment, said, here.clock()))


@router.post("/arrangements", status_code=202)
def arrange_delivery(here: Here, body: ArrangementBody) -> Queued:
    """Ask for the delivery of a funded order; the seller's time begins."""
    said = Statement("Arrange", body.arrange.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.speak(session, here.deployment, said, "arrange", here.clock()))


@router.post("/notes", status_code=202)
def deliver_file(here: Here, body: NoteBody) -> Queued:
    """Deliver: sign for the ciphertext that was uploaded before. The buyer's time to inspect begins."""
    said = Statement("Deliver", body.note.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.deliver(session, here.deployment, said, here.blobs, here.clock()))


@router.post("/receipts", status_code=202)
def acknowledge_delivery(here: Here, body: ReceiptBody) -> Queued:
    """Say that the delivery was opened and verified. It accepts where quality does not show only in use."""
    said = Statement("Acknowledge", body.receipt.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.speak(session, here.deployment, said, "acknowledge", here.clock()))


@router.post("/acceptances", status_code=202)
def accept_delivery(here: Here, body: AcceptanceBody) -> Queued:
    """Accept: the order ends and is paid."""
    said = Statement("AcceptDelivery", body.acceptance.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.speak(session, here.deployment, said, "accept", here.clock()))


@router.post("/objections", status_code=202)
def object_to_delivery(here: Here, body: DeliveryObjectionBody) -> Queued:
    """Object within the inspection, with a list of defects; the seller's time to correct begins."""
    said = Statement("ObjectToDelivery", body.objection.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.object_to(session, here.deployment, said, body.defects, here.clock()))


@router.post("/deemed", status_code=202)
def deem_delivery(here: Here, account: MaybeAccount, body: DeliveryEndBody) -> Queued:
    """After an inspection that passed in silence, have the delivery accepted where its terms say so; anyone may ask.
    Why it cannot be yet is told to its parties alone."""
    with here.writing() as session:
        return Queued(intent=service.end(session, here.deployment, "deem", body.order, account, now=here.clock()))


@router.post("/lapses", status_code=202)
def lapse_delivery(here: Here, account: MaybeAccount, body: DeliveryEndBody) -> Queued:
    """After a delivery or correction did not come in time, give the escrow back; anyone may ask. Why it cannot be yet
    is told to its parties alone."""
    with here.writing() as session:
        return Queued(intent=service.end(session, here.deployment, "lapse", body.order, account, now=here.clock()))


@router.get("")
def list_deliveries(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Deliveries of your orders, as buyer or seller."""
    with here.reading() as session:
        query = service.deliveries_of(session, account)
        rows = page_of(session, query, Delivery.order_id, page, lambda row: service.delivery_json(session, row))
    return link_next(request, response, rows)


@router.get("/offers/{listing_id}")
def get_delivery_offer(here: Here, listing_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """On what terms orders of a listing are delivered."""
    with here.reading() as session:
        return service.get_offer(session, listing_id).as_json()


@router.get("/{order_id}")
def get_delivery(here: Here, account: Account, order_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """The delivery of one order of yours, with the buyer's signed wish for it."""
    with here.reading() as session:
        return service.signed_delivery(session, service.get_delivery(session, order_id, account))
