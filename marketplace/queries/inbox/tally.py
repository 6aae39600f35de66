"""What the service does when a panel has spoken, or its time is up: attest, fail, and write down who stands where.

Every step is a function of the rows and of `now`, in one transaction with its leaf of the log; after a restart the same
step is taken from the same rows. The rules are queries/protocol/panels.py's.
"""

from collections.abc import Sequence

from sqlalchemy import String, and_, bindparam, or_
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.documents import Document
from marketplace.evidence import log
from marketplace.queries.inbox.requests import fall_due, forget
from marketplace.queries.protocol.panels import KINDS, ORDER_ENDED, TIMEOUT, Fact, Vote, is_over, verdict
from marketplace.queries.protocol.statements import attest
from marketplace.queries.service.topics import topic, vault_topic
from marketplace.queries.tables import ACCEPTED, ATTESTED, EVALUATING, FAILED, PanelFact, PanelTask, QueryRow
from marketplace.storage.documents import read_document, store_document
from marketplace.web.context import announce

_TASKS = select(PanelTask).where(col(PanelTask.query) == bindparam("query", type_=String)).order_by(col(PanelTask.node))
AT_ONCE = 10  # queries whose panel is closed in one transaction; other writers wait meanwhile


def tasks_of(session: Session, query: str) -> Sequence[PanelTask]:
    """The panel's tasks about a query, by node."""
    return session.exec(_TASKS, params={"query": query}).all()


def is_held(session: Session, query: str, node: str, fact: Fact) -> bool:
    """Whether this is held against the node already."""
    return session.get(PanelFact, (query, node, fact.value)) is not None


def hold(session: Session, query: str, node: str, fact: Fact, now: int, **members: object) -> None:
    """Write a fact about a node into the log, once; `members` are what its leaf says besides query and node."""
    if is_held(session, query, node, fact):
        return
    leaf = log.append(session, KINDS[fact].leaf, now, query=query, node=node, **members)
    session.add(PanelFact(query=query, node=node, kind=fact.value, leaf=leaf))
    session.flush()


def tally(session: Session, row: QueryRow, threshold: int, now: int, *, over: bool = False) -> None:
    """Attest when enough nodes agree; name every node that stands against what is attested; fail when none can win.

    Args:
        over: whether the query's deadline has passed.
    """
    tasks = tasks_of(session, row.digest)
    if row.state in (ACCEPTED, EVALUATING):
        outcome = verdict(_votes(session, row.digest, tasks), threshold, over=over)
        if outcome.result is not None:
            _attest(session, row, tasks, outcome.result, now)
        elif outcome.failure is not None:
            fail(session, row, outcome.failure, now)
        announce(session, topic(row.digest))
    for task in tasks:
        if row.result_digest and task.result_digest not in (None, row.result_digest):
            signed = {"statement": task.statement_digest, "result": task.result_digest}
            hold(session, row.digest, task.node, Fact.DIFFERED, now, **signed, attested=row.result_digest)
    row.panel_closed = row.panel_closed or all(task.statement_digest for task in tasks)
    session.add(row)


def fail(session: Session, row: QueryRow, code: str, now: int) -> None:
    """The query comes to no result and costs nothing; what was signed stands in its leaf."""
    row.state, row.finished_at, row.failure = FAILED, now, code
    row.panel_closed = row.panel_closed or code != TIMEOUT  # nobody is absent from what ended before its deadline
    said = [task.statement_digest for task in tasks_of(session, row.digest) if task.statement_digest]
    row.leaf = log.append(
        session, "query.failed", now, query=row.digest, order=row.order_id, statements=said, code=code
    )
    session.add(row)


def end_unattested(session: Session, order_id: str, now: int) -> None:
    """Their order ends: queries that the panel has not attested come to no result, and cost nothing."""
    unfinished = select(QueryRow).where(QueryRow.order_id == order_id, col(QueryRow.state).in_((ACCEPTED, EVALUATING)))
    for row in session.exec(unfinished).all():
        fail(session, row, ORDER_ENDED, now)
        announce(session, topic(row.digest))


def _not_in_hand(order_id: str) -> SelectOfScalar[QueryRow]:
    """Queries of an order that its vault was never handed, so that it cannot have answered or charged them."""
    taken = and_(col(QueryRow.state) == ATTESTED, col(QueryRow.vault_lease_until) == 0)
    waiting = or_(col(QueryRow.state).in_((ACCEPTED, EVALUATING)), taken)
    return select(QueryRow).where(QueryRow.order_id == order_id, waiting)


def has_unanswered(session: Session, order_id: str) -> bool:
    """Whether `end_unanswered` would end something."""
    return session.exec(_not_in_hand(order_id).limit(1)).first() is not None


def end_unanswered(session: Session, order_id: str, now: int) -> None:
    """Somebody has claimed their order: queries that the vault has not in hand come to no result, and cost nothing.
    What it has in hand may be answered already; its voucher counts then."""
    for row in session.exec(_not_in_hand(order_id)).all():
        forget(session, row.digest)
        fail(session, row, ORDER_ENDED, now)
        announce(session, topic(row.digest))


def is_late(row: QueryRow, now: int) -> bool:
    """Whether a statement that comes now comes after the deadline of a panel that was waited for until then."""
    return is_over(now, row.panel_deadline) and row.failure in (None, TIMEOUT)


def close(session: Session, row: QueryRow, now: int) -> None:
    """The deadline has passed: settle what can be settled, and name who was not heard. Again changes nothing."""
    if row.panel_closed or not is_over(now, row.panel_deadline):
        return
    threshold = read_document(session, row.terms_digest)["panel"]["threshold"]
    tally(session, row, threshold, now, over=True)
    for task in tasks_of(session, row.digest):
        if task.statement_digest is None:
            hold(session, row.digest, task.node, Fact.ABSENT, now)
    row.panel_closed = True
    session.add(row)
    session.flush()


def is_due(session: Session, now: int) -> bool:
    """Whether some panel's time is up."""
    due = select(func.count()).where(col(QueryRow.panel_closed).is_(False), col(QueryRow.panel_deadline) < now)
    return session.exec(due).one() > 0


def close_due(session: Session, now: int) -> int:
    """Close the panels whose time is up, the oldest AT_ONCE of them; returns how many."""
    due = select(QueryRow).where(col(QueryRow.panel_closed).is_(False), col(QueryRow.panel_deadline) < now)
    rows = session.exec(due.order_by(col(QueryRow.panel_deadline)).limit(AT_ONCE)).all()
    for row in rows:
        close(session, row, now)
    return len(rows)


def _votes(session: Session, query: str, tasks: Sequence[PanelTask]) -> list[Vote]:
    """What counts before the query has an outcome: no late statement is among the tasks' then."""
    return [Vote(task.result_digest, is_held(session, query, task.node, Fact.EQUIVOCATED)) for task in tasks]


def _attest(session: Session, row: QueryRow, tasks: Sequence[PanelTask], result: str, now: int) -> None:
    agreeing = [task for task in tasks if task.result_digest == result]
    signers = [task for task in agreeing if not is_held(session, row.digest, task.node, Fact.EQUIVOCATED)]
    statements: list[Document] = [read_document(session, str(task.statement_digest)) for task in signers]
    readers = (row.buyer, row.release_key, *(task.node for task in tasks))
    row.attestation_digest = store_document(session, attest(statements), now=now, readers=readers)
    row.result_digest, row.state, row.attested_at = result, ATTESTED, now
    session.add(row)
    session.flush()
    fall_due(session, row)
    announce(session, vault_topic(row.release_key))
