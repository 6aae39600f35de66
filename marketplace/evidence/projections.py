"""What the ledger's events say about the log's anchors, and every stage's projections in one table."""

from collections.abc import Callable, Mapping

from sqlmodel import Session

from marketplace.agreements import projections as agreements
from marketplace.clearing import projections as clearing
from marketplace.deliveries import projections as deliveries
from marketplace.evidence.tables import Anchor
from marketplace.identifiers import projections as identifiers
from marketplace.ledger.tables import LedgerEvent
from marketplace.lineage import projections as lineage
from marketplace.listings import projections as listings
from marketplace.orders import projections as orders
from marketplace.participants import projections as participants
from marketplace.registrations import projections as registrations
from marketplace.rights import projections as rights
from marketplace.settlement import projections as settlement

Projector = Callable[[Session, LedgerEvent], None]


def anchored(session: Session, event: LedgerEvent) -> None:
    """`Anchored`: a root of the log stands on the ledger."""
    args = event.args
    session.add(Anchor(size=args["size"], root=args["root"], previous_root=args["previousRoot"]).stamp(event))


_STAGES: tuple[Mapping[str, tuple[Projector, ...]], ...] = (
    participants.PROJECTORS,
    rights.PROJECTORS,
    registrations.PROJECTORS,
    lineage.PROJECTORS,
    listings.PROJECTORS,
    agreements.PROJECTORS,
    orders.PROJECTORS,
    settlement.PROJECTORS,
    clearing.PROJECTORS,
    deliveries.PROJECTORS,
    identifiers.PROJECTORS,
    {"Anchored": (anchored,)},
)

PROJECTORS: Mapping[str, tuple[Projector, ...]] = {
    name: tuple(projector for stage in _STAGES for projector in stage.get(name, ()))
    for name in {name: None for stage in _STAGES for name in stage}
}
"""Event name to what it changes in the read model, for ledger/worker.py. Events that change nothing there
are not in it."""
