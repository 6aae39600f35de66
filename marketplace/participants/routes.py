"""Joining, admission and standing over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import col, select

from marketplace.evidence.inbox import Statement
from marketplace.participants import service
from marketplace.participants.tables import Application, Participant
from marketplace.types import Role
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText, UInt8, UInt32

router = APIRouter(prefix="/participants", tags=["participants"])


class Join(Shape):
    """Signed by `account`."""

    account: AddressText
    roles: UInt32
    identity_digest: DigestText
    deadline: Count


class Admit(Shape):
    """Signed by `registrar`."""

    account: AddressText
    roles: UInt32
    identity_digest: DigestText
    version: Count
    registrar: AddressText
    deadline: Count


class SetStatus(Shape):
    """Signed by `registrar`."""

    account: AddressText
    status: UInt8
    reason_digest: DigestText
    version: Count
    registrar: AddressText
    deadline: Count


class ApplicationBody(Shape):
    """A Join, and the profile document whose digest it names."""

    join: Join
    signature: SignatureText
    document: Document


class AdmissionBody(Shape):
    """An Admit."""

    admit: Admit
    signature: SignatureText


class StatusBody(Shape):
    """A SetStatus."""

    set_status: SetStatus
    signature: SignatureText


@router.post("/applications", status_code=201)
def apply_to_join(here: Here, body: ApplicationBody) -> dict[str, Any]:
    """Apply to join. The application waits for a registrar; a later one of the same account takes its place."""
    wish = Statement("Join", body.join.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        row = service.apply(session, here.deployment, wish, body.document, here.clock())
        return {"account": row.account, "document": row.document_digest, "status": "applied"}


@router.get("/applications")
def list_applications(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Open applications; for registrars."""
    with here.reading() as session:
        service.require_role(session, account, Role.REGISTRAR)
        statement = select(Application).where(col(Application.admission).is_(None))
        rows = page_of(session, statement, Application.account, page, lambda row: dict(service.application_json(row)))
    return link_next(request, response, rows)


@router.post("/admissions", status_code=202)
def admit_participant(here: Here, body: AdmissionBody) -> Queued:
    """Admit an applicant. The applicant's own Join goes to the ledger with it."""
    admission = Statement("Admit", body.admit.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.admit(session, here.deployment, admission, here.clock()))


@router.post("/status", status_code=202)
def set_participant_status(here: Here, body: StatusBody) -> Queued:
    """Suspend or reinstate a participant."""
    change = Statement("SetStatus", body.set_status.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.set_status(session, here.deployment, change, here.clock()))


@router.get("")
def list_participants(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every participant as the ledger says."""
    with here.reading() as session:
        rows = page_of(session, select(Participant), Participant.account, page, Participant.as_json)
    return link_next(request, response, rows)


@router.get("/{address}")
def get_participant(here: Here, address: Annotated[AddressText, Path()]) -> dict[str, Any]:
    """One participant as the ledger says."""
    with here.reading() as session:
        return service.get_participant(session, address).as_json()
