"""What moved on an account, and why, from the ledger's events."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, cast, or_
from sqlmodel import Session, col, select

from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.statements.account import Movement
from marketplace.webhooks.rules import type_of

CHUNK = 500
_ABOUT = ("orderId", "redemptionId", "batchId", "ref")


def movements_of(session: Session, account: str) -> list[Movement]:
    """Every movement of an account, in the ledger's order."""
    text = cast(col(LedgerEvent.args), String)
    query = select(LedgerEvent).where(LedgerEvent.name == "Transfer", or_(text.contains(account)))
    events = session.exec(query.order_by(col(LedgerEvent.block), col(LedgerEvent.log_index))).all()
    causes = dict(_causes(session, sorted({event.intent for event in events if event.intent})))
    found = []
    for event in events:
        cause, about = causes.get(event.intent, (type_of(event.contract, event.name), ""))
        amount = event.args["value"] * ((event.args["to"] == account) - (event.args["from"] == account))
        if amount:
            found.append(Movement(event.timestamp, amount, cause, about, event.block, event.log_index))
    return found


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
