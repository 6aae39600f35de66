"""Sealing reads what is declared, names what is wrong, and leaves nothing behind when it fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto.errors import DecryptionFailed
from crypto.seal.cells import decrypt_chunk
from marketplace.documents import cell_count, column_chunks, missing_counts, row_count
from marketplace.errors import InvalidInputError, NotFoundError, VerificationError
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.categories import list_categories
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import load_schema, parse_schema
from tests.sealed_market import NOW, SCHEMA, Row, keys, make_rows, write_csv

HOLDER = keys("supplier").address
CIPHER = Cipher(b"\x07" * 32)


def seal(folder: VaultFolder, path: Path, schema: dict[str, Any] | None = None, **options: Any) -> Dataset:
    return seal_file(
        path, parse_schema(schema or SCHEMA), folder, holder=HOLDER, release_key=HOLDER, now=NOW, **options
    )


def column(dataset: Dataset, name: str) -> list[int]:
    chunks = column_chunks(dataset.manifest["batches"][0], 0, name)
    values = np.concatenate([decrypt_chunk(dataset.whole_ring[0], dataset.blob(item["blob"])) for item in chunks])
    return [int(value) for value in values]


def truth(rows: list[Row], measure: str, scale: int) -> dict[str, list[int]]:
    """Statistics of every cell, by plain Python."""
    lists = [item["categories"] for item in SCHEMA["dimensions"]]
    found = {part: [0] * 36 for part in ("rows", "n", "sum", "sumsq")}
    for row in rows:
        places = [lists[0].index(row["origin"]), lists[1].index(row["carrier"]), lists[2].index(row["month"])]
        cell = (places[0] * 3 + places[1]) * 4 + places[2]
        found["rows"][cell] += 1
        if row[measure] in ("", "NA"):
            continue
        value = round(float(row[measure]) * 10**scale)
        found["n"][cell] += 1
        found["sum"][cell] += value
        found["sumsq"][cell] += value * value
    return found


@pytest.fixture
def folder(tmp_path: Path) -> VaultFolder:
    return VaultFolder(tmp_path / "vault", CIPHER)


def as_parquet(path: Path, rows: list[Row]) -> Path:
    """The same rows with proper types: dictionary text, integers, floats."""
    delays = [None if row["delay"] == "NA" else int(row["delay"]) for row in rows]
    table = pa.table(
        {
            "origin": pa.array([row["origin"] for row in rows]).dictionary_encode(),
            "carrier": [row["carrier"] for row in rows],
            "month": pa.array([int(row["month"]) for row in rows], pa.int8()),
            "delay": pa.array(delays, pa.int16()),
            "fare": [float(row["fare"]) for row in rows],
        }
    )
    parquet.write_table(table, path, row_group_size=64)
    return path


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_sealed_columns_hold_the_exact_statistics(tmp_path: Path, folder: VaultFolder, form: str) -> None:
    rows = make_rows()
    path = write_csv(tmp_path / "r.csv", rows) if form == "csv" else as_parquet(tmp_path / "r.parquet", rows)
    dataset = seal(folder, path)
    assert cell_count(dataset.manifest) == 36
    assert row_count(dataset.manifest) == 400
    assert missing_counts(dataset.manifest) == {"delay": sum(row["delay"] == "NA" for row in rows), "fare": 0}
    for measure, scale in (("delay", 0), ("fare", 2)):
        expected = truth(rows, measure, scale)
        assert column(dataset, "rows") == expected["rows"]
        for part in ("n", "sum", "sumsq"):
            assert column(dataset, f"{part}:{measure}") == expected[part]


def test_a_sealed_data_set_opens_again_with_its_own_key_only(tmp_path: Path, folder: VaultFolder) -> None:
    dataset = seal(folder, write_csv(tmp_path / "r.csv", make_rows()))
    again = folder.open(dataset.digest)
    assert folder.names() == [dataset.digest]
    assert again.manifest == dataset.manifest
    assert again.ring[0].to_bytes() == dataset.ring[0].to_bytes()
    assert (again.counts.rows == dataset.counts.rows).all()
    with pytest.raises(DecryptionFailed):
        VaultFolder(folder.path, Cipher(b"\x08" * 32)).open(dataset.digest)
    with pytest.raises(NotFoundError):
        folder.open("0x" + "00" * 32)


def test_altered_files_are_found(tmp_path: Path, folder: VaultFolder) -> None:
    dataset = seal(folder, write_csv(tmp_path / "r.csv", make_rows()))
    blob = dataset.manifest["batches"][0]["columns"][0]["chunks"][0]["blob"]
    for path, error in (
        (dataset.path / "private.bin", DecryptionFailed),
        (dataset.path / "manifest.json", VerificationError),
        (dataset.path / "blobs" / blob[2:], VerificationError),
    ):
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(error):
            folder.open(dataset.digest).blob(blob)
        path.write_bytes(before)
    assert folder.open(dataset.digest).blob(blob)


def test_nothing_secret_stands_in_clear(tmp_path: Path, folder: VaultFolder) -> None:
    dataset = seal(folder, write_csv(tmp_path / "r.csv", make_rows()))
    secret = dataset.ring[0].to_bytes()[:64]
    for path in folder.path.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("row", "name", "value", "code", "expected"),
    [
        (3, "delay", "soon", "wrong_type", "a number"),
        (3, "delay", "NaN", "not_finite", "a finite number"),
        (3, "delay", "inf", "not_finite", "a finite number"),
        (3, "delay", "1.5", "too_many_decimals", "at most 0 decimals"),
        (3, "fare", "1.005", "too_many_decimals", "at most 2 decimals"),
        (400, "delay", "201", "out_of_bounds", "a value from -50 to 200"),
        (400, "delay", "-51", "out_of_bounds", "a value from -50 to 200"),
        (17, "fare", "1000.01", "out_of_bounds", "a value from 0.00 to 1000.00"),
        (17, "fare", "9" * 25, "out_of_bounds", "a value from 0.00 to 1000.00"),
        (17, "fare", "1" + "0" * 60, "out_of_bounds", "a value from 0.00 to 1000.00"),
        (17, "delay", " 5", "wrong_type", "a number without blanks around it"),
        (2, "origin", "SFO", "unknown_category", "EWR, JFK, LGA"),
        (2, "origin", "", "unknown_category", "EWR, JFK, LGA"),
        (2, "month", "01", "unknown_category", "1, 2, 3, 4"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_sealed(  # noqa: PLR0917 - a table of cases
    tmp_path: Path, folder: VaultFolder, row: int, name: str, value: str, code: str, expected: str
) -> None:
    rows = make_rows()
    rows[row - 1][name] = value
    with pytest.raises(InvalidInputError) as caught:
        seal(folder, write_csv(tmp_path / "r.csv", rows))
    assert caught.value.code == code
    assert caught.value.expected == expected
    assert f"row {row}, column {name}" in str(caught.value)
    assert caught.value.zh.startswith(f"第 {row} 行")
    assert list(folder.datasets.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([1.0, float("nan")], "not_finite"),
        ([1.0, float("-inf")], "not_finite"),
        ([1.0, 0.125], "too_many_decimals"),
        ([1.0, 1e30], "out_of_bounds"),
        (["1", "2"], None),
        ([True, False], "wrong_type"),
        ([b"1", b"2"], "wrong_type"),
    ],
)
def test_parquet_types_are_checked_too(
    tmp_path: Path, folder: VaultFolder, values: list[object], code: str | None
) -> None:
    schema = {**SCHEMA, "dimensions": SCHEMA["dimensions"][:1], "measures": [SCHEMA["measures"][1]]}
    parquet.write_table(pa.table({"origin": ["JFK", "LGA"], "fare": values}), tmp_path / "r.parquet")
    if code is None:
        assert sum(column(seal(folder, tmp_path / "r.parquet", schema), "sum:fare")) == 300
        return
    with pytest.raises(InvalidInputError) as caught:
        seal(folder, tmp_path / "r.parquet", schema)
    assert caught.value.code == code


def test_a_column_of_nulls_is_all_missing(tmp_path: Path, folder: VaultFolder) -> None:
    schema = {**SCHEMA, "dimensions": SCHEMA["dimensions"][:1], "measures": [SCHEMA["measures"][1]]}
    parquet.write_table(pa.table({"origin": ["JFK", "LGA"], "fare": pa.nulls(2)}), tmp_path / "r.parquet")
    assert missing_counts(seal(folder, tmp_path / "r.parquet", schema).manifest) == {"fare": 2}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("r.txt", b"", "unknown_format"),
        ("r.csv", b"", "unreadable_file"),
        ("r.csv", b"origin,carrier,month,delay\nJFK,AA,1,5\n", "missing_column"),
        ("r.csv", b"origin,carrier,month,delay,fare\nJFK,AA,1\n", "unreadable_file"),
        ("r.csv", b"origin,carrier,month,delay,fare\n\xff\xfe,AA,1,2,3\n", "unreadable_file"),
        ("r.csv", b"origin,carrier,month,delay,fare\n", "no_rows"),
        ("r.parquet", b"PAR1 not really", "unreadable_file"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, folder: VaultFolder, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        seal(folder, tmp_path / name)
    assert caught.value.code == code


def test_categories_are_listed_when_they_are_not_declared(tmp_path: Path) -> None:
    dimensions = [{"name": "origin"}, {"name": "month"}]
    path = write_csv(tmp_path / "r.csv", make_rows())
    listed = list_categories(path, parse_schema({**SCHEMA, "dimensions": dimensions})).dimensions
    assert listed[0].categories == ("EWR", "JFK", "LGA")
    assert not listed[0].ordered
    assert listed[1].categories == ("1", "2", "3", "4")
    assert listed[1].ordered


def test_a_label_that_looks_like_a_missing_value_stays_a_label(tmp_path: Path, folder: VaultFolder) -> None:
    """Namibia is NA."""
    (tmp_path / "r.csv").write_text("country,delay\nNA,1\nNA,NA\nCN,\n")
    schema = {"title": SCHEMA["title"], "dimensions": [{"name": "country"}], "measures": [SCHEMA["measures"][0]]}
    dataset = seal(folder, tmp_path / "r.csv", schema)
    assert dataset.manifest["dimensions"][0]["categories"] == ["CN", "NA"]
    assert column(dataset, "rows") == [1, 2]
    assert missing_counts(dataset.manifest) == {"delay": 2}


def test_bounds_that_could_wrap_are_refused(tmp_path: Path, folder: VaultFolder) -> None:
    wide = {**SCHEMA["measures"][0], "high": 2**30}
    with pytest.raises(InvalidInputError) as caught:
        seal(folder, write_csv(tmp_path / "r.csv", make_rows()), {**SCHEMA, "measures": [wide]})
    assert caught.value.code == "bounds_too_wide"


def test_progress_is_told(tmp_path: Path, folder: VaultFolder) -> None:
    told: list[tuple[str, int, int]] = []
    path = write_csv(tmp_path / "r.csv", make_rows())
    seal(folder, path, progress=lambda stage, done, total: told.append((stage, done, total)))
    assert ("reading", path.stat().st_size, path.stat().st_size) in told
    assert told[-1] == ("sealing", 7, 7)


def test_schemas_are_read_from_toml_and_json(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'minimumCohort = 5\n[title]\nen = "a"\nzh = "b"\n[[dimensions]]\nname = "origin"\n'
        '[[measures]]\nname = "m"\ncolumn = "M x"\nunit = "u"\nscale = 1\nlow = 0\nhigh = 9\n'
    )
    schema = load_schema(tmp_path / "s.toml")
    assert (schema.minimum_cohort, schema.columns) == (5, ["origin", "M x"])
    (tmp_path / "s.json").write_text('{"title": 1}')
    for broken in ("s.json", "s.toml"):
        if broken == "s.toml":
            (tmp_path / broken).write_text("[[[")
        with pytest.raises(InvalidInputError):
            load_schema(tmp_path / broken)


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"dimensions": []},
        {"dimensions": [{"name": "origin", "categories": ["a", "a"]}]},
        {"dimensions": [{"name": "Origin"}]},
        {"measures": [{**SCHEMA["measures"][0], "name": "origin"}]},
        {"measures": [{**SCHEMA["measures"][0], "low": 300}]},
        {"measures": [{**SCHEMA["measures"][0], "scale": 1.5}]},
        {"minimumCohort": 0},
    ],
)
def test_a_wrong_schema_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        parse_schema({**SCHEMA, **change})


@pytest.mark.parametrize("odd", ["--5", "9" * 5000, "\u00b2", "\u0663"])
def test_labels_that_only_look_like_numbers_are_text(tmp_path: Path, odd: str) -> None:
    rows = [{"month": "10"}, {"month": odd}, {"month": "9"}]
    schema = parse_schema({"title": {"en": "t", "zh": "t"}, "dimensions": [{"name": "month"}], "measures": []})
    listed = list_categories(write_csv(tmp_path / "rows.csv", rows), schema).dimensions[0]
    assert listed.categories == ("9", "10", odd)
    assert listed.ordered is False
