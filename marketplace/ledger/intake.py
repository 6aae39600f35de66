"""The door of the ledger room: queue an intent in the transaction of its business row, and ask what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from marketplace.calls import encode_call
from marketplace.errors import NotFoundError
from marketplace.ledger.tables import INTENTS, LedgerIntent
from marketplace.refusals import from_revert
from marketplace.storage.bulk import insert_rows


@dataclass(frozen=True)
class IntentCall:
    """One call that somebody asks of the ledger.

    Args:
        contract: one of `marketplace.intents.CONTRACTS`.
        verb: the contract's function, as `marketplace.calls` lists it.
        arguments: the function's arguments in order, signatures included.
        digest: 32 bytes that name the intent, normally its EIP-712 signing digest.
        by: address of the participant whose statement it is.
    """

    contract: str
    verb: str
    arguments: Sequence[Any]
    digest: bytes
    by: str


def queue_intent(
    session: Session, *, contract: str, verb: str, arguments: Sequence[Any], digest: bytes, by: str, now: int
) -> bool:
    """Queue one call of a contract; arguments as of `IntentCall`, the rest as `queue_intents`.

    Returns:
        Whether it was queued by this call.
    """
    return queue_intents(session, [IntentCall(contract, verb, arguments, digest, by)], now=now) == 1


def queue_intents(session: Session, calls: Sequence[IntentCall], *, now: int) -> int:
    """Queue calls of contracts, in order. Committed or rolled back with everything else that `session` does.

    A digest that is known already changes nothing, unless the ledger refused it: then it is queued anew, at the end,
    because what was refused may have become possible.

    Args:
        now: unix seconds.

    Returns:
        How many were queued by this call.
    """
    encoded = {_hex(call.digest): (call, encode_call(call.contract, call.verb, call.arguments)) for call in calls}
    query = select(col(LedgerIntent.digest), col(LedgerIntent.status))
    found = session.execute(query.where(col(LedgerIntent.digest).in_(encoded))).all()
    known: dict[str, str] = {row.digest: row.status for row in found}
    refused = [digest for digest, status in known.items() if status == "refused"]
    if refused:
        session.execute(delete(LedgerIntent).where(col(LedgerIntent.digest).in_(refused)))
    moment = datetime.fromtimestamp(now, UTC)
    rows = [
        {
            "digest": digest,
            "contract": call.contract,
            "verb": call.verb,
            "calldata": calldata,
            "by": call.by,
            "status": "queued",
            "attempts": 0,
            "queued_at": moment,
        }
        for digest, (call, calldata) in encoded.items()
        if known.get(digest, "refused") == "refused"
    ]
    insert_rows(session.connection(), INTENTS, rows)
    return len(rows)


def intent_status(session: Session, digest: bytes | str) -> dict[str, Any]:
    """What became of an intent.

    Returns:
        {"intent", "status": "queued" | "mined" | "refused", "contract", "verb", "by"} and, once decided, "block",
        "transaction" (its index), "call" (index in it), and for a refusal "code", "reason" (revert data) and
        "problem", the refusal in words as `MarketplaceError.as_dict` gives it.

    Raises:
        NotFoundError: `intent_unknown`.
    """
    name = digest if isinstance(digest, str) else _hex(digest)
    row = session.exec(select(LedgerIntent).where(LedgerIntent.digest == name)).one_or_none()
    if row is None:
        raise NotFoundError("intent_unknown", f"no intent {name} is known here", zh="没有该意向", got=name[:80])
    # `planned` is a fact of the journal alone: to everybody else the intent is still on its way.
    status = "queued" if row.status == "planned" else row.status
    answer = {"intent": row.digest, "status": status, "contract": row.contract, "verb": row.verb, "by": row.by}
    decided = {"block": row.block, "transaction": row.transaction_index, "call": row.call_index}
    extra: dict[str, Any] = decided if status != "queued" else {}
    return answer | extra | (_refusal(row) if status == "refused" else {})


def refused_since(session: Session, digest: str, moment: int) -> str | None:
    """The code with which the ledger refused an intent at `moment` (unix seconds) or later; None if it did not."""
    row = session.exec(select(LedgerIntent).where(LedgerIntent.digest == digest)).one_or_none()
    if row is None or row.status != "refused" or row.finished_at is None or row.finished_at.timestamp() < moment:
        return None
    return row.code


def pending_intents(session: Session, contract: str, verb: str) -> list[LedgerIntent]:
    """Intents of one verb that the ledger has not decided yet, in order."""
    undecided = col(LedgerIntent.status).in_(("queued", "planned"))
    query = select(LedgerIntent).where(undecided, LedgerIntent.contract == contract, LedgerIntent.verb == verb)
    return list(session.exec(query.order_by(col(LedgerIntent.sequence))))


def _refusal(row: LedgerIntent) -> dict[str, Any]:
    problem = from_revert(bytes.fromhex((row.reason or "0x")[2:])).as_dict()
    return {"code": row.code, "reason": row.reason, "problem": problem}


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
