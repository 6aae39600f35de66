"""The vault's privacy account in its own SQLite file: what was released to whom, and what it cost.

Rules of this file:
  - Everything that one decision reads and writes happens in one transaction that begins with BEGIN IMMEDIATE, so two
    decisions never see the same remaining budget.
  - The transaction is committed to disk (synchronous FULL) before a share leaves the vault. A crash after the commit
    loses nothing: the same query gets the stored release again. A crash before it has charged and released nothing.
  - Spent budget only grows: it is the sum of what the releases charged, and no release is ever taken out.
  - One account for each SERIES, all versions of a data set together. Residues of shares are encrypted at rest; cell
    sets and documents are not secret.
"""

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crypto.canonical import canonical_json, sha256
from marketplace.documents import Document
from marketplace.errors import RuleError
from marketplace.pricing import Tariff
from marketplace.queries.cohort.counts import Released
from marketplace.queries.permission.pricing import OrderAccount, calls_of
from marketplace.queries.planning.plan import Cells
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.versions import bring_up_to_date, context
from marketplace.words import Words

BUSY_SECONDS = 60


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
        series: asset id to series, to carry over a file of the first layout (see versions.py).
    Raises:
        ConfigurationError: `account_newer`.
    """

    def __init__(self, path: Path, cipher: Cipher, series: Mapping[str, str] | None = None) -> None:
        self.path, self.cipher = path, cipher
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            bring_up_to_date(connection, cipher, series or {})
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

    def release(self, query: str) -> Document | None:
        """Its release document alone: shares may be large."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT release FROM releases WHERE query = ?", (query,)).fetchone()
        return json.loads(row[0]) if row else None

    def last_voucher(self, order: str) -> Document | None:
        """The voucher of the order's last release: what its supplier may close the order with."""
        with closing(self._connect()) as connection:
            return Account(connection, self.cipher).last_voucher(order)

    def spent(self, series: str) -> int:
        """Budget that this series has spent over all its buyers, in millionths."""
        with closing(self._connect()) as connection:
            return Account(connection, self.cipher).spent_series(series)

    def forget_keys(self, account: str) -> int:
        """Forget the history of an account's keys that was shown here; returns how many changes it had."""
        with self.exclusive() as held:
            return held.forget_keys(account)

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

    def budget(self, series: str, budget: int) -> int:
        """The budget of a series. The smallest ever signed for it counts."""
        self._connection.execute(
            "INSERT INTO series VALUES (?, ?) ON CONFLICT (series) DO UPDATE SET budget = min(budget, excluded.budget)",
            (series, budget),
        )
        row = self._connection.execute("SELECT budget FROM series WHERE series = ?", (series,)).fetchone()
        return int(row[0])

    def order(self, fund: Mapping[str, Any], tariff: Tariff) -> OrderAccount:
        """An order's account, from its Fund message and the releases so far: all epsilon, but only answered calls."""
        rows = self._connection.execute(
            "SELECT query FROM releases WHERE order_id = ? AND withheld = 0 ORDER BY position", (fund["orderId"],)
        ).fetchall()
        last = self.last_voucher(fund["orderId"]) or {"amount": 0, "epsilon": 0}
        return OrderAccount(
            order=fund["orderId"],
            buyer=fund["buyer"],
            escrow=fund["escrow"],
            tariff=tariff,
            cap=fund["epsilonCap"],
            spent=self.spent(fund["orderId"]),
            amount=last["amount"],
            epsilon=last["epsilon"],
            calls=calls_of(row[0] for row in rows),
        )

    def last_voucher(self, order: str) -> Document | None:
        """The voucher of the order's last release that was a call."""
        row = self._connection.execute(
            "SELECT voucher FROM releases WHERE order_id = ? AND withheld = 0 ORDER BY position DESC LIMIT 1", (order,)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def spent(self, order: str) -> int:
        """Budget that the order has spent, in millionths."""
        return self._sum("SELECT sum(epsilon) FROM releases WHERE order_id = ?", order)

    def spent_series(self, series: str) -> int:
        """Budget that the series has spent over all its buyers, in millionths."""
        return self._sum("SELECT sum(epsilon) FROM releases WHERE series = ?", series)

    def spent_buyer(self, series: str, accounts: Collection[str]) -> int:
        """Budget of the series that these accounts have spent together, over all orders and versions."""
        statement = "SELECT sum(epsilon) FROM releases WHERE series = ? AND buyer IN (SELECT value FROM json_each(?))"
        return self._sum(statement, series, json.dumps(sorted(accounts)))

    def _sum(self, statement: str, *values: str) -> int:
        row = self._connection.execute(statement, values).fetchone()
        return int(row[0] or 0)

    def earlier_sets(self, series: str) -> list[Released]:
        """Every cell set of this series of which a number was released."""
        rows = self._connection.execute("SELECT cells, measures FROM sets WHERE series = ?", (series,)).fetchall()
        return [Released(_unpacked(cells), frozenset(json.loads(names))) for cells, names in rows]

    def answered(self, series: str, question: str) -> Answered | None:
        """The shares of this question, if it was answered before.

        Raises:
            RuleError: `answer_lost`: it was, but the account was recovered from evidence, which cannot hold shares.
        """
        row = self._connection.execute(
            "SELECT sealed FROM answers WHERE series = ? AND question IN (?, ?) ORDER BY sealed IS NULL",
            (series, question, _lost_name(question.partition("/")[0])),
        ).fetchone()
        if row is None:
            return None
        if row[0] is None:
            raise _lost()
        kept = json.loads(self._cipher.decrypt(row[0], context(series, question)))
        residues = {index: int(residue, 16) for index, residue in kept["residues"]}
        return Answered(residues, kept["generation"])

    def remember_answer(self, series: str, question: str, answer: Answered, sets: Sequence[Released]) -> None:
        """Keep the shares of a question and the cell sets that it released."""
        residues = [[index, hex(residue)] for index, residue in sorted(answer.residues.items())]
        plain = json.dumps({"residues": residues, "generation": answer.generation}).encode()
        sealed = self._cipher.encrypt(plain, context(series, question))
        self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", (series, question, sealed))
        self._remember_sets(series, sets)

    def remember_loss(self, series: str, plan: str, sets: Collection[Released]) -> None:
        """Keep that a plan was answered, under some minimum cohort, whose shares are lost unless they are here."""
        self._connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, NULL)", (series, _lost_name(plan)))
        self._remember_sets(series, sets)

    def _remember_sets(self, series: str, sets: Collection[Released]) -> None:
        rows = [(series, *_set_row(item)) for item in sets]
        self._connection.executemany("INSERT OR IGNORE INTO sets VALUES (?, ?, ?, ?)", rows)

    def remember_release(self, series: str, stored: Stored) -> None:
        """Keep what is about to leave."""
        release, buyer = stored.release, stored.voucher["buyer"]
        documents = (json.dumps(item) for item in (stored.voucher, release, stored.shares))
        self._connection.execute(
            "INSERT INTO releases (query, order_id, series, buyer, epsilon, voucher, release, shares)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (release["query"], release["order"], series, buyer, release["epsilon"], *documents),
        )

    def refused(self, query: str) -> Document | None:
        """The refusal of this query, where refusals are final and there was one."""
        row = self._connection.execute("SELECT refusal FROM refusals WHERE query = ?", (query,)).fetchone()
        return json.loads(row[0]) if row else None

    def remember_refusal(self, refusal: Document) -> None:
        """Keep a refusal that is final."""
        row = (refusal["query"], json.dumps(refusal))
        self._connection.execute("INSERT INTO refusals VALUES (?, ?)", row)

    def withhold(self, query: str) -> None:
        """The custodian refused what was released of this query: it was no call. What it charged stays charged."""
        self._connection.execute("UPDATE releases SET withheld = 1 WHERE query = ?", (query,))

    def keys_seen(self, account: str) -> tuple[int, str]:
        """How many changes of an account's keys were shown here, and the digest of its history after the last."""
        row = self._connection.execute("SELECT changes, trail FROM keys WHERE account = ?", (account,)).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "")

    def remember_keys(self, account: str, changes: int, trail: str) -> None:
        """Keep the longest history of an account's keys that was shown."""
        self._connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (account, changes, trail))

    def forget_keys(self, account: str) -> int:
        """Take the next history that is shown as the first; returns how many changes were known."""
        changes, _ = self.keys_seen(account)
        self._connection.execute("DELETE FROM keys WHERE account = ?", (account,))
        return changes


def _set_row(item: Released) -> tuple[bytes, str, bytes]:
    cells = item.cells.astype("<i8").tobytes()
    return sha256(cells), canonical_json(sorted(item.measures)).decode(), zlib.compress(cells)


def _unpacked(cells: bytes) -> Cells:
    return np.frombuffer(zlib.decompress(cells), dtype="<i8").astype(np.int64)


def _lost_name(plan: str) -> str:
    return f"{plan}/lost"


def _lost() -> RuleError:
    return RuleError(
        "answer_lost",
        "this question was answered before, and the vault has lost the answer's shares",
        zh="该问题此前已作答,但保险库已丢失其份额",
        rule="vault.same_answer",
        expected=Words(
            "a question that was not answered before the account was recovered", "账户恢复之前未曾答复的提问"
        ),
        hint="who got the answer still has it; ask a question that differs in something",
        hint_zh="原提问方仍持有答案；请改问一个有所不同的问题",
    )
