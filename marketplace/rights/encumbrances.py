"""What weighs on titles: seizure, administrative control, pledges. contracts/src/Titles.sol in Python, verb by verb."""

from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import Rights
from marketplace.rights.title_records import Pledging, Titles
from marketplace.rights.titles import is_transferable, require_movable, require_registrar
from marketplace.types import ZERO_ADDRESS, TitleKind, TitleMark


def encumber(state: Titles, rights: Rights, participants: Participants, decision: Message, now: int) -> list[Event]:
    """Mark a title as seized or under administrative control, or lift that.

    Args:
        decision: the intent Encumber, signed by a registrar; it names the digest of a court's or an authority's order.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, asked = decision["titleId"], decision["marks"]
    require_in_time(decision, now)
    title = state.records.get(key)
    current = title.marks & TitleMark.ENCUMBRANCES if title else TitleMark(0)
    if title is None or title.number == 0 or asked & ~int(TitleMark.ENCUMBRANCES) or asked == current:
        raise refuse("TitlesMarks", titleId=key, current=int(current), asked=asked)
    require_version(title.version, decision)
    require_registrar(state, rights, participants, title.asset_id, decision["registrar"])

    title.marks = title.marks & ~TitleMark.ENCUMBRANCES | TitleMark(asked)
    title.version += 1
    return [_event("TitleEncumbered", decision, ("titleId", "marks", "orderDigest", "registrar"), title.version)]


def pledge(state: Titles, rights: Rights, participants: Participants, deed: Message, now: int) -> list[Event]:
    """Pledge a title to operate.

    Args:
        deed: the intent Pledge, signed by holder and pledgee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, holder, pledgee = deed["titleId"], deed["holder"], deed["pledgee"]
    require_in_time(deed, now)
    title = state.require_held(key, holder)
    if title.kind is not TitleKind.OPERATE:
        raise refuse("TitlesNotPledgeable", titleId=key)
    if not is_transferable(title):
        raise refuse("TitlesNotTransferable", titleId=key)
    if holder == pledgee:
        raise refuse("TitlesSameParty", account=pledgee)
    require_version(title.version, deed)
    if TitleMark.PLEDGED in title.marks:
        raise refuse("TitlesPledged", titleId=key, pledgee=state.pledges[key].pledgee)
    require_movable(state, rights, key, now)
    participants.require_active(holder)
    participants.require_active(pledgee)

    title.marks |= TitleMark.PLEDGED
    title.version += 1
    state.pledges[key] = Pledging(pledgee, state.pledges[key].permitted) if key in state.pledges else Pledging(pledgee)
    rights.note_party(title.asset_id, pledgee)
    return [_event("TitlePledged", deed, ("titleId", "pledgee", "debtDigest"), title.version)]


def release_pledge(state: Titles, wish: Message, now: int) -> list[Event]:
    """Release a pledge.

    Args:
        wish: the intent ReleasePledge, signed by the pledgee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(wish, now)
    title = state.require_pledged(wish["titleId"], wish["pledgee"])
    require_version(title.version, wish)

    title.marks &= ~TitleMark.PLEDGED
    title.version += 1
    return [_event("PledgeReleased", wish, ("titleId", "pledgee"), title.version)]


def permit(state: Titles, wish: Message, now: int) -> list[Event]:
    """Permit one transfer, exclusive grant or surrender of a pledged title.

    Args:
        wish: the intent Permit, signed by the pledgee.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key = wish["titleId"]
    require_in_time(wish, now)
    title = state.require_pledged(key, wish["pledgee"])
    require_version(title.version, wish)

    title.version += 1
    state.pledges[key] = Pledging(wish["pledgee"], wish["act"])
    return [_event("ActPermitted", wish, ("titleId", "act", "pledgee"), title.version)]


def enforce(state: Titles, rights: Rights, participants: Participants, ruling: Message, now: int) -> list[Event]:
    """Give a pledged title to its pledgee, free of the pledge.

    Args:
        ruling: the intent Enforce, signed by a registrar; it names the digest of a ruling.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key = ruling["titleId"]
    require_in_time(ruling, now)
    pledgee = state.pledges[key].pledgee if key in state.pledges else ZERO_ADDRESS
    title = state.require_pledged(key, pledgee)
    require_version(title.version, ruling)
    state.require_free(key, now)
    require_registrar(state, rights, participants, title.asset_id, ruling["registrar"])

    args = {"titleId": key, "from": title.holder, "to": pledgee}
    title.holder = pledgee
    title.marks &= ~TitleMark.PLEDGED
    title.version += 1
    rest = {name: ruling[name] for name in ("rulingDigest", "registrar")}
    return [Event("Titles", "PledgeEnforced", args | rest | {"version": title.version})]


def _event(name: str, intent: Message, fields: tuple[str, ...], version: int) -> Event:
    return Event("Titles", name, {field: intent[field] for field in fields} | {"version": version})
