"""One writer: two sealers on one journal would sign the same nonce twice, so a second is refused while one lives.

The operating system (SQLite) or the server (PostgreSQL) gives the lock back the moment its holder dies, so no clock
is trusted and nobody waits for a lease to run out. A turn number in the journal fences off a holder that lost its
lock unknowingly: every transaction of the sealer checks it.
"""

import fcntl
import time
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from marketplace.errors import ConfigurationError
from marketplace.ledger.tables import LedgerMeta
from marketplace.storage.engine import session

_LOCK = 0x6C6564676572  # "ledger", PostgreSQL's name of the lock
_KEY = "writer"


class WriterLease:
    """The right to seal. Take it with `acquire`, prove it inside every transaction with `require`.

    Args:
        engine: the journal's store.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = 0
        self._file: IO[str] | None = None
        self._connection: Connection | None = None

    def acquire(self, wait_seconds: float = 5.0) -> None:
        """Become the writer.

        Raises:
            ConfigurationError: `ledger_writer_running`: another process is.
        """
        deadline = time.monotonic() + wait_seconds
        while not self._try_lock():
            if time.monotonic() > deadline:
                self.release()
                raise ConfigurationError(
                    "ledger_writer_running",
                    "another process is sealing on this database",
                    zh="已有另一进程在该数据库上封块",
                    hint="stop the other one, or give this one its own database",
                    hint_zh="请先停止另一进程，或为本进程配置独立数据库",
                )
            time.sleep(0.05)
        with session(self._engine) as opened:
            row = opened.get(LedgerMeta, _KEY) or LedgerMeta(key=_KEY, value={"turn": 0})
            self._turn = int(row.value["turn"]) + 1
            row.value = {"turn": self._turn}
            opened.add(row)

    def require(self, opened: Session) -> None:
        """Make sure, inside the transaction of `opened`, that nobody else has become the writer.

        Raises:
            ConfigurationError: `ledger_writer_lost`.
        """
        row = opened.get(LedgerMeta, _KEY)
        if row is None or row.value["turn"] != self._turn:
            raise ConfigurationError(
                "ledger_writer_lost", "another process has become the ledger's writer", zh="账本写入权已被另一进程取得"
            )

    def release(self) -> None:
        """Let another process become the writer."""
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            self._connection.close()
        self._file = self._connection = None

    def _try_lock(self) -> bool:
        if self._engine.dialect.name == "postgresql":
            return self._lock_server()
        path = self._engine.url.database
        return True if path in (None, "", ":memory:") else self._lock_file(Path(f"{path}.writer"))

    def _lock_file(self, path: Path) -> bool:
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _lock_server(self) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection.detach()  # the lock is the connection's: it must end with it, not wait in the pool
        taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar()
        return bool(taken)
