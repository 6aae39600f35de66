"""Calls over HTTP: where gateways answer, and the evidence of calls. The calls themselves go to the gateways."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from marketplace.api import service
from marketplace.documents.api import MAX_BATCH
from marketplace.orders.service import get_order
from marketplace.web.context import Here
from marketplace.web.principal import Account
from marketplace.web.shapes import DigestText, Document, Shape

router = APIRouter(tags=["calls"])
OrderId = Annotated[DigestText, Path()]


class GatewayBody(Shape):
    """A gateway document, signed by the listing's seller."""

    gateway: Document


class CallsBody(Shape):
    """Call records that follow those that are here, each signed by the seller; the buyer's voucher
    for them, or null; a voucher for more records than are here yet is only looked at."""

    records: list[Document] = Field(max_length=MAX_BATCH)
    voucher: Document | None = None


class ServiceRecordBody(Shape):
    """A service_record, signed by the seller."""

    record: Document


class ServiceAnswerBody(Shape):
    """A service_answer, signed by the buyer."""

    answer: Document


@router.post("/gateways/{listing_id}", status_code=201)
def publish_gateway(
    here: Here, account: Account, listing_id: Annotated[DigestText, Path()], body: GatewayBody
) -> dict[str, Any]:
    """Say where the gateway of a listing of yours answers; a later number replaces an earlier one."""
    with here.writing() as session:
        return service.publish(session, here.deployment, listing_id, body.gateway, account=account, now=here.clock())


@router.get("/gateways/{listing_id}")
def get_gateway(here: Here, listing_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """Where the gateway of a listing answers, as its seller signed it."""
    with here.reading() as session:
        return service.get_gateway(session, listing_id)


@router.post("/orders/{order_id}/calls")
def hand_in_calls(here: Here, account: Account, order_id: OrderId, body: CallsBody) -> dict[str, Any]:
    """Hand in call records of an order of yours, and the voucher that pays for them. The same again changes nothing."""
    with here.reading() as session:
        checked = service.check_handed_in(
            session,
            here.deployment,
            order_id,
            account=account,
            records=body.records,
            voucher=body.voucher,
            now=here.clock(),
        )
    with here.writing() as session:
        return service.hand_in(session, checked, here.clock())


@router.get("/orders/{order_id}/calls")
def get_calls(here: Here, account: Account, order_id: OrderId) -> dict[str, Any]:
    """What was handed in of an order's calls: how many, what they come to, documents, service levels."""
    with here.reading() as session:
        return service.metered_json(session, get_order(session, order_id, account))


@router.post("/orders/{order_id}/service-records")
def hand_in_service_record(here: Here, account: Account, order_id: OrderId, body: ServiceRecordBody) -> dict[str, Any]:
    """Hand in the service level of one period, as the seller; it has to be what the call records give."""
    with here.writing() as session:
        return service.take_service_record(
            session, here.deployment, order_id, body.record, account=account, now=here.clock()
        )


@router.post("/orders/{order_id}/service-answers")
def answer_service_record(here: Here, account: Account, order_id: OrderId, body: ServiceAnswerBody) -> dict[str, Any]:
    """Countersign a service record, as the buyer, or object to it with reasons; once."""
    with here.writing() as session:
        return service.take_service_answer(
            session, here.deployment, order_id, body.answer, account=account, now=here.clock()
        )
