"""Each procedure of docs/security/keys.md, run as its commands: what it prints, what works afterwards, what is gone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import load_json
from crypto.errors import DecryptionFailed
from crypto.keystore import Keys, encrypt
from crypto.seal.splitting import HalfKey
from marketplace.documents import Document, ciphertext_root, digest, series_of, validate_manifest
from marketplace.documents.versions import differences
from marketplace.errors import ConfigurationError, InvalidInputError, NotAuthorizedError, RuleError
from marketplace.queries.evaluation import SealedColumns
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.backup import MAGIC, read_backup, write_backup
from marketplace.vault.keeping.custody import Deposit, Package, card_of, make_lending, open_lending, open_package
from marketplace.vault.keeping.folder import VaultFolder
from marketplace.vault.keeping.refreshing import refresh
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, SCHEMA, Market, keys, make_rows, open_market, write_csv
from tests.split_market import SplitMarket, open_split_market

ALL = "SELECT COUNT(*) FROM flights"
JFK = "SELECT COUNT(*) FROM flights WHERE origin = 'JFK'"
PASSWORD = "correct horse"


def home_of(folder: Path, owner: Keys) -> Path:
    """A participant's folder with its keystore."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "keystore.json"
    document.write_text(json.dumps(encrypt(owner, PASSWORD, 12)), "utf-8")
    document.chmod(0o600)
    return folder


def run(home: Path, *words: str, code: int = 0) -> Any:
    """One command in a process of its own; its JSON."""
    environment = {**os.environ, "MARKETPLACE_PASSWORD": PASSWORD, "MARKETPLACE_HOME": str(home)}
    command = [sys.executable, "-m", "marketplace.cli", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout if code == 0 else done.stderr)


@pytest.fixture
def market(tmp_path: Path) -> SplitMarket:
    made = open_split_market(tmp_path)
    home_of(tmp_path, made.supplier)
    return made


def vault_of(market: Market, home: Path) -> Vault:
    """A vault on a folder, with the account that is there."""
    cipher = Cipher(market.supplier.seed)
    store = PrivacyStore(home / "vault" / "ledger.sqlite", cipher)
    return Vault(market.supplier, VaultFolder(home / "vault", cipher), store, DEPLOYMENT)


def custodian_of(market: SplitMarket, home: Path) -> Custodian:
    own = market.custodian.keys
    cipher = Cipher(own.seed)
    store = PrivacyStore(home / "custodian" / "ledger.sqlite", cipher)
    halves = CustodianFolder(home / "custodian", cipher)
    return Custodian(own, halves, store, DEPLOYMENT, columns=SealedColumns(market.dataset.blob))


# -- splitting from the command line


def test_sealing_with_a_custodian_by_commands(tmp_path: Path) -> None:
    supplier, custodian = home_of(tmp_path / "s", keys("supplier")), home_of(tmp_path / "c", keys("custodian"))
    rows, schema, card = write_csv(tmp_path / "rows.csv", make_rows()), tmp_path / "schema.json", tmp_path / "card.json"
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    assert run(custodian, "custodian", "card", str(card))["address"] == keys("custodian").address
    seal = ("vault", "seal", str(rows), "--schema", str(schema), "--custodian", str(card), "--no-upload")
    sealed = run(supplier, *seal)
    taken = run(custodian, "custodian", "take", sealed["custodyFile"])
    assert (taken["manifest"], taken["generation"]) == (sealed["manifestDigest"], 0)
    assert [item["manifest"] for item in run(custodian, "custodian", "list")] == [sealed["manifestDigest"]]
    append = ("vault", "append", sealed["manifestDigest"], str(rows), "--schema", str(schema), "--batch", "more")
    refused = run(supplier, *append, "--no-upload", code=5)
    assert refused["code"] == "key_is_split"


def test_whose_word_to_take_is_said_plainly(tmp_path: Path) -> None:
    home = home_of(tmp_path / "s", keys("supplier"))
    assert run(home, "vault", "run", "--trust", "perhaps", code=2)["code"] == "trust_unknown"
    assert run(home, "custodian", "run", "--trust", "attested", code=2)["code"] == "nodes_missing"


# -- loss of the vault's machine


def test_a_lost_vault_comes_back_from_its_backup(market: SplitMarket, tmp_path: Path) -> None:
    order = market.order()
    assert not isinstance(market.ask(order, ALL), dict)
    safe = tmp_path / "safe" / "vault.bak"
    safe.parent.mkdir()
    written = run(tmp_path, "vault", "backup", str(safe))
    assert written["address"] == market.supplier.address
    shutil.rmtree(tmp_path / "vault")
    fresh = tmp_path / "new machine"
    assert run(tmp_path, "vault", "restore", str(safe), "--home", str(fresh))["address"] == market.supplier.address
    market.vault = vault_of(market, fresh)
    assert market.vault.store.spent(market.series) == 1_000_000
    again = market.ask(market.order("other"), ALL)
    assert not isinstance(again, dict)
    assert again.epsilon == 0, "the account and the answers came back with it"
    assert not isinstance(market.ask(order, JFK), dict)


def test_a_backup_is_of_no_use_without_the_password(market: SplitMarket, tmp_path: Path) -> None:
    safe = tmp_path / "vault.bak"
    write_backup(tmp_path, market.supplier, safe)
    with pytest.raises(DecryptionFailed):
        read_backup(safe, "wrong horse", tmp_path / "thief")
    assert safe.stat().st_mode & 0o077 == 0
    half = market.dataset.ring[0]
    content = safe.read_bytes()
    assert content.startswith(MAGIC)
    for secret in (half.to_bytes()[:32], market.supplier.seed, b"privacy account", market.manifest["holder"].encode()):
        assert secret not in content


@pytest.mark.parametrize("damage", ["cut off", "altered", "frames swapped", "not one"])
def test_a_damaged_backup_is_refused(market: SplitMarket, tmp_path: Path, damage: str) -> None:
    safe = tmp_path / "vault.bak"
    write_backup(tmp_path, market.supplier, safe)
    data = safe.read_bytes()
    start = len(MAGIC) + 4 + int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "big") + 16
    size = 4 + int.from_bytes(data[start : start + 4], "big")
    assert len(data) > start + 2 * size, "more than two frames, so that swapping is possible"
    first, second = data[start : start + size], data[start + size : start + 2 * size]
    changed = {
        "cut off": data[: start + size],
        "altered": data[: start + 40] + bytes([data[start + 40] ^ 1]) + data[start + 41 :],
        "frames swapped": data[:start] + second + first + data[start + 2 * size :],
        "not one": b"x" + data[1:],
    }[damage]
    safe.write_bytes(changed)
    with pytest.raises((InvalidInputError, DecryptionFailed)):
        read_backup(safe, PASSWORD, tmp_path / "new")
    assert not (tmp_path / "new" / "vault").exists()


def test_a_restore_overwrites_nothing_and_a_backup_neither(market: SplitMarket, tmp_path: Path) -> None:
    safe = tmp_path / "vault.bak"
    write_backup(tmp_path, market.supplier, safe)
    with pytest.raises(ConfigurationError, match="not empty"):
        read_backup(safe, PASSWORD, tmp_path)
    with pytest.raises(ConfigurationError, match="never overwritten"):
        write_backup(tmp_path, market.supplier, safe)


# -- loss of the custodian


def test_a_lost_custodian_comes_back_from_its_backup(market: SplitMarket, tmp_path: Path) -> None:
    theirs = home_of(tmp_path / "theirs", market.custodian.keys)
    shutil.move(tmp_path / "custodian", theirs / "custodian")
    market.custodian = custodian_of(market, theirs)
    assert not isinstance(market.ask(market.order(), ALL), dict)
    safe = tmp_path / "custodian.bak"
    run(theirs, "vault", "backup", str(safe))
    shutil.rmtree(theirs)
    run(tmp_path, "vault", "restore", str(safe), "--home", str(tmp_path / "again"))
    market.custodian = custodian_of(market, tmp_path / "again")
    assert market.custodian.store.spent(market.series) == 1_000_000
    assert not isinstance(market.ask(market.order("more"), JFK), dict)


def test_without_a_backup_of_the_custodian_the_data_are_sealed_again(market: SplitMarket, tmp_path: Path) -> None:
    """Half a key is none: the vault's half opens nothing, so a new key is the only way."""
    successor = home_of(tmp_path / "successor", keys("successor"))
    card, schema = tmp_path / "card.json", tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    run(successor, "custodian", "card", str(card))
    words = ("--rows", f"first={tmp_path / 'rows.csv'}", "--schema", str(schema), "--custodian", str(card))
    sealed = run(tmp_path, "vault", "reseal", market.dataset.digest, *words, "--no-upload")
    run(successor, "custodian", "take", sealed["custodyFile"])
    new = VaultFolder(tmp_path / "vault", Cipher(market.supplier.seed)).open(sealed["manifestDigest"])
    assert new.manifest["custodian"] == keys("successor").address
    assert list(differences(new.manifest, market.manifest)) == []


# -- rotation of the sealing key and of the release key


def test_resealing_keeps_the_series_and_answers_under_the_new_key(market: SplitMarket, tmp_path: Path) -> None:
    order = market.order()
    before = market.ask(order, ALL, 5_000_000)
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    words = ("--rows", f"first={tmp_path / 'rows.csv'}", "--schema", str(schema))
    sealed = run(tmp_path, "vault", "reseal", market.dataset.digest, *words, "--no-upload")
    folder = VaultFolder(tmp_path / "vault", Cipher(market.supplier.seed))
    new = folder.open(sealed["manifestDigest"])
    assert new.manifest["change"] == {"kind": "reseal", "batch": None}
    assert series_of(new.manifest) == market.dataset.digest == new.manifest["previous"]
    assert list(differences(new.manifest, market.manifest)) == []
    assert ciphertext_root(new.manifest) != ciphertext_root(market.manifest)
    assert not new.ring.is_half, "sealed again without a card, the vault holds the whole key"
    whole = Market(**{name: value for name, value in vars(market).items() if name != "custodian"})
    whole.dataset, whole.vault = new, vault_of(market, tmp_path)
    whole.nodes = open_nodes(new.blob)
    after = whole.ask(whole.order("again"), ALL, 5_000_000)
    assert not isinstance(before, dict)
    assert not isinstance(after, dict)
    assert abs(after.numbers[0]["rows"] - before.numbers[0]["rows"]) < 60
    assert not isinstance(market.ask(order, ALL, 5_000_000), dict), "the old version still answers, and can be checked"
    shutil.rmtree(market.dataset.path)
    whole.vault = vault_of(market, tmp_path)
    assert [item["manifest"] for item in run(tmp_path, "vault", "list")] == [new.digest]
    assert not isinstance(whole.ask(whole.order("last"), JFK), dict), "the new one needs nothing of the old one"


def open_nodes(fetch: Any) -> list[Any]:
    from marketplace.panel.evaluate import PanelNode

    return [PanelNode(keys(f"node {index}"), SealedColumns(fetch)) for index in range(3)]


def test_the_release_key_is_rotated_by_resealing_to_another(market: SplitMarket, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    other = keys("second release key").address
    words = ("--rows", f"first={tmp_path / 'rows.csv'}", "--schema", str(schema), "--release-key", other)
    sealed = run(tmp_path, "vault", "reseal", market.dataset.digest, *words, "--no-upload")
    folder = VaultFolder(tmp_path / "vault", Cipher(market.supplier.seed))
    assert folder.open(sealed["manifestDigest"]).manifest["releaseKey"] == other


@pytest.mark.parametrize("what", ["rows", "batches", "version"])
def test_resealing_takes_the_same_rows_of_the_newest_version_alone(
    market: SplitMarket, tmp_path: Path, what: str
) -> None:
    schema, rows = tmp_path / "schema.json", tmp_path / "rows.csv"
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    words = ["--rows", f"first={rows}", "--schema", str(schema), "--no-upload"]
    name = market.dataset.digest
    if what == "rows":
        words[1] = f"first={write_csv(tmp_path / 'other.csv', make_rows()[:-1])}"
    if what == "batches":
        words[1] = f"second={rows}"
    if what == "version":
        run(tmp_path, "vault", "reseal", name, *words)
    refused = run(tmp_path, "vault", "reseal", name, *words, code=5 if what == "version" else 2)
    codes = {"rows": "rows_differ", "batches": "batches_differ", "version": "version_not_newest"}
    assert refused["code"] == codes[what]


# -- one half was copied


def test_a_refresh_makes_a_copied_half_worthless_and_answers_go_on(market: SplitMarket, tmp_path: Path) -> None:
    copied = market.custodian.halves.open(market.dataset.digest).ring[0]
    theirs = home_of(tmp_path / "theirs", market.custodian.keys)
    shutil.move(tmp_path / "custodian", theirs / "custodian")
    card = tmp_path / "card.json"
    run(theirs, "custodian", "card", str(card))
    moved = run(tmp_path, "vault", "refresh", market.dataset.digest, "--custodian", str(card))
    assert moved["generation"] == 1
    assert run(theirs, "custodian", "take", moved["custodyFile"])["generation"] == 1
    assert run(theirs, "custodian", "take", moved["custodyFile"])["generation"] == 1, "again is harmless"
    market.vault, market.custodian = vault_of(market, tmp_path), custodian_of(market, theirs)
    answer = market.ask(market.order(), ALL, 5_000_000)
    assert not isinstance(answer, dict)
    assert abs(answer.numbers[0]["rows"] - len(market.rows)) < 40
    mine, new = market.vault.folder.open(market.dataset.digest).ring[0], custodian_of(market, theirs).halves
    assert isinstance(mine, HalfKey)
    assert mine.plus(copied).to_bytes() != mine.plus(new.open(market.dataset.digest).ring[0]).to_bytes()


def test_between_vault_and_custodian_halves_of_two_generations_make_no_answer(
    market: SplitMarket, tmp_path: Path
) -> None:
    card = card_of(market.custodian.keys)
    refresh(market.vault.folder, market.dataset, Deposit(card, market.supplier))
    market.vault = vault_of(market, tmp_path)
    order = market.order()
    task = market.approved(market.task(order, market.query(order, ALL)))
    decision = market.add(task)
    assert decision.refusal is not None
    assert decision.refusal["code"] == "halves_differ"


def test_a_vault_at_work_takes_up_its_new_half_by_itself(market: SplitMarket, tmp_path: Path) -> None:
    assert not isinstance(market.ask(market.order(), ALL), dict)
    moved = refresh(market.vault.folder, market.dataset, Deposit(card_of(market.custodian.keys), market.supplier))
    package = open_package(load_json(moved.custody_file.read_bytes()), market.custodian.keys)
    market.custodian.halves.take(package)
    answer = market.ask(market.order("later"), JFK, 5_000_000)
    assert not isinstance(answer, dict)
    assert abs(answer.numbers[0]["rows"] - sum(row["origin"] == "JFK" for row in market.rows)) < 40
    again = market.ask(market.order("repeated"), ALL)
    assert not isinstance(again, dict), "an answer of the halves before is still one: both holders kept their shares"


def test_a_custodian_takes_files_in_their_order_alone(market: SplitMarket, tmp_path: Path) -> None:
    deposit = Deposit(card_of(market.custodian.keys), market.supplier)
    folder = market.vault.folder
    first = refresh(folder, market.dataset, deposit)
    second = refresh(folder, first, deposit)
    theirs = home_of(tmp_path / "theirs", market.custodian.keys)
    shutil.move(tmp_path / "custodian", theirs / "custodian")
    assert run(theirs, "custodian", "take", str(second.custody_file), code=5)["code"] == "generation_differs"
    for file in (first.custody_file, second.custody_file):
        run(theirs, "custodian", "take", str(file))
    assert run(theirs, "custodian", "take", str(first.custody_file), code=5)["code"] == "generation_differs"


# -- more rows under a split key


def version_of(market: SplitMarket, home: Path, theirs: Path, name: str) -> SplitMarket:
    """The market on another version of its data set."""
    new = SplitMarket(**vars(market))
    new.dataset = VaultFolder(home / "vault", Cipher(market.supplier.seed)).open(name)
    new.vault, new.nodes = vault_of(market, home), open_nodes(new.dataset.blob)
    new.custodian = custodian_of(new, theirs)
    return new


def test_a_lent_half_lets_a_batch_be_appended_and_the_halves_move(market: SplitMarket, tmp_path: Path) -> None:
    theirs = home_of(tmp_path / "theirs", market.custodian.keys)
    shutil.move(tmp_path / "custodian", theirs / "custodian")
    card, back, lent, schema = (tmp_path / name for name in ("card.json", "vault.json", "lent.json", "schema.json"))
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    run(theirs, "custodian", "card", str(card))
    run(tmp_path, "vault", "card", str(back))
    run(theirs, "custodian", "lend", market.dataset.digest, str(lent), "--to", str(back))
    more = write_csv(tmp_path / "more.csv", make_rows(100))
    words = (str(more), "--schema", str(schema), "--batch", "more", "--custodian", str(card), "--lent", str(lent))
    sealed = run(tmp_path, "vault", "append", market.dataset.digest, *words, "--no-upload")
    assert not lent.exists()
    assert run(theirs, "custodian", "take", sealed["custodyFile"])["generation"] == 1
    new = version_of(market, tmp_path, theirs, sealed["manifestDigest"])
    answer = new.ask(new.order(), ALL, 5_000_000)
    assert not isinstance(answer, dict), answer
    assert abs(answer.numbers[0]["rows"] - 500) < 40
    withdrawn = run(
        tmp_path, "vault", "withdraw", new.dataset.digest, "--batch", "more", "--custodian", str(card), "--no-upload"
    )
    assert run(theirs, "custodian", "take", withdrawn["custodyFile"])["generation"] == 2
    last = version_of(market, tmp_path, theirs, withdrawn["manifestDigest"])
    answer = last.ask(last.order(), JFK, 5_000_000)
    assert not isinstance(answer, dict), answer


def test_a_half_of_another_version_or_for_another_vault_is_not_lent(market: SplitMarket, tmp_path: Path) -> None:
    held = market.custodian.halves.open(market.dataset.digest)
    with pytest.raises(NotAuthorizedError):
        make_lending(held.manifest, 0, held.ring, card_of(keys("stranger")), market.custodian.keys)
    lent = make_lending(held.manifest, 0, held.ring, card_of(market.supplier), market.custodian.keys)
    assert open_lending(lent, market.supplier).half.to_bytes() == held.ring.to_bytes()
    with pytest.raises(NotAuthorizedError):
        open_lending(lent, keys("stranger"))
    with pytest.raises(InvalidInputError):
        open_package(lent, market.custodian.keys)
    card, back, schema, file = (tmp_path / name for name in ("card.json", "vault.json", "schema.json", "lent.json"))
    for path, content in ((card, card_of(market.custodian.keys)), (schema, SCHEMA), (file, lent)):
        path.write_text(json.dumps(content), "utf-8")
    refresh(market.vault.folder, market.dataset, Deposit(card_of(market.custodian.keys), market.supplier))
    words = (str(tmp_path / "rows.csv"), "--schema", str(schema), "--batch", "more", "--custodian", str(card))
    refused = run(
        tmp_path, "vault", "append", market.dataset.digest, *words, "--lent", str(file), "--no-upload", code=5
    )
    assert refused["code"] == "generation_differs"
    assert not back.exists()


def test_every_batch_of_several_is_sealed_again_from_its_own_file(tmp_path: Path) -> None:
    whole = open_market(tmp_path)
    home_of(tmp_path, whole.supplier)
    schema, more = tmp_path / "schema.json", write_csv(tmp_path / "more.csv", make_rows(100))
    schema.write_text(json.dumps(SCHEMA), "utf-8")
    words = ("--schema", str(schema), "--no-upload")
    two = run(tmp_path, "vault", "append", whole.dataset.digest, str(more), "--batch", "more", *words)
    rows = ("--rows", f"first={tmp_path / 'rows.csv'}", "--rows", f"more={more}")
    sealed = run(tmp_path, "vault", "reseal", two["manifestDigest"], *rows, *words)
    folder = VaultFolder(tmp_path / "vault", Cipher(whole.supplier.seed))
    new, old = folder.open(sealed["manifestDigest"]), folder.open(two["manifestDigest"])
    assert list(differences(new.manifest, old.manifest)) == []
    assert new.whole_ring[0].to_bytes() != old.whole_ring[0].to_bytes()
    market = Market(**{**vars(whole), "dataset": new, "vault": vault_of(whole, tmp_path)})
    market.nodes = open_nodes(new.blob)
    answer = market.ask(market.order(), ALL, 5_000_000)
    assert not isinstance(answer, dict)
    assert abs(answer.numbers[0]["rows"] - 500) < 20
    swapped = ("--rows", f"more={tmp_path / 'rows.csv'}", "--rows", f"first={more}")
    assert run(tmp_path, "vault", "reseal", new.digest, *swapped, *words, code=2)["code"] == "rows_differ"
    assert [path for path in (tmp_path / "vault" / "datasets").iterdir() if path.name.startswith(".draft")] == []


def test_a_whole_key_is_not_refreshed_and_a_strangers_card_neither(market: SplitMarket, tmp_path: Path) -> None:
    whole = open_market(tmp_path / "whole")
    with pytest.raises(RuleError) as told:
        refresh(whole.vault.folder, whole.dataset, Deposit(card_of(keys("custodian")), whole.supplier))
    assert told.value.code == "key_is_whole"
    with pytest.raises(NotAuthorizedError):
        refresh(market.vault.folder, market.dataset, Deposit(card_of(keys("stranger")), market.supplier))
    assert load_json(market.dataset.custody_file.read_bytes())["generation"] == 0
    assert digest(market.manifest) == market.dataset.digest


def follower(manifest: Document, **changes: Any) -> Document:
    """A manifest that says that it appends a batch to this one."""
    batch = {**manifest["batches"][0], "name": "more", "block": manifest["blocks"]}
    frame = {"series": series_of(manifest), "previous": digest(manifest), "blocks": manifest["blocks"] + 1}
    frame |= {"change": {"kind": "append", "batch": "more"}, "batches": [*manifest["batches"], batch]}
    return validate_manifest(manifest | frame | changes)


@pytest.mark.parametrize("what", ["measures", "releaseKey", "dimensions", "privacy", "series", "batches"])
def test_a_half_moves_to_no_version_that_declares_otherwise(market: SplitMarket, what: str) -> None:
    """Narrower bounds would thin the custodian's noise; other dimensions would let a question take other rows."""
    halves = market.custodian.halves
    held = halves.open(market.dataset.digest)
    old = held.manifest
    others: dict[str, Any] = {
        "measures": [{**item, "low": 0, "high": 1, "bins": []} for item in old["measures"]],
        "releaseKey": keys("thief").address,
        "dimensions": [
            {**item, "categories": item["categories"][::-1], "ordered": False} for item in old["dimensions"]
        ],
        "privacy": {"measure": "zcdp", "delta": "1e-9"},
        "series": "0x" + "5e" * 32,
        "batches": [
            {**old["batches"][0], "rows": old["batches"][0]["rows"] + 1},
            {**old["batches"][0], "name": "more", "block": old["blocks"]},
        ],
    }
    with pytest.raises(RuleError) as caught:
        halves.take(Package(follower(old, **{what: others[what]}), held.generation + 1, held.ring))
    assert caught.value.code == "version_differs"
    assert halves.names() == [market.dataset.digest]
    assert halves.open(market.dataset.digest).generation == held.generation
    assert halves.take(Package(follower(old), held.generation + 1, held.ring))
