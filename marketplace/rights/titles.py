"""Titles, who may hold, use and operate an asset: contracts/src/Titles.sol in Python, verb by verb.

Roots come with an asset's confirmation, parts by grant, the uses of orders by funding; a title ends by `surrender` or
`revoke`, by its term, or with a title above it. Pledges and encumbrances: marketplace/rights/encumbrances.py.
"""

from itertools import pairwise

from crypto.canonical import to_hex
from marketplace.documents.ids import granted_id, title_id
from marketplace.events import Event
from marketplace.intents import struct_hash
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import Rights
from marketplace.rights.title_records import (
    ALL_FIELDS,
    ALL_PURPOSES,
    ALL_TERRITORIES,
    LAST_MOMENT,
    MAX_DEPTH,
    MAX_PARTS,
    NOT_BEGUN,
    ROOTS,
    WIDER_MARKS,
    WIDER_TERM,
    Cell,
    Title,
    Titles,
    require_covers,
)
from marketplace.types import ZERO_DIGEST, Role, TitleKind, TitleMark, right_bit

TERMS = TitleMark.EXCLUSIVE | TitleMark.MAY_GRANT | TitleMark.MAY_DERIVE
ROOT_MARKS = {
    TitleKind.HOLD: TitleMark.EXCLUSIVE,
    TitleKind.USE: TitleMark.MAY_GRANT | TitleMark.MAY_DERIVE,
    TitleKind.OPERATE: TERMS,
}
# (what one has, what one may grant of it): to hold is transferred whole or not at all.
GRANTABLE = frozenset(
    (
        (TitleKind.USE, TitleKind.USE),
        (TitleKind.OPERATE, TitleKind.USE),
        (TitleKind.OPERATE, TitleKind.OPERATE),
    )
)


def transfer(state: Titles, rights: Rights, participants: Participants, handover: Message, now: int) -> list[Event]:
    """Hand a title to another active participant.

    Args:
        handover: the intent Transfer, signed by both sides.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, giver, taker = handover["titleId"], handover["from"], handover["to"]
    require_in_time(handover, now)
    title = state.records.get(key)
    if title is None or title.holder != giver:
        raise refuse("TitlesNotHolder", titleId=key, account=giver)
    if not is_transferable(title):
        raise refuse("TitlesNotTransferable", titleId=key)
    if giver == taker:
        raise refuse("TitlesSameParty", account=taker)
    require_version(title.version, handover)
    require_movable(state, rights, key, now)
    state.require_permitted(key, act_of("Transfer", handover))
    participants.require_active(giver)
    participants.require_active(taker)

    title.holder = taker
    title.version += 1
    rights.note_party(title.asset_id, taker)
    return [Event("Titles", "TitleTransferred", {"titleId": key, "from": giver, "to": taker, "version": title.version})]


def require_movable(state: Titles, rights: Rights, key: str, now: int) -> tuple[int, int]:
    """Refuse what is not in force, encumbered, passing by a registered transfer, or of an entry that does not stand.

    Returns:
        how far the title is from its root; the end of the asset's term.
    """
    depth = state.require_free(key, now)
    state.require_not_passing(key)
    return depth, rights.require_confirmed(state.records[key].asset_id, now)


def is_transferable(title: Title) -> bool:
    """An order's use stays with its buyer, the right to hold passes by a registered transfer alone, and a part moves
    only if it may be granted on.
    """
    return (
        title.number != 0
        and title.kind is not TitleKind.HOLD
        and (title.parent is None or TitleMark.MAY_GRANT in title.marks)
    )


def grant(state: Titles, rights: Rights, participants: Participants, wish: Message, now: int) -> list[Event]:
    """Grant a part of a title.

    Args:
        wish: the intent Grant, signed by grantor and grantee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, parent_key, grantor, grantee = wish["titleId"], wish["parent"], wish["grantor"], wish["grantee"]
    require_in_time(wish, now)
    expected = granted_id(parent_key, grantee, wish["termsDigest"])
    if key != expected:
        raise refuse("TitlesIdMismatch", expected=expected, got=key)
    if key in state.records:
        raise refuse("TitlesExists", titleId=key)
    parent = state.require_held(parent_key, grantor)
    if grantor == grantee:
        raise refuse("TitlesSameParty", account=grantee)
    require_version(parent.version, wish)
    if (parent.kind, wish["kind"]) not in GRANTABLE or TitleMark.MAY_GRANT not in parent.marks:
        raise refuse("TitlesNotGrantable", parent=parent_key, kind=wish["kind"])
    depth, latest = require_movable(state, rights, parent_key, now)
    if depth == MAX_DEPTH:
        raise refuse("TitlesDepth", titleId=parent_key)
    _require_within(parent_key, parent, wish, latest, now)
    if wish["marks"] & TitleMark.EXCLUSIVE:
        state.require_permitted(parent_key, act_of("Grant", wish))
    participants.require_active(grantor)
    participants.require_active(grantee)
    part = _part(parent, wish, state.count + 1)
    _require_no_conflict(state, parent_key, part, now)
    _enter(state, parent_key, key, now)

    state.records[key] = part
    state.count += 1
    rights.note_party(parent.asset_id, grantee)
    names = ("titleId", "parent", "kind", "purposes", "fields", "territories", "validFrom", "validUntil", "marks")
    args = {name: wish[name] for name in (*names, "termsDigest")}
    return [Event("Titles", "TitleDerived", args | {"assetId": parent.asset_id, "holder": grantee})]


def surrender(state: Titles, participants: Participants, wish: Message, now: int) -> list[Event]:
    """Give a granted title up, as its holder, when nothing that was granted out of it is in force any more.

    Args:
        wish: the intent Surrender, signed by the holder.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder = wish["titleId"], wish["holder"]
    require_in_time(wish, now)
    title = state.require_held(key, holder)
    if title.parent is None:
        raise refuse("TitlesFirst", titleId=key)
    require_version(title.version, wish)
    state.require_unused(key, now)
    state.require_free(key, now)
    state.require_permitted(key, act_of("Surrender", wish))
    participants.require_active(holder)
    return _end(title, wish, holder)


def revoke(state: Titles, rights: Rights, participants: Participants, decision: Message, now: int) -> list[Event]:
    """Revoke any title, as a registrar without a part in it.

    Args:
        decision: the intent RevokeTitle, signed by the registrar.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key = decision["titleId"]
    require_in_time(decision, now)
    title = state.records.get(key)
    if title is None or title.number == 0 or TitleMark.ENDED in title.marks:
        raise refuse("TitlesOver", titleId=key, ancestor=key, cause=title.why_over(now) if title else 0)
    require_version(title.version, decision)
    require_registrar(state, rights, participants, title.asset_id, decision["registrar"])
    return _end(title, decision, decision["registrar"])


def _end(title: Title, intent: Message, actor: str) -> list[Event]:
    title.marks |= TitleMark.ENDED
    title.version += 1
    args = {"titleId": intent["titleId"], "by": actor, "reasonDigest": intent["reasonDigest"]}
    return [Event("Titles", "TitleEnded", args | {"version": title.version})]


def open_titles(state: Titles, asset_key: str, holder: str, valid_until: int, rights: int) -> list[Event]:
    """Create the first titles of an asset that is confirmed; for the rules of rights alone.

    Args:
        rights: which of them, bits as `marketplace.types.right_bit`.
    """
    events = []
    for kind in (kind for kind in ROOTS if rights & right_bit(kind)):
        key = title_id(asset_key, kind)
        state.count += 1
        state.records[key] = Title(
            holder, kind, 0, asset_key, None, ROOT_MARKS[kind], ALL_PURPOSES, ALL_FIELDS, ALL_TERRITORIES,
            number=state.count,
        )  # fmt: skip
        events.append(_granted(key, state.records[key], valid_until, ZERO_DIGEST))
    return events


def hand_over(state: Titles, asset_key: str, giver: str, taker: str) -> list[Event]:
    """Give the first titles that `giver` holds to the receiver of a registered transfer; for the rules of rights alone.

    The transferor keeps none of them; one that somebody else holds, or that has ended, stays where it is.
    """
    keys = _passing(state, asset_key, giver)
    for key in keys:
        state.records[key].holder = taker
        state.records[key].version += 1
    args = [{"titleId": key, "from": giver, "to": taker, "version": state.records[key].version} for key in keys]
    return [Event("Titles", "TitleTransferred", item) for item in args]


def require_passable(state: Titles, asset_key: str, giver: str) -> None:
    """Refuse a transfer while a first title that would pass is seized, under control or pledged."""
    for key in _passing(state, asset_key, giver):
        require_unburdened(state, key)


def require_whole(state: Titles, asset_key: str, holder: str, now: int) -> None:
    """Refuse to end what somebody else holds a first title of, what a first title is seized or pledged of, and what
    others hold something under.
    """
    for key in first_titles(state, asset_key):
        if state.records[key].holder != holder:
            raise refuse("TitlesNotHolder", titleId=key, account=holder)
        require_unburdened(state, key)
        state.require_unused(key, now)


def first_titles(state: Titles, asset_key: str) -> list[str]:
    """Ids of an asset's first titles, as many as its source gave."""
    return [key for kind in ROOTS if (key := title_id(asset_key, kind)) in state.records]


def require_unburdened(state: Titles, key: str) -> None:
    """Refuse a title that is seized, under control or pledged."""
    marks = state.records[key].marks & TitleMark.ENCUMBRANCES
    if marks:
        raise refuse("TitlesEncumbered", titleId=key, ancestor=key, marks=int(marks))
    state.require_unpledged(key)


def _passing(state: Titles, asset_key: str, giver: str) -> list[str]:
    bits = state.passing(asset_key, giver)
    return [title_id(asset_key, kind) for kind in ROOTS if bits & right_bit(kind)]


def grant_use(state: Titles, parent: str, asset_key: str, order: Message) -> list[Event]:
    """Grant the use title of an order; for the rules of orders alone.

    Args:
        parent: the title to operate under which the order's listing stands.
        order: the intent Fund.
    """
    key = title_id(asset_key, TitleKind.USE, order["orderId"])
    above = state.records[parent]
    above.used_until = max(above.used_until, order["validUntil"])
    state.records[key] = Title(order["buyer"], TitleKind.USE, order["validUntil"], asset_key, parent)
    return [_granted(key, state.records[key], order["validUntil"], order["orderId"])]


def note_offer(state: Titles, listing: Message, now: int) -> None:
    """Remember that a cell of a title is on offer; all that stands at once is remembered as one cell."""
    cell, known = offered_cell(listing, now), state.offered.get(listing["titleId"])
    if known is not None and known.valid_until >= now:
        fields = int(known.fields, 16) | int(cell.fields, 16)
        cell = Cell(
            known.purposes | cell.purposes,
            f"0x{fields:064x}",
            known.territories | cell.territories,
            known.valid_from,
            max(known.valid_until, cell.valid_until),
        )
    state.offered[listing["titleId"]] = cell


def offered_cell(listing: Message, now: int) -> Cell:
    """What a listing offers, from now on."""
    until = min(listing["validUntil"], LAST_MOMENT)
    return Cell(listing["purposes"], listing["fields"], listing["territories"], now, until)


def require_operator(state: Titles, rights: Rights, product: Message, now: int) -> int:
    """Refuse unless the seller may offer this under its title now; returns the end of the title's term.

    Args:
        product: titleId, assetId, seller, purposes, fields, territories, validUntil as in the intent List.
    """
    key, cell = product["titleId"], offered_cell(product, now)
    latest = rights.require_confirmed(product["assetId"], now)
    title = state.records.get(key)
    operates = title is not None and title.kind is TitleKind.OPERATE and title.asset_id == product["assetId"]
    if title is None or not operates or title.holder != product["seller"]:
        raise refuse("TitlesNotHolder", titleId=key, account=product["seller"])
    require_covers(key, title, cell.purposes, cell.fields, cell.territories)
    state.require_free(key, now)
    if now < title.valid_from:
        raise refuse("TitlesOver", titleId=key, ancestor=key, cause=NOT_BEGUN)
    _require_none_overlaps(state, state.parts.get(key, []), cell, now)
    return latest if title.parent is None else title.valid_until


def require_no_part(state: Titles, rights: Rights, asset_key: str, account: str) -> None:
    """Refuse whoever registered the asset, shares in its revenue, has a first title, or ever was a party."""
    if rights.assets[asset_key].has_part(account) or state.has_part(asset_key, account):
        raise refuse("RightsOwnMatter", registrar=account)


def require_registrar(
    state: Titles, rights: Rights, participants: Participants, asset_key: str, registrar: str
) -> None:
    """Refuse whoever has, or ever took, a part in the asset, or is no registrar."""
    require_no_part(state, rights, asset_key, registrar)
    participants.require_active(registrar, Role.REGISTRAR)


def act_of(intent: str, message: Message) -> str:
    """The name by which a pledgee permits an act: its EIP-712 struct hash."""
    return to_hex(struct_hash(intent, message))


def _require_within(key: str, parent: Title, wish: Message, latest: int, now: int) -> None:
    if wish["marks"] & ~int(parent.marks & TERMS):  # of an IntFlag, ~ forgets the bits that have no name
        raise refuse("TitlesWider", titleId=key, dimension=WIDER_MARKS)
    require_covers(key, parent, wish["purposes"], wish["fields"], wish["territories"])
    end_ = latest if parent.parent is None else parent.valid_until
    within = wish["validFrom"] >= parent.valid_from and wish["validUntil"] <= end_
    if not within or wish["validFrom"] >= wish["validUntil"] or wish["validUntil"] <= now:
        raise refuse("TitlesWider", titleId=key, dimension=WIDER_TERM)


def _part(parent: Title, wish: Message, number: int) -> Title:
    return Title(
        wish["grantee"],
        TitleKind(wish["kind"]),
        wish["validUntil"],
        parent.asset_id,
        wish["parent"],
        TitleMark(wish["marks"]),
        wish["purposes"],
        wish["fields"],
        wish["territories"],
        wish["validFrom"],
        number=number,
    )


def _require_no_conflict(state: Titles, parent_key: str, part: Title, now: int) -> None:
    """No two parts of one whole overlap if one is exclusive; an older use may remain under a right to operate.

    Why that is enough: contracts/src/Titles.sol. An exclusive use must find no older use on any level above it.
    """
    exclusive, operates = TitleMark.EXCLUSIVE in part.marks, part.kind is TitleKind.OPERATE
    _require_no_part_overlaps(state, parent_key, part.cell, now, exclusive=exclusive, operates=operates)
    if not exclusive or operates:
        return
    _require_not_offered(state, parent_key, part.cell, now)
    chain = list(state.chain(parent_key))
    for (below, _), (above, _) in pairwise(chain):
        _require_no_part_overlaps(state, above, part.cell, now, exclusive=True, operates=False, besides=below)
        _require_not_offered(state, above, part.cell, now)


def _require_no_part_overlaps(
    state: Titles, key: str, cell: Cell, now: int, *, exclusive: bool, operates: bool, besides: str = ""
) -> None:
    """Parts of the first use and of the first operate title are parts of one whole."""
    title, keys = state.records[key], [key]
    if title.parent is None:
        other = TitleKind.OPERATE if title.kind is TitleKind.USE else TitleKind.USE
        keys.append(title_id(title.asset_id, other))
    for whole in keys:
        parts = [name for name in state.parts.get(whole, []) if name != besides]
        _require_none_overlaps(state, parts, cell, now, exclusive=exclusive, operates=operates)


def _require_none_overlaps(
    state: Titles, parts: list[str], cell: Cell, now: int, *, exclusive: bool = False, operates: bool = False
) -> None:
    for name in parts:
        part = state.records[name]
        spared = operates and part.kind is TitleKind.USE
        bars = TitleMark.EXCLUSIVE in part.marks or (exclusive and not spared)
        if bars and not part.is_over(now) and part.cell.overlaps(cell):
            raise refuse("TitlesConflict", other=name)


def _require_not_offered(state: Titles, key: str, cell: Cell, now: int) -> None:
    known = state.offered.get(key)
    if known is None or known.valid_until < now or known.valid_until < cell.valid_from:
        return
    if known.shares_kind_with(cell):
        raise refuse("TitlesOffered", titleId=key, until=known.valid_until)


def _enter(state: Titles, parent_key: str, key: str, now: int) -> None:
    """Into the place of a part that is over, or at the end."""
    parts = state.parts.get(parent_key, [])
    place = next((i for i, name in enumerate(parts) if state.records[name].is_over(now)), len(parts))
    if place == MAX_PARTS:
        raise refuse("TitlesFull", titleId=parent_key)
    state.parts[parent_key] = [*parts[:place], key, *parts[place + 1 :]]


def _granted(key: str, title: Title, valid_until: int, order: str) -> Event:
    args = {"titleId": key, "assetId": title.asset_id, "kind": int(title.kind), "holder": title.holder}
    rest = {"orderId": order, "validUntil": valid_until, "parent": title.parent or ZERO_DIGEST}
    return Event("Titles", "TitleGranted", args | rest)
