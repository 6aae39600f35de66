"""`marketplace vault seal, append, correct, withdraw, list` at the terminal, without a service."""

import json
from pathlib import Path
from typing import Any

import pytest

from marketplace import cli
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.shared.commands import STORE
from tests.sealed_market import SCHEMA, make_rows, write_csv


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with fresh keys, a declaration, and two files of rows."""
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "a password of some length")
    assert cli.main(["keys", "new", "--json"]) == 0
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    write_csv(tmp_path / "rows.csv", make_rows())
    write_csv(tmp_path / "more.csv", make_rows(100))
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> Any:
    """What a command answers as JSON."""
    capsys.readouterr()
    assert cli.main([*map(str, words), "--json"]) == code
    shown = capsys.readouterr()
    return json.loads(shown.out or shown.err)


def test_a_data_set_is_sealed_and_updated_version_by_version(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = ["--schema", home / "schema.json", "--no-upload"]
    first = call(capsys, "vault", "seal", home / "rows.csv", *schema, "--batch", "march")
    assert (first["rows"], first["uploaded"]) == (400, False)
    place = ["vault", "append", first["manifestDigest"]]
    second = call(capsys, *place, home / "more.csv", *schema, "--batch", "april")
    assert second["rows"] == 500
    stale = call(capsys, *place, home / "more.csv", *schema, "--batch", "may", code=5)
    assert (stale["code"], stale["expected"]) == ("version_not_newest", second["manifestDigest"])
    newest = ["vault", "correct", second["manifestDigest"]]
    third = call(capsys, *newest, home / "rows.csv", *schema, "--batch", "april")
    assert third["rows"] == 800
    fourth = call(capsys, "vault", "withdraw", third["manifestDigest"], "--batch", "march", "--no-upload")
    assert fourth["rows"] == 400
    listed = {item["manifest"]: item for item in call(capsys, "vault", "list")}
    assert len(listed) == 4
    assert listed[fourth["manifestDigest"]]["batches"] == ["april"]
    assert listed[fourth["manifestDigest"]]["previous"] == third["manifestDigest"]
    assert listed[first["manifestDigest"]]["batches"] == ["march"]
    assert Path(fourth["manifest"]).is_file()


def test_who_signs_for_an_account_seals_in_the_account_s_name(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, key = "0x" + "5f" * 20, call(capsys, "keys", "show")["address"]
    monkeypatch.setenv("MARKETPLACE_ACCOUNT", account)
    sealed = call(capsys, "vault", "seal", home / "rows.csv", "--schema", home / "schema.json", "--no-upload")
    manifest = json.loads(Path(sealed["manifest"]).read_text("utf-8"))
    assert (manifest["holder"], manifest["releaseKey"]) == (account, key)


def test_a_faulty_row_is_named_and_nothing_is_sealed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(home / "rows.csv", [*make_rows(3), {**make_rows(1)[0], "fare": "1.005"}])
    refused = call(capsys, "vault", "seal", home / "rows.csv", "--schema", home / "schema.json", "--no-upload", code=2)
    assert (refused["code"], refused["expected"]) == ("too_many_decimals", "at most 2 decimals")
    assert "row 4" in refused["message"]
    assert call(capsys, "vault", "list") == []


def test_the_owner_alone_makes_a_vault_forget_what_it_was_shown_of_keys(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = "0x" + "5f" * 20
    store = PrivacyStore(home / "home" / "vault" / STORE, Cipher(bytes(32)))  # this memory is not encrypted
    with store.exclusive() as held:
        held.remember_keys(account, 3, "0xaa")
    warned = call(capsys, "vault", "forget-keys", account, code=5)
    assert (warned["code"], "ended key" in warned["message"]) == ("keys_forgetting_unconfirmed", True)
    with store.exclusive() as held:
        assert held.keys_seen(account) == (3, "0xaa")
    assert call(capsys, "vault", "forget-keys", account, "--yes") == {"account": account, "forgotten": 3}
    with store.exclusive() as held:
        assert held.keys_seen(account) == (0, "")
    assert call(capsys, "custodian", "forget-keys", account, "--yes") == {"account": account, "forgotten": 0}
