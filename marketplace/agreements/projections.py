"""What the ledger's events say about agreements."""

from sqlmodel import Session

from marketplace.agreements.tables import Agreement
from marketplace.ledger.tables import LedgerEvent
from marketplace.storage.projected import projected
from marketplace.types import ZERO_DIGEST, AgreementStatus


def agreed(session: Session, event: LedgerEvent) -> None:
    """`Agreed`: both sides signed, version 1."""
    session.add(_signed(event, 1, ZERO_DIGEST).stamp(event))


def amended(session: Session, event: LedgerEvent) -> None:
    """`AgreementAmended`: a new version is in the place of another."""
    args = event.args
    previous = projected(session, Agreement, args["previousId"])
    previous.status = AgreementStatus.AMENDED
    session.add(previous.stamp(event))
    session.add(_signed(event, args["version"], args["previousId"]).stamp(event))


def retired(session: Session, event: LedgerEvent) -> None:
    """`AgreementRetired`: both sides ended it."""
    agreement = projected(session, Agreement, event.args["agreementId"])
    agreement.status = AgreementStatus.RETIRED
    session.add(agreement.stamp(event))


def _signed(event: LedgerEvent, version: int, previous: str) -> Agreement:
    args = event.args
    return Agreement(
        agreement_id=args["agreementId"],
        party_a=args["partyA"],
        party_b=args["partyB"],
        agreement_digest=args["agreementDigest"],
        valid_until=args["validUntil"],
        status=AgreementStatus.SIGNED,
        version=version,
        previous_id=previous,
    )


PROJECTORS = {"Agreed": (agreed,), "AgreementAmended": (amended,), "AgreementRetired": (retired,)}
