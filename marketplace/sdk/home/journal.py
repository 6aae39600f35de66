"""What a participant must never forget, in one SQLite file of its home folder.

Steps of an order: a buyer's call number n is one query and one cumulative voucher. The step is written **before** it
is signed or sent, and a step once written never changes its content, so that the buyer cannot sign two different
vouchers for one step, whatever crashes in between. After a crash the pending step is sent again, byte for byte.
States: pending -> released | refused.

Checkpoints: the largest tree head of each log that was seen, so that a log that forgets or rewrites its past is
noticed.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.errors import ConfigurationError, RuleError
from marketplace.sdk.home import files

SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
  order_id TEXT NOT NULL, sequence INTEGER NOT NULL, query_digest TEXT NOT NULL, query TEXT NOT NULL, voucher TEXT NOT
  NULL, status TEXT NOT NULL CHECK (status IN ('pending', 'released', 'refused')), outcome TEXT,
  PRIMARY KEY (order_id, sequence), CHECK ((status = 'pending') = (outcome IS NULL)));
CREATE UNIQUE INDEX IF NOT EXISTS one_pending_step ON steps (order_id) WHERE status = 'pending';
CREATE TABLE IF NOT EXISTS checkpoints (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root TEXT NOT NULL, note TEXT
NOT NULL); CREATE TRIGGER IF NOT EXISTS steps_keep_their_content BEFORE UPDATE OF order_id, sequence, query_digest,
query, voucher ON steps
  BEGIN SELECT RAISE(ABORT, 'a step never changes its content'); END;
"""


@dataclass(frozen=True)
class Step:
    """One call of an order.

    Args:
        order: order id.
        sequence: 1 for the first call, one more for each next one, refused ones included.
        query_digest: digest of `query`.
        query: the query document.
        voucher: the EIP-712 Voucher message that pays for this and all earlier released calls.
        status: "pending", "released" or "refused".
        outcome: the answer or the refusal; None while pending.
    """

    order: str
    sequence: int
    query_digest: str
    query: Mapping[str, Any]
    voucher: Mapping[str, Any]
    status: str
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True)
class SeenCheckpoint:
    """The largest tree head of a log that this participant accepted.

    Args:
        size: number of leaves.
        root: "0x" hex of 32 bytes.
        note: the signed note as it came.
    """

    size: int
    root: str
    note: str


class Journal:
    """The journal.

    Args:
        path: the file; None keeps it in memory.
    Raises:
        ConfigurationError: the file is not a journal, or others can read it.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            files.make_private_folder(path.parent)
            path.touch(mode=files.PRIVATE_FILE, exist_ok=True)
            files.refuse_shared(path)
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            raise ConfigurationError(
                "journal_unreadable",
                f"{path} is not a readable journal: {error}",
                zh=f"无法读取日志文件 {path}",
                hint="restore it from a backup; without it a buyer must sign no further vouchers for open orders",
                hint_zh="请从备份恢复；没有该日志, 买方不应再为未结订单签署凭证",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def reserve(self, step: Step) -> Step:
        """Write a pending step. The same step again is answered with what stands there.

        Raises:
            RuleError: this step has another content already, or another step is pending.
        """
        known = self.step(step.order, step.sequence)
        if known is not None:
            return _same(known, step)
        try:
            with self._db:
                self._db.execute(
                    "INSERT INTO steps VALUES (?, ?, ?, ?, ?, 'pending', NULL)",
                    (step.order, step.sequence, step.query_digest, _text(step.query), _text(step.voucher)),
                )
        except sqlite3.IntegrityError as error:
            raise _pending_error(step.order) from error
        return step

    def finish(self, order: str, sequence: int, status: str, outcome: Mapping[str, Any]) -> None:
        """Record how a pending step ended; finishing it again changes nothing.

        Args:
            status: "released" or "refused".
        """
        with self._db:
            self._db.execute(
                "UPDATE steps SET status = ?, outcome = ? WHERE order_id = ? AND sequence = ? AND status = 'pending'",
                (status, _text(outcome), order, sequence),
            )

    def step(self, order: str, sequence: int) -> Step | None:
        """One step, if it was ever written."""
        return self._one("order_id = ? AND sequence = ?", order, sequence)

    def pending(self, order: str) -> Step | None:
        """The step whose outcome is not known yet."""
        return self._one("order_id = ? AND status = 'pending'", order)

    def steps(self, order: str, status: str | None = None) -> list[Step]:
        """Steps of an order, in sequence."""
        wanted = "order_id = ?" + (" AND status = ?" if status else "")
        return self._many(wanted, order, *([status] if status else []))

    def checkpoint(self, origin: str) -> SeenCheckpoint | None:
        """The last accepted tree head of a log."""
        row = self._db.execute("SELECT size, root, note FROM checkpoints WHERE origin = ?", (origin,)).fetchone()
        return SeenCheckpoint(*row) if row else None

    def accept_checkpoint(self, origin: str, seen: SeenCheckpoint) -> None:
        """Remember a tree head that was proved consistent with the last; a smaller one never replaces a larger one."""
        with self._db:
            self._db.execute(
                "INSERT INTO checkpoints VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size,"
                " root = excluded.root, note = excluded.note WHERE excluded.size >= checkpoints.size",
                (origin, seen.size, seen.root, seen.note),
            )

    def _one(self, where: str, *values: object) -> Step | None:
        found = self._many(where, *values)
        return found[0] if found else None

    def _many(self, where: str, *values: object) -> list[Step]:
        rows = self._db.execute(f"SELECT * FROM steps WHERE {where} ORDER BY order_id, sequence", values)  # noqa: S608 - fixed texts above
        return [_step(row) for row in rows]


def _open(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", timeout=10, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")
        db.executescript(SCHEMA)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _step(row: tuple[Any, ...]) -> Step:
    order, sequence, digest, query, voucher, status, outcome = row
    return Step(
        order,
        sequence,
        digest,
        json.loads(query),
        json.loads(voucher),
        status,
        json.loads(outcome) if outcome else None,
    )


def _same(known: Step, wanted: Step) -> Step:
    if (known.query_digest, _text(known.voucher)) == (wanted.query_digest, _text(wanted.voucher)):
        return known
    raise RuleError(
        "step_already_signed",
        f"call {wanted.sequence} of this order was already signed with another content",
        zh=f"该订单的第 {wanted.sequence} 次调用已按其他内容签署",
        rule="client.one_step_one_content",
        expected=known.query_digest,
        got=wanted.query_digest,
        hint="carry on with what was signed: `marketplace queries resume`",
        hint_zh="请继续已签署的内容：`marketplace queries resume`",
    )


def _pending_error(order: str) -> RuleError:
    return RuleError(
        "step_pending",
        "an earlier call of this order has no outcome yet",
        zh="该订单上一次调用尚无结果",
        rule="client.one_step_at_a_time",
        got=order,
        hint="finish it first: marketplace queries resume ORDER",
        hint_zh="请先完成：marketplace queries resume ORDER",
    )
