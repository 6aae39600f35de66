"""Custody files, lending files and backups from anywhere: opened whole, or refused with an error of ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crypto.canonical import load_json
from crypto.errors import CryptoError
from crypto.keystore import encrypt
from marketplace.errors import MarketplaceError
from marketplace.vault.keeping.backup import read_backup, write_backup
from marketplace.vault.keeping.custody import card_of, make_lending, open_lending, open_package, read_card
from tests.sealed_market import keys
from tests.split_market import SplitMarket, open_split_market

SOME = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PASSWORD = "correct horse"
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=40).map(bytes.hex)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> SplitMarket:
    return open_split_market(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def backup(market: SplitMarket, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    document = market.home / "keystore.json"
    document.write_text(json.dumps(encrypt(market.supplier, PASSWORD, 12)), "utf-8")
    target = tmp_path_factory.mktemp("safe") / "vault.bak"
    write_backup(market.home, market.supplier, target)
    return target.read_bytes()


def refused(open_: Callable[..., Any], *arguments: Any) -> bool:
    """Whether it is refused by an error of ours; any other error fails the test."""
    try:
        open_(*arguments)
    except (MarketplaceError, CryptoError):
        return True
    return False


@SOME
@given(anything)
def test_what_is_no_file_is_refused(value: Any) -> None:
    assert refused(open_package, value, keys("custodian"))
    assert refused(open_lending, value, keys("supplier"))
    assert refused(read_card, value)


@pytest.fixture(scope="module")
def files(market: SplitMarket) -> list[tuple[dict[str, Any], Callable[..., Any], str]]:
    """A custody file and a lending file, what opens them, and for whom; as they are, they open."""
    held = market.custodian.halves.open(market.dataset.digest)
    custody = load_json(market.dataset.custody_file.read_bytes())
    lending = make_lending(held.manifest, 0, held.ring, card_of(market.supplier), market.custodian.keys)
    made = [(custody, open_package, "custodian"), (lending, open_lending, "supplier")]
    assert not any(refused(open_, file, keys(owner)) for file, open_, owner in made)
    return made


@SOME
@given(st.data())
def test_a_file_with_any_member_changed_is_refused(
    files: list[tuple[dict[str, Any], Callable[..., Any], str]], data: st.DataObject
) -> None:
    for file, open_, owner in files:
        name = data.draw(st.sampled_from(sorted(file)))
        value = data.draw(anything)
        assume(value != file[name])
        assert refused(open_, file | {name: value}, keys(owner))


@SOME
@given(st.data())
def test_a_backup_with_any_byte_changed_or_missing_is_refused(
    backup: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("restored")
    place = data.draw(st.integers(0, len(backup) - 1))
    flip = data.draw(st.integers(1, 255))
    cut = data.draw(st.booleans())
    changed = backup[:place] if cut else backup[:place] + bytes([backup[place] ^ flip]) + backup[place + 1 :]
    source = folder / "changed.bak"
    source.write_bytes(changed)
    outcome = refused(read_backup, source, PASSWORD, folder / "home")
    # A keystore document tolerates a change of its blanks or of its id; what is behind it is then as it was.
    assert outcome or restored_as_it_was(folder / "home", backup)


def restored_as_it_was(home: Path, backup: bytes) -> bool:
    kept = (home / "keystore.json").read_bytes()
    return kept in backup and (home / "vault" / "ledger.sqlite").is_file()
