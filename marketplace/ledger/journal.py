"""Writes of the sealer: what is signed and planned is committed before a node sees a byte of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from marketplace.ledger.planning import Batch, Limits, QueuedCall, make_batches
from marketplace.ledger.profile import LedgerProfile
from marketplace.ledger.relayer import Relayer, SignedTransaction
from marketplace.ledger.tables import INTENTS, TRANSACTIONS, LedgerBlock, LedgerIntent, LedgerTransaction
from marketplace.storage.bulk import insert_rows, update_rows

DEPLOYMENT_GAS = 15_000_000
ProductSizes = Callable[[Session, Sequence[str]], Mapping[str, int]]


class JournalBlock(NamedTuple):
    """A block without what it holds. `hash` is None until it is sealed."""

    number: int
    timestamp: int
    hash: str | None


@dataclass(frozen=True)
class PlannedBlock:
    """A block of the journal. `hash` is None until the node has made it."""

    number: int
    timestamp: int
    hash: str | None
    raws: list[bytes]
    hashes: list[str]


def plan_deployment(session: Session, profile: LedgerProfile, relayer: Relayer, block: int | None) -> None:
    """Sign the creations in nonce order, for block `block` where blocks are ours to plan."""
    for nonce, name in enumerate(profile.genesis.contracts):
        signed = relayer.sign(nonce, None, profile.genesis.creation_code(name), DEPLOYMENT_GAS)
        insert_rows(session.connection(), TRANSACTIONS, [_transaction_row(signed, name, block)])


def queued_calls(session: Session, limits: Limits, sizes: ProductSizes) -> list[QueuedCall]:
    """The head of the queue, no more than one block can hold. `sizes`: as of `plan_transactions`."""
    query = select(
        col(LedgerIntent.sequence), col(LedgerIntent.contract), col(LedgerIntent.calldata), col(LedgerIntent.attempts)
    )
    waiting = query.where(LedgerIntent.status == "queued").order_by(col(LedgerIntent.sequence))
    rows = session.exec(waiting.limit(limits.calls_per_block)).all()
    calls = [QueuedCall(int(s or 0), contract, calldata, attempts > 0) for s, contract, calldata, attempts in rows]
    found = sizes(session, [call.names for call in calls if call.names])
    return [replace(call, assets=found.get(call.names, 1)) for call in calls] if found else calls


def plan_transactions(
    session: Session,
    profile: LedgerProfile,
    relayer: Relayer,
    limits: Limits,
    block: int | None,
    *,
    sizes: ProductSizes,
) -> int:
    """Turn the head of the queue into signed transactions, with the next nonces.

    Args:
        sizes: of some orders, listings and assets, those of products made of several assets, and of how many.

    Returns:
        How many transactions were planned.
    """
    batches = make_batches(queued_calls(session, limits, sizes), limits)
    nonce = next_nonce(session)
    signed = [
        relayer.sign(nonce + offset, profile.addresses[batch.contract], batch.data, batch.gas)
        for offset, batch in enumerate(batches)
    ]
    made = [_transaction_row(each, batch.contract, block) for each, batch in zip(signed, batches, strict=True)]
    insert_rows(session.connection(), TRANSACTIONS, made)
    planned = [row for each, batch in zip(signed, batches, strict=True) for row in _planned_rows(batch, each.nonce)]
    update_rows(session.connection(), INTENTS, ["sequence"], planned)
    return len(batches)


def next_nonce(session: Session) -> int:
    """One more than the journal's last; the network is never asked."""
    last = session.exec(select(func.max(col(LedgerTransaction.nonce)))).one()
    return 0 if last is None else int(last) + 1


# Made once: the worker asks many times a second, and making a statement takes longer than running it.
_INTENTS = (
    select(LedgerIntent.sequence).where(col(LedgerIntent.status).in_(bindparam("statuses", expanding=True))).limit(1)
)
_BLOCKS = select(col(LedgerBlock.number), col(LedgerBlock.timestamp), col(LedgerBlock.hash))
_LAST = _BLOCKS.order_by(col(LedgerBlock.number).desc()).limit(1)
_IN_ORDER = _BLOCKS.order_by(col(LedgerBlock.number))
_SEALED = _IN_ORDER.where(col(LedgerBlock.hash).is_not(None))
# Blocks are sealed in order, so those that are not are the last ones: who looks from the end need not read the rest.
_LAST_SEALED = (
    select(LedgerBlock.number)
    .where(col(LedgerBlock.hash).is_not(None))
    .order_by(col(LedgerBlock.number).desc())
    .limit(1)
    .scalar_subquery()
)
_UNSEALED = _IN_ORDER.where(col(LedgerBlock.number) > func.coalesce(_LAST_SEALED, -1))


def has_intents(session: Session, *statuses: str) -> bool:
    """Whether an intent is in one of these states."""
    return session.exec(_INTENTS, params={"statuses": statuses}).first() is not None


def last_block(session: Session) -> JournalBlock:
    """The highest block of the journal, sealed or planned; the first is written when the ledger is founded."""
    return JournalBlock(*session.exec(_LAST).one())


def planned_blocks(session: Session, *, sealed: bool) -> Iterator[PlannedBlock]:
    """Blocks in order: those that have a hash, or those that have none yet."""
    rows = session.exec(_SEALED if sealed else _UNSEALED).all()
    for number, timestamp, block_hash in rows:
        transactions = block_transactions(session, number)
        yield PlannedBlock(number, timestamp, block_hash, [t.raw for t in transactions], [t.hash for t in transactions])
        for row in transactions:
            session.expunge(row)


def block_transactions(session: Session, number: int) -> Sequence[LedgerTransaction]:
    """Our transactions of one block, in nonce order."""
    query = select(LedgerTransaction).where(LedgerTransaction.block == number)
    return session.exec(query.order_by(col(LedgerTransaction.nonce))).all()


def _transaction_row(signed: SignedTransaction, contract: str, block: int | None) -> dict[str, Any]:
    return {"nonce": signed.nonce, "hash": signed.hash, "contract": contract, "raw": signed.raw, "block": block}


def _planned_rows(batch: Batch, nonce: int) -> list[dict[str, Any]]:
    return [
        {"sequence": call.sequence, "status": "planned", "nonce": nonce, "call_index": index}
        for index, call in enumerate(batch.calls)
    ]
