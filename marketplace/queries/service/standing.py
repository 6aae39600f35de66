"""How the panel's nodes stand: what they were asked and answered, and what is held against them."""

from typing import Any

from sqlmodel import Session, col, func, select

from marketplace.queries.protocol.panels import KINDS, Fact
from marketplace.queries.tables import PanelFact, PanelKey, PanelTask, QueryRow

MAX_LEAVES = 100  # of each kind, the latest


def standing_json(session: Session, key: PanelKey) -> dict[str, Any]:
    """One node's standing: {"address", "asked", "answered", "agreed", and for each Fact {"count", "leaves", "proof"}}.

    A node that answered late was named absent before; here it counts as late alone. `leaves` are positions in the log,
    ascending, of the latest MAX_LEAVES. `proof` says whose word the fact is (queries/protocol/panels.py).
    """
    asked = select(func.count()).select_from(PanelTask).where(PanelTask.node == key.node)
    answered = asked.where(col(PanelTask.statement_digest).is_not(None))
    agreed = answered.join(QueryRow, col(QueryRow.digest) == col(PanelTask.query))
    agreed = agreed.where(col(PanelTask.result_digest) == col(QueryRow.result_digest))
    counts = {"asked": asked, "answered": answered, "agreed": agreed}
    facts = {fact.value: _held(session, key.node, fact) for fact in Fact}
    return {"address": key.node, **{name: session.exec(count).one() for name, count in counts.items()}, **facts}


def _held(session: Session, node: str, fact: Fact) -> dict[str, Any]:
    of_kind = [col(PanelFact.node) == node, col(PanelFact.kind) == fact.value]
    if fact is Fact.ABSENT:
        late = select(PanelFact.query).where(PanelFact.node == node, PanelFact.kind == Fact.LATE.value)
        of_kind.append(col(PanelFact.query).notin_(late))
    count = session.exec(select(func.count()).select_from(PanelFact).where(*of_kind)).one()
    latest = select(PanelFact.leaf).where(*of_kind).order_by(col(PanelFact.leaf).desc()).limit(MAX_LEAVES)
    return {"count": count, "leaves": sorted(session.exec(latest).all()), "proof": KINDS[fact].proof.value}
