"""The panel's side: keys, evaluations, statements, and the attestation that they make together."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session, col, select

from crypto import bls
from crypto.canonical import from_hex
from marketplace.documents import (
    Document,
    digest,
    validate_result,
    validate_statement,
)
from marketplace.evidence import log
from marketplace.queries.inbox.requests import fall_due, take_upload, waiting_upload
from marketplace.queries.inbox.tasks import misfit, row_of, unknown_task
from marketplace.queries.service.topics import query_in_flight, topic, vault_topic
from marketplace.queries.statements import attest, check_statement
from marketplace.queries.tables import (
    ACCEPTED,
    APPROVED,
    ATTESTED,
    EVALUATING,
    FAILED,
    REFUSED,
    PanelKey,
    PanelTask,
    QueryRow,
)
from marketplace.storage.documents import read_document, store_document
from marketplace.web.context import announce


def publish_key(session: Session, node: str, key: str, possession: str, now: int) -> None:
    """Publish a node's BLS key; sellers take it into their terms, where it then stands for good.

    Raises:
        crypto.errors.InvalidProof: the node does not hold the key's secret.
    """
    bls.verify_possession(from_hex(key, 48, "bls"), from_hex(possession, 96, "possession"))
    row = session.get(PanelKey, node) or PanelKey(node=node, bls=key, possession=possession, published_at=now)
    if row.bls != key:
        row.published_at = now
    row.bls, row.possession = key, possession
    session.add(row)


def key_json(row: PanelKey) -> dict[str, Any]:
    """A node's key as terms name it."""
    return {"address": row.node, "bls": row.bls, "possession": row.possession, "publishedAt": row.published_at}


def waiting_evaluation(session: Session, node: str, now: int) -> PanelTask | None:
    """The oldest evaluation that `node` may take now."""
    open_ = select(PanelTask).join(QueryRow, col(QueryRow.digest) == col(PanelTask.query))
    open_ = open_.where(PanelTask.node == node, col(PanelTask.statement_digest).is_(None))
    open_ = open_.where(PanelTask.lease_until < now, col(QueryRow.state).notin_((REFUSED, FAILED)))
    return session.exec(open_.order_by(col(QueryRow.accepted_at)).limit(1)).first()


def take_evaluation(session: Session, node: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the oldest evaluation to `node`; None where there is nothing to do."""
    task = waiting_evaluation(session, node, now)
    if task is None:
        return None
    task.lease_until = now + lease_seconds
    row = row_of(session, task.query)
    if row.state == ACCEPTED:
        row.state = EVALUATING
    return {
        "digest": row.digest,
        "query": read_document(session, row.digest),
        "manifest": row.manifest_digest,
        "plan": row.plan_digest,
        "leaseUntil": task.lease_until,
    }


def waiting_task(session: Session, node: str, now: int) -> object:
    """Anything that `node` may take now."""
    return waiting_evaluation(session, node, now) or waiting_upload(session, node, now)


def take_task(session: Session, node: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the oldest evaluation to `node`, or else an upload (requests.py); None where there is nothing to do."""
    return take_evaluation(session, node, now, lease_seconds) or take_upload(session, node, now, lease_seconds)


def hand_in_result(session: Session, node: str, result: Document, statement: Document, now: int) -> dict[str, Any]:
    """Take a node's result and its signed statement. The same statement again changes nothing.

    Returns:
        {"query", "state", "divergent"}: whether the node stands against the attested result.
    Raises:
        NotFoundError: `task_unknown`: this node was not asked.
        RuleError: `statement_changed`, `result_differs` from the question.
        VerificationError: `statement_signature`.
    """
    validate_result(result)
    validate_statement(statement)
    row, task = _task(session, node, result["query"])
    if task.statement_digest is not None:
        return _told_before(row, task, statement)
    terms = read_document(session, row.terms_digest)
    _check_result(row, result, statement, node)
    key = next(item["bls"] for item in terms["panel"]["nodes"] if item["address"] == node)
    check_statement(statement, key)
    readers = (row.buyer, row.release_key, *(item["address"] for item in terms["panel"]["nodes"]))
    task.result_digest = store_document(session, result, now=now, readers=readers)
    task.statement_digest = store_document(session, statement, now=now, readers=readers)
    task.signature = statement["signature"]
    session.add(task)
    session.flush()
    _tally(session, row, terms, now)
    session.flush()
    return {"query": row.digest, "state": row.state, "divergent": task.divergent}


def require_none_attested(session: Session, order_id: str) -> None:
    """Refuse what must not happen while the order's vault may be answering. Raises RuleError `query_in_flight`."""
    attested = select(QueryRow.digest).where(QueryRow.order_id == order_id)
    attested = attested.where(col(QueryRow.state).in_((ATTESTED, APPROVED)))
    name = session.exec(attested).first()
    if name is not None:
        raise query_in_flight(name)


def end_unattested(session: Session, order_id: str, now: int) -> None:
    """Their order ends: queries that the panel has not attested come to no result, and cost nothing."""
    unfinished = select(QueryRow).where(QueryRow.order_id == order_id, col(QueryRow.state).in_((ACCEPTED, EVALUATING)))
    for row in session.exec(unfinished).all():
        _give_up(session, row, _tasks_of(session, row), now)
        session.add(row)
        announce(session, topic(row.digest))


def _tasks_of(session: Session, row: QueryRow) -> Sequence[PanelTask]:
    return session.exec(select(PanelTask).where(PanelTask.query == row.digest).order_by(col(PanelTask.node))).all()


def _tally(session: Session, row: QueryRow, terms: Document, now: int) -> None:
    """Attest when enough nodes agree; name every node that stands against what is attested; give up when none can
    win."""
    tasks = _tasks_of(session, row)
    if row.result_digest is None and row.state in (ACCEPTED, EVALUATING):
        _attest(session, row, tasks, terms, now)
    for task in tasks:
        if row.result_digest and task.result_digest not in (None, row.result_digest) and not task.divergent:
            task.divergent = True
            session.add(task)
            log.append(
                session,
                "panel.divergence",
                now,
                query=row.digest,
                node=task.node,
                statement=task.statement_digest,
                result=task.result_digest,
                attested=row.result_digest,
            )


def _attest(session: Session, row: QueryRow, tasks: Any, terms: Document, now: int) -> None:
    threshold = terms["panel"]["threshold"]
    votes: dict[str, list[PanelTask]] = {}
    for task in tasks:
        if task.result_digest is not None:
            votes.setdefault(task.result_digest, []).append(task)
    best = max(votes.values(), key=len)
    undecided = sum(task.result_digest is None for task in tasks)
    if len(best) >= threshold:
        statements = [read_document(session, task.statement_digest or "") for task in best]
        readers = (row.buyer, row.release_key, *(task.node for task in tasks))
        row.attestation_digest = store_document(session, attest(statements), now=now, readers=readers)
        row.result_digest, row.state, row.attested_at = best[0].result_digest, ATTESTED, now
        session.add(row)
        fall_due(session, row)
        announce(session, vault_topic(row.release_key))
    elif len(best) + undecided < threshold:
        _give_up(session, row, tasks, now)
    session.add(row)
    announce(session, topic(row.digest))


def _give_up(session: Session, row: QueryRow, tasks: Iterable[PanelTask], now: int) -> None:
    row.state, row.finished_at = FAILED, now
    said = [task.statement_digest for task in tasks if task.statement_digest]
    row.leaf = log.append(session, "query.failed", now, query=row.digest, order=row.order_id, statements=said)


def _told_before(row: QueryRow, task: PanelTask, statement: Document) -> dict[str, Any]:
    if task.statement_digest != digest(statement):
        raise misfit(
            "statement_changed",
            "this node has signed another statement about this query, and that one counts",
            task.statement_digest,
            digest(statement),
        )
    return {"query": row.digest, "state": row.state, "divergent": task.divergent}


def _check_result(row: QueryRow, result: Document, statement: Document, node: str) -> None:
    stated = (statement["node"], statement["result"], result["plan"], len(result["numbers"]))
    wanted = (node, digest(result), row.plan_digest, row.numbers)
    if stated != wanted:
        raise misfit("result_differs", "result and statement do not answer this query", wanted, stated)


def _task(session: Session, node: str, name: str) -> tuple[QueryRow, PanelTask]:
    task = session.get(PanelTask, (name, node))
    if task is None:
        raise unknown_task(name)
    return row_of(session, name), task
