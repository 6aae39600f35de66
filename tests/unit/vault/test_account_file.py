"""The account's file: an old layout is carried over whole, a newer one is refused, and nothing is half done."""

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from crypto.canonical import sha256
from crypto.errors import DecryptionFailed
from marketplace.errors import ConfigurationError, RuleError
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import Answered, PrivacyStore
from marketplace.vault.keeping.versions import VERSION

CIPHER = Cipher(bytes(range(32)))
OLD = """
CREATE TABLE assets (asset TEXT PRIMARY KEY, budget INTEGER NOT NULL, spent INTEGER NOT NULL);
CREATE TABLE releases (
    position INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT UNIQUE NOT NULL, order_id TEXT NOT NULL,
    asset TEXT NOT NULL, epsilon INTEGER NOT NULL, voucher TEXT NOT NULL, release TEXT NOT NULL, shares TEXT NOT NULL);
CREATE INDEX releases_of_order ON releases (order_id, position);
CREATE TABLE sets (
    asset TEXT NOT NULL, digest BLOB NOT NULL, measures TEXT NOT NULL, cells BLOB NOT NULL,
    PRIMARY KEY (asset, digest, measures));
CREATE TABLE answers (
    asset TEXT NOT NULL, question TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (asset, question));
"""

# What files had before the fifth layout.
OLD_INDEX = "DROP INDEX calls_of_order; CREATE INDEX releases_of_order ON releases (order_id, position);"


def old_file(path: Path) -> Path:
    """A file of the first layout, with two versions of one data set and a third data set."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD)
        connection.executemany("INSERT INTO assets VALUES (?, ?, ?)", [("a1", 900, 30), ("a2", 800, 5), ("b", 70, 7)])
        for number, (asset, buyer, epsilon) in enumerate([("a1", "ann", 10), ("a1", "bob", 20), ("a2", "ann", 5)]):
            voucher = json.dumps({"buyer": buyer, "amount": 1, "epsilon": 1})
            row = (f"q{number}", "order", asset, epsilon, voucher, '{"query": "q"}', "{}")
            connection.execute(
                "INSERT INTO releases (query, order_id, asset, epsilon, voucher, release, shares)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        atoms = np.array([3, 2**31], dtype="<u4").tobytes()
        connection.execute("INSERT INTO sets VALUES (?, ?, ?, ?)", ("a1", sha256(atoms), "[]", zlib.compress(atoms)))
        plain = json.dumps({"residues": [[0, "0x1f"]]}).encode()
        sealed = CIPHER.encrypt(plain, b"vault/answer/a1/question")
        connection.execute("INSERT INTO answers VALUES (?, ?, ?)", ("a1", "question", sealed))
        connection.commit()
    return path


def test_an_old_file_is_carried_over_to_one_account_for_each_series(tmp_path: Path) -> None:
    path = old_file(tmp_path / "ledger.sqlite")
    store = PrivacyStore(path, CIPHER, {"a1": "series", "a2": "series"})
    for _ in range(2):
        with store.exclusive() as account:
            assert (account.spent_series("series"), account.spent_series("b"), account.spent("order")) == (35, 0, 35)
            assert account.spent_buyer("series", ["ann"]) == 15
            assert account.spent_buyer("series", ["ann", "bob"]) == 35
            assert account.budget("series", 10**6) == 800
            answer = account.answered("series", "question")
            assert answer is not None
            assert (dict(answer.residues), answer.generation) == ({0: 31}, 0)
            (released,) = account.earlier_sets("series")
            assert released.cells.tolist() == [3, 2**31]
        store = PrivacyStore(path, CIPHER)
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert not any(name.startswith("old_") for name in names)
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_file_of_the_second_layout_gets_room_for_refusals(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with PrivacyStore(path, CIPHER).exclusive() as account:
        account.budget("series", 7)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_INDEX + "DROP TABLE refusals; DROP TABLE keys; PRAGMA user_version = 1")
    with PrivacyStore(path, CIPHER).exclusive() as account:
        assert account.refused("q") is None
        account.remember_refusal({"query": "q", "code": "voucher_too_small"})
        assert account.refused("q") == {"query": "q", "code": "voucher_too_small"}
        assert account.budget("series", 9) == 7


def test_an_orders_account_is_read_from_an_index_alone_in_files_of_the_fourth_layout_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    PrivacyStore(path, CIPHER)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_INDEX + "PRAGMA user_version = 3")
    PrivacyStore(path, CIPHER)
    with closing(sqlite3.connect(path)) as connection:
        for asked in (
            "query FROM releases WHERE order_id = 1 AND withheld = 0 ORDER BY position",
            "sum(epsilon) FROM releases WHERE order_id = 1",
        ):
            ((*_, plan),) = connection.execute(f"EXPLAIN QUERY PLAN SELECT {asked}").fetchall()
            assert "COVERING INDEX calls_of_order" in plan


def test_a_file_of_the_third_layout_gets_room_for_what_was_shown_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with PrivacyStore(path, CIPHER).exclusive() as account:
        account.remember_refusal({"query": "q", "code": "voucher_too_small"})
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_INDEX + "DROP TABLE keys; PRAGMA user_version = 2")
    with PrivacyStore(path, CIPHER).exclusive() as account:
        assert account.keys_seen("0x01") == (0, "")
        account.remember_keys("0x01", 1, "0xaa")
        account.remember_keys("0x01", 2, "0xbb")
        assert account.keys_seen("0x01") == (2, "0xbb")
        assert account.refused("q") is not None


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    PrivacyStore(path, CIPHER)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ConfigurationError) as caught:
        PrivacyStore(path, CIPHER)
    assert caught.value.code == "account_newer"


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = old_file(tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE answers SET sealed = x'00'")
        connection.commit()
        before = list(connection.iterdump())
    with pytest.raises(DecryptionFailed):
        PrivacyStore(path, CIPHER)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before


def test_a_lost_answer_is_refused_and_never_given_twice_differently(tmp_path: Path) -> None:
    store = PrivacyStore(tmp_path / "ledger.sqlite", CIPHER)
    with store.exclusive() as account:
        account.remember_loss("series", "plan", ())
        assert account.answered("series", "another/10") is None
        with pytest.raises(RuleError) as caught:
            account.answered("series", "plan/10")
        account.remember_answer("series", "plan/20", Answered({0: 1}), ())
        assert account.answered("series", "plan/20") == Answered({0: 1})
    assert caught.value.code == "answer_lost"
