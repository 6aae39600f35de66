"""What the ledger's events say about money."""

from typing import Any

from sqlmodel import Session

from marketplace.currencies import currency_at
from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.statements.causes import amount_for
from marketplace.settlement.tables import AccountMovement, Balance, Issue, Payout, Redemption
from marketplace.storage.projected import projected
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, RedemptionStatus


def transferred(session: Session, event: LedgerEvent) -> None:
    """`Transfer` of the token: from one balance to another; nobody gives what is issued, nor takes what is burnt."""
    args, currency = event.args, _currency(event)
    for account in {args["from"], args["to"]} - {ZERO_ADDRESS}:
        amount = amount_for(account, args)
        row = session.get(Balance, (account, currency)) or Balance(account=account, currency=currency, balance=0)
        row.balance += amount
        session.add(row.stamp(event))
        if amount:
            place: dict[str, Any] = {"block": event.block, "log_index": event.log_index, "at": event.timestamp}
            moved = AccountMovement(account=account, currency=currency, amount=amount, **place)
            session.add(moved.stamp(event))


def share_paid(session: Session, event: LedgerEvent) -> None:
    """`SharePaid`: a share holder's part of an order."""
    args = event.args
    key = args["orderId"], args["assetId"], args["holder"]
    row = session.get(Payout, key) or Payout(order_id=key[0], asset_id=key[1], holder=key[2], amount=0)
    row.amount += args["amount"]
    session.add(row.stamp(event))


def issued(session: Session, event: LedgerEvent) -> None:
    """`Issued`: a bank made money for a payment that it received."""
    args = event.args
    values = {name: args[name] for name in ("ref", "account", "amount", "bank")}
    session.add(Issue(**values, currency=_currency(event), issued_at=event.timestamp).stamp(event))


def redemption_requested(session: Session, event: LedgerEvent) -> None:
    """`RedemptionRequested`: money is locked until its bank answers."""
    args = event.args
    row = Redemption(
        redemption_id=args["redemptionId"],
        account=args["account"],
        amount=args["amount"],
        currency=_currency(event),
        payout_digest=args["payoutDigest"],
        bank=args["bank"],
        pay_by=args["payBy"],
        status=int(RedemptionStatus.LOCKED),
        ref=ZERO_DIGEST,
        reason_digest=ZERO_DIGEST,
        requested_at=event.timestamp,
    )
    session.add(row.stamp(event))


def redemption_paid(session: Session, event: LedgerEvent) -> None:
    """`RedemptionPaid`: the bank has paid."""
    _ended(session, event, RedemptionStatus.PAID).ref = event.args["ref"]


def redemption_rejected(session: Session, event: LedgerEvent) -> None:
    """`RedemptionRejected`: the bank does not pay."""
    _ended(session, event, RedemptionStatus.REJECTED).reason_digest = event.args["reasonDigest"]


def redemption_expired(session: Session, event: LedgerEvent) -> None:
    """`RedemptionExpired`: the bank was silent."""
    _ended(session, event, RedemptionStatus.EXPIRED)


def _currency(event: LedgerEvent) -> str:
    """Which token tells it; only tokens have these events."""
    found = currency_at(event.contract)
    if found is None:
        raise ValueError(f"{event.name} of {event.contract}")
    return found.code


def _ended(session: Session, event: LedgerEvent, status: RedemptionStatus) -> Redemption:
    row = projected(session, Redemption, event.args["redemptionId"])
    row.status, row.ended_at = int(status), event.timestamp
    session.add(row.stamp(event))
    return row


PROJECTORS = {
    "Transfer": (transferred,),
    "SharePaid": (share_paid,),
    "Issued": (issued,),
    "RedemptionRequested": (redemption_requested,),
    "RedemptionPaid": (redemption_paid,),
    "RedemptionRejected": (redemption_rejected,),
    "RedemptionExpired": (redemption_expired,),
}
