"""From a block to rows, in one transaction: hash, receipts, events, what they mean, and the fate of its intents."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from marketplace.errors import ConfigurationError
from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.events import REFUSED, PlacedEvent, attribute, read_events
from marketplace.ledger.projection import ProjectionSession, Projectors, make_event, project
from marketplace.ledger.tables import (
    BLOCKS,
    EVENTS,
    INTENTS,
    TRANSACTIONS,
    LedgerBlock,
    LedgerIntent,
    LedgerTransaction,
    about_of,
)
from marketplace.refusals import FAILED, from_revert
from marketplace.storage.bulk import insert_rows, update_rows


class _Aboard(NamedTuple):
    """A transaction of ours.

    Args:
        calls: (sequence, digest) of the intents aboard, in call order.
    """

    nonce: int
    contract: str
    calls: list[tuple[int, str]]


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
    ours = _transactions(session, [receipt["transactionHash"] for receipt in sealed.receipts])
    events: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    fates: list[dict[str, Any]] = []
    for receipt in sealed.receipts:
        row, placed = ours.get(receipt["transactionHash"]), read_events(receipt, names)
        if row is None:  # somebody else's, on a network that we share; an event of our contracts counts whoever sent it
            events += event_rows(sealed, receipt, placed, [""] * len(placed))
            continue
        place = {"block": sealed.number, "transaction_index": int(receipt["transactionIndex"], 16)}
        places.append({"nonce": row.nonce, **place})
        if receipt.get("contractAddress"):
            _require_deployed(row, receipt, names)
            events += event_rows(sealed, receipt, placed, [""] * len(placed))
        elif int(receipt["status"], 16) == 0:
            _retry_or_refuse(session, row, {**place, "finished_at": _moment(sealed)})
        else:
            fates += _decide(row, placed, {**place, "finished_at": _moment(sealed)})
            owners = attribute([item.event for item in placed], row.contract, len(row.calls))
            events += event_rows(sealed, receipt, placed, [row.calls[owner][1] for owner in owners])
    update_rows(session.connection(), TRANSACTIONS, ["nonce"], places)
    update_rows(session.connection(), INTENTS, ["sequence"], fates)
    insert_rows(session.connection(), EVENTS, events)
    project(session, map(make_event, events), projectors)


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
    row = {"number": sealed.number, "hash": sealed.hash, "header": sealed.header, "receipts": sealed.receipts}
    planned = session.exec(select(LedgerBlock.number).where(LedgerBlock.number == sealed.number)).first()
    if planned is None:
        insert_rows(session.connection(), BLOCKS, [{**row, "timestamp": sealed.timestamp}])
    else:
        update_rows(session.connection(), BLOCKS, ["number"], [row])


def _transactions(session: Session, hashes: Sequence[str]) -> dict[str, _Aboard]:
    """Those of the transactions that are ours, by hash, with their calls."""
    if not hashes:
        return {}
    query = select(LedgerTransaction.hash, LedgerTransaction.nonce, LedgerTransaction.contract)
    found = session.exec(query.where(col(LedgerTransaction.hash).in_(hashes))).all()
    aboard = select(LedgerIntent.nonce, LedgerIntent.sequence, LedgerIntent.digest)
    aboard = aboard.where(col(LedgerIntent.nonce).in_([nonce for _, nonce, _ in found]))
    calls: dict[int | None, list[tuple[int, str]]] = defaultdict(list)
    for carrier, sequence, digest in session.exec(
        aboard.order_by(col(LedgerIntent.nonce), col(LedgerIntent.call_index))
    ):
        calls[carrier].append((int(sequence or 0), digest))
    return {name: _Aboard(nonce, contract, calls[nonce]) for name, nonce, contract in found}


def _decide(row: _Aboard, placed: Sequence[PlacedEvent], end: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`mined` or `refused` for every call of a transaction that went through."""
    refusals = {
        item.event.args["index"]: item.event.args["reason"]
        for item in placed
        if item.event.name == REFUSED and item.event.contract == row.contract
    }
    for index, (sequence, _) in enumerate(row.calls):
        yield {"sequence": sequence, **end, **_fate(refusals.get(index))}


def _fate(reason: str | None) -> dict[str, Any]:
    if reason is None:
        return {"status": "mined", "code": None, "reason": None}
    return {"status": "refused", "code": from_revert(bytes.fromhex(reason[2:])).code, "reason": reason}


def _retry_or_refuse(session: Session, row: _Aboard, end: Mapping[str, Any]) -> None:
    """A transaction failed as a whole: its calls are tried one by one, and one that fails alone is refused."""
    again = {"status": "queued", "nonce": None, "call_index": None}
    refused = {"status": "refused", "code": FAILED, "reason": "0x", **end}
    fate: dict[str, Any] = again if len(row.calls) > 1 else refused
    rows = [{"sequence": sequence, "attempts": 1, **fate} for sequence, _ in row.calls]
    update_rows(session.connection(), INTENTS, ["sequence"], rows)


def _require_deployed(row: _Aboard, receipt: Mapping[str, Any], names: Mapping[str, str]) -> None:
    if int(receipt["status"], 16) != 1 or names.get(receipt["contractAddress"]) != row.contract:
        raise ConfigurationError(
            "ledger_deployment_failed",
            f"the contract {row.contract} was not created where it should stand",
            zh=f"合约 {row.contract} 未能按预定地址部署",
            got=receipt["contractAddress"],
        )


def _moment(sealed: SealedBlock) -> datetime:
    return datetime.fromtimestamp(sealed.timestamp, UTC)
