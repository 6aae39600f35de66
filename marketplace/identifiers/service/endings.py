"""When an object came to its end, by the ledger's own events."""

from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.documents import ids, iso_time
from marketplace.identifiers import standing
from marketplace.identifiers.standing import Standing
from marketplace.ledger.tables import LedgerEvent, time_of
from marketplace.participants.tables import Participant
from marketplace.registrations.tables import RegisterEntry
from marketplace.rights.issuing import moved_since
from marketplace.rights.status_lists import is_marked
from marketplace.rights.tables import Asset
from marketplace.storage.projected import ProjectedRow, projected
from marketplace.types import AssetStatus, TitleKind

MOVABLE = tuple(TitleKind)


def moment_of(session: Session, block: int) -> dict[str, Any]:
    """A block and its time."""
    moment = time_of(session, block)
    return {"block": block, "time": None if moment is None else iso_time(moment)}


def ended(session: Session, row: ProjectedRow, stands: Standing, since: int) -> dict[str, Any] | None:
    """Since when it is no longer in force: the block of the act that ended it, or the end of its term; None too for a
    product that titles, consents or its seller's standing stop, which may be several acts or none.

    A listing, an order and a participant change no more once they are over, so it is their row's. An asset's row goes
    on changing (budgets are given back), so its events are asked.

    Args:
        since: the block that the object is from.
    """
    if stands.in_force:
        return None
    if stands.status in standing.BY_ITSELF:
        return {"block": None, "time": iso_time(stands.valid_until)}
    if stands.status == "superseded":
        return moment_of(session, _moved_at(session, row, since))
    if stands.status == "blocked" and _is_confirmed(session, row):
        return None
    if stands.status in ("suspended", "revoked", "cancelled", "blocked") and not isinstance(row, Participant):
        return moment_of(session, _marked_at(session, row))
    return moment_of(session, row.event_block)


def _is_confirmed(session: Session, row: Any) -> bool:
    return projected(session, Asset, row.asset_id).status == AssetStatus.CONFIRMED


def _marked_at(session: Session, row: Any) -> int:
    """The block of the last mark of an asset, or of a listing's."""
    blocks = _events("Marked", row.asset_id)
    return session.exec(blocks.order_by(col(LedgerEvent.block).desc())).first() or row.event_block


def _moved_at(session: Session, row: Any, since: int) -> int:
    """The block after `since` in which first a title or share of an asset moved, or it had another certificate."""
    titles = [ids.title_id(row.asset_id, kind) for kind in MOVABLE]
    asked = [
        ("ShareTransferred", row.asset_id),
        ("ShareEnforced", row.asset_id),
        ("Confirmed", row.asset_id),
        *(("TitleTransferred", name) for name in titles),
        *(("PledgeEnforced", name) for name in titles),
    ]
    later = col(LedgerEvent.block) > since
    found = [session.exec(_events(*which).where(later).order_by(col(LedgerEvent.block))).first() for which in asked]
    return min((block for block in found if block is not None), default=row.event_block)


def _events(name: str, about: str) -> SelectOfScalar[int]:
    return select(LedgerEvent.block).where(LedgerEvent.about == about, LedgerEvent.name == name).limit(1)


def has_moved(session: Session, asset: Asset) -> bool:
    """Whether a title or a share of an asset has another holder than its certificate names."""
    entry = projected(session, RegisterEntry, asset.asset_id)
    return is_marked("message", asset.status, *moved_since(session, asset, entry), disputes=entry.disputes)


def is_disputed(session: Session, asset_id: str) -> bool:
    """Whether a late objection to an asset's entry is open; its registration and certificates stay in force."""
    entry = session.get(RegisterEntry, asset_id)
    return entry is not None and entry.disputes > 0
