"""The vault's side: attested queries, releases and refusals.

Where the manifest names a custodian the vault's release is the first half of an answer: the query is `approved` then,
and the custodian has a task (custodian.py).
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, String, bindparam
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.documents import (
    Document,
    digest,
    validate_release,
    validate_shares,
)
from marketplace.documents.answers import validate_refusal
from marketplace.evidence import log
from marketplace.intents import Deployment
from marketplace.orders.tables import Order
from marketplace.queries.inbox.requests import forget
from marketplace.queries.inbox.tasks import misfit, unknown_task
from marketplace.queries.protocol.handover import MAX_LATEST, VaultTask, vault_task
from marketplace.queries.protocol.statements import check_refusal, check_release
from marketplace.queries.service.accounts import count_answer, key_proof, papers_of
from marketplace.queries.service.topics import custodian_topic, topic
from marketplace.queries.tables import (
    APPROVED,
    ATTESTED,
    REFUSED,
    RELEASED,
    CustodianTask,
    QueryRow,
    RequestsDue,
)
from marketplace.storage.documents import read_document, store_document
from marketplace.web.context import announce


def _releases() -> SelectOfScalar[QueryRow]:
    key, now = bindparam("key", type_=String), bindparam("now", type_=BigInteger)
    statement = select(QueryRow).where(col(QueryRow.release_key) == key, QueryRow.state == ATTESTED)
    statement = statement.where(col(QueryRow.vault_lease_until) < now)
    statement = statement.where(col(QueryRow.digest).notin_(select(RequestsDue.query)))
    return statement.order_by(col(QueryRow.attested_at)).limit(1)


_RELEASES = _releases()  # made once, as every waiting vault looks again and again


def waiting_release(session: Session, release_key: str, now: int) -> QueryRow | None:
    """The oldest attested query that this vault may take now."""
    return session.exec(_RELEASES, params={"key": release_key, "now": now}).first()


def take_release(session: Session, release_key: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the oldest attested query to the vault, with every paper that it checks for itself; None where there is
    none."""
    row = waiting_release(session, release_key, now)
    if row is None:
        return None
    row.vault_lease_until = now + lease_seconds
    order = session.get(Order, row.order_id)
    assert order is not None
    task = VaultTask(**task_parts(session, row, order), latest=_latest(session, row))
    more = {"digest": row.digest, "manifest": row.manifest_digest, "leaseUntil": row.vault_lease_until}
    return {**vault_task(task), **more}


def task_parts(session: Session, row: QueryRow, order: Order) -> dict[str, Any]:
    """What vault and custodian are both handed of an attested query."""
    assert row.result_digest is not None
    assert row.attestation_digest is not None
    papers = papers_of(session, order)
    return {
        "query": read_document(session, row.digest),
        "voucher": read_document(session, row.voucher_digest),
        "result": read_document(session, row.result_digest),
        "attestation": read_document(session, row.attestation_digest),
        "papers": papers,
        "keys": key_proof(session, papers),
        "withheld": _withheld(session, row.order_id),
    }


def hand_in_release(
    session: Session, deployment: Deployment, account: str, release: Document, shares: Document, *, now: int
) -> QueryRow:
    """Take a vault's signed release. The same release again changes nothing.

    Raises:
        NotFoundError: `task_unknown`: the query is not for this vault.
        RuleError: `outcome_known`, `release_differs`.
        VerificationError: `release_signature`.
    """
    validate_release(release)
    validate_shares(shares)
    row = _vault_row(session, account, release["query"])
    if row.release_digest == digest(release):
        return row
    _check_undecided(row)
    check_release(release, deployment, row.release_key)
    check_release_document(row, release, shares)
    custodian = read_document(session, row.manifest_digest)["custodian"]
    readers = [row.buyer, row.release_key] + ([custodian] if custodian else [])
    row.shares_digest = store_document(session, shares, now=now, readers=readers)
    row.release_digest = store_document(session, release, now=now, readers=readers)
    row.epsilon_charged = release["epsilon"]
    if custodian is None:
        return finish(session, row, now)
    row.state = APPROVED
    session.add(row)
    session.add(CustodianTask(query=row.digest, custodian=custodian, approved_at=now))
    announce(session, custodian_topic(custodian))
    return row


def finish(session: Session, row: QueryRow, now: int, **more: str) -> QueryRow:
    """The query is answered: write its leaf, with `more` members if there are any, and tell its buyer."""
    row.state, row.finished_at = RELEASED, now
    count_answer(session, row)
    forget(session, row.digest)
    row.leaf = log.append(
        session,
        "query.released",
        now,
        query=row.digest,
        order=row.order_id,
        result=row.result_digest,
        attestation=row.attestation_digest,
        shares=row.shares_digest,
        release=row.release_digest,
        voucher=row.voucher_digest,
        **more,
    )
    session.add(row)
    announce(session, topic(row.digest))
    return row


def hand_in_refusal(session: Session, deployment: Deployment, account: str, refusal: Document, now: int) -> QueryRow:
    """Take a vault's signed refusal; of what it released already, if its custodian does not complete the answer. The
    same refusal again changes nothing.

    Raises:
        NotFoundError: `task_unknown`. RuleError: `outcome_known`, `release_differs`. VerificationError:
        `refusal_signature`.
    """
    validate_refusal(refusal)
    row = _vault_row(session, account, refusal["query"])
    if row.refusal_digest == digest(refusal):
        return row
    if row.state != APPROVED:
        _check_undecided(row)
    check_refusal(refusal, deployment, row.release_key)
    if refusal["order"] != row.order_id:
        raise misfit("release_differs", "the refusal is about another order", row.order_id, refusal["order"])
    if row.state == APPROVED:
        return withhold(session, row, refusal, (row.buyer, row.release_key), now)
    row.refusal_digest = store_document(session, refusal, now=now, readers=(row.buyer, row.release_key))
    row.state, row.epsilon_charged, row.finished_at = REFUSED, 0, now
    forget(session, row.digest)
    row.leaf = log.append(
        session,
        "query.refused",
        now,
        query=row.digest,
        order=row.order_id,
        refusal=row.refusal_digest,
        code=refusal["code"],
    )
    session.add(row)
    announce(session, topic(row.digest))
    return row


def _latest(session: Session, row: QueryRow) -> tuple[Document, ...]:
    """The last releases of the query's series."""
    statement = select(QueryRow).where(QueryRow.series == row.series, col(QueryRow.release_digest).is_not(None))
    found = session.exec(statement.order_by(col(QueryRow.leaf).desc()).limit(MAX_LATEST)).all()
    return tuple(read_document(session, str(item.release_digest)) for item in found)


def _withheld(session: Session, order_id: str) -> tuple[Document, ...]:
    """Refusals of this order's queries by the custodian, or by the vault after its release."""
    tasks = select(CustodianTask.query).where(col(CustodianTask.release_digest).is_(None))
    rows = select(QueryRow).where(QueryRow.order_id == order_id, QueryRow.state == REFUSED)
    found = session.exec(rows.where(col(QueryRow.digest).in_(tasks)).order_by(col(QueryRow.leaf))).all()
    return tuple(read_document(session, str(row.refusal_digest)) for row in found)


def withhold(session: Session, row: QueryRow, refusal: Document, readers: Iterable[str], now: int) -> QueryRow:
    """End a query that its vault has released and that has no second share: no call, but its epsilon stays spent."""
    row.refusal_digest = store_document(session, refusal, now=now, readers=readers)
    row.state, row.finished_at = REFUSED, now
    forget(session, row.digest)
    row.leaf = log.append(
        session,
        "query.withheld",
        now,
        query=row.digest,
        order=row.order_id,
        release=row.release_digest,
        refusal=row.refusal_digest,
        code=refusal["code"],
    )
    session.add(row)
    announce(session, topic(row.digest))
    return row


def check_release_document(row: QueryRow, release: Document, shares: Document) -> None:
    """Check that release and shares are about this query and its result.

    Raises:
        RuleError: `release_differs`.
    """
    stated = (release["order"], release["result"], release["shares"], shares["query"], shares["result"])
    wanted = (row.order_id, row.result_digest, digest(shares), row.digest, row.result_digest)
    if stated != wanted or max(shares["released"]) >= row.numbers or release["epsilon"] > row.epsilon:
        raise misfit("release_differs", "release and shares do not answer this query", wanted, stated)


def _check_undecided(row: QueryRow) -> None:
    if row.state != ATTESTED:
        raise misfit("outcome_known", "this query has an outcome already, or is not attested yet", ATTESTED, row.state)


def _vault_row(session: Session, account: str, name: str) -> QueryRow:
    row = session.get(QueryRow, name)
    if row is None or row.release_key != account:
        raise unknown_task(name)
    return row
