"""Which layout the account's file has, and how an older one becomes this one.

The number is SQLite's own `user_version`. 0: the first layout, one account for each registered version of a data set.
1: one account for each series, with the buyer of every release, so that caps can be kept across orders and versions.
2: with a custodian's refusals, which are final. 3: with what was shown of accounts' keys (signers.py).
4: with an index that has all that an order's account is made of: shares are large, and were read with it.
"""

import json
import sqlite3
import zlib
from collections.abc import Mapping

import numpy as np

from crypto.canonical import sha256
from marketplace.errors import ConfigurationError
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.words import at_most

VERSION = 4
_SCHEMA = """
CREATE TABLE series (series TEXT PRIMARY KEY, budget INTEGER NOT NULL);
CREATE TABLE releases (
    position INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT UNIQUE NOT NULL, order_id TEXT NOT NULL,
    series TEXT NOT NULL, buyer TEXT NOT NULL, epsilon INTEGER NOT NULL, voucher TEXT NOT NULL, release TEXT NOT NULL,
    shares TEXT NOT NULL, withheld INTEGER NOT NULL DEFAULT 0);
CREATE INDEX releases_of_order ON releases (order_id, position);
CREATE INDEX releases_of_series ON releases (series, buyer, epsilon);
CREATE TABLE sets (
    series TEXT NOT NULL, digest BLOB NOT NULL, measures TEXT NOT NULL, cells BLOB NOT NULL,
    PRIMARY KEY (series, digest, measures));
CREATE TABLE answers (
    series TEXT NOT NULL, question TEXT NOT NULL, sealed BLOB, PRIMARY KEY (series, question));
"""
_REFUSALS = "CREATE TABLE refusals (query TEXT PRIMARY KEY, refusal TEXT NOT NULL)"
_CALLS = "CREATE INDEX calls_of_order ON releases (order_id, withheld, position, query, epsilon)"
_KEYS = "CREATE TABLE keys (account TEXT PRIMARY KEY, changes INTEGER NOT NULL, trail TEXT NOT NULL)"


def bring_up_to_date(connection: sqlite3.Connection, cipher: Cipher, series: Mapping[str, str]) -> None:
    """Create the tables of a new file, or carry an older file over; all of it or nothing.

    Args:
        series: asset id to series, for the oldest files; an asset that is not in it is a series of its own.
    Raises:
        ConfigurationError: `account_newer`, the file was written by a newer program.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _bring(connection, cipher, series)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _bring(connection: sqlite3.Connection, cipher: Cipher, series: Mapping[str, str]) -> None:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise ConfigurationError(
            "account_newer",
            f"the privacy account was written by a newer program: layout {found}, this one reads up to {VERSION}",
            zh=f"隐私账户由更新版本的程序写入:布局 {found},本程序至多支持 {VERSION}",
            expected=at_most(VERSION),
            got=found,
            hint="install the newer program; never start an older one on this file",
            hint_zh="请安装更新版本的程序，切勿用旧版本打开此文件",
        )
    if found < 1:
        _by_series(connection, cipher, series)
    if found < 2:
        connection.execute(_REFUSALS)
    if found < 3:
        connection.execute(_KEYS)
    if found < VERSION:
        connection.execute("DROP INDEX releases_of_order")
        connection.execute(_CALLS)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _by_series(connection: sqlite3.Connection, cipher: Cipher, series: Mapping[str, str]) -> None:
    old = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    names = [name for name in ("assets", "releases", "sets", "answers") if name in old]
    connection.execute("DROP INDEX IF EXISTS releases_of_order")
    for name in names:
        connection.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in filter(str.strip, _SCHEMA.split(";")):
        connection.execute(statement)
    if names:
        _carry_over(connection, cipher, series)
    for name in names:
        connection.execute(f"DROP TABLE old_{name}")


def _carry_over(connection: sqlite3.Connection, cipher: Cipher, series: Mapping[str, str]) -> None:
    for asset, budget in connection.execute("SELECT asset, budget FROM old_assets").fetchall():
        connection.execute(
            "INSERT INTO series VALUES (?, ?) ON CONFLICT (series) DO UPDATE SET budget = min(budget, excluded.budget)",
            (series.get(asset, asset), budget),
        )
    columns = {row[1] for row in connection.execute("PRAGMA table_info(old_releases)")}
    if "withheld" not in columns:
        connection.execute("ALTER TABLE old_releases ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0")
    select = "SELECT query, order_id, asset, epsilon, voucher, release, shares, withheld FROM old_releases"
    for query, order, asset, *rest in connection.execute(select + " ORDER BY position").fetchall():
        # A release stated no spending of its buyer then; documents stay as they were signed.
        row = (query, order, series.get(asset, asset), json.loads(rest[1])["buyer"], *rest)
        connection.execute(
            "INSERT INTO releases (query, order_id, series, buyer, epsilon, voucher, release, shares, withheld)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    for asset, measures, cells in connection.execute("SELECT asset, measures, cells FROM old_sets").fetchall():
        atoms = np.frombuffer(zlib.decompress(cells), dtype="<u4").astype("<i8").tobytes()
        row = (series.get(asset, asset), sha256(atoms), measures, zlib.compress(atoms))
        connection.execute("INSERT OR IGNORE INTO sets VALUES (?, ?, ?, ?)", row)
    for asset, question, sealed in connection.execute("SELECT asset, question, sealed FROM old_answers").fetchall():
        name = series.get(asset, asset)
        kept = {"generation": 0, **json.loads(cipher.decrypt(sealed, context(asset, question)))}
        again = cipher.encrypt(json.dumps(kept).encode(), context(name, question))
        connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", (name, question, again))


def context(series: str, question: str) -> bytes:
    """What an encrypted answer is bound to."""
    return f"vault/answer/{series}/{question}".encode()
