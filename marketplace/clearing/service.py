"""Clearing: batches are opened, filled, closed; then whatever is due next is queued until everybody is paid.

Collecting, dropping and paying need nobody's signature. So `advance` can be asked again after any crash: it reads what
the ledger says and queues what is missing, under names that make saying it twice harmless.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from marketplace.calls import act_digest
from marketplace.clearing.rules import payouts_digest
from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.errors import NotFoundError
from marketplace.evidence.inbox import is_under_way, queue
from marketplace.intents import Deployment
from marketplace.ledger.tables import LedgerBlock
from marketplace.participants.service import require_role
from marketplace.refusals import refuse
from marketplace.settlement.tables import Balance
from marketplace.types import BatchStatus, DebtStatus, Role

AT_ONCE = 2_000  # acts that one `advance` queues at most
_NET: ColumnElement[int] = col(ClearingPosition.credit) + col(ClearingPosition.collected) - col(ClearingPosition.debit)
_SHORT: ColumnElement[bool] = _NET < 0


def get_batch(session: Session, batch_id: str) -> ClearingBatch:
    """A batch as the ledger says. Raises NotFoundError `batch_unknown`."""
    row = session.get(ClearingBatch, batch_id)
    if row is None:
        raise NotFoundError("batch_unknown", f"there is no clearing batch {batch_id}", zh="没有该清算批次")
    return row


def batch_json(session: Session, batch_id: str) -> dict[str, Any]:
    """A batch with what is left to do in it.

    Returns:
        the row, with "parties", "uncovered" and "unpaid" as counts; "payouts", the digest that a ConfirmBatch names
        now, null unless the batch is closed and everybody covered; and "ledgerTime", the last block's time, which may
        be ahead of the clock.
    """
    row = get_batch(session, batch_id)
    uncovered = _count(session, batch_id, _SHORT)
    due = row.status == BatchStatus.CLOSED and uncovered == 0
    return {
        **row.as_json(),
        "parties": _count(session, batch_id),
        "uncovered": uncovered,
        "unpaid": _count(session, batch_id, col(ClearingPosition.paid) == 0),
        "payouts": payouts_digest(_payouts(session, batch_id)) if due else None,
        "ledgerTime": session.exec(select(func.max(LedgerBlock.timestamp))).one(),
    }


def position_json(row: ClearingPosition, currency: str) -> dict[str, Any]:
    """A position in its batch's currency, with "net": what it is paid at the end or, below zero, has yet to pay in."""
    return {**row.as_json(), "currency": currency, "net": _net(row)}


def advance(session: Session, deployment: Deployment, batch_id: str, account: str, now: int) -> dict[str, Any]:
    """Queue what is due next in a batch: collecting and dropping once it is closed, paying once it is confirmed.

    Returns:
        "queued": how many acts were queued now; "waiting": the digests of all that are queued and not yet mined.
    Raises:
        NotAuthorizedError: `role_missing`: `account` is not the exchange.
    """
    require_role(session, account, Role.EXCHANGE)
    return _advance(session, deployment, get_batch(session, batch_id), account, now)


def advance_overdue(session: Session, deployment: Deployment, batch_id: str, account: str, now: int) -> dict[str, Any]:
    """As `advance`, closing and confirming too, for whoever asks once the exchange's own time is over.

    Raises:
        RuleError: `clearing_status`: there is no such batch; `clearing_not_overdue`.
    """
    batch = session.get(ClearingBatch, batch_id)
    if batch is None:
        raise refuse("ClearingStatus", batchId=batch_id, current=int(BatchStatus.NONE), required=int(BatchStatus.OPEN))
    if now <= batch.close_by:
        raise refuse("ClearingNotOverdue", batchId=batch_id, until=batch.close_by)
    return _advance(session, deployment, batch, account, now)


def _advance(session: Session, deployment: Deployment, batch: ClearingBatch, account: str, now: int) -> dict[str, Any]:
    domain, queued = deployment.domain("Clearing"), 0
    waiting: list[str] = []
    for verb, arguments in islice(_due(session, batch, now), AT_ONCE):
        name = act_digest(verb, arguments, domain)
        waiting.append(name)
        if not is_under_way(session, name):
            queue(session, contract="Clearing", verb=verb, arguments=arguments, digest=name, by=account, now=now)
            queued += 1
    return {"queued": queued, "waiting": waiting, "status": batch.status}


def _due(session: Session, batch: ClearingBatch, now: int) -> Iterator[tuple[str, list[Any]]]:
    """What may be done now: verbs and their arguments."""
    if batch.status == BatchStatus.CONFIRMED:
        for position in _positions(session, batch.batch_id, col(ClearingPosition.paid) == 0):
            yield "pay", [batch.batch_id, position.party]
    elif batch.status == BatchStatus.OPEN and now > batch.close_by:
        yield "closeOverdue", [batch.batch_id]
    elif batch.status == BatchStatus.CLOSED:
        short = _positions(session, batch.batch_id, _SHORT)
        for position in short:
            yield from _cover(session, batch, position, now)
        if not short and now > batch.close_by:
            yield "confirmOverdue", [batch.batch_id]


def _cover(
    session: Session, batch: ClearingBatch, position: ClearingPosition, now: int
) -> Iterator[tuple[str, list[Any]]]:
    row = session.get(Balance, (position.party, batch.currency))
    needed, balance = _needed(position), row.balance if row else 0
    if balance >= needed:
        yield "collect", [batch.batch_id, position.party, position.collected + needed]
    elif now > batch.pay_by:
        for debt in _debts(session, batch.batch_id, position.party):
            if balance >= needed:
                return
            yield "drop", [batch.batch_id, debt.debt_id]
            needed -= debt.amount


def _positions(session: Session, batch_id: str, which: ColumnElement[bool]) -> list[ClearingPosition]:
    """The first of the positions with which something is to do, as many as one `advance` can queue acts for."""
    query = select(ClearingPosition).where(ClearingPosition.batch_id == batch_id, which)
    return list(session.exec(query.order_by(ClearingPosition.party).limit(AT_ONCE)))


def _count(session: Session, batch_id: str, *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(ClearingPosition)
    return session.exec(query.where(ClearingPosition.batch_id == batch_id, *which)).one()


def _payouts(session: Session, batch_id: str) -> dict[str, int]:
    """Who is paid what; two columns, not the rows."""
    query = select(ClearingPosition.party, _NET).where(ClearingPosition.batch_id == batch_id)
    return dict(session.exec(query).all())


def _debts(session: Session, batch_id: str, debtor: str) -> list[ClearingDebt]:
    """The debts of `debtor` that are still in the batch, the latest first."""
    query = select(ClearingDebt).where(ClearingDebt.batch_id == batch_id, ClearingDebt.debtor == debtor)
    query = query.where(ClearingDebt.status == DebtStatus.ENTERED)
    return list(session.exec(query.order_by(col(ClearingDebt.place).desc())))


def _net(row: ClearingPosition) -> int:
    return row.credit + row.collected - row.debit


def _needed(row: ClearingPosition) -> int:
    return max(-_net(row), 0)
