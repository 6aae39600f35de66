"""What the ledger's events say about identifiers: each object has one from its first event on, for ever."""

from collections.abc import Callable

from sqlmodel import Session

from marketplace.documents.identifiers import Kind
from marketplace.documents.ids import trade_id
from marketplace.identifiers.tables import Named
from marketplace.ledger.tables import LedgerEvent

Projector = Callable[[Session, LedgerEvent], None]


def _named(kind: Kind, argument: str, about: str = "", *, once: bool = False) -> Projector:
    """Args: once: the ledger tells of each subject one time only, so that nobody has to look whether it is known."""

    def project(session: Session, event: LedgerEvent) -> None:
        subject = event.args[argument]
        if once or session.get(Named, (subject, kind.value)) is None:  # who exited is admitted again
            row = Named(subject=subject, kind=kind.value, about=event.args[about] if about else "")
            session.add(row.stamp(event))

    return project


def _traded(session: Session, event: LedgerEvent) -> None:
    """The trade voucher of an order that is settled."""
    order = event.args["orderId"]
    session.add(Named(subject=trade_id(order), kind=Kind.TRADE.value, about=order).stamp(event))


PROJECTORS: dict[str, tuple[Projector, ...]] = {
    "Admitted": (_named(Kind.PARTY, "account"),),
    "Registered": (_named(Kind.DATA, "assetId", once=True),),
    "Confirmed": (_named(Kind.CERTIFICATE, "certificateDigest", "assetId"),),
    "Listed": (_named(Kind.PRODUCT, "listingId", once=True),),
    "Funded": (_named(Kind.ORDER, "orderId", once=True),),
    "Settled": (_traded,),
}
