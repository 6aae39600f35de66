"""Whether titles are in force, and what they died with: the same walk as contracts/src/Titles.sol `standing`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from marketplace.rights.tables import Asset, Title
from marketplace.rights.title_records import ASSET_NOT_CONFIRMED, ENDED, EXPIRED, NOT_BEGUN
from marketplace.types import ZERO_DIGEST, AssetStatus, TitleMark

WORDS = {
    0: "in_force",
    ENDED: "ended",
    EXPIRED: "expired",
    NOT_BEGUN: "not_begun",
    ASSET_NOT_CONFIRMED: "asset_not_confirmed",
}


def standings(
    session: Session, titles: Sequence[Title], assets: Mapping[str, Asset], now: int
) -> dict[str, dict[str, Any]]:
    """By title: {"cause", "word", "ancestor", "encumbered"}: why it is not in force and which ancestor that comes from,
    and which of the title and its ancestors are seized or controlled.

    Args:
        assets: those that the titles are of. Ancestors that are not among `titles` are asked for level by level, all
            at once.
    """
    known = {title.title_id: title for title in titles}
    while missing := {title.parent for title in known.values()} - known.keys() - {ZERO_DIGEST}:
        found = session.exec(select(Title).where(col(Title.title_id).in_(missing)))
        known |= {title.title_id: title for title in found}
    return {title.title_id: _standing(_chain(known, title), assets[title.asset_id], now) for title in titles}


def _standing(chain: Sequence[Title], asset: Asset, now: int) -> dict[str, Any]:
    heavy = [row.title_id for row in chain if row.marks & TitleMark.ENCUMBRANCES]
    cause, ancestor = _why_over(chain, now)
    if not cause and asset.status != AssetStatus.CONFIRMED:
        cause, ancestor = ASSET_NOT_CONFIRMED, chain[-1].title_id
    if not cause and now > asset.valid_until:
        cause, ancestor = EXPIRED, chain[-1].title_id
    return {"cause": cause, "word": WORDS[cause], "ancestor": ancestor or None, "encumbered": heavy}


def _chain(known: Mapping[str, Title], title: Title) -> list[Title]:
    """The title, the one above it, and so on to the root."""
    chain = [title]
    while chain[-1].parent != ZERO_DIGEST:
        chain.append(known[chain[-1].parent])
    return chain


def _why_over(chain: Sequence[Title], now: int) -> tuple[int, str]:
    waiting = (0, "")
    for row in chain:
        if row.marks & TitleMark.ENDED:
            return ENDED, row.title_id
        if row.parent != ZERO_DIGEST and now > row.valid_until:
            return EXPIRED, row.title_id
        if now < row.valid_from and not waiting[0]:
            waiting = (NOT_BEGUN, row.title_id)
    return waiting
