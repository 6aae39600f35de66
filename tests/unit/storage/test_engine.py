"""What a session promises, on both databases."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from marketplace.errors import ConfigurationError
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.types import UtcDateTime
from tests.postgres import create_database

METADATA = MetaData()
MOMENTS = Table("moments", METADATA, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    METADATA.create_all(made)
    yield made
    made.dispose()


def count(engine: Engine) -> int:
    with reading(engine) as opened:
        return len(opened.execute(select(MOMENTS)).all())


def test_a_session_commits_when_its_block_ends_and_not_when_it_raises(engine: Engine) -> None:
    with session(engine) as opened:
        opened.execute(insert(MOMENTS).values(id=1))
    with pytest.raises(IntegrityError), session(engine) as opened:
        opened.execute(insert(MOMENTS), [{"id": 2}, {"id": 1}])
    assert count(engine) == 1


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_server_with_a_stricter_default_changes_nothing(postgres_socket: str, level: str) -> None:
    url = create_database(postgres_socket, f"strict_{level[:3]}")
    made = make_engine(url)
    METADATA.create_all(made)
    with session(made) as opened:
        change = f"ALTER DATABASE strict_{level[:3]} SET default_transaction_isolation = '{level}'"
        opened.execute(text(change))
    made.dispose()
    test_writers_take_turns_from_their_first_statement(made)
    made.dispose()


def test_writers_take_turns_from_their_first_statement(engine: Engine) -> None:
    """Both read, then write what they read plus one: without turns an update would be lost."""
    with session(engine) as opened:
        opened.execute(insert(MOMENTS).values(id=0))

    def add_one() -> None:
        for _ in range(10):
            with session(engine) as opened:
                last = opened.execute(select(MOMENTS.c.id).order_by(MOMENTS.c.id.desc()).limit(1)).scalar_one()
                time.sleep(0.001)
                opened.execute(insert(MOMENTS).values(id=last + 1))

    threads = [threading.Thread(target=add_one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(engine) == 31


def test_a_writer_that_fails_passes_its_turn_on(engine: Engine) -> None:
    def fail() -> None:
        with session(engine) as opened:
            opened.execute(insert(MOMENTS).values(id=7))
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
    assert count(engine) == 0


def test_a_reader_sees_one_snapshot_and_does_not_wait_for_a_writer(engine: Engine) -> None:
    with reading(engine) as before:
        assert before.execute(select(MOMENTS)).all() == []
        with session(engine) as writer:
            writer.execute(insert(MOMENTS).values(id=1))
        assert before.execute(select(MOMENTS)).all() == []
    assert count(engine) == 1


def test_an_instant_comes_back_in_utc(engine: Engine) -> None:
    china = datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    with session(engine) as opened:
        opened.execute(insert(MOMENTS).values(id=1, at=china))
        opened.execute(insert(MOMENTS).values(id=2, at=None))
    with reading(engine) as opened:
        found = opened.execute(select(MOMENTS.c.at).order_by(MOMENTS.c.id)).scalars().all()
    assert found == [datetime(2026, 11, 23, 0, 0, tzinfo=UTC), None]
    assert found[0].tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="does not name an instant"), session(engine) as opened:
        opened.execute(insert(MOMENTS).values(id=1, at=datetime(2026, 11, 23)))  # noqa: DTZ001


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'new' / 'market.db'}")
    with session(engine) as opened:
        modes = {name: opened.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")}
        opened.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        opened.execute(text("CREATE TABLE child (parent INTEGER REFERENCES parent (id))"))
    assert modes == {"journal_mode": "wal", "synchronous": 2}
    with pytest.raises(IntegrityError), session(engine) as opened:
        opened.execute(text("INSERT INTO child VALUES (1)"))
    engine.dispose()


def _promise(engine: Engine, *, durable: bool) -> str:
    """What the database says of a commit in this session."""
    asked = "PRAGMA synchronous" if engine.dialect.name == "sqlite" else "SHOW synchronous_commit"
    with session(engine, durable=durable) as opened:
        opened.execute(insert(MOMENTS).values(at=datetime.now(UTC)))
        return str(opened.execute(text(asked)).scalar())


def test_only_a_session_that_says_so_may_be_undone_by_a_power_cut(engine: Engine) -> None:
    """One after the other on the same connection: what one session chose is nothing to the next."""
    full, less = ("2", "1") if engine.dialect.name == "sqlite" else ("on", "off")
    found = [_promise(engine, durable=durable) for durable in (True, False, True, False, False, True)]
    assert found == [full, less, full, less, less, full]
    assert count(engine) == len(found)


def test_another_database_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        make_engine("mysql://root@localhost/market")
    assert refusal.value.code == "database_unknown"
