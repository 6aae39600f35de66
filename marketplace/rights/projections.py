"""What the ledger's events say about assets, titles, shares and privacy budgets."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from marketplace.documents.ids import title_id
from marketplace.ledger.tables import LedgerEvent
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.rights.title_records import ALL_FIELDS, ALL_PURPOSES, ALL_TERRITORIES, NO_FIELDS, ROOTS
from marketplace.rights.titles import ROOT_MARKS
from marketplace.storage.projected import projected
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, AssetStatus, TitleKind, TitleMark


def registered(session: Session, event: LedgerEvent) -> None:
    """`Registered`: a new asset with its shares."""
    args = event.args
    asset = Asset(
        asset_id=args["assetId"],
        holder=args["holder"],
        manifest_digest=args["manifestDigest"],
        ciphertext_root=args["ciphertextRoot"],
        claim_digest=args["claimDigest"],
        level=args["level"],
        status=AssetStatus.REGISTERED,
        certificate_digest=ZERO_DIGEST,
        valid_until=0,
        version=1,
        share_version=1,
        epsilon_budget=args["epsilonBudget"],
        epsilon_committed=0,
        epsilon_released=0,
    )
    session.add(asset.stamp(event))
    for holder, bps in zip(args["shareHolders"], args["shareBps"], strict=True):
        session.add(Share(asset_id=args["assetId"], holder=holder, bps=bps).stamp(event))


def confirmed(session: Session, event: LedgerEvent) -> None:
    """`Confirmed`: the registrar stands for the claim. The first titles follow as events of their own; those that are
    there get the end that a renewal gives their asset, as the contract shows it."""
    asset = projected(session, Asset, event.args["assetId"])
    if asset.status != AssetStatus.REGISTERED and asset.valid_until != event.args["validUntil"]:
        _renew_titles(session, event)
    asset.status, asset.version = AssetStatus.CONFIRMED, event.args["version"]
    asset.certificate_digest, asset.valid_until = event.args["certificateDigest"], event.args["validUntil"]
    session.add(asset.stamp(event))


def _renew_titles(session: Session, event: LedgerEvent) -> None:
    for kind in ROOTS:
        title = session.get(Title, title_id(event.args["assetId"], kind))
        if title is not None:
            title.valid_until = event.args["validUntil"]
            session.add(title.stamp(event))


def marked(session: Session, event: LedgerEvent) -> None:
    """`Marked`: a registrar suspended, restored, revoked or cancelled the registration."""
    asset = projected(session, Asset, event.args["assetId"])
    asset.status, asset.version = event.args["status"], event.args["version"]
    session.add(asset.stamp(event))


def title_granted(session: Session, event: LedgerEvent) -> None:
    """`TitleGranted`: a root, or the use of an order, comes into being with version 1."""
    args = event.args
    kind, is_root = TitleKind(args["kind"]), args["orderId"] == ZERO_DIGEST
    title = _title(
        args,
        order_id=args["orderId"],
        marks=ROOT_MARKS[kind] if is_root else 0,
        purposes=ALL_PURPOSES if is_root else 0,
        fields=ALL_FIELDS if is_root else NO_FIELDS,
        territories=ALL_TERRITORIES if is_root else 0,
        valid_from=0,
        terms_digest=ZERO_DIGEST,
    )
    session.add(title.stamp(event))


def title_derived(session: Session, event: LedgerEvent) -> None:
    """`TitleDerived`: a part of a title was granted, version 1."""
    args = event.args
    title = _title(
        args,
        order_id=ZERO_DIGEST,
        marks=args["marks"],
        purposes=args["purposes"],
        fields=args["fields"],
        territories=args["territories"],
        valid_from=args["validFrom"],
        terms_digest=args["termsDigest"],
    )
    session.add(title.stamp(event))


def _title(args: Mapping[str, Any], **scope: Any) -> Title:
    return Title(
        title_id=args["titleId"],
        asset_id=args["assetId"],
        kind=args["kind"],
        holder=args["holder"],
        parent=args["parent"],
        valid_until=args["validUntil"],
        pledgee=ZERO_ADDRESS,
        permitted=ZERO_DIGEST,
        moves=0,
        version=1,
        **scope,
    )


def title_transferred(session: Session, event: LedgerEvent) -> None:
    """`TitleTransferred`: a title has another holder."""
    title = projected(session, Title, event.args["titleId"])
    title.moves += 1
    title.holder, title.version = event.args["to"], event.args["version"]
    session.add(title.stamp(event))


def _changed(session: Session, event: LedgerEvent, **values: Any) -> None:
    title = projected(session, Title, event.args["titleId"])
    for name, value in (values | {"version": event.args["version"]}).items():
        setattr(title, name, value)
    session.add(title.stamp(event))


def _marks(session: Session, event: LedgerEvent) -> int:
    return projected(session, Title, event.args["titleId"]).marks


def title_ended(session: Session, event: LedgerEvent) -> None:
    """`TitleEnded`: given up or revoked."""
    _changed(session, event, marks=_marks(session, event) | TitleMark.ENDED)


def title_encumbered(session: Session, event: LedgerEvent) -> None:
    """`TitleEncumbered`: seized or under control, or no longer."""
    _changed(session, event, marks=_marks(session, event) & ~TitleMark.ENCUMBRANCES | event.args["marks"])


def title_pledged(session: Session, event: LedgerEvent) -> None:
    """`TitlePledged`."""
    _changed(session, event, marks=_marks(session, event) | TitleMark.PLEDGED, pledgee=event.args["pledgee"])


def pledge_released(session: Session, event: LedgerEvent) -> None:
    """`PledgeReleased`: the pledgee stays on record as the last one."""
    _changed(session, event, marks=_marks(session, event) & ~TitleMark.PLEDGED)


def act_permitted(session: Session, event: LedgerEvent) -> None:
    """`ActPermitted`: the pledgee allows one act."""
    _changed(session, event, permitted=event.args["act"])


def pledge_enforced(session: Session, event: LedgerEvent) -> None:
    """`PledgeEnforced`: the pledgee holds the title now."""
    projected(session, Title, event.args["titleId"]).moves += 1
    _changed(session, event, marks=_marks(session, event) & ~TitleMark.PLEDGED, holder=event.args["to"])


def share_transferred(session: Session, event: LedgerEvent) -> None:
    """`ShareTransferred`: basis points move."""
    _move_share(session, event)
    asset = projected(session, Asset, event.args["assetId"])
    asset.share_version = event.args["version"]
    session.add(asset.stamp(event))


def share_pledged(session: Session, event: LedgerEvent) -> None:
    """`SharePledged`: the holder keeps what is pledged, and is paid for it."""
    args = event.args
    _weigh_share(
        session, event, args["holder"], pledgee=args["pledgee"], bps=args["bps"], debt_digest=args["debtDigest"]
    )


def share_released(session: Session, event: LedgerEvent) -> None:
    """`ShareReleased`: the pledgee stays on record as the last one."""
    _weigh_share(session, event, event.args["holder"], bps=0)


def share_enforced(session: Session, event: LedgerEvent) -> None:
    """`ShareEnforced`: what was pledged is the pledgee's now."""
    _move_share(session, event)
    _weigh_share(session, event, event.args["from"], bps=0)
    asset = projected(session, Asset, event.args["assetId"])
    asset.share_version += 1
    session.add(asset.stamp(event))


def share_encumbered(session: Session, event: LedgerEvent) -> None:
    """`ShareEncumbered`: seized or under control, or no longer."""
    _weigh_share(session, event, event.args["holder"], marks=event.args["marks"])


def _move_share(session: Session, event: LedgerEvent) -> None:
    """Whoever is left with nothing has no row any more."""
    args = event.args
    giver = projected(session, Share, args["assetId"], args["from"])
    taker = session.get(Share, (args["assetId"], args["to"])) or Share(
        asset_id=args["assetId"], holder=args["to"], bps=0
    )
    giver.bps, taker.bps = giver.bps - args["bps"], taker.bps + args["bps"]
    session.add(taker.stamp(event))
    if giver.bps:
        session.add(giver.stamp(event))
    else:
        session.delete(giver)


def _weigh_share(session: Session, event: LedgerEvent, holder: str, **values: Any) -> None:
    asset = event.args["assetId"]
    row = session.get(ShareEncumbrance, (asset, holder)) or ShareEncumbrance(
        asset_id=asset, holder=holder, pledgee=ZERO_ADDRESS, bps=0, debt_digest=ZERO_DIGEST, marks=0, version=0
    )
    for name, value in (values | {"version": event.args["version"]}).items():
        setattr(row, name, value)
    session.add(row.stamp(event))


def budget_committed(session: Session, event: LedgerEvent) -> None:
    """`BudgetCommitted`: an order set privacy budget aside."""
    asset = projected(session, Asset, event.args["assetId"])
    asset.epsilon_committed += event.args["amount"]
    session.add(asset.stamp(event))


def budget_released(session: Session, event: LedgerEvent) -> None:
    """`BudgetReleased`: an order that was settled gave back what it did not use."""
    asset = projected(session, Asset, event.args["assetId"])
    asset.epsilon_released += event.args["amount"]
    session.add(asset.stamp(event))


PROJECTORS = {
    "Registered": (registered,),
    "Confirmed": (confirmed,),
    "Marked": (marked,),
    "TitleGranted": (title_granted,),
    "TitleDerived": (title_derived,),
    "TitleTransferred": (title_transferred,),
    "TitleEnded": (title_ended,),
    "TitleEncumbered": (title_encumbered,),
    "TitlePledged": (title_pledged,),
    "PledgeReleased": (pledge_released,),
    "ActPermitted": (act_permitted,),
    "PledgeEnforced": (pledge_enforced,),
    "ShareTransferred": (share_transferred,),
    "SharePledged": (share_pledged,),
    "ShareReleased": (share_released,),
    "ShareEnforced": (share_enforced,),
    "ShareEncumbered": (share_encumbered,),
    "BudgetCommitted": (budget_committed,),
    "BudgetReleased": (budget_released,),
}
