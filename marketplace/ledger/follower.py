"""From a block to rows, in one transaction: hash, receipts, events, what they mean, and the fate of its intents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, SQLModel, col, select

from marketplace.errors import ConfigurationError
from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.events import REFUSED, PlacedEvent, attribute, read_events
from marketplace.ledger.projection import ProjectionSession, Projectors, make_event, project
from marketplace.ledger.tables import LedgerBlock, LedgerIntent, LedgerTransaction, about_of
from marketplace.refusals import FAILED, from_revert

_INSERT_EVENTS = insert(SQLModel.metadata.tables["ledger_event"])


def record_block(
    session: ProjectionSession, sealed: SealedBlock, names: Mapping[str, str], projectors: Projectors
) -> None:
    """Write all that a block says.

    Args:
        names: contract name by address.
        projectors: event name to the functions that keep the read model; they see events in order.

    Raises:
        ConfigurationError: `ledger_deployment_failed`.
        VerificationError: the block's events contradict its calls.
    """
    _store_block(session, sealed)
    rows = list(_read_block(session, sealed, names))
    if rows:
        session.connection().execute(_INSERT_EVENTS, rows)
    project(session, map(make_event, rows), projectors)


def event_rows(
    sealed: SealedBlock, receipt: Mapping[str, Any], placed: Sequence[PlacedEvent], intents: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of `ledger_event` for one receipt; `intents` holds the digest of each event's cause."""
    place = {"block": sealed.number, "block_hash": sealed.hash, "timestamp": sealed.timestamp}
    place["tx_hash"] = receipt["transactionHash"]
    return [
        {
            **place,
            "log_index": item.log_index,
            "contract": item.event.contract,
            "name": item.event.name,
            "args": item.event.args,
            "about": about_of(item.event.contract, item.event.args),
            "intent": intent,
        }
        for item, intent in zip(placed, intents, strict=True)
    ]


def _store_block(session: Session, sealed: SealedBlock) -> None:
    row = session.get(LedgerBlock, sealed.number) or LedgerBlock(number=sealed.number, timestamp=sealed.timestamp)
    row.hash, row.header, row.receipts = sealed.hash, sealed.header, sealed.receipts
    session.add(row)
    session.flush()


def _read_block(session: Session, sealed: SealedBlock, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of the block's events; on the way, the fate of its transactions and intents is written."""
    ours = _transactions(session, [receipt["transactionHash"] for receipt in sealed.receipts])
    for receipt in sealed.receipts:
        row = ours.get(receipt["transactionHash"])
        if row is None:  # somebody else's, on a network that we share; an event of our contracts counts whoever sent it
            placed = read_events(receipt, names)
            yield from event_rows(sealed, receipt, placed, [""] * len(placed))
            continue
        row.block, row.transaction_index = sealed.number, int(receipt["transactionIndex"], 16)
        yield from _read_transaction(session, sealed, receipt, row, names)


def _read_transaction(
    session: Session, sealed: SealedBlock, receipt: Mapping[str, Any], row: LedgerTransaction, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    placed = read_events(receipt, names)
    calls = _calls(session, row.nonce)
    if receipt.get("contractAddress"):
        _require_deployed(row, receipt, names)
        return event_rows(sealed, receipt, placed, [""] * len(placed))
    if int(receipt["status"], 16) == 0:
        _retry_or_refuse(session, sealed, row, calls)
        return []
    owners = attribute([item.event for item in placed], row.contract, len(calls))
    _decide(session, sealed, row, calls, placed)
    return event_rows(sealed, receipt, placed, [calls[owner][1] for owner in owners])


def _transactions(session: Session, hashes: Sequence[str]) -> dict[str, LedgerTransaction]:
    found = session.exec(select(LedgerTransaction).where(col(LedgerTransaction.hash).in_(hashes))) if hashes else ()
    return {row.hash: row for row in found}


def _calls(session: Session, nonce: int) -> list[tuple[int, str]]:
    """(sequence, digest) of the intents aboard a transaction, in call order."""
    query = select(LedgerIntent.sequence, LedgerIntent.digest).where(LedgerIntent.nonce == nonce)
    rows = session.exec(query.order_by(col(LedgerIntent.call_index))).all()
    return [(int(sequence or 0), digest) for sequence, digest in rows]


def _decide(
    session: Session,
    sealed: SealedBlock,
    row: LedgerTransaction,
    calls: Sequence[tuple[int, str]],
    placed: Sequence[PlacedEvent],
) -> None:
    """Write `mined` or `refused` for every call of a transaction that went through."""
    refusals = {
        item.event.args["index"]: item.event.args["reason"]
        for item in placed
        if item.event.name == REFUSED and item.event.contract == row.contract
    }
    common = {"block": sealed.number, "transaction_index": row.transaction_index, "finished_at": _moment(sealed)}
    fates = [
        {"sequence": sequence, **common, **_fate(refusals.get(index))} for index, (sequence, _) in enumerate(calls)
    ]
    if fates:
        session.execute(update(LedgerIntent), fates)


def _fate(reason: str | None) -> dict[str, Any]:
    if reason is None:
        return {"status": "mined", "code": None, "reason": None}
    return {"status": "refused", "code": from_revert(bytes.fromhex(reason[2:])).code, "reason": reason}


def _retry_or_refuse(
    session: Session, sealed: SealedBlock, row: LedgerTransaction, calls: Sequence[tuple[int, str]]
) -> None:
    """A transaction failed as a whole: its calls are tried one by one, and one that fails alone is refused."""
    again = {"status": "queued", "nonce": None, "call_index": None}
    refused = {"status": "refused", "code": FAILED, "reason": "0x", "block": sealed.number}
    refused |= {"transaction_index": row.transaction_index, "finished_at": _moment(sealed)}
    fate: dict[str, Any] = again if len(calls) > 1 else refused
    session.execute(update(LedgerIntent), [{"sequence": sequence, "attempts": 1, **fate} for sequence, _ in calls])


def _require_deployed(row: LedgerTransaction, receipt: Mapping[str, Any], names: Mapping[str, str]) -> None:
    if int(receipt["status"], 16) != 1 or names.get(receipt["contractAddress"]) != row.contract:
        raise ConfigurationError(
            "ledger_deployment_failed",
            f"the contract {row.contract} was not created where it should stand",
            zh=f"合约 {row.contract} 未能按预定地址部署",
            got=receipt["contractAddress"],
        )


def _moment(sealed: SealedBlock) -> datetime:
    return datetime.fromtimestamp(sealed.timestamp, UTC)
