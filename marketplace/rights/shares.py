"""Revenue shares of assets and what weighs on them: the share verbs of contracts/src/Rights.sol in Python.

A share is transferred by its holder, and pledged by holder and pledgee. The holder goes on being paid for what is
pledged until a registrar enforces the pledge on a ruling; a share that is seized or under control stays and pays.
"""

from collections.abc import Sequence
from dataclasses import replace

from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import MAX_SHARE_HOLDERS, Asset, Encumbrance, Rights, Share
from marketplace.rights.rules import require_taker
from marketplace.rights.title_records import Titles
from marketplace.rights.titles import require_registrar
from marketplace.types import TitleMark


def transfer_share(state: Rights, participants: Participants, handover: Message, now: int) -> list[Event]:
    """Hand part of the revenue of an asset to another active participant.

    Args:
        handover: the intent TransferShare, signed by the giver.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, giver, taker, bps = handover["assetId"], handover["from"], handover["to"], handover["bps"]
    require_in_time(handover, now)
    state.require_confirmed(key, now)
    asset = state.assets[key]
    require_version(asset.share_version, handover)
    if giver == taker:
        raise refuse("RightsSameParty", account=taker)
    participants.require_active(giver)
    require_taker(participants, taker)
    weight = asset.encumbrance_of(giver)
    _require_free(asset, key, giver, bps, held=weight.bps)
    shares = _moved(asset, asset.encumbrances, key, (giver, taker, bps))

    asset.shares = shares
    asset.share_version += 1
    args = {name: handover[name] for name in ("assetId", "from", "to", "bps")}
    return [Event("Rights", "ShareTransferred", args | {"version": asset.share_version})]


def pledge_share(state: Rights, participants: Participants, deed: Message, now: int) -> list[Event]:
    """Pledge part of a share, and keep a place among the holders for the pledgee.

    Args:
        deed: the intent PledgeShare, signed by holder and pledgee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder, pledgee, bps = deed["assetId"], deed["holder"], deed["pledgee"], deed["bps"]
    require_in_time(deed, now)
    state.require_confirmed(key, now)
    asset = state.assets[key]
    weight = asset.encumbrance_of(holder)
    require_version(weight.version, deed)
    if holder == pledgee:
        raise refuse("RightsSameParty", account=pledgee)
    participants.require_active(holder)
    participants.require_active(pledgee)
    _require_free(asset, key, holder, bps, held=asset.bps_of(holder) if weight.bps else 0)
    weights = asset.encumbrances | {holder: replace(weight, pledgee=pledgee, bps=bps, version=weight.version + 1)}
    shares, _ = _placed(asset.shares, weights, key, pledgee)

    asset.shares, asset.encumbrances = shares, weights
    args = {name: deed[name] for name in ("assetId", "holder", "pledgee", "bps", "debtDigest")}
    return [Event("Rights", "SharePledged", args | {"version": weights[holder].version})]


def release_share(state: Rights, wish: Message, now: int) -> list[Event]:
    """Give a pledge of a share up.

    Args:
        wish: the intent ReleaseShare, signed by the pledgee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder, pledgee = wish["assetId"], wish["holder"], wish["pledgee"]
    require_in_time(wish, now)
    weight = _encumbrance(state, key, holder)
    if weight.bps == 0 or weight.pledgee != pledgee:
        raise refuse("RightsNotPledgee", assetId=key, holder=holder, account=pledgee)
    require_version(weight.version, wish)

    ended = replace(weight, bps=0, version=weight.version + 1)
    state.assets[key].encumbrances[holder] = ended
    args = {name: wish[name] for name in ("assetId", "holder", "pledgee")}
    return [Event("Rights", "ShareReleased", args | {"version": ended.version})]


def enforce_share(state: Rights, titles: Titles, participants: Participants, ruling: Message, now: int) -> list[Event]:
    """Give the pledged part of a share to the pledgee.

    Args:
        ruling: the intent EnforceShare, signed by a registrar; it names the digest of a ruling.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder, registrar = ruling["assetId"], ruling["holder"], ruling["registrar"]
    require_in_time(ruling, now)
    weight = _encumbrance(state, key, holder)
    if weight.bps == 0:
        raise refuse("RightsNotPledgee", assetId=key, holder=holder, account=weight.pledgee)
    require_version(weight.version, ruling)
    _require_unmarked(weight, key, holder)
    require_registrar(titles, state, participants, key, registrar)

    asset = state.assets[key]
    ended = replace(weight, bps=0, version=weight.version + 1)
    asset.encumbrances[holder] = ended
    asset.shares = _moved(asset, asset.encumbrances, key, (holder, weight.pledgee, weight.bps))
    asset.share_version += 1
    args = {"assetId": key, "from": holder, "to": weight.pledgee, "bps": weight.bps}
    rest = {name: ruling[name] for name in ("rulingDigest", "registrar")}
    return [Event("Rights", "ShareEnforced", args | rest | {"version": ended.version})]


def encumber_share(
    state: Rights, titles: Titles, participants: Participants, decision: Message, now: int
) -> list[Event]:
    """Mark a share as seized or under administrative control, or lift that.

    Args:
        decision: the intent EncumberShare, signed by a registrar; it names the digest of an authority's order.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder, registrar, asked = (decision[name] for name in ("assetId", "holder", "registrar", "marks"))
    require_in_time(decision, now)
    asset, weight = state.assets.get(key), _encumbrance(state, key, holder)
    odd = asked & ~int(TitleMark.ENCUMBRANCES) or asked == weight.marks
    if asset is None or odd or asset.bps_of(holder) == 0:
        raise refuse("RightsShareMarks", assetId=key, holder=holder, current=int(weight.marks), asked=asked)
    require_version(weight.version, decision)
    require_registrar(titles, state, participants, key, registrar)

    marked = replace(weight, marks=TitleMark(asked), version=weight.version + 1)
    asset.encumbrances[holder] = marked
    args = {name: decision[name] for name in ("assetId", "holder", "marks", "orderDigest", "registrar")}
    return [Event("Rights", "ShareEncumbered", args | {"version": marked.version})]


def _encumbrance(state: Rights, key: str, holder: str) -> Encumbrance:
    return state.assets[key].encumbrance_of(holder) if key in state.assets else Encumbrance()


def _require_free(asset: Asset, key: str, holder: str, bps: int, *, held: int) -> None:
    """Refuse to move or pledge what is not held, seized, controlled, or of which a pledge holds too much."""
    has, weight = asset.bps_of(holder), asset.encumbrance_of(holder)
    if not 1 <= bps <= has:
        raise refuse("RightsShareTooSmall", holder=holder, has=has, asked=bps)
    _require_unmarked(weight, key, holder)
    if bps > has - held:
        raise refuse("RightsSharePledged", holder=holder, pledgee=weight.pledgee, free=has - held, asked=bps)


def _require_unmarked(weight: Encumbrance, key: str, holder: str) -> None:
    if weight.marks:
        raise refuse("RightsShareEncumbered", assetId=key, holder=holder, marks=int(weight.marks))


def _moved(asset: Asset, weights: dict[str, Encumbrance], key: str, move: tuple[str, str, int]) -> list[Share]:
    """The holders once `bps` went from one to another."""
    giver, taker, bps = move
    left = [Share(share.holder, share.bps - bps * (share.holder == giver)) for share in asset.shares]
    shares, place = _placed(left, weights, key, taker)
    shares[place].bps += bps
    return shares


def _placed(
    shares: Sequence[Share], weights: dict[str, Encumbrance], key: str, account: str
) -> tuple[list[Share], int]:
    """The holders with `account` among them, and its place: its own, else the first emptied one, else a new one.

    An emptied place that an open pledge keeps for its pledgee is not taken, or a full list would bar the enforcement.
    """
    awaited = {weight.pledgee for weight in weights.values() if weight.bps}
    own = (i for i, share in enumerate(shares) if share.holder == account)
    emptied = (i for i, share in enumerate(shares) if share.bps == 0 and share.holder not in awaited)
    place = next(own, next(emptied, len(shares)))
    if place == MAX_SHARE_HOLDERS:
        raise refuse("RightsSharesFull", assetId=key)
    placed = [Share(share.holder, share.bps) for share in shares]
    placed[place : place + 1] = [Share(account, placed[place].bps if place < len(placed) else 0)]
    return placed, place
