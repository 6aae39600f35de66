"""What the ledger's events say about money."""

from sqlmodel import Session

from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.tables import Balance, Payout

NOBODY = "0x" + "00" * 20


def transferred(session: Session, event: LedgerEvent) -> None:
    """`Transfer` of the token: from one balance to another; from nobody when the bank issues."""
    args = event.args
    for account, change in ((args["from"], -args["value"]), (args["to"], args["value"])):
        if account != NOBODY:
            row = session.get(Balance, account) or Balance(account=account, balance=0)
            row.balance += change
            session.add(row.stamp(event))


def share_paid(session: Session, event: LedgerEvent) -> None:
    """`SharePaid`: a share holder's part of an order."""
    args = event.args
    session.add(Payout(order_id=args["orderId"], holder=args["holder"], amount=args["amount"]).stamp(event))


PROJECTORS = {"Transfer": (transferred,), "SharePaid": (share_paid,)}
