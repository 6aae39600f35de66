"""What moved on an account, and why, from the ledger's events."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, select

from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.statements.account import Movement
from marketplace.settlement.tables import AccountMovement
from marketplace.webhooks.rules import type_of

CHUNK = 500
_ABOUT = ("orderId", "redemptionId", "batchId", "ref")


def movements_of(session: Session, account: str) -> list[Movement]:
    """Every movement of an account, in the ledger's order."""
    query = select(AccountMovement).where(AccountMovement.account == account)
    rows = session.exec(query.order_by(col(AccountMovement.block), col(AccountMovement.log_index))).all()
    causes = dict(_causes(session, sorted({row.event_intent for row in rows if row.event_intent})))
    unknown = (type_of("SettlementToken", "Transfer"), "")
    return [
        Movement(row.at, row.amount, *causes.get(row.event_intent, unknown), row.block, row.log_index) for row in rows
    ]


def _causes(session: Session, intents: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """For each intent: the kind of its first event that names an object, and that object's id."""
    for start in range(0, len(intents), CHUNK):
        query = select(LedgerEvent).where(col(LedgerEvent.intent).in_(intents[start : start + CHUNK]))
        seen: set[str] = set()
        for event in session.exec(query.order_by(col(LedgerEvent.block), col(LedgerEvent.log_index))):
            about = next((event.args[name] for name in _ABOUT if name in event.args), None)
            if about is not None and event.intent not in seen:
                seen.add(event.intent)
                cause: tuple[str, Any] = (type_of(event.contract, event.name), about)
                yield event.intent, cause
