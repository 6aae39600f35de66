"""Joining, admission and standing over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import col, select

from marketplace.evidence.inbox import Statement
from marketplace.participants import service
from marketplace.participants.membership import get_agreement, to_html
from marketplace.participants.proofs import KeyProof
from marketplace.participants.service import applying, keyring, keys, proving
from marketplace.participants.tables import Application, Participant, Recovery
from marketplace.types import Role
from marketplace.web.context import Context, Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, Officer
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
    """Signed by `decider`, a registrar or a regulator."""

    account: AddressText
    status: UInt8
    reason_digest: DigestText
    version: Count
    decider: AddressText
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
        row = applying.apply(session, here.deployment, wish, body.document, here.clock())
        return {"account": row.account, "document": row.document_digest, "status": "applied"}


@router.get("/applications")
def list_applications(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Open applications; for registrars."""
    with here.reading() as session:
        service.require_role(session, account, Role.REGISTRAR)
        statement = select(Application).where(col(Application.admission).is_(None))
        rows = page_of(session, statement, Application.account, page, lambda row: dict(applying.application_json(row)))
    return link_next(request, response, rows)


@router.get("/applications/{address}")
def get_application(here: Here, account: Account, address: Annotated[AddressText, Path()]) -> dict[str, Any]:
    """The open application of an account, for itself and for registrars."""
    with here.reading() as session:
        return dict(applying.application_json(applying.visible_application(session, address, account)))


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


class AddKey(Shape):
    """Signed by `by`, an administering key of `account`, and by `key`."""

    account: AddressText
    key: AddressText
    acts: UInt32
    limit: Count
    valid_until: Count
    person_digest: DigestText
    by: AddressText
    version: Count
    deadline: Count


class EndKey(Shape):
    """Signed by `by`, another administering key of `account`."""

    account: AddressText
    key: AddressText
    reason_digest: DigestText
    by: AddressText
    version: Count
    deadline: Count


class RotateKey(Shape):
    """Signed by `old_key` and `new_key`."""

    account: AddressText
    old_key: AddressText
    new_key: AddressText
    version: Count
    deadline: Count


class SetGuardians(Shape):
    """Signed by `by`, an administering key of `account`."""

    account: AddressText
    guardians: list[AddressText]
    threshold: UInt8
    delay: Count
    by: AddressText
    version: Count
    deadline: Count


class Recover(Shape):
    """Signed for `by`, a guardian or registrar, and by `new_key`."""

    account: AddressText
    new_key: AddressText
    reason_digest: DigestText
    by: AddressText
    version: Count
    deadline: Count


class Veto(Shape):
    """Signed by `by`, an administering key of `account`."""

    recovery_id: DigestText
    account: AddressText
    by: AddressText
    deadline: Count


class AddKeyBody(Shape):
    """An AddKey."""

    add_key: AddKey
    signature: SignatureText
    key_signature: SignatureText


class EndKeyBody(Shape):
    """An EndKey."""

    end_key: EndKey
    signature: SignatureText


class RotateKeyBody(Shape):
    """A RotateKey."""

    rotate_key: RotateKey
    signature: SignatureText
    new_signature: SignatureText


class GuardiansBody(Shape):
    """A SetGuardians."""

    set_guardians: SetGuardians
    signature: SignatureText


class RecoverBody(Shape):
    """A Recover."""

    recover: Recover
    signature: SignatureText
    new_signature: SignatureText


class VetoBody(Shape):
    """A Veto."""

    veto: Veto
    signature: SignatureText


def _queue(here: Context, name: str, message: dict[str, Any], *signatures: str) -> Queued:
    wish = Statement(name, message, signatures).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=keys.change_keys(session, here.deployment, wish, here.clock()))


@router.post("/keys", status_code=202)
def add_key(here: Here, body: AddKeyBody) -> Queued:
    """Give an account another key."""
    return _queue(here, "AddKey", body.add_key.to_message(), body.signature, body.key_signature)


@router.post("/keys/end", status_code=202)
def end_key(here: Here, body: EndKeyBody) -> Queued:
    """End a key."""
    return _queue(here, "EndKey", body.end_key.to_message(), body.signature)


@router.post("/keys/rotate", status_code=202)
def rotate_key(here: Here, body: RotateKeyBody) -> Queued:
    """Replace a key by another with the same powers."""
    return _queue(here, "RotateKey", body.rotate_key.to_message(), body.signature, body.new_signature)


@router.post("/guardians", status_code=202)
def set_guardians(here: Here, body: GuardiansBody) -> Queued:
    """Name who may recover an account."""
    return _queue(here, "SetGuardians", body.set_guardians.to_message(), body.signature)


@router.post("/recoveries", status_code=202)
def recover(here: Here, body: RecoverBody) -> Queued:
    """Ask for the recovery of an account, or approve it."""
    return _queue(here, "Recover", body.recover.to_message(), body.signature, body.new_signature)


@router.post("/recoveries/veto", status_code=202)
def veto_recovery(here: Here, body: VetoBody) -> Queued:
    """Stop a recovery."""
    return _queue(here, "Veto", body.veto.to_message(), body.signature)


@router.post("/recoveries/{recovery}/complete", status_code=202)
def complete_recovery(here: Here, account: Account, recovery: Annotated[DigestText, Path()]) -> Queued:
    """Complete a recovery whose notice is over; anybody may."""
    with here.writing() as session:
        intent = keys.complete_recovery(session, here.deployment, recovery, account, here.clock())
        return Queued(intent=intent)


@router.get("/recoveries")
def list_recoveries(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every recovery, public so that nobody's account is taken over unseen."""
    with here.reading() as session:
        rows = page_of(session, select(Recovery), Recovery.recovery_id, page, Recovery.as_json)
    return link_next(request, response, rows)


class Leave(Shape):
    """Signed by `account`."""

    account: AddressText
    version: Count
    deadline: Count


class LeaveBody(Shape):
    """A Leave."""

    leave: Leave
    signature: SignatureText


@router.post("/applications/{address}/entry", status_code=202)
def enter_application(here: Here, account: Officer, address: Annotated[AddressText, Path()]) -> Queued:
    """Put an open application on the ledger, so that its review is written down there; for registrars."""
    with here.writing() as session:
        service.require_role(session, account, Role.REGISTRAR)
        return Queued(intent=applying.enter_application(session, address, account, here.clock()))


@router.post("/exits", status_code=202)
def leave(here: Here, body: LeaveBody) -> Queued:
    """Announce an exit."""
    wish = Statement("Leave", body.leave.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.leave(session, here.deployment, wish, here.clock()))


@router.get("/agreement")
def get_participant_agreement(version: str | None = None) -> dict[str, Any]:
    """The participant agreement, in English and Chinese, with its digest; the newest version unless one is named."""
    return get_agreement(version).as_json()


@router.get("/agreement/paper.html", response_class=HTMLResponse)
def get_participant_agreement_page(version: str | None = None) -> HTMLResponse:
    """The participant agreement as a page to print."""
    return HTMLResponse(to_html(get_agreement(version)))


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


@router.get("/{address}/keys")
def get_keys(here: Here, address: Annotated[AddressText, Path()]) -> dict[str, Any]:
    """What signs for an account: its keys, also those that ended, guardians and recoveries."""
    with here.reading() as session:
        return keyring.keys_json(session, address)


@router.get("/{address}/keys/proof")
def get_key_proof(here: Here, address: Annotated[AddressText, Path()]) -> dict[str, Any]:
    """The signed calls that changed an account's keys, in the ledger's order, for whoever does not read the ledger."""
    with here.reading() as session:
        return KeyProof(proving.steps_of(session, (address,))).as_json()
