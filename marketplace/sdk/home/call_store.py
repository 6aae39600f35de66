"""Call records and vouchers of orders in one SQLite file: the buyer's in its home folder, the seller's at its gateway.

Both sides keep the same: every record, and the last voucher, so that either can prove what was called and paid. A
record is written, and on disk, before its answer leaves the gateway, and before the buyer pays for it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from marketplace.documents import Document
from marketplace.errors import RuleError

BUSY_SECONDS = 60
_TABLES = """
CREATE TABLE IF NOT EXISTS records (order_id TEXT, number INTEGER, record TEXT, seen_ms INTEGER,
                                    PRIMARY KEY (order_id, number));
CREATE TABLE IF NOT EXISTS vouchers (order_id TEXT PRIMARY KEY, calls INTEGER, voucher TEXT);
CREATE TABLE IF NOT EXISTS answers (order_id TEXT PRIMARY KEY, number INTEGER, request TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS pending (order_id TEXT PRIMARY KEY, call TEXT, voucher TEXT);
CREATE TABLE IF NOT EXISTS buyers (order_id TEXT PRIMARY KEY, buyer TEXT);
CREATE INDEX IF NOT EXISTS orders_of_buyers ON buyers (buyer);
CREATE TABLE IF NOT EXISTS credentials (digest TEXT PRIMARY KEY, order_id TEXT, key TEXT, expires INTEGER,
                                        token TEXT);
"""


def call_file(folder: Path) -> Path:
    """Where a home folder keeps its calls."""
    return folder / "calls" / "records.sqlite"


class CallStore:
    """The file; safe for several threads.

    Args:
        path: created when absent.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_TABLES)
        path.chmod(0o600)
        self._lock = RLock()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock, closing(self._connection.execute(statement, values)) as cursor:
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, closing(self._connection.execute(statement, values)) as cursor:
            return cursor.fetchall()

    # -- records and vouchers ---------------------------------------------------------------------------------------

    def records(self, order: str, first: int = 1, most: int = -1) -> list[Document]:
        """The order's records from number `first` on, in order; `most` of them, all if it is below 0."""
        rows = self._rows(
            "SELECT record FROM records WHERE order_id = ? AND number >= ? ORDER BY number LIMIT ?", order, first, most
        )
        return [json.loads(row[0]) for row in rows]

    def count(self, order: str) -> int:
        """How many records of the order are here."""
        row = self._row("SELECT coalesce(max(number), 0) FROM records WHERE order_id = ?", order)
        return int(row[0]) if row else 0

    def seen_ms(self, order: str) -> list[int]:
        """How long the buyer waited for each answer, milliseconds, as far as it measured."""
        rows = self._rows("SELECT seen_ms FROM records WHERE order_id = ? AND seen_ms >= 0 ORDER BY number", order)
        return [int(row[0]) for row in rows]

    def orders(self) -> list[str]:
        """Ids of the orders that have records."""
        return [str(row[0]) for row in self._rows("SELECT DISTINCT order_id FROM records ORDER BY order_id")]

    def voucher(self, order: str) -> Document | None:
        """The order's last voucher."""
        row = self._row("SELECT voucher FROM vouchers WHERE order_id = ?", order)
        return json.loads(row[0]) if row else None

    def keep_voucher(self, voucher: Mapping[str, Any]) -> None:
        """Keep a voucher, unless one for more calls is here."""
        with self._writing() as connection:
            _keep_voucher(connection, voucher)

    def keep_record(self, record: Mapping[str, Any], *, seen_ms: int = -1) -> None:
        """Keep a record that came from the other side, and forget the call that it answers."""
        with self._writing() as connection:
            _keep_record(connection, record, seen_ms)
            connection.execute("DELETE FROM pending WHERE order_id = ?", (record["order"],))

    def keep_answer(
        self, record: Mapping[str, Any], request: str, answer: Mapping[str, Any], voucher: Mapping[str, Any] | None
    ) -> None:
        """Keep what is about to leave the gateway: the record, the answer in case it is lost, and the voucher.

        Raises:
            RuleError: `call_taken`: another process has answered a call of that number.
        """
        with self._writing() as connection:
            if _keep_record(connection, record, -1) == 0:
                raise _taken(record["number"])
            if voucher is not None:
                _keep_voucher(connection, voucher)
            row = (record["order"], record["number"], request, json.dumps(answer))
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def answer(self, order: str) -> tuple[int, str, Document] | None:
        """Number, request and answer of the order's last call."""
        row = self._row("SELECT number, request, answer FROM answers WHERE order_id = ?", order)
        return (int(row[0]), str(row[1]), json.loads(row[2])) if row else None

    def keep_buyer(self, order: str, buyer: str) -> None:
        """Remember whose order it is."""
        if self._row("SELECT 1 FROM buyers WHERE order_id = ?", order) is None:
            with self._writing() as connection:
                connection.execute("INSERT OR IGNORE INTO buyers VALUES (?, ?)", (order, buyer))

    def unpaid(self, buyer: str, besides: str) -> str | None:
        """An order of the buyer, besides this one, that has a record which no voucher pays for."""
        row = self._row(
            "SELECT b.order_id FROM buyers b LEFT JOIN vouchers v ON v.order_id = b.order_id"
            " WHERE b.buyer = ? AND b.order_id <> ? AND coalesce(v.calls, 0) <"
            " (SELECT coalesce(max(number), 0) FROM records r WHERE r.order_id = b.order_id) LIMIT 1",
            buyer,
            besides,
        )
        return str(row[0]) if row else None

    def forgive(self, order: str) -> bool:
        """Hold no unpaid call of this order against its buyer any more; returns whether one was."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM buyers WHERE order_id = ?", (order,)).rowcount > 0

    # -- calls under way --------------------------------------------------------------------------------------------

    def begin(self, call: Mapping[str, Any], voucher: Mapping[str, Any] | None) -> None:
        """Remember a call and its voucher before they are sent: after a crash the very same call is sent again."""
        with self._writing() as connection:
            if voucher is not None:
                _keep_voucher(connection, voucher)
            row = (call["order"], json.dumps(call), json.dumps(voucher))
            connection.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", row)

    def pending(self, order: str) -> tuple[Document, Document | None] | None:
        """The call that was sent and has no answer yet, with its voucher."""
        row = self._row("SELECT call, voucher FROM pending WHERE order_id = ?", order)
        return (json.loads(row[0]), json.loads(row[1])) if row else None

    def forget_pending(self, order: str) -> None:
        """The call was refused: nothing is under way."""
        with self._writing() as connection:
            connection.execute("DELETE FROM pending WHERE order_id = ?", (order,))

    # -- credentials ------------------------------------------------------------------------------------------------

    def keep_credential(self, digest: str, order: str, key: str, expires: int, token: str = "") -> None:
        """Keep a credential in place of the order's earlier ones; the gateway keeps no token."""
        with self._writing() as connection:
            connection.execute("DELETE FROM credentials WHERE order_id = ?", (order,))
            connection.execute("INSERT INTO credentials VALUES (?, ?, ?, ?, ?)", (digest, order, key, expires, token))

    def credential(self, digest: str) -> tuple[str, str, int] | None:
        """Order, key and end (unix seconds) of the credential with this token's digest."""
        row = self._row("SELECT order_id, key, expires FROM credentials WHERE digest = ?", digest)
        return (str(row[0]), str(row[1]), int(row[2])) if row else None

    def token(self, order: str) -> tuple[str, int] | None:
        """The buyer's token for an order, and its end."""
        row = self._row("SELECT token, expires FROM credentials WHERE order_id = ?", order)
        return (str(row[0]), int(row[1])) if row else None

    def revoke(self, order: str) -> bool:
        """End the order's credentials; returns whether there was one."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM credentials WHERE order_id = ?", (order,)).rowcount > 0


def _keep_record(connection: sqlite3.Connection, record: Mapping[str, Any], seen_ms: int) -> int:
    """Keep a record unless one of its number is here; how many were kept."""
    row = (record["order"], record["number"], json.dumps(record), seen_ms)
    return connection.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?)", row).rowcount


def _taken(number: int) -> RuleError:
    return RuleError(
        "call_taken",
        f"call {number} was answered by another process on the same records",
        zh=f"第 {number} 次调用已由另一进程答复",
        rule="api.calls_are_numbered",
        got=number,
        hint="call again; run one gateway for a home folder",
        hint_zh="请重新调用；每个目录仅运行一个网关",
    )


def _keep_voucher(connection: sqlite3.Connection, voucher: Mapping[str, Any]) -> None:
    row = (voucher["order"], voucher["calls"], json.dumps(voucher))
    connection.execute(
        "INSERT INTO vouchers VALUES (?, ?, ?) ON CONFLICT (order_id) DO UPDATE"
        " SET calls = excluded.calls, voucher = excluded.voucher WHERE excluded.calls > calls",
        row,
    )
