"""What the ledger's events say about products and consents."""

from sqlmodel import Session

from marketplace.ledger.tables import LedgerEvent
from marketplace.lineage.tables import LineageConsent, LineageDeclaration, LineageInput
from marketplace.storage.projected import projected
from marketplace.types import ConsentStatus


def declared(session: Session, event: LedgerEvent) -> None:
    """`LineageDeclared`: a product has these inputs, for good."""
    args = event.args
    key = args["assetId"]
    session.add(
        LineageDeclaration(asset_id=key, holder=args["holder"], agreement_digest=args["agreementDigest"]).stamp(event)
    )
    for place, (input_id, title_id, bps) in enumerate(zip(args["inputs"], args["titles"], args["bps"], strict=True)):
        row = LineageInput(asset_id=key, input_id=input_id, place=place, title_id=title_id, bps=bps)
        session.add(row.stamp(event))


def consented(session: Session, event: LedgerEvent) -> None:
    """`ConsentGiven`: first or again."""
    args = event.args
    key = args["assetId"], args["inputId"]
    values = {"holder": args["holder"], "title_id": args["titleId"], "valid_until": args["validUntil"]}
    values |= {"status": int(ConsentStatus.GIVEN), "version": args["version"]}
    row = session.get(LineageConsent, key)
    if row is None:
        row = LineageConsent(asset_id=key[0], input_id=key[1], **values)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row.stamp(event))


def withdrawn(session: Session, event: LedgerEvent) -> None:
    """`ConsentWithdrawn`: nothing new is sold under it."""
    row = projected(session, LineageConsent, event.args["assetId"], event.args["inputId"])
    row.status, row.version = int(ConsentStatus.WITHDRAWN), event.args["version"]
    session.add(row.stamp(event))


PROJECTORS = {"LineageDeclared": (declared,), "ConsentGiven": (consented,), "ConsentWithdrawn": (withdrawn,)}
