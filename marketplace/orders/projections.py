"""What the ledger's events say about orders."""

from sqlmodel import Session

from marketplace.ledger.tables import LedgerEvent
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order, OrderClaim
from marketplace.storage.projected import projected
from marketplace.types import ZERO_DIGEST, OrderStatus


def funded(session: Session, event: LedgerEvent) -> None:
    """`Funded`: an order stands, its money in escrow."""
    args = event.args
    order = Order(
        order_id=args["orderId"],
        listing_id=args["listingId"],
        asset_id=args["assetId"],
        buyer=args["buyer"],
        escrow=args["escrow"],
        currency=projected(session, Listing, args["listingId"]).currency,
        epsilon_cap=args["epsilonCap"],
        valid_until=args["validUntil"],
        agreement_digest=args["agreementDigest"],
        agreement_id=args["agreementId"],
        status=OrderStatus.FUNDED,
        calls_root=ZERO_DIGEST,
    )
    session.add(order.stamp(event))


def settled(session: Session, event: LedgerEvent) -> None:
    """`Settled`: closed by the last voucher."""
    args = event.args
    order = projected(session, Order, args["orderId"])
    order.status, order.amount, order.epsilon = OrderStatus.SETTLED, args["amount"], args["epsilon"]
    order.calls, order.calls_root = args["calls"], args["callsRoot"]
    order.fee, order.refund = args["fee"], args["refund"]
    session.add(order.stamp(event))


def refunded(session: Session, event: LedgerEvent) -> None:
    """`Refunded`: the term passed without a closing; everything went back."""
    order = projected(session, Order, event.args["orderId"])
    order.status, order.refund = OrderStatus.REFUNDED, event.args["amount"]
    session.add(order.stamp(event))


def claimed(session: Session, event: LedgerEvent) -> None:
    """`Claimed`: one side alone asks for the end; a window is open."""
    args = event.args
    order = projected(session, Order, args["orderId"])
    order.status = OrderStatus.CLAIMED
    session.add(order.stamp(event))
    claim = OrderClaim(
        order_id=args["orderId"],
        claimed_by=args["by"],
        voucher_hash=args["voucherHash"],
        amount=args["amount"],
        epsilon=args["epsilon"],
        calls=args["calls"],
        calls_root=args["callsRoot"],
        until=args["until"],
    )
    session.add(claim.stamp(event))


def challenged(session: Session, event: LedgerEvent) -> None:
    """`Challenged`: a higher voucher stands now."""
    args = event.args
    claim = projected(session, OrderClaim, args["orderId"])
    claim.voucher_hash, claim.calls_root = args["voucherHash"], args["callsRoot"]
    claim.amount, claim.epsilon, claim.calls = args["amount"], args["epsilon"], args["calls"]
    session.add(claim.stamp(event))


PROJECTORS = {
    "Funded": (funded,),
    "Settled": (settled,),
    "Refunded": (refunded,),
    "Claimed": (claimed,),
    "Challenged": (challenged,),
}
