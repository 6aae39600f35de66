"""Data sealed in two forms: a key for each, through updates, new keys, backups and kills; and forms that cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.errors import InvalidKey
from crypto.keystore import encrypt
from crypto.seal.engine import engine
from crypto.seal.parameters import PRODUCTS as PRODUCTS_SET
from crypto.seal.products import open_rows
from marketplace.documents import COUNTS, all_chunks, column_names, differences, row_count, validate_manifest
from marketplace.errors import InvalidInputError
from marketplace.vault.keeping.backup import read_backup, write_backup
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.dataset import declared_parts, seal_file
from marketplace.vault.sealing.resealing import reseal
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch, correct_batch, withdraw_batch
from tests.hidden_market import FORMS, HIDDEN, hidden_rows, open_hidden_market, total
from tests.sealed_market import NOW, SCHEMA, Market, keys, with_version, write_csv
from tests.unit.vault.test_procedures import PASSWORD
from tests.unit.vault.test_resume import ROOT

HOLDER = keys("supplier").address
PRODUCTS = FORMS.index("products")
AA = "SELECT COUNT(*), SUM(fare) FROM f WHERE carrier = 'AA'"
WORKER = """
import os, signal, sys
from pathlib import Path
from marketplace.vault.sealing import drafts, placement, reading
from tests.unit.vault import test_forms

reading._BLOCK_BYTES, placement.BUCKET_ROWS, drafts.CHECKPOINT_SECONDS, drafts.CHECKPOINT_SHARE = 1024, 50, 0, 0
home, stage, share = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def progress(at, done, total):
    if at == stage and done >= share * total:
        os.kill(os.getpid(), signal.SIGKILL)

test_forms.seal(home, progress)
"""


def seal(home: Path, progress: Any = lambda *_: None) -> Dataset:
    """Seal the home's file in both forms."""
    folder = VaultFolder(home / "vault", Cipher(keys("supplier").seed))
    schema = parse_schema(HIDDEN)
    path = home / "rows.csv"
    return seal_file(path, schema, folder, holder=HOLDER, release_key=HOLDER, now=NOW, progress=progress)


def rows_of(dataset: Dataset, batch: int = -1) -> dict[str, list[int]]:
    """All columns of the products form of one batch, opened with its key, as coefficients of their polynomials."""
    found: dict[str, list[int]] = {}
    for column in dataset.manifest["batches"][batch]["columns"]:
        if column["form"] != PRODUCTS:
            continue
        blobs = [dataset.blob(chunk["blob"]) for chunk in column["chunks"]]
        if column["name"] == COUNTS:
            found[COUNTS] = np.frombuffer(blobs[0], "<u4").tolist()
            continue
        key = dataset.whole_ring[PRODUCTS]
        found[column["name"]] = [
            int(value) for blob in blobs for value in key.decrypt(open_rows(key.profile, blob).ciphertext)
        ]
    return found


def polynomial(*values: int) -> list[int]:
    """Coefficients of the polynomial that has these values in its slots, one chunk of them."""
    chosen = PRODUCTS_SET
    slots = np.zeros(chosen.degree, dtype=np.uint64)
    slots[: len(values)] = [value % chosen.plain_modulus for value in values]
    return [int(value) for value in engine(chosen).coefficients(engine(chosen).slots(slots))]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_hidden_market(tmp_path_factory.mktemp("forms"))


def answered(market: Market, sql: str = AA) -> dict[str, int]:
    answer = market.ask(market.order(), sql, 5_000_000)
    assert not isinstance(answer, dict), answer
    (numbers,) = answer.numbers
    return dict(numbers)


def near(market: Market, rows: list[dict[str, str]]) -> bool:
    mine, told = [row for row in rows if row["carrier"] == "AA"], answered(market)
    return abs(told["rows"] - len(mine)) < 40 and abs(told["sum:fare"] - total(mine, "fare")) < 4_000_000


def test_a_form_has_a_key_of_its_own_and_the_private_part_holds_them_all(market: Market) -> None:
    ring = market.dataset.ring
    assert [key.profile.name for key in ring.keys] == [form["profile"] for form in market.manifest["forms"]]
    assert ring[0].to_bytes() != ring[1].to_bytes()
    again = VaultFolder(market.home / "vault", market.vault.folder.cipher).open(market.dataset.digest)
    assert again.ring.to_bytes() == ring.to_bytes()
    assert "secret" in repr(ring)


def test_a_ring_is_read_exactly_or_not_at_all(market: Market) -> None:
    read, data = KeyRing.reader(market.manifest["forms"], half=False), market.dataset.ring.to_bytes()
    assert read(data).to_bytes() == data
    for bad in (b"", data[:-1], data + b"\0", b"\xff" * len(data)):
        with pytest.raises(InvalidKey):
            read(bad)
    mine, theirs = read(data).split()
    with pytest.raises(InvalidKey):
        mine.join(read(data))
    assert mine.join(theirs).to_bytes() == data


def test_every_batch_has_the_columns_of_every_form(market: Market) -> None:
    (batch,) = market.manifest["batches"]
    expected = [(form, name) for form in (0, 1) for name in column_names(market.manifest, form)]
    assert [(column["form"], column["name"]) for column in batch["columns"]] == expected
    assert expected[-1] == (1, "ind:carrier:2")


def test_updates_keep_both_forms_and_their_keys(tmp_path: Path) -> None:
    market, schema = open_hidden_market(tmp_path), parse_schema(HIDDEN)
    folder, first, more = market.vault.folder, market.dataset, hidden_rows(240)
    path = write_csv(tmp_path / "more.csv", more)
    second = append_batch(path, schema, folder, first, "more", now=NOW)
    assert second.ring.to_bytes() == first.ring.to_bytes()
    assert near(with_version(market, second), market.rows + more)
    third = correct_batch(write_csv(tmp_path / "less.csv", more[:120]), schema, folder, second, "more", now=NOW)
    assert near(with_version(market, third), market.rows + more[:120])
    fourth = withdraw_batch(folder, third, "more", now=NOW)
    assert row_count(fourth.manifest) == len(market.rows)
    assert list(differences(fourth.manifest, third.manifest)) == []
    sources = {"first": tmp_path / "rows.csv"}
    fifth = reseal(sources, schema, folder, fourth, release_key=HOLDER, deposit=None, now=NOW)
    assert all(one.to_bytes() != other.to_bytes() for one, other in zip(fifth.ring.keys, fourth.ring.keys, strict=True))
    assert near(with_version(market, fifth), market.rows)


def test_a_backup_gives_both_keys_back(market: Market, tmp_path: Path) -> None:
    document = encrypt(market.supplier, PASSWORD, 12)
    (market.home / "keystore.json").write_text(json.dumps(document), "utf-8")
    write_backup(market.home, market.supplier, tmp_path / "vault.bak")
    restored = read_backup(tmp_path / "vault.bak", PASSWORD, tmp_path / "home")
    folder = VaultFolder(tmp_path / "home" / "vault", Cipher(restored.seed))
    assert folder.open(market.dataset.digest).ring.to_bytes() == market.dataset.ring.to_bytes()


def test_a_killed_run_goes_on_in_every_form(tmp_path: Path) -> None:
    home, whole = tmp_path / "home", tmp_path / "whole"
    for place in (home, whole):
        place.mkdir()
        write_csv(place / "rows.csv", hidden_rows())
    stages = ("reading", 0.5), ("sealing", 0.5), ("placing", 0.5), ("sealing rows", 1.0)
    for stage, share in stages:
        command = [sys.executable, "-c", WORKER, str(home), stage, str(share)]
        done = subprocess.run(command, cwd=ROOT, check=False, env=dict(os.environ))
        assert done.returncode == -9, stage
    told: list[str] = []
    made = seal(home, lambda stage, *_: told.append(stage))
    assert set(told) <= {"sealing", "sealing rows"}, "what was read and placed is not done again"
    assert rows_of(made) == rows_of(seal(whole))
    assert len(list((home / "vault" / "datasets").iterdir())) == 1


def test_sealed_rows_are_the_rows_sorted_by_public_cell(market: Market) -> None:
    rows = sorted(market.rows, key=lambda row: (row["origin"], int(row["month"])))
    found = rows_of(market.dataset)
    assert found["rows"] == polynomial(*[1] * len(rows))
    assert found["sum:delay"] == polynomial(*(0 if row["delay"] == "NA" else int(row["delay"]) for row in rows))
    assert found["n:delay"] == polynomial(*(row["delay"] != "NA" for row in rows))
    for index, carrier in enumerate(["AA", "B6", "HA"]):
        assert found[f"ind:carrier:{index}"] == polynomial(*(row["carrier"] == carrier for row in rows))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"forms": ["products"], "dimensions": SCHEMA["dimensions"]}, "forms_impossible"),
        ({"forms": ["cells", "products"], "dimensions": SCHEMA["dimensions"]}, "forms_impossible"),
        ({"forms": ["products"], "prefix": "month"}, "forms_impossible"),
        ({"forms": ["products", "products"]}, "malformed_document"),
        ({"forms": []}, "malformed_document"),
        ({"forms": ["columns"]}, "malformed_document"),
    ],
)
def test_impossible_forms_are_refused_by_name(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        parse_schema(HIDDEN | changes)
    assert told.value.code == code
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told.value.zh)


def test_a_manifest_of_products_has_a_hidden_dimension_and_whole_counts(market: Market) -> None:
    public = [{**item, "hidden": False} for item in market.manifest["dimensions"]]
    with pytest.raises(InvalidInputError) as told:
        validate_manifest(market.manifest | {"dimensions": public})
    assert told.value.code == "forms_impossible"
    (batch,) = market.manifest["batches"]
    columns = [
        {**item, "chunks": [{**item["chunks"][0], "size": 5}]} if item["name"] == COUNTS else item
        for item in batch["columns"]
    ]
    with pytest.raises(InvalidInputError, match="counts"):
        validate_manifest(market.manifest | {"batches": [{**batch, "columns": columns}]})


def test_bounds_that_products_cannot_hold_are_refused_before_anything_is_sealed(tmp_path: Path) -> None:
    wide = [SCHEMA["measures"][0], {**SCHEMA["measures"][1], "high": 10**8}]
    with pytest.raises(InvalidInputError) as told:
        open_hidden_market(tmp_path, measures=wide)
    assert (told.value.code, told.value.rule) == ("bounds_too_wide", "vault.range")
    assert list((tmp_path / "vault" / "datasets").iterdir()) == []


def test_products_alone_answer_what_touches_no_hidden_category_too(tmp_path: Path) -> None:
    market = open_hidden_market(tmp_path, forms=["products"])
    assert abs(answered(market, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")["rows"] - len(market.rows) // 3) < 30
    assert declared_parts(parse_schema(HIDDEN | {"forms": ["products"]}))["forms"] == [
        {"form": "products", "profile": "bfv-8192-products-1"}
    ]


def test_blobs_of_both_forms_are_in_the_ciphertext_root(market: Market) -> None:
    assert len(list(all_chunks(market.manifest))) == len(market.manifest["batches"][0]["columns"])
