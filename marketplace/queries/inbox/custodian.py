"""The custodian's side: queries that their vaults have released, and what the custodians add to them or withhold.

A custodian's release completes the answer. Its refusal ends the query: nothing was opened and the call costs no money;
the epsilon that the vault charged stays charged, since the vault's share has left it.
"""

from typing import Any

from sqlmodel import Session, col, select

from marketplace.documents import Document, digest, validate_refusal, validate_release, validate_shares
from marketplace.intents import Deployment
from marketplace.orders.tables import Order
from marketplace.queries.inbox.tasks import misfit, row_of, unknown_task
from marketplace.queries.inbox.vault import check_release_document, finish, task_parts, withhold
from marketplace.queries.protocol.handover import MAX_LATEST, custodian_task
from marketplace.queries.protocol.handover import CustodianTask as Handed
from marketplace.queries.protocol.statements import check_refusal, check_release
from marketplace.queries.tables import APPROVED, CustodianTask, QueryRow, RequestsDue
from marketplace.storage.documents import read_document, store_document


def waiting_share(session: Session, custodian: str, now: int) -> CustodianTask | None:
    """The oldest released query that this custodian may take now."""
    statement = select(CustodianTask).join(QueryRow, col(QueryRow.digest) == col(CustodianTask.query))
    statement = statement.where(CustodianTask.custodian == custodian, QueryRow.state == APPROVED)
    statement = statement.where(CustodianTask.lease_until < now)
    statement = statement.where(col(QueryRow.digest).notin_(select(RequestsDue.query)))
    return session.exec(statement.order_by(col(CustodianTask.approved_at)).limit(1)).first()


def take_share(session: Session, custodian: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the oldest released query to its custodian, with every paper that it checks for itself."""
    waiting = waiting_share(session, custodian, now)
    if waiting is None:
        return None
    waiting.lease_until = now + lease_seconds
    session.add(waiting)
    row = row_of(session, waiting.query)
    order = session.get(Order, row.order_id)
    assert order is not None
    release, shares = read_document(session, str(row.release_digest)), read_document(session, str(row.shares_digest))
    task = Handed(**task_parts(session, row, order), latest=_latest(session, row), release=release, shares=shares)
    more = {"digest": row.digest, "manifest": row.manifest_digest, "leaseUntil": waiting.lease_until}
    return {**custodian_task(task), **more}


def hand_in_share(
    session: Session, deployment: Deployment, account: str, release: Document, shares: Document, *, now: int
) -> QueryRow:
    """Take a custodian's signed release and its shares. The same release again changes nothing.

    Raises:
        NotFoundError: `task_unknown`: the query is not for this custodian.
        RuleError: `outcome_known`, `release_differs`.
        VerificationError: `release_signature`.
    """
    validate_release(release)
    validate_shares(shares)
    row, task = _task(session, account, release["query"])
    if task.release_digest == digest(release):
        return row
    _check_undecided(row)
    check_release(release, deployment, account)
    check_release_document(row, release, shares)
    _check_same_numbers(session, row, shares)
    readers = (row.buyer, row.release_key, account)
    task.shares_digest = store_document(session, shares, now=now, readers=readers)
    task.release_digest = store_document(session, release, now=now, readers=readers)
    session.add(task)
    return finish(session, row, now, custodianRelease=task.release_digest, custodianShares=task.shares_digest)


def hand_in_refusal(session: Session, deployment: Deployment, account: str, refusal: Document, now: int) -> QueryRow:
    """Take a custodian's signed refusal. The same refusal again changes nothing.

    Raises:
        NotFoundError: `task_unknown`. RuleError: `outcome_known`, `release_differs`.
        VerificationError: `refusal_signature`.
    """
    validate_refusal(refusal)
    row, _ = _task(session, account, refusal["query"])
    if row.refusal_digest == digest(refusal):
        return row
    _check_undecided(row)
    check_refusal(refusal, deployment, account)
    if refusal["order"] != row.order_id:
        raise misfit("release_differs", "the refusal is about another order", row.order_id, refusal["order"])
    return withhold(session, row, refusal, (row.buyer, row.release_key, account), now)


def _latest(session: Session, row: QueryRow) -> tuple[Document, ...]:
    """The custodian's last releases of the query's series."""
    statement = select(CustodianTask).join(QueryRow, col(QueryRow.digest) == CustodianTask.query)
    statement = statement.where(QueryRow.series == row.series, col(CustodianTask.release_digest).is_not(None))
    found = session.exec(statement.order_by(col(QueryRow.leaf).desc()).limit(MAX_LATEST)).all()
    return tuple(read_document(session, str(item.release_digest)) for item in found)


def _check_same_numbers(session: Session, row: QueryRow, shares: Document) -> None:
    """An answer has both shares of every number, or none."""
    vault = read_document(session, str(row.shares_digest))
    wanted, stated = ((part["released"], part["suppressed"], part["generation"]) for part in (vault, shares))
    if stated != wanted:
        raise misfit("release_differs", "vault and custodian do not release the same numbers", wanted, stated)


def _check_undecided(row: QueryRow) -> None:
    if row.state != APPROVED:
        raise misfit("outcome_known", "this query has an outcome already, or waits for its vault", APPROVED, row.state)


def _task(session: Session, account: str, name: str) -> tuple[QueryRow, CustodianTask]:
    task = session.get(CustodianTask, name)
    if task is None or task.custodian != account:
        raise unknown_task(name)
    return row_of(session, name), task
