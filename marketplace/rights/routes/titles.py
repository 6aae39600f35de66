"""Titles over HTTP: what two sign, and what one signs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from marketplace.evidence.inbox import Statement
from marketplace.rights.service import titles
from marketplace.web.context import Here
from marketplace.web.shapes import AddressText, Count, DigestText, Queued, Shape, SignatureText, UInt8, UInt32, UInt48

router = APIRouter(prefix="/rights", tags=["rights"])


class Transfer(Shape):
    """Signed by `from` and by `to`."""

    title_id: DigestText
    from_: AddressText = Field(alias="from")
    to: AddressText
    version: Count
    deadline: Count


class Grant(Shape):
    """Signed by `grantor` and by `grantee`. `marks`: 1 exclusive, 2 may grant on, 4 may derive."""

    title_id: DigestText
    parent: DigestText
    kind: UInt8
    grantor: AddressText
    grantee: AddressText
    purposes: UInt32
    fields: DigestText
    territories: UInt48
    valid_from: Count
    valid_until: Count
    marks: UInt8
    terms_digest: DigestText
    version: Count
    deadline: Count


class Pledge(Shape):
    """Signed by `holder` and by `pledgee`."""

    title_id: DigestText
    holder: AddressText
    pledgee: AddressText
    debt_digest: DigestText
    version: Count
    deadline: Count


class Surrender(Shape):
    """Signed by `holder`."""

    title_id: DigestText
    holder: AddressText
    reason_digest: DigestText
    version: Count
    deadline: Count


class RevokeTitle(Shape):
    """Signed by `registrar`."""

    title_id: DigestText
    registrar: AddressText
    reason_digest: DigestText
    version: Count
    deadline: Count


class Encumber(Shape):
    """Signed by `registrar`. `marks`: 16 seized, 32 under administrative control, 48 both, 0 none."""

    title_id: DigestText
    marks: UInt8
    order_digest: DigestText
    registrar: AddressText
    version: Count
    deadline: Count


class ReleasePledge(Shape):
    """Signed by `pledgee`."""

    title_id: DigestText
    pledgee: AddressText
    version: Count
    deadline: Count


class Permit(Shape):
    """Signed by `pledgee`. `act` is the struct hash of the Transfer, Grant or Surrender that is permitted."""

    title_id: DigestText
    act: DigestText
    pledgee: AddressText
    version: Count
    deadline: Count


class Enforce(Shape):
    """Signed by `registrar`."""

    title_id: DigestText
    ruling_digest: DigestText
    registrar: AddressText
    version: Count
    deadline: Count


class TransferBody(Shape):
    """A Transfer with both signatures."""

    transfer: Transfer
    from_signature: SignatureText
    to_signature: SignatureText


class GrantBody(Shape):
    """A Grant with both signatures."""

    grant: Grant
    grantor_signature: SignatureText
    grantee_signature: SignatureText


class PledgeBody(Shape):
    """A Pledge with both signatures."""

    pledge: Pledge
    holder_signature: SignatureText
    pledgee_signature: SignatureText


class SurrenderBody(Shape):
    """A Surrender."""

    surrender: Surrender
    signature: SignatureText


class RevokeTitleBody(Shape):
    """A RevokeTitle."""

    revoke_title: RevokeTitle
    signature: SignatureText


class EncumberBody(Shape):
    """An Encumber."""

    encumber: Encumber
    signature: SignatureText


class ReleasePledgeBody(Shape):
    """A ReleasePledge."""

    release_pledge: ReleasePledge
    signature: SignatureText


class PermitBody(Shape):
    """A Permit."""

    permit: Permit
    signature: SignatureText


class EnforceBody(Shape):
    """An Enforce."""

    enforce: Enforce
    signature: SignatureText


@router.post("/transfers", status_code=202)
def transfer_title(here: Here, body: TransferBody) -> Queued:
    """Transfer a title."""
    return _queue(here, "Transfer", "transfer", body.transfer, body.from_signature, body.to_signature)


@router.post("/grants", status_code=202)
def grant_title(here: Here, body: GrantBody) -> Queued:
    """Grant a part of a title: never wider than it, and dead with it."""
    return _queue(here, "Grant", "grant", body.grant, body.grantor_signature, body.grantee_signature)


@router.post("/pledges", status_code=202)
def pledge_title(here: Here, body: PledgeBody) -> Queued:
    """Pledge a title to operate."""
    return _queue(here, "Pledge", "pledge", body.pledge, body.holder_signature, body.pledgee_signature)


@router.post("/pledge-releases", status_code=202)
def release_pledge(here: Here, body: ReleasePledgeBody) -> Queued:
    """Release a pledge."""
    return _queue(here, "ReleasePledge", "releasePledge", body.release_pledge, body.signature)


@router.post("/permits", status_code=202)
def permit_act(here: Here, body: PermitBody) -> Queued:
    """Permit one act on a pledged title."""
    return _queue(here, "Permit", "permit", body.permit, body.signature)


@router.post("/enforcements", status_code=202)
def enforce_pledge(here: Here, body: EnforceBody) -> Queued:
    """Give a pledged title to its pledgee, on a ruling."""
    return _queue(here, "Enforce", "enforce", body.enforce, body.signature)


@router.post("/encumbrances", status_code=202)
def encumber_title(here: Here, body: EncumberBody) -> Queued:
    """Mark a title as seized or under administrative control, or lift that."""
    return _queue(here, "Encumber", "encumber", body.encumber, body.signature)


@router.post("/surrenders", status_code=202)
def surrender_title(here: Here, body: SurrenderBody) -> Queued:
    """Give a granted title up; whatever was granted out of it dies with it."""
    return _queue(here, "Surrender", "surrender", body.surrender, body.signature)


@router.post("/title-revocations", status_code=202)
def revoke_title(here: Here, body: RevokeTitleBody) -> Queued:
    """Revoke a title; whatever was granted out of it dies with it."""
    return _queue(here, "RevokeTitle", "revoke", body.revoke_title, body.signature)


@router.get("/titles/{title_id}")
def get_title(here: Here, title_id: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One title as the ledger says: its scope in words, its marks, and whether it is in force."""
    with here.reading() as session:
        return titles.title_json(session, titles.get_title(session, title_id), here.clock())


def _queue(here: Here, name: str, verb: str, intent: Shape, *signatures: str) -> Queued:
    deed = Statement(name, intent.to_message(), signatures).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=titles.act(session, here.deployment, verb, deed, here.clock()))
