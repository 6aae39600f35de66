"""Data assets and certificates over HTTP; titles: `titles`, revenue shares: `shares`."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel import select

from marketplace.evidence.inbox import Statement
from marketplace.participants.service import require_role
from marketplace.rights import issuing, service
from marketplace.rights.service import annexes
from marketplace.rights.service.titles import titles_json
from marketplace.rights.tables import Asset, Title
from marketplace.types import Role, TitleKind
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_together
from marketplace.web.principal import Officer
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText, UInt8, UInt16

router = APIRouter(prefix="/rights", tags=["rights"])


class Register(Shape):
    """Signed by `holder`."""

    asset_id: DigestText
    holder: AddressText
    manifest_digest: DigestText
    ciphertext_root: DigestText
    claim_digest: DigestText
    level: UInt8
    epsilon_budget: Count
    share_holders: list[AddressText] = Field(min_length=1, max_length=16)
    share_bps: list[UInt16] = Field(min_length=1, max_length=16)
    deadline: Count


class Confirm(Shape):
    """Signed by `registrar`."""

    asset_id: DigestText
    claim_digest: DigestText
    certificate_digest: DigestText
    code: DigestText = Field(description="the certificate's 15 characters as ASCII, filled up with zeros to 32 bytes")
    rights: UInt8 = Field(description="the first titles it gives, bits: 1 to hold, 2 to use, 4 to operate")
    valid_until: Count
    registrar: AddressText
    version: Count
    deadline: Count


class Mark(Shape):
    """Signed by `registrar`. `status`: 3 suspends, 2 restores, 4 revokes."""

    asset_id: DigestText
    status: UInt8
    reason_digest: DigestText
    registrar: AddressText
    version: Count
    deadline: Count


class RegistrationBody(Shape):
    """A Register; its documents and blobs are uploaded before."""

    register_: Register = Field(alias="register")
    signature: SignatureText


class ConfirmationBody(Shape):
    """A Confirm, and the certificate (W3C VC 2.0, eddsa-jcs-2022) whose digest it names."""

    confirm: Confirm
    signature: SignatureText
    certificate: Document


class MarkBody(Shape):
    """A Mark."""

    mark: Mark
    signature: SignatureText


@router.post("/registrations", status_code=202)
def register_asset(here: Here, body: RegistrationBody) -> Queued:
    """Register a sealed data set: manifest, claimed rights, privacy budget, revenue shares."""
    wish = Statement("Register", body.register_.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.register(session, here.deployment, here.blobs, wish, here.clock()))


@router.post("/confirmations", status_code=202)
def confirm_asset(here: Here, body: ConfirmationBody) -> Queued:
    """Confirm a registration; creates the first titles that its source gives."""
    decision = Statement("Confirm", body.confirm.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        entries = issuing.entries_for(session, here.settings, decision.message["assetId"])
        now = here.clock()
        annex = annexes.annex(session, decision.message["assetId"], now)
        return Queued(
            intent=service.confirm(
                session, here.deployment, decision, body.certificate, entries=entries, annex=annex, now=now
            )
        )


@router.post("/assets/{asset_id}/status-place")
def reserve_status_place(here: Here, account: Officer, asset_id: Annotated[DigestText, Path()]) -> list[dict[str, Any]]:
    """The place of an asset's certificate in the status lists, for the registrar who writes it: `credentialStatus`."""
    with here.writing() as session:
        require_role(session, account, Role.REGISTRAR)
        return issuing.entries_for(session, here.settings, asset_id)


@router.get("/status-lists/{purpose}/{number}")
def get_status_list(
    here: Here, purpose: Annotated[str, Path(max_length=20)], number: Annotated[int, Path(ge=0, le=65535)]
) -> dict[str, Any]:
    """A status list of certificates (W3C Bitstring Status List 1.0) as the ledger stands; public, good for a day."""
    with here.reading() as session:
        return issuing.status_list(session, here.settings, purpose, number, here.clock())


@router.post("/marks", status_code=202)
def mark_asset(here: Here, body: MarkBody) -> Queued:
    """Suspend, restore or revoke a confirmed registration, and with it its certificate."""
    decision = Statement("Mark", body.mark.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.mark(session, here.deployment, decision, here.clock()))


@router.get("/assets")
def list_assets(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every registered data asset, its titles each with whether it is in force."""
    now = here.clock()
    with here.reading() as session:
        rows = page_together(
            session, select(Asset), Asset.asset_id, page, lambda found: service.assets_json(session, found, now)
        )
    return link_next(request, response, rows)


@router.get("/titles")
def list_titles(  # noqa: PLR0917 - FastAPI calls it by name
    here: Here,
    page: AskedPage,
    request: Request,
    response: Response,
    holder: Annotated[AddressText, Query(description="whose titles")],
    kind: Annotated[TitleKind | None, Query(description="titles of this kind alone")] = None,
) -> Rows:
    """The titles that somebody holds, each with whether it is in force, in the order of their ids."""
    wanted = select(Title).where(Title.holder == holder)
    if kind is not None:
        wanted = wanted.where(Title.kind == int(kind))
    now = here.clock()
    with here.reading() as session:
        rows = page_together(session, wanted, Title.title_id, page, lambda held: titles_json(session, held, now))
    return link_next(request, response, rows)


@router.get("/assets/{asset_id}")
def get_asset(here: Here, asset_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One data asset with its shares, its titles and whether each is in force, and the rest of its privacy budget."""
    with here.reading() as session:
        return service.asset_json(session, service.get_asset(session, asset_id), here.clock())


_PRINTED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {"schema": {"type": "object"}}, "application/pdf": {}},
        "description": "the credential, or the same printed, with its status at this moment",
    }
}


@router.get("/assets/{asset_id}/certificate", responses=_PRINTED, response_class=Response)
def get_certificate(
    here: Here, asset_id: Annotated[DigestText, Path()], accept: Annotated[str, Header()] = "*/*"
) -> Response:
    """The certificate of a confirmed asset, a W3C verifiable credential; printed (A4, QR code) if PDF is asked for."""
    with here.reading() as session:
        certificate = service.certificate_body(session, asset_id)
        if accept.partition(";")[0].strip().lower() != "application/pdf":
            return JSONResponse(certificate, headers={"vary": "accept"})
        now = here.clock()
        standing = issuing.standing_of(session, here.settings, certificate, now)
        annex = annexes.annex(session, asset_id, now)
    from marketplace.rights.printing import print_certificate  # noqa: PLC0415 - fonts and layout, only for this

    printed = print_certificate(certificate, standing, now, annex)
    return Response(printed, media_type="application/pdf", headers={"vary": "accept"})
