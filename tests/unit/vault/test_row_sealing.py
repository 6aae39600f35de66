"""A form of rows: every column of every row, sorted by public cell, each chunk sealed once, also after a kill."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketplace.documents import COUNTS, SALT, column_names
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing import placement, reading
from marketplace.vault.sealing.categories import silent
from marketplace.vault.sealing.dataset import declared_parts
from marketplace.vault.sealing.drafts import Draft, open_draft
from marketplace.vault.sealing.place_sealing import seal_places
from marketplace.vault.sealing.reading import read_batches
from marketplace.vault.sealing.row_sealing import Seal, seal_rows
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.statistics import CellStatistics
from marketplace.vault.sealing.work import Columns, Source, Work
from tests.sealed_market import SCHEMA, Row, make_rows, write_csv

HIDDEN = SCHEMA | {
    "dimensions": [SCHEMA["dimensions"][0], {**SCHEMA["dimensions"][1], "hidden": True}, SCHEMA["dimensions"][2]]
}
PLACES = 61
ORIGINS, CARRIERS, MONTHS = (item["categories"] for item in SCHEMA["dimensions"])


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "BUCKET_ROWS", 50)
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 700)


def work_on(home: Path, draft: Draft, form: str) -> Work:
    """The batch of make_rows(), read, to be sealed in one form of rows."""
    schema = parse_schema(HIDDEN)
    forms = declared_parts(schema)["forms"]
    source = Source(write_csv(home / "rows.csv", make_rows()), schema, 0, silent)
    statistics = CellStatistics(schema, forms)
    for batch in read_batches(source.path, schema.columns):
        statistics.add(batch)
    frame = declared_parts(schema) | {"forms": [{"form": form, "places": PLACES}]}
    return Work(source, frame, 0, KeyRing.generate(forms), draft, statistics)


def plain(column: str, index: int, values: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
    """A seal that anybody can open, so that the test sees what goes into a real one."""
    return f"{column} {index}\n".encode() + values.astype("<i8").tobytes()


def opened(draft: Draft, columns: Columns) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for column in columns:
        found[column["name"]] = []
        for index, chunk in enumerate(column["chunks"]):
            data = (draft.path / "blobs" / chunk["blob"][2:]).read_bytes()
            if column["name"] == SALT:
                found[SALT] = list(data)
                continue
            if column["name"] == COUNTS:
                found[COUNTS] = np.frombuffer(data, "<u4").tolist()
                continue
            head, _, body = data.partition(b"\n")
            assert head == f"{column['name']} {index}".encode()
            found[column["name"]] += np.frombuffer(body, "<i8").tolist()
    return found


def truth() -> dict[str, list[int]]:
    """All columns of rows and products, by plain Python."""
    rows = sorted(make_rows(), key=lambda row: (ORIGINS.index(row["origin"]), MONTHS.index(row["month"])))
    delays = [None if row["delay"] == "NA" else int(row["delay"]) for row in rows]
    fares = [round(float(row["fare"]) * 100) for row in rows]
    found = {
        "rows": [1] * len(rows),
        COUNTS: [_count(rows, origin, month) for origin in ORIGINS for month in MONTHS],
        "n:delay": [int(value is not None) for value in delays],
        "sum:delay": [value or 0 for value in delays],
        "sumsq:delay": [(value or 0) ** 2 for value in delays],
        "n:fare": [1] * len(rows),
        "sum:fare": fares,
        "sumsq:fare": [value**2 for value in fares],
    }
    for index, carrier in enumerate(CARRIERS):
        found[f"ind:carrier:{index}"] = [int(row["carrier"] == carrier) for row in rows]
    return found


def _count(rows: list[Row], origin: str, month: str) -> int:
    return sum(row["origin"] == origin and row["month"] == month for row in rows)


def padded(rows: list[int], counts: list[int]) -> list[int]:
    """The values in places of their cells, PLACES for each, zeros behind them."""
    found, start = list[int](), 0
    for count in counts:
        found += rows[start : start + count] + [0] * (PLACES - count)
        start += count
    return found


def sealed_in(form: str, work: Work, size: int, seal: Seal) -> Columns:
    return seal_rows(work, 0, size, seal) if form == "products" else seal_places(work, 0, size, b"s" * 16, seal)


@pytest.mark.parametrize("form", ["rows", "products"])
@pytest.mark.parametrize("size", [64, 400, 1000])
def test_every_column_holds_every_row_sorted_by_public_cell(tmp_path: Path, form: str, size: int) -> None:
    with open_draft(tmp_path, "0x" + "ab" * 32, Cipher(bytes(32))) as draft:
        work = work_on(tmp_path, draft, form)
        found, true = opened(draft, sealed_in(form, work, size, plain)), truth()
        assert list(found) == column_names(work.frame)
    if form == "products":
        assert found == {name: true[name] for name in found}
    else:
        assert bytes(found.pop(SALT)) == b"s" * 16
        assert found == {name: padded(true[name], true[COUNTS]) for name in found}
    assert len(found) == (7 if form == "rows" else 6 + 3)


@pytest.mark.parametrize("form", ["rows", "products"])
def test_a_chunk_is_sealed_once_however_often_the_work_is_taken_up(tmp_path: Path, form: str) -> None:
    sealed: list[tuple[str, int]] = []

    def failing(column: str, index: int, values: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
        if len(sealed) in (5, 16, 17):
            sealed.append(("stopped", 0))
            raise KeyboardInterrupt
        sealed.append((column, index))
        return plain(column, index, values)

    for _ in range(3):
        with (
            pytest.raises(KeyboardInterrupt),
            open_draft(tmp_path, "0x" + "ab" * 32, Cipher(bytes(32))) as draft,
        ):
            sealed_in(form, work_on(tmp_path, draft, form), 100, failing)
    with open_draft(tmp_path, "0x" + "ab" * 32, Cipher(bytes(32))) as draft:
        found, true = opened(draft, sealed_in(form, work_on(tmp_path, draft, form), 100, failing)), truth()
    assert found.pop(SALT, True)
    counts, own = true[COUNTS], form == "products"
    assert found == {name: true[name] if own else padded(true[name], counts) for name in found}
    done = [item for item in sealed if item[0] != "stopped"]
    chunks = 4 if own else 12 * PLACES // 100 + 1
    assert len(done) == len(set(done)) == (8 if own else 7) * chunks
