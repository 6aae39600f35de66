"""What the ledger's events say about assets, titles, shares and privacy budgets."""

from sqlmodel import Session

from marketplace.ledger.tables import LedgerEvent
from marketplace.rights.tables import Asset, Share, Title
from marketplace.storage.projected import projected
from marketplace.types import ZERO_DIGEST, AssetStatus


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
    """`Confirmed`: the registrar stands for the claim; the titles follow as events of their own."""
    asset = projected(session, Asset, event.args["assetId"])
    asset.status, asset.version = AssetStatus.CONFIRMED, event.args["version"]
    asset.certificate_digest, asset.valid_until = event.args["certificateDigest"], event.args["validUntil"]
    session.add(asset.stamp(event))


def marked(session: Session, event: LedgerEvent) -> None:
    """`Marked`: a registrar suspended, restored or revoked the registration."""
    asset = projected(session, Asset, event.args["assetId"])
    asset.status, asset.version = event.args["status"], event.args["version"]
    session.add(asset.stamp(event))


def title_granted(session: Session, event: LedgerEvent) -> None:
    """`TitleGranted`: a title comes into being with version 1."""
    args = event.args
    title = Title(
        title_id=args["titleId"],
        asset_id=args["assetId"],
        kind=args["kind"],
        holder=args["holder"],
        order_id=args["orderId"],
        valid_until=args["validUntil"],
        version=1,
    )
    session.add(title.stamp(event))


def title_transferred(session: Session, event: LedgerEvent) -> None:
    """`TitleTransferred`: a title has another holder."""
    title = projected(session, Title, event.args["titleId"])
    title.holder, title.version = event.args["to"], event.args["version"]
    session.add(title.stamp(event))


def share_transferred(session: Session, event: LedgerEvent) -> None:
    """`ShareTransferred`: basis points move. Whoever is left with none has no row any more."""
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
        if giver in session.new:  # it came into being in this very block, and is not written yet
            session.flush()
        session.delete(giver)
    asset = projected(session, Asset, args["assetId"])
    asset.share_version = args["version"]
    session.add(asset.stamp(event))


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
    "TitleTransferred": (title_transferred,),
    "ShareTransferred": (share_transferred,),
    "BudgetCommitted": (budget_committed,),
    "BudgetReleased": (budget_released,),
}
