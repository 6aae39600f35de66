"""One engine for SQLite and PostgreSQL, with the same promises on both.

- A writing session is the only writer until it ends (`BEGIN IMMEDIATE` on SQLite, one advisory lock on PostgreSQL):
  what a rule was checked against is still true when the rows are committed, and no transaction has to be repeated.
- A reading session sees one snapshot.
- A commit that returned is on the disk (`synchronous=FULL`; PostgreSQL's default), unless its session was opened with
  `durable=False`: such a commit may be undone by a power cut, as a whole, never by the end of a process. It is for what
  may as well not have happened, such as the lease of a task.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlmodel import Session

from marketplace.errors import ConfigurationError
from marketplace.words import Words

BUSY_TIMEOUT_MILLISECONDS = 30_000
WRITER_LOCK = 0x6D61726B6574  # "market": the advisory lock that makes PostgreSQL's writers take turns

SomeSession = TypeVar("SomeSession", bound=Session)

_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def make_engine(url: str) -> Engine:
    """Open the relational store.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`; the folder of an SQLite file is made if it is missing.

    Raises:
        ConfigurationError: the database is neither SQLite nor PostgreSQL.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite_engine(url, parsed.database)
    if backend == "postgresql":
        url_ = parsed.set(drivername="postgresql+psycopg")
        # A writer must see what was committed while it waited for its turn, whatever the server's default is: under a
        # stricter level its snapshot would be as old as its wait.
        return create_engine(url_, pool_pre_ping=True, isolation_level="READ COMMITTED")
    raise ConfigurationError(
        "database_unknown",
        f"the store cannot be a {backend} database",
        zh=f"不支持 {backend} 数据库",
        expected=Words("sqlite:///… or postgresql://…", "sqlite:///… 或 postgresql://…"),
        got=backend,
        hint="set DATABASE_URL to one of the two",
        hint_zh="请把 DATABASE_URL 设为其中之一",
    )


def _sqlite_engine(url: str, path: str | None) -> Engine:
    if path and not path.startswith((":", "file:")):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own accord: it would begin late and deferred, and SQLite refuses a
    # reader that turns into a writer whatever the time-out.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if turn := options.get("turn"):
        turn.take()
    if options.get("reading", False):
        connection.exec_driver_sql("BEGIN DEFERRED")
        return
    # The connection has served others, so this is said every time. What is synchronised later takes earlier commits
    # along: the log is written in order.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('durable', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()


class _Turn:
    """One writing session's place among those of this process.

    SQLite lets a second writer sleep ever longer between two tries; a lock wakes it at once. It decides nothing: a
    writer in another process, or one that waited too long here, meets SQLite's own lock.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock, self._taken = _turns.setdefault(engine, threading.Lock()), False

    def take(self) -> None:
        """Wait for the turn; where the transaction begins, not before."""
        if not self._taken:
            self._taken = self._lock.acquire(timeout=BUSY_TIMEOUT_MILLISECONDS / 1000)

    def give(self) -> None:
        """Pass it on, once the transaction has ended."""
        if self._taken:
            self._taken = False
            self._lock.release()


@contextmanager
def session(engine: Engine, *, durable: bool = True) -> Iterator[Session]:
    """A writing session in one transaction: commits when the block ends, rolls back when it raises."""
    with session_of(Session, engine, durable=durable) as opened:
        yield opened


@contextmanager
def session_of(kind: type[SomeSession], engine: Engine, *, durable: bool = True) -> Iterator[SomeSession]:
    """As `session`, with a session class of the caller's own."""
    turn = _Turn(engine)
    try:
        with kind(engine.execution_options(turn=turn, durable=durable), expire_on_commit=False) as opened:
            if engine.dialect.name == "postgresql":
                opened.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
                if not durable:
                    opened.connection().execute(text("SET LOCAL synchronous_commit TO OFF"))
            yield opened
            opened.commit()
    finally:
        turn.give()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for reading alone: one snapshot, no lock, nothing is ever committed."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with Session(engine.execution_options(**options), expire_on_commit=False) as opened:
        yield opened
