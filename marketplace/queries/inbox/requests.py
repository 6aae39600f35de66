"""Requests of attested results, from a panel node to the key holders that take the panel's word.

A holder says with each poll whether it wants them. Where one does, the result's requests are due once it is attested:
a node that signed the attested result gets the task to upload them, and the holders' tasks wait until all are there.
They are readable by those holders alone, and are deleted when the query has an outcome.
"""

from typing import Any

from sqlalchemy import BigInteger, String, bindparam
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from crypto.canonical import sha256, to_hex
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.participants.tables import Participant
from marketplace.queries.inbox.tasks import row_of, unknown_task
from marketplace.queries.service.topics import PANEL, custodian_topic, vault_topic
from marketplace.queries.tables import (
    APPROVED,
    ATTESTED,
    CustodianTask,
    PanelTask,
    QueryRow,
    RequestsDue,
    RequestWish,
    UploadedRequest,
)
from marketplace.storage.documents import read_document
from marketplace.web.context import announce

MAX_REQUEST = 1 << 20


def is_news(session: Session, holder: str, wanted: bool) -> bool:
    """Whether the holder wished otherwise before; the wish of somebody who holds no key here is none, so that no
    stranger can fill the store."""
    return (session.get(RequestWish, holder) is not None) != wanted and (not wanted or _is_known(session, holder))


def wish(session: Session, holder: str, wanted: bool) -> None:
    """Note whether a key holder wants requests; those of queries that wait for it already fall due."""
    known = session.get(RequestWish, holder)
    if not wanted:
        if known is not None:
            session.delete(known)
            session.flush()
        _drop_unwanted(session)
        return
    if known is None:
        session.add(RequestWish(holder=holder))
        session.flush()
    waiting = select(QueryRow).where(col(QueryRow.state).in_((ATTESTED, APPROVED)))
    for row in session.exec(waiting).all():
        fall_due(session, row)


def fall_due(session: Session, row: QueryRow) -> None:
    """Ask the panel for the requests of an attested query, if a holder wants them and they are not here."""
    if session.get(RequestsDue, row.digest) is None and _wanted(session, row) and _missing(session, row):
        session.add(RequestsDue(query=row.digest))
        session.flush()
        announce(session, PANEL)


def _uploads() -> SelectOfScalar[RequestsDue]:
    node, now = bindparam("node", type_=String), bindparam("now", type_=BigInteger)
    due = select(RequestsDue).join(PanelTask, col(PanelTask.query) == col(RequestsDue.query))
    due = due.join(QueryRow, col(QueryRow.digest) == col(RequestsDue.query))
    due = due.where(col(PanelTask.node) == node, PanelTask.result_digest == QueryRow.result_digest)
    return due.where(col(RequestsDue.lease_until) < now).limit(1)


_UPLOADS = _uploads()  # made once, as every waiting node looks again and again


def waiting_upload(session: Session, node: str, now: int) -> RequestsDue | None:
    """Requests that this node may upload now: it signed the attested result."""
    return session.exec(_UPLOADS, params={"node": node, "now": now}).first()


def take_upload(session: Session, node: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the upload of a result's requests to a node; None where there is none."""
    due = waiting_upload(session, node, now)
    if due is None:
        return None
    due.lease_until = now + lease_seconds
    session.add(due)
    row = row_of(session, due.query)
    return {
        "digest": row.digest,
        "query": read_document(session, row.digest),
        "manifest": row.manifest_digest,
        "plan": row.plan_digest,
        "requests": sorted(_missing(session, row)),
        "leaseUntil": due.lease_until,
    }


def put_request(session: Session, node: str, query: str, name: str, body: bytes) -> None:
    """Take one request from a node of the query's panel. Again is harmless.

    Raises:
        NotFoundError: `task_unknown`. InvalidInputError: `digest_mismatch`, `request_unwanted`.
    """
    if session.get(PanelTask, (query, node)) is None:
        raise unknown_task(query)
    row = row_of(session, query)
    if to_hex(sha256(body)) != name:
        message = "the body has another digest than its path"
        raise InvalidInputError("digest_mismatch", message, zh="内容与摘要不符", expected=name)
    if name not in _missing(session, row):
        if session.get(UploadedRequest, (query, name)) is not None:
            return
        message = "the query's attested result names no such request, or nobody waits for it"
        raise InvalidInputError("request_unwanted", message, zh="该请求未被需要", got=name)
    session.add(UploadedRequest(query=query, digest=name, body=body))
    session.flush()
    if not _missing(session, row):
        due = session.get(RequestsDue, query)
        if due is not None:
            session.delete(due)
        for topic in _topics(session, row):
            announce(session, topic)


def read_request(session: Session, holder: str, query: str, name: str) -> bytes:
    """One request, for the holders of the query's key.

    Raises:
        NotFoundError: `request_unknown`: it is not here, or not for them.
    """
    row = session.get(QueryRow, query)
    found = session.get(UploadedRequest, (query, name))
    if row is None or found is None or holder not in _holders(session, row):
        raise NotFoundError("request_unknown", f"there is no request {name} for you", zh="没有您可读取的该请求")
    return found.body


def forget(session: Session, query: str) -> None:
    """The query has an outcome: its requests are needed no more."""
    session.exec(delete(UploadedRequest).where(col(UploadedRequest.query) == query))
    session.exec(delete(RequestsDue).where(col(RequestsDue.query) == query))


def _is_known(session: Session, holder: str) -> bool:
    """Whether it is a participant, or the holder of a key that a query needs: a vault's and a custodian's may be
    neither's own."""
    if session.get(Participant, holder) is not None:
        return True
    vault = select(QueryRow.digest).where(QueryRow.release_key == holder)
    custodian = select(CustodianTask.query).where(CustodianTask.custodian == holder)
    return any(session.exec(statement.limit(1)).first() is not None for statement in (vault, custodian))


def _drop_unwanted(session: Session) -> None:
    """Nobody waits any more for requests that no holder wants."""
    for due in session.exec(select(RequestsDue)).all():
        row = row_of(session, due.query)
        if not _wanted(session, row):
            session.delete(due)
            for topic in _topics(session, row):
                announce(session, topic)


def _wanted(session: Session, row: QueryRow) -> bool:
    return any(session.get(RequestWish, holder) is not None for holder in _holders(session, row))


def _missing(session: Session, row: QueryRow) -> set[str]:
    """Requests of the attested result that are not here; empty where there is no attested result."""
    if row.state not in (ATTESTED, APPROVED):
        return set()
    numbers = read_document(session, str(row.result_digest))["numbers"]
    named = {entry["c1"] for entry in numbers if entry["c1"] is not None}
    here = session.exec(select(UploadedRequest.digest).where(UploadedRequest.query == row.digest)).all()
    return named - set(here)


def _holders(session: Session, row: QueryRow) -> set[str]:
    custodian = read_document(session, row.manifest_digest)["custodian"]
    return {row.release_key} | ({custodian} if custodian else set())


def _topics(session: Session, row: QueryRow) -> list[str]:
    task = session.get(CustodianTask, row.digest)
    return [vault_topic(row.release_key), *([custodian_topic(task.custodian)] if task else [])]
