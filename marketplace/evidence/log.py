"""The append-only log of what never becomes a ledger transaction: queries accepted, answered, refused; nodes that
disagree.

A leaf is canonical JSON with "type", "at" and digests; RFC 6962 hashing. An entry and the tree nodes that it completes
are written in the transaction of the fact itself, so there is no fact without its entry and no entry without its fact.
Writers take turns (see storage/engine.py), which is why the next position is simply the number of entries.
"""

from typing import Any

from sqlalchemy import BigInteger, bindparam
from sqlmodel import Session, col, func, select

from crypto.canonical import canonical_json, load_json
from crypto.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from marketplace.documents import iso_time
from marketplace.evidence.tables import LogEntry, LogNode

# Made once: making a statement takes longer than running it.
_LAST = select(func.max(LogEntry.position))
_LEAVES = (
    select(LogEntry.leaf)
    .where(col(LogEntry.position) >= bindparam("first", type_=BigInteger))
    .where(col(LogEntry.position) < bindparam("end", type_=BigInteger))
    .order_by(col(LogEntry.position))
)


def append(session: Session, kind: str, now: int, **members: Any) -> int:
    """Write one leaf and return its position.

    Args:
        kind: the leaf's type, e.g. "query.accepted".
        now: unix seconds.
        members: digests, addresses and small integers; never query text, never personal data.
    """
    position = size(session)
    # Requests read the clock before they wait for their turn to write; the log's own times never go back.
    at = max(iso_time(now), _last_time(session, position))
    leaf = canonical_json({"type": kind, "at": at, **members})
    session.add(LogEntry(position=position, leaf=leaf))
    _grow(session, position, leaf_hash(leaf))
    session.flush()
    return position


def size(session: Session) -> int:
    """How many entries the log has."""
    last = session.exec(_LAST).one()
    return 0 if last is None else last + 1


def node(session: Session, level: int, position: int) -> bytes:
    """Root of a complete perfect subtree, 32 bytes; the reader that crypto.merkle's proofs ask for."""
    row = session.get(LogNode, (level, position))
    if row is None:
        raise LookupError(f"the log has no node {position} at level {level}")
    return row.hash


def root(session: Session, entries: int) -> bytes:
    """Root of the tree over the first `entries` entries, 32 bytes."""
    if entries == 0:
        return EMPTY_ROOT
    hashes, begin = [], 0
    for level in range(entries.bit_length() - 1, -1, -1):
        if entries >> level & 1:
            hashes.append(node(session, level, begin >> level))
            begin += 1 << level
    return Frontier(entries, hashes).root()


def entries(session: Session, first: int, count: int) -> list[bytes]:
    """The leaves at positions first to first + count, as many as there are."""
    return list(session.exec(_LEAVES, params={"first": first, "end": first + count}))


def _last_time(session: Session, length: int) -> str:
    if length == 0:
        return ""
    return str(load_json(entries(session, length - 1, 1)[0])["at"])


def _grow(session: Session, position: int, hashed: bytes) -> None:
    """Write the leaf's node and every perfect subtree that it completes."""
    level = 0
    session.add(LogNode(level=0, position=position, hash=hashed))
    while position & 1:
        hashed = node_hash(node(session, level, position - 1), hashed)
        level, position = level + 1, position >> 1
        session.add(LogNode(level=level, position=position, hash=hashed))
