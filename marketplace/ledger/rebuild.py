"""The read model is a cache of the ledger's events: drop it and make it again, or prove that it is what they say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Table, create_engine, delete
from sqlmodel import Session, col, select

from marketplace.errors import VerificationError
from marketplace.ledger.blocks import SealedBlock, header_hash
from marketplace.ledger.events import read_events
from marketplace.ledger.profile import ledger_profile
from marketplace.ledger.projection import ProjectionSession, Projectors, make_event, project
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, about_of
from marketplace.storage.engine import reading, session_of
from marketplace.storage.metadata import metadata

CHUNK = 1_000


@dataclass(frozen=True)
class ReadModelReport:
    """What was compared: blocks whose headers and receipts were read again, events projected, rows found equal."""

    blocks: int
    events: int
    rows: int


def rebuild(engine: Engine, projectors: Projectors) -> int:
    """Drop every row of the read model and make it again from the recorded events, in one transaction.

    Returns:
        How many events were projected.
    """
    with session_of(ProjectionSession, engine) as opened:
        for table in read_model_tables():
            opened.execute(delete(table))
        return project(opened, _events(opened), projectors)


def check(engine: Engine, projectors: Projectors) -> ReadModelReport:
    """Prove, changing nothing, that events follow from receipts and rows from events.

    Raises:
        VerificationError: `ledger_events_differ` or `read_model_differs`, naming the first difference.
    """
    scratch = create_engine("sqlite://")
    try:
        with reading(engine) as live, ProjectionSession(scratch) as fresh:
            blocks = _check_events(live)
            metadata.create_all(fresh.connection())
            events = project(fresh, _events(live), projectors)
            rows = sum(_check_table(live, fresh, table) for table in read_model_tables())
    finally:
        scratch.dispose()
    return ReadModelReport(blocks, events, rows)


def read_model_tables() -> list[Table]:
    """Every table marked with `marketplace.storage.types.READ_MODEL`; those that refer to others come first."""
    return [table for table in reversed(metadata.sorted_tables) if table.info.get("read_model")]


def _events(opened: Session) -> Iterator[LedgerEvent]:
    """Every event in order, a chunk at a time; not attached to the session, so that no projector can change one."""
    place = (-1, -1)
    while True:
        later = (col(LedgerEvent.block) > place[0]) | (
            (col(LedgerEvent.block) == place[0]) & (col(LedgerEvent.log_index) > place[1])
        )
        query = select(LedgerEvent).where(later).order_by(col(LedgerEvent.block), col(LedgerEvent.log_index))
        chunk = [make_event(event.model_dump()) for event in opened.exec(query.limit(CHUNK))]
        yield from chunk
        if len(chunk) < CHUNK:
            return
        place = (chunk[-1].block, chunk[-1].log_index)


def _check_events(live: Session) -> int:
    profile = ledger_profile(live)
    names = {address: name for name, address in profile.addresses.items()}
    numbers = live.exec(
        select(col(LedgerBlock.number)).where(col(LedgerBlock.hash).is_not(None)).order_by(col(LedgerBlock.number))
    ).all()
    parent = None
    for number in numbers:
        row = _read_block(live, number)
        sealed = SealedBlock(row.header or {}, row.receipts or [])
        # An outer network may hash its headers by rules of its own; ours hashes the plain header.
        hashed = header_hash(sealed.header) if profile.node == "embedded" else sealed.hash
        if parent not in (None, sealed.parent) or hashed != row.hash:
            raise _events_differ(number, "the header does not hash to the block's hash or stand on its parent")
        if _stored_events(live, number) != _read_events(sealed, names):
            raise _events_differ(number, "the recorded events are not those of its receipts")
        parent = row.hash
        live.expunge(row)
    return len(numbers)


def _read_block(live: Session, number: int) -> LedgerBlock:
    try:
        return live.get_one(LedgerBlock, number)
    except ValueError as error:
        raise _events_differ(number, f"its receipts cannot be read: {error}") from error


def _stored_events(live: Session, number: int) -> list[tuple[Any, ...]]:
    query = select(LedgerEvent).where(LedgerEvent.block == number).order_by(col(LedgerEvent.log_index))
    return [(e.log_index, e.block_hash, e.tx_hash, e.contract, e.name, e.args, e.about) for e in live.exec(query)]


def _read_events(sealed: SealedBlock, names: dict[str, str]) -> list[tuple[Any, ...]]:
    return [
        (
            p.log_index,
            sealed.hash,
            receipt["transactionHash"],
            p.event.contract,
            p.event.name,
            p.event.args,
            about_of(p.event.contract, p.event.args),
        )
        for receipt in sealed.receipts
        for p in read_events(receipt, names)
    ]


def _check_table(live: Session, fresh: Session, table: Table) -> int:
    keys = list(table.primary_key.columns)
    query = table.select().order_by(*keys)
    stored, derived = (list(map(tuple, opened.execute(query).all())) for opened in (live, fresh))
    # The two stores may sort text differently, so what is compared is sets of rows.
    if sorted(stored, key=repr) == sorted(derived, key=repr):
        return len(stored)
    extra = [row for row in stored if row not in derived][:1]
    missing = [row for row in derived if row not in stored][:1]
    raise VerificationError(
        "read_model_differs",
        f"the table {table.name} is not what the ledger's events say",
        zh=f"读模型表 {table.name} 与账本事件不一致",
        expected=str(missing[0]) if missing else None,
        got=str(extra[0]) if extra else None,
        hint="rebuild it with `marketplace ledger rebuild`",
        hint_zh="请执行 marketplace ledger rebuild 重建",
    )


def _events_differ(number: int, what: str) -> VerificationError:
    return VerificationError(
        "ledger_events_differ", f"block {number}: {what}", zh=f"第 {number} 块的事件记录不一致", got=number
    )
