"""Revenue shares over HTTP: transferred, pledged, seized."""

from fastapi import APIRouter
from pydantic import Field

from marketplace.evidence.inbox import Statement
from marketplace.rights import service
from marketplace.web.context import Here
from marketplace.web.shapes import AddressText, Count, DigestText, Queued, Shape, SignatureText, UInt8, UInt16

router = APIRouter(prefix="/rights", tags=["rights"])


class TransferShare(Shape):
    """Signed by `from`. `version` is the asset's shareVersion."""

    asset_id: DigestText
    from_: AddressText = Field(alias="from")
    to: AddressText
    bps: UInt16
    version: Count
    deadline: Count


class PledgeShare(Shape):
    """Signed by `holder` and by `pledgee`. `version` is the holder's encumbranceVersion, at first 0."""

    asset_id: DigestText
    holder: AddressText
    pledgee: AddressText
    bps: UInt16
    debt_digest: DigestText
    version: Count
    deadline: Count


class ReleaseShare(Shape):
    """Signed by `pledgee`. `version` as in a PledgeShare."""

    asset_id: DigestText
    holder: AddressText
    pledgee: AddressText
    version: Count
    deadline: Count


class EnforceShare(Shape):
    """Signed by `registrar`. `version` as in a PledgeShare."""

    asset_id: DigestText
    holder: AddressText
    ruling_digest: DigestText
    registrar: AddressText
    version: Count
    deadline: Count


class EncumberShare(Shape):
    """Signed by `registrar`. `marks`: 16 seized, 32 under control, 48 both, 0 none. `version` as in a PledgeShare."""

    asset_id: DigestText
    holder: AddressText
    marks: UInt8
    order_digest: DigestText
    registrar: AddressText
    version: Count
    deadline: Count


class ShareTransferBody(Shape):
    """A TransferShare."""

    transfer_share: TransferShare
    signature: SignatureText


class SharePledgeBody(Shape):
    """A PledgeShare with both signatures."""

    pledge_share: PledgeShare
    holder_signature: SignatureText
    pledgee_signature: SignatureText


class ShareReleaseBody(Shape):
    """A ReleaseShare."""

    release_share: ReleaseShare
    signature: SignatureText


class ShareEnforcementBody(Shape):
    """An EnforceShare."""

    enforce_share: EnforceShare
    signature: SignatureText


class ShareEncumbranceBody(Shape):
    """An EncumberShare."""

    encumber_share: EncumberShare
    signature: SignatureText


@router.post("/share-transfers", status_code=202)
def transfer_share(here: Here, body: ShareTransferBody) -> Queued:
    """Transfer part of a revenue share; payouts follow the holders at settlement."""
    return _queue(here, "TransferShare", "transferShare", body.transfer_share, body.signature)


@router.post("/share-pledges", status_code=202)
def pledge_share(here: Here, body: SharePledgeBody) -> Queued:
    """Pledge part of a revenue share; its holder goes on being paid until the pledge is enforced."""
    return _queue(here, "PledgeShare", "pledgeShare", body.pledge_share, body.holder_signature, body.pledgee_signature)


@router.post("/share-releases", status_code=202)
def release_share(here: Here, body: ShareReleaseBody) -> Queued:
    """Release a pledge of a revenue share."""
    return _queue(here, "ReleaseShare", "releaseShare", body.release_share, body.signature)


@router.post("/share-enforcements", status_code=202)
def enforce_share(here: Here, body: ShareEnforcementBody) -> Queued:
    """Give the pledged part of a revenue share to its pledgee, on a ruling."""
    return _queue(here, "EnforceShare", "enforceShare", body.enforce_share, body.signature)


@router.post("/share-encumbrances", status_code=202)
def encumber_share(here: Here, body: ShareEncumbranceBody) -> Queued:
    """Mark a revenue share as seized or under administrative control, or lift that; it goes on paying its holder."""
    return _queue(here, "EncumberShare", "encumberShare", body.encumber_share, body.signature)


def _queue(here: Here, name: str, verb: str, intent: Shape, *signatures: str) -> Queued:
    deed = Statement(name, intent.to_message(), signatures).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.act_on_share(session, here.deployment, verb, deed, here.clock()))
