"""Many rows in one statement, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, select

from marketplace.errors import PortError
from marketplace.storage.bulk import delete_rows, insert_rows, update_rows
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.types import UtcDateTime

METADATA = MetaData()
NOTES = Table(
    "notes", METADATA, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("text", Text)
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    METADATA.create_all(made)
    with session(made) as opened:
        insert_rows(opened.connection(), NOTES, [{"id": n, "at": NOON, "text": str(n)} for n in range(3)])
    yield made
    made.dispose()


def stored(engine: Engine) -> list[tuple[int, str]]:
    with reading(engine) as opened:
        rows = opened.execute(select(NOTES).order_by(NOTES.c.id)).all()
    assert all(row.at == NOON for row in rows)
    return [(row.id, row.text) for row in rows]


def test_rows_are_changed_and_deleted_by_their_keys(engine: Engine) -> None:
    with session(engine) as opened:
        update_rows(opened.connection(), NOTES, ["id"], [{"id": 0, "text": "0"}, {"id": 2, "text": "two"}])
        delete_rows(opened.connection(), NOTES, [{"id": 1}])
    assert stored(engine) == [(0, "0"), (2, "two")]


def test_a_row_that_is_not_there_is_not_passed_over(engine: Engine) -> None:
    with pytest.raises(PortError, match="1 of the 2 rows") as changed, session(engine) as opened:
        update_rows(opened.connection(), NOTES, ["id"], [{"id": 0, "text": "none"}, {"id": 9, "text": "nine"}])
    with pytest.raises(PortError) as deleted, session(engine) as opened:
        delete_rows(opened.connection(), NOTES, [{"id": 9}])
    assert (changed.value.code, deleted.value.code) == ("rows_missing", "rows_missing")
    assert stored(engine) == [(0, "0"), (1, "1"), (2, "2")]
