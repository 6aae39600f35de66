"""The home folder: closed to others, whole or not at all, and the pinned profile that may never change."""

import os
from pathlib import Path

import pytest

from crypto import keystore
from crypto.errors import DecryptionFailed
from marketplace.errors import ConfigurationError
from marketplace.sdk.home import Home, files
from marketplace.sdk.home.journal import Journal
from marketplace.sdk.home.keys import create_keystore, load_keys
from tests.unit.sdk.exchange import Exchange, keys


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_secret_is_closed_to_others(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        home = Home(tmp_path / "buyer")
        create_keystore(home.keystore, "a password", keystore.MIN_WORK_FACTOR)
        Journal(home.journal).close()
        with Exchange().client(keys(1), home) as client:
            assert client.deployment.chain_id == 20260
    finally:
        os.umask(old)
    assert _mode(home.path) == 0o700
    assert {path.name: _mode(path) for path in home.path.iterdir()} == {
        "keystore.json": 0o600,
        "journal.db": 0o600,
        "config.toml": 0o600,
    }


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    path.write_text("{}")
    path.chmod(0o640)
    with pytest.raises(ConfigurationError) as caught:
        files.refuse_shared(path)
    assert (caught.value.code, caught.value.got) == ("file_not_private", "0640")


def test_a_journal_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch()
    path.chmod(0o604)
    with pytest.raises(ConfigurationError):
        Journal(path)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    files.write_private(path, b"old")

    def fails(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        files.write_private(path, b"new")
    assert (path.read_bytes(), [item.name for item in tmp_path.iterdir()]) == (b"old", ["config.toml"])


def test_a_keystore_is_never_overwritten_and_opens_only_with_its_password(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    made = create_keystore(path, "right", keystore.MIN_WORK_FACTOR)
    assert load_keys(path.read_bytes(), "right").address == made.address
    with pytest.raises(DecryptionFailed):
        load_keys(path.read_bytes(), "wrong")
    with pytest.raises(ConfigurationError) as caught:
        create_keystore(path, "right", keystore.MIN_WORK_FACTOR)
    assert caught.value.code == "keystore_exists"


def test_the_profile_is_pinned_on_first_use_and_said_so(tmp_path: Path) -> None:
    told: list[str] = []
    home = Home(tmp_path)
    with Exchange().client(None, home, notice=told.append) as client:
        assert client.profile.pin == home.pin()
    with Exchange().client(None, home, notice=told.append) as client:
        assert client.profile.pin == home.pin()
    assert len(told) == 1
    assert "pinned chain 20260" in told[0]


@pytest.mark.parametrize(
    ("changed", "name"), [({"chain_id": 1}, "chain_id"), ({"log_key": "0x" + "08" * 32}, "log_key")]
)
def test_a_changed_profile_is_refused_before_anything_is_signed(
    tmp_path: Path, changed: dict[str, object], name: str
) -> None:
    home = Home(tmp_path)
    with Exchange().client(keys(1), home) as client:
        assert client.profile
    exchange = Exchange(**changed)  # type: ignore[arg-type]
    with exchange.client(keys(1), home) as client, pytest.raises(ConfigurationError) as caught:
        client.put_document({"a": 1})
    assert caught.value.code == "profile_changed"
    assert name in caught.value.message
    assert [request.url.path for request in exchange.seen] == ["/profile"]


def test_a_damaged_config_is_not_mistaken_for_a_first_use(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.config.write_text("[profile\n")
    with pytest.raises(ConfigurationError) as caught, Exchange().client(None, home) as client:
        assert client.profile
    assert caught.value.code == "config_unreadable"
    home.config.write_text("[profile]\nchain_id = 1\n")
    with pytest.raises(ConfigurationError) as caught, Exchange().client(None, home) as client:
        assert client.profile
    assert caught.value.code == "pin_incomplete"


def test_the_url_is_chosen_by_option_then_environment_then_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MARKETPLACE_URL", raising=False)
    home = Home(tmp_path)
    with Exchange().client(None, home) as client:
        assert client.profile
    assert home.url() == "http://exchange.test"
    monkeypatch.setenv("MARKETPLACE_URL", "http://env.test/")
    assert home.url() == "http://env.test"
    assert home.url("http://given.test") == "http://given.test"
