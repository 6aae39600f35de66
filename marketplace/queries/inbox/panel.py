"""The panel's side: keys, evaluations, and the statements that nodes hand in."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, String, bindparam
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from crypto import bls
from crypto.canonical import from_hex
from marketplace.documents import (
    Document,
    digest,
    validate_result,
    validate_statement,
)
from marketplace.errors import RuleError
from marketplace.queries.inbox import tally
from marketplace.queries.inbox.requests import take_upload, waiting_upload
from marketplace.queries.inbox.tasks import misfit, row_of, unknown_task
from marketplace.queries.protocol.panels import Fact
from marketplace.queries.protocol.statements import check_statement
from marketplace.queries.service.topics import query_in_flight
from marketplace.queries.tables import ACCEPTED, APPROVED, ATTESTED, EVALUATING, PanelKey, PanelTask, QueryRow
from marketplace.storage.documents import read_document, store_document


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


def _evaluations() -> SelectOfScalar[PanelTask]:
    # Made once: making it takes longer than running it, and every waiting node looks again and again.
    node, now = bindparam("node", type_=String), bindparam("now", type_=BigInteger)
    open_ = select(PanelTask).join(QueryRow, col(QueryRow.digest) == col(PanelTask.query))
    open_ = open_.where(col(PanelTask.node) == node, col(PanelTask.statement_digest).is_(None))
    open_ = open_.where(col(PanelTask.lease_until) < now, col(QueryRow.panel_closed).is_(False))
    settled = col(QueryRow.state).notin_((ACCEPTED, EVALUATING))
    in_time = or_(col(QueryRow.panel_deadline).is_(None), col(QueryRow.panel_deadline) >= now)
    return open_.where(in_time).order_by(settled, col(QueryRow.accepted_at)).limit(1)


_EVALUATIONS = _evaluations()


def waiting_evaluation(session: Session, node: str, now: int) -> PanelTask | None:
    """The oldest evaluation that `node` may take now; first those that somebody still waits for.

    Until the deadline a node is heard even when enough others have spoken, or it would be called absent unjustly.
    """
    return session.exec(_EVALUATIONS, params={"node": node, "now": now}).first()


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
        "deadline": row.panel_deadline,
        "leaseUntil": task.lease_until,
    }


def waiting_task(session: Session, node: str, now: int) -> object:
    """Anything that `node` may take now."""
    return waiting_evaluation(session, node, now) or waiting_upload(session, node, now)


def take_task(session: Session, node: str, now: int, lease_seconds: int) -> dict[str, Any] | None:
    """Lease the oldest evaluation to `node`, or else an upload (requests.py); None where there is nothing to do."""
    return take_evaluation(session, node, now, lease_seconds) or take_upload(session, node, now, lease_seconds)


@dataclass(frozen=True)
class HandedIn:
    """What became of a statement: how its query stands, and where the node stands.

    Args:
        refusal: why the statement does not count, though it is kept as evidence; None where it counts.
    """

    query: str
    state: str
    divergent: bool
    late: bool
    refusal: RuleError | None = None

    def told(self) -> dict[str, Any]:
        """For the node. Raises RuleError `statement_changed`; call it once what is kept is committed."""
        if self.refusal is not None:
            raise self.refusal
        return {"query": self.query, "state": self.state, "divergent": self.divergent, "late": self.late}


def check_handed_in(
    session: Session, node: str, result: Document, statement: Document
) -> tuple[QueryRow, PanelTask, Document]:
    """Check that a statement answers a task of the node's and is signed; returns query, task and the terms' panel.

    Raises:
        As `hand_in_result`.
    """
    validate_result(result)
    validate_statement(statement)
    row, task = _task(session, node, result["query"])
    panel: Document = read_document(session, row.terms_digest)["panel"]
    if task.statement_digest != digest(statement):
        _check_result(row, result, statement, node)
        check_statement(statement, next(item["bls"] for item in panel["nodes"] if item["address"] == node))
    return row, task, panel


def hand_in_result(session: Session, node: str, result: Document, statement: Document, now: int) -> HandedIn:
    """Take a node's result and its signed statement. The same statement again changes nothing; another one is kept as
    evidence against the node, with a refusal.

    Raises:
        NotFoundError: `task_unknown`: this node was not asked.
        RuleError: `result_differs` from the question.
        VerificationError: `statement_signature`.
    """
    row, task, panel = check_handed_in(session, node, result, statement)
    tally.close(session, row, now)
    refusal = None
    if task.statement_digest is None:
        _enter(session, row, task, _keep(session, row, result, statement, now), now)
    elif task.statement_digest != digest(statement):
        if not tally.is_held(session, row.digest, node, Fact.EQUIVOCATED):  # one proof is enough to keep
            _equivocate(session, row, task, _keep(session, row, result, statement, now), now)
        refusal = _changed(task, statement)
    tally.tally(session, row, panel["threshold"], now)
    session.flush()
    differs, late = (tally.is_held(session, row.digest, node, fact) for fact in (Fact.DIFFERED, Fact.LATE))
    return HandedIn(row.digest, row.state, differs, late, refusal)


def require_none_attested(session: Session, order_id: str) -> None:
    """Refuse what must not happen while the order's vault may be answering. Raises RuleError `query_in_flight`."""
    attested = select(QueryRow.digest).where(QueryRow.order_id == order_id)
    attested = attested.where(col(QueryRow.state).in_((ATTESTED, APPROVED)))
    name = session.exec(attested).first()
    if name is not None:
        raise query_in_flight(name)


def _enter(session: Session, row: QueryRow, task: PanelTask, signed: dict[str, str], now: int) -> None:
    """A node's first statement."""
    task.statement_digest, task.result_digest = signed["statement"], signed["result"]
    session.add(task)
    session.flush()
    if tally.is_late(row, now):
        tally.hold(session, row.digest, task.node, Fact.LATE, now, **signed)


def _equivocate(session: Session, row: QueryRow, task: PanelTask, other: dict[str, str], now: int) -> None:
    """A node signed two results of one query; both statements are kept."""
    signed = {"statement": task.statement_digest, "result": task.result_digest}
    signed |= {"otherStatement": other["statement"], "otherResult": other["result"]}
    tally.hold(session, row.digest, task.node, Fact.EQUIVOCATED, now, **signed)


def _changed(task: PanelTask, statement: Document) -> RuleError:
    return misfit(
        "statement_changed",
        "this node has signed another result of this query; both statements are kept as evidence",
        task.statement_digest,
        digest(statement),
    )


def _keep(session: Session, row: QueryRow, result: Document, statement: Document, now: int) -> dict[str, str]:
    """Store a signed result, readable by buyer, vault and panel; returns the digests of statement and result."""
    readers = {row.buyer, row.release_key, *(task.node for task in tally.tasks_of(session, row.digest))}
    documents = {"statement": statement, "result": result}
    return {name: store_document(session, item, now=now, readers=readers) for name, item in documents.items()}


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
