"""What the ledger's events say about clearing."""

from sqlmodel import Session

from marketplace.clearing.tables import ClearedOrder, ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.currencies import code_of
from marketplace.ledger.tables import LedgerEvent
from marketplace.storage.projected import projected
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, BatchStatus, DebtStatus


def opened(session: Session, event: LedgerEvent) -> None:
    """`BatchOpened`."""
    args = event.args
    row = ClearingBatch(
        batch_id=args["batchId"],
        exchange=args["exchange"],
        number=args["number"],
        currency=code_of(args["currency"]),
        status=BatchStatus.OPEN,
        legs=0,
        close_by=args["closeBy"],
        pay_by=0,
        confirmed_by=ZERO_ADDRESS,
        payouts_digest=ZERO_DIGEST,
    )
    session.add(row.stamp(event))


def entered(session: Session, event: LedgerEvent) -> None:
    """`Entered`: an order's parts became credits."""
    args = event.args
    for party, amount in zip(args["parties"], args["amounts"], strict=True):
        if amount:
            _change(session, event, party, credit=amount)
    session.add(ClearedOrder(order_id=args["orderId"], batch_id=args["batchId"]).stamp(event))
    _one_more_leg(session, event)


def owed(session: Session, event: LedgerEvent) -> None:
    """`Owed`: a debt; one that was dropped from an earlier batch starts anew."""
    args = event.args
    batch = _one_more_leg(session, event)
    names = ("batchId", "debtor", "creditor", "amount", "ref")
    batch_id, debtor, creditor, amount, ref = (args[name] for name in names)
    row = session.get(ClearingDebt, args["debtId"]) or ClearingDebt(
        debt_id=args["debtId"],
        batch_id="",
        debtor=debtor,
        creditor=creditor,
        amount=0,
        currency="",
        ref=ref,
        place=0,
        status=0,
    )
    row.currency = batch.currency
    row.batch_id, row.amount, row.place, row.status = batch_id, amount, batch.legs, DebtStatus.ENTERED
    session.add(row.stamp(event))
    _change(session, event, debtor, debit=amount)
    _change(session, event, creditor, credit=amount)


def closed(session: Session, event: LedgerEvent) -> None:
    """`BatchClosed`: nothing enters any more."""
    row = projected(session, ClearingBatch, event.args["batchId"])
    row.status, row.pay_by = BatchStatus.CLOSED, event.args["payBy"]
    session.add(row.stamp(event))


def collected(session: Session, event: LedgerEvent) -> None:
    """`Collected`: a party paid in."""
    _change(session, event, event.args["party"], collected=event.args["amount"])


def dropped(session: Session, event: LedgerEvent) -> None:
    """`Dropped`: a debt that its debtor could not pay left the batch."""
    row = projected(session, ClearingDebt, event.args["debtId"])
    row.status = DebtStatus.DROPPED
    session.add(row.stamp(event))
    _change(session, event, row.debtor, debit=-row.amount)
    _change(session, event, row.creditor, credit=-row.amount)


def confirmed(session: Session, event: LedgerEvent) -> None:
    """`BatchConfirmed`: everybody is covered."""
    args = event.args
    row = projected(session, ClearingBatch, args["batchId"])
    row.status, row.confirmed_by, row.payouts_digest = BatchStatus.CONFIRMED, args["exchange"], args["payoutsDigest"]
    session.add(row.stamp(event))


def paid_out(session: Session, event: LedgerEvent) -> None:
    """`PaidOut`: a party got its net."""
    row = projected(session, ClearingPosition, event.args["batchId"], event.args["party"])
    row.paid = 1
    session.add(row.stamp(event))


def settled(session: Session, event: LedgerEvent) -> None:
    """`BatchSettled`: everybody got its net."""
    row = projected(session, ClearingBatch, event.args["batchId"])
    row.status = BatchStatus.SETTLED
    session.add(row.stamp(event))


def _one_more_leg(session: Session, event: LedgerEvent) -> ClearingBatch:
    row = projected(session, ClearingBatch, event.args["batchId"])
    row.legs += 1
    session.add(row.stamp(event))
    return row


def _change(session: Session, event: LedgerEvent, party: str, **changes: int) -> None:
    key = (event.args["batchId"], party)
    row = session.get(ClearingPosition, key) or ClearingPosition(
        batch_id=key[0], party=party, credit=0, debit=0, collected=0, paid=0
    )
    for name, change in changes.items():
        setattr(row, name, getattr(row, name) + change)
    session.add(row.stamp(event))


PROJECTORS = {
    "BatchOpened": (opened,),
    "Entered": (entered,),
    "Owed": (owed,),
    "BatchClosed": (closed,),
    "Collected": (collected,),
    "Dropped": (dropped,),
    "BatchConfirmed": (confirmed,),
    "PaidOut": (paid_out,),
    "BatchSettled": (settled,),
}
