"""What moved on an account, and why, from the ledger's events."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.statements.account import Movement
from marketplace.settlement.statements.causes import UNKNOWN, cause_of
from marketplace.settlement.tables import AccountMovement

CHUNK = 500


def movements_of(session: Session, account: str, currency: str) -> list[Movement]:
    """Every movement of an account in one currency, in the ledger's order."""
    query = select(AccountMovement).where(AccountMovement.account == account, AccountMovement.currency == currency)
    rows = session.exec(query.order_by(col(AccountMovement.block), col(AccountMovement.log_index))).all()
    causes = dict(_causes(session, sorted({row.event_intent for row in rows if row.event_intent})))
    return [
        Movement(row.at, row.amount, *causes.get(row.event_intent, UNKNOWN), row.block, row.log_index) for row in rows
    ]


def _causes(session: Session, intents: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """For each intent: the kind of its first event that names an object, and that object's id."""
    for start in range(0, len(intents), CHUNK):
        query = select(LedgerEvent).where(col(LedgerEvent.intent).in_(intents[start : start + CHUNK]))
        seen: set[str] = set()
        for event in session.exec(query.order_by(col(LedgerEvent.block), col(LedgerEvent.log_index))):
            cause = cause_of(event.contract, event.name, event.args)
            if cause is not None and event.intent not in seen:
                seen.add(event.intent)
                yield event.intent, cause
