"""What the ledger's events say about identifiers: each object has one from its first event on, for ever."""

from collections.abc import Callable

from sqlmodel import Session

from marketplace.documents.identifiers import Kind
from marketplace.identifiers.tables import Named
from marketplace.ledger.tables import LedgerEvent

Projector = Callable[[Session, LedgerEvent], None]


def _named(kind: Kind, argument: str, about: str = "") -> Projector:
    def project(session: Session, event: LedgerEvent) -> None:
        subject = event.args[argument]
        if session.get(Named, (subject, kind.value)) is None:  # a participant is admitted again with other roles
            row = Named(subject=subject, kind=kind.value, about=event.args[about] if about else "")
            session.add(row.stamp(event))

    return project


PROJECTORS: dict[str, tuple[Projector, ...]] = {
    "Admitted": (_named(Kind.PARTY, "account"),),
    "Registered": (_named(Kind.DATA, "assetId"),),
    "Confirmed": (_named(Kind.CERTIFICATE, "certificateDigest", "assetId"),),
    "Listed": (_named(Kind.PRODUCT, "listingId"),),
    "Funded": (_named(Kind.ORDER, "orderId"),),
}
