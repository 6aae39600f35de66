"""Titles, who may hold, use and operate an asset: contracts/src/Titles.sol in Python, verb by verb."""

from dataclasses import dataclass, field

from marketplace.documents.ids import title_id
from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import Rights
from marketplace.types import ZERO_DIGEST, TitleKind

TRANSFERABLE = frozenset((TitleKind.HOLD, TitleKind.OPERATE))


@dataclass
class Title:
    """One title: who holds which right, until when (unix seconds)."""

    holder: str
    kind: TitleKind
    valid_until: int
    version: int = 1


@dataclass
class Titles:
    """The state of the contract: titles by id."""

    records: dict[str, Title] = field(default_factory=dict)

    def has_part(self, asset_id: str, account: str) -> bool:
        """Whether `account` holds one of the first titles of an asset."""
        first = (self.records.get(title_id(asset_id, kind)) for kind in TRANSFERABLE)
        return any(title is not None and title.holder == account for title in first)


def transfer(state: Titles, participants: Participants, handover: Message, now: int) -> list[Event]:
    """Hand a title to hold or to operate to another active participant.

    Args:
        handover: the intent Transfer, signed by both sides.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    title_key, giver, taker = handover["titleId"], handover["from"], handover["to"]
    require_in_time(handover, now)
    title = state.records.get(title_key)
    if title is None or title.holder != giver:
        raise refuse("TitlesNotHolder", titleId=title_key, account=giver)
    if title.kind not in TRANSFERABLE:
        raise refuse("TitlesNotTransferable", titleId=title_key)
    if giver == taker:
        raise refuse("TitlesSameParty", account=taker)
    require_version(title.version, handover)
    participants.require_active(giver)
    participants.require_active(taker)

    title.holder = taker
    title.version += 1
    args = {"titleId": title_key, "from": giver, "to": taker, "version": title.version}
    return [Event("Titles", "TitleTransferred", args)]


def open_titles(state: Titles, asset_key: str, holder: str, valid_until: int) -> list[Event]:
    """Create the first titles of an asset that is confirmed; for the rules of rights alone."""
    return [_grant(state, asset_key, Title(holder, kind, valid_until)) for kind in sorted(TRANSFERABLE)]


def grant_use(state: Titles, asset_key: str, order: Message) -> list[Event]:
    """Grant the use title of an order; for the rules of orders alone.

    Args:
        order: the intent Fund.
    """
    title = Title(order["buyer"], TitleKind.USE, order["validUntil"])
    return [_grant(state, asset_key, title, order["orderId"])]


def require_operator(state: Titles, rights: Rights, asset_key: str, account: str, now: int) -> int:
    """Refuse unless the asset is confirmed, in its term, and operated by `account`; returns the end of its term."""
    valid_until = rights.require_confirmed(asset_key, now)
    title_key = title_id(asset_key, TitleKind.OPERATE)
    if state.records[title_key].holder != account:
        raise refuse("TitlesNotHolder", titleId=title_key, account=account)
    return valid_until


def _grant(state: Titles, asset_key: str, title: Title, order: str | None = None) -> Event:
    title_key = title_id(asset_key, title.kind, order)
    state.records[title_key] = title
    args = {"titleId": title_key, "assetId": asset_key, "kind": int(title.kind), "holder": title.holder}
    return Event("Titles", "TitleGranted", args | {"orderId": order or ZERO_DIGEST, "validUntil": title.valid_until})
