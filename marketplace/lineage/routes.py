"""Lineage over HTTP: what products are made of, and the consents that their inputs give."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from marketplace.evidence.inbox import Statement
from marketplace.lineage import service
from marketplace.web.context import Here
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText, UInt16

router = APIRouter(prefix="/lineage", tags=["lineage"])


class DeclareLineage(Shape):
    """Signed by `holder`, who registered the product. The lists have one order; a zero title needs a consent."""

    asset_id: DigestText
    holder: AddressText
    inputs: Annotated[list[DigestText], Field(max_length=8)]
    titles: Annotated[list[DigestText], Field(max_length=8)]
    bps: Annotated[list[UInt16], Field(max_length=8)]
    agreement_digest: DigestText
    deadline: Count


class GiveConsent(Shape):
    """Signed by `holder`, who operates the input under `titleId`; `version` is 0 for the first consent."""

    asset_id: DigestText
    input_id: DigestText
    title_id: DigestText
    holder: AddressText
    bps: UInt16
    valid_until: Count
    version: Count
    deadline: Count


class WithdrawConsent(Shape):
    """Signed by `holder`, who gave the consent."""

    asset_id: DigestText
    input_id: DigestText
    holder: AddressText
    version: Count
    deadline: Count


class LineageBody(Shape):
    """A DeclareLineage, and the papers whose digest it names."""

    declaration: DeclareLineage
    signature: SignatureText
    papers: Document


class ConsentBody(Shape):
    """A GiveConsent."""

    consent: GiveConsent
    signature: SignatureText


class WithdrawalBody(Shape):
    """A WithdrawConsent."""

    withdrawal: WithdrawConsent
    signature: SignatureText


@router.post("/declarations", status_code=202)
def declare_lineage(here: Here, body: LineageBody) -> Queued:
    """Declare, once and before its confirmation, what a registered product was made of."""
    said = Statement("DeclareLineage", body.declaration.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.declare(session, here.deployment, said, body.papers, here.clock()))


@router.post("/consents", status_code=202)
def give_consent(here: Here, body: ConsentBody) -> Queued:
    """Consent, as who operates an input, that the product made of it is sold."""
    said = Statement("GiveConsent", body.consent.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.consent(session, here.deployment, said, here.clock()))


@router.post("/withdrawals", status_code=202)
def withdraw_consent(here: Here, body: WithdrawalBody) -> Queued:
    """Withdraw a consent: nothing new is sold under it; orders that are funded run on."""
    said = Statement("WithdrawConsent", body.withdrawal.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.withdraw(session, here.deployment, said, here.clock()))


@router.get("/{asset}")
def get_lineage(here: Here, asset: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """What an asset was made of and what is made of it, with the consents on record and whether each is in force."""
    with here.reading() as session:
        return service.lineage_json(session, asset, here.clock())
