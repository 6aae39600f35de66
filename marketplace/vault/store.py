"""The vault's privacy account in its own SQLite file: what was released to whom, and what it cost.

Rules of this file:
  - Everything that one decision reads and writes happens in one transaction that begins with BEGIN IMMEDIATE, so two
    decisions never see the same remaining budget.
  - The transaction is committed to disk (synchronous FULL) before a share leaves the vault. A crash after the commit
    loses nothing: the same query gets the stored release again. A crash before it has charged and released nothing.
  - Spent budget only grows. Residues of shares are encrypted at rest; cell sets and documents are not secret.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crypto.canonical import canonical_json, sha256
from marketplace.documents import Document
from marketplace.queries.cohort import Released
from marketplace.queries.plan import Cells
from marketplace.queries.pricing import OrderAccount
from marketplace.vault.secrecy import Cipher

BUSY_SECONDS = 60
_SCHEMA = """
CREATE TABLE IF NOT EXISTS assets (asset TEXT PRIMARY KEY, budget INTEGER NOT NULL, spent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS releases (
    position INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT UNIQUE NOT NULL, order_id TEXT NOT NULL,
    asset TEXT NOT NULL, epsilon INTEGER NOT NULL, voucher TEXT NOT NULL, release TEXT NOT NULL, shares TEXT NOT NULL,
    withheld INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS releases_of_order ON releases (order_id, position);
CREATE TABLE IF NOT EXISTS sets (
    asset TEXT NOT NULL, digest BLOB NOT NULL, measures TEXT NOT NULL, cells BLOB NOT NULL,
    PRIMARY KEY (asset, digest, measures));
CREATE TABLE IF NOT EXISTS answers (
    asset TEXT NOT NULL, question TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (asset, question));
"""


@dataclass(frozen=True)
class Stored:
    """A release as it left the vault."""

    release: Document
    shares: Document
    voucher: Document


@dataclass(frozen=True)
class Answered:
    """Shares of an answered question: residues by position; a position without one belongs to a suppressed group.

    `generation` is that of the key's half that gave them; 0 of a whole key.
    """

    residues: Mapping[int, int]
    generation: int = 0

    def __repr__(self) -> str:
        return f"Answered({len(self.residues)} numbers)"


class PrivacyStore:
    """The file.

    Args:
        path: created when absent. cipher: for residues.
    """

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self.path, self.cipher = path, cipher
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
        path.chmod(0o600)

    @contextmanager
    def exclusive(self) -> Iterator["Account"]:
        """The account, for one decision: nobody else decides meanwhile. Committed on return, undone on an error."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Account(connection, self.cipher)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def released(self, query: str) -> Stored | None:
        """The release of this query, if there was one."""
        with closing(self._connect()) as connection:
            return Account(connection, self.cipher).released(query)

    def last_voucher(self, order: str) -> Document | None:
        """The voucher of the order's last release: what its supplier may close the order with."""
        with closing(self._connect()) as connection:
            row = connection.execute(
                "SELECT voucher FROM releases WHERE order_id = ? AND NOT withheld ORDER BY position DESC LIMIT 1",
                (order,),
            ).fetchone()
        return json.loads(row[0]) if row else None

    def spent(self, asset: str) -> int:
        """Epsilon that this data set has spent over all its buyers, in millionths."""
        with closing(self._connect()) as connection:
            return Account(connection, self.cipher).spent_asset(asset)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        return connection


class Account:
    """The privacy account within one transaction."""

    def __init__(self, connection: sqlite3.Connection, cipher: Cipher) -> None:
        self._connection, self._cipher = connection, cipher

    def released(self, query: str) -> Stored | None:
        """The release of this query, if there was one."""
        row = self._connection.execute(
            "SELECT release, shares, voucher FROM releases WHERE query = ?", (query,)
        ).fetchone()
        return Stored(*map(json.loads, row)) if row else None

    def asset(self, asset: str, budget: int) -> tuple[int, int]:
        """(budget, spent) of a data set. The smallest budget ever signed for it counts."""
        self._connection.execute(
            "INSERT INTO assets VALUES (?, ?, 0)"
            " ON CONFLICT (asset) DO UPDATE SET budget = min(budget, excluded.budget)",
            (asset, budget),
        )
        row = self._connection.execute("SELECT budget, spent FROM assets WHERE asset = ?", (asset,)).fetchone()
        return int(row[0]), int(row[1])

    def order(self, fund: Mapping[str, Any], price: int) -> OrderAccount:
        """An order's account, from its Fund message and the releases so far: all epsilon, but only answered calls."""
        rows = self._connection.execute(
            "SELECT query, epsilon, voucher FROM releases WHERE order_id = ? AND NOT withheld ORDER BY position",
            (fund["orderId"],),
        ).fetchall()
        last = json.loads(rows[-1][2]) if rows else {"amount": 0, "epsilon": 0}
        return OrderAccount(
            order=fund["orderId"],
            buyer=fund["buyer"],
            escrow=fund["escrow"],
            price=price,
            cap=fund["epsilonCap"],
            spent=self.spent(fund["orderId"]),
            amount=last["amount"],
            epsilon=last["epsilon"],
            calls=tuple(row[0] for row in rows),
        )

    def spent(self, order: str) -> int:
        """Epsilon that the order has spent, in millionths."""
        row = self._connection.execute("SELECT sum(epsilon) FROM releases WHERE order_id = ?", (order,)).fetchone()
        return int(row[0] or 0)

    def spent_asset(self, asset: str) -> int:
        """Epsilon that the data set has spent over all its buyers, in millionths."""
        row = self._connection.execute("SELECT spent FROM assets WHERE asset = ?", (asset,)).fetchone()
        return int(row[0]) if row else 0

    def earlier_sets(self, asset: str) -> list[Released]:
        """Every cell set of this data set of which a number was released."""
        rows = self._connection.execute("SELECT cells, measures FROM sets WHERE asset = ?", (asset,)).fetchall()
        return [Released(_unpacked(cells), frozenset(json.loads(names))) for cells, names in rows]

    def answered(self, asset: str, question: str) -> Answered | None:
        """The shares of this question, if it was answered before."""
        row = self._connection.execute(
            "SELECT sealed FROM answers WHERE asset = ? AND question = ?", (asset, question)
        ).fetchone()
        if row is None:
            return None
        kept = json.loads(self._cipher.decrypt(row[0], _context(asset, question)))
        residues = {index: int(residue, 16) for index, residue in kept["residues"]}
        return Answered(residues, kept["generation"])

    def charge(self, asset: str, epsilon: int) -> None:
        """Spend epsilon of the data set."""
        self._connection.execute("UPDATE assets SET spent = spent + ? WHERE asset = ?", (epsilon, asset))

    def remember_answer(self, asset: str, question: str, answer: Answered, sets: Sequence[Released]) -> None:
        """Keep the shares of a question and the cell sets that it released."""
        residues = [[index, hex(residue)] for index, residue in sorted(answer.residues.items())]
        plain = json.dumps({"residues": residues, "generation": answer.generation}).encode()
        sealed = self._cipher.encrypt(plain, _context(asset, question))
        self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", (asset, question, sealed))
        self._connection.executemany(
            "INSERT OR IGNORE INTO sets VALUES (?, ?, ?, ?)", [(asset, *_set_row(item)) for item in sets]
        )

    def remember_release(self, asset: str, stored: Stored) -> None:
        """Keep what is about to leave."""
        release = stored.release
        documents = (json.dumps(item) for item in (stored.voucher, release, stored.shares))
        self._connection.execute(
            "INSERT INTO releases (query, order_id, asset, epsilon, voucher, release, shares)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (release["query"], release["order"], asset, release["epsilon"], *documents),
        )

    def withhold(self, query: str) -> None:
        """The custodian refused what was released of this query: it was no call. What it charged stays charged."""
        self._connection.execute("UPDATE releases SET withheld = 1 WHERE query = ?", (query,))


def _set_row(item: Released) -> tuple[bytes, str, bytes]:
    cells = item.cells.astype("<u4").tobytes()
    return sha256(cells), canonical_json(sorted(item.measures)).decode(), zlib.compress(cells)


def _unpacked(cells: bytes) -> Cells:
    return np.frombuffer(zlib.decompress(cells), dtype="<u4").astype(np.int64)


def _context(asset: str, question: str) -> bytes:
    return f"vault/answer/{asset}/{question}".encode()
