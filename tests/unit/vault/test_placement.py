"""Rows come out sorted by public cell, in the file's order within a cell, in one go or continued after a kill."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import DecryptionFailed
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing import drafts, placement, reading
from marketplace.vault.sealing.drafts import Draft, open_draft
from marketplace.vault.sealing.placement import Placement, Plan
from marketplace.vault.sealing.rows import Rows, Shape
from marketplace.vault.sealing.schema import Schema, parse_schema
from tests.sealed_market import SCHEMA, Row, make_rows, write_csv

JOB = "0x" + "ab" * 32
HIDDEN = SCHEMA | {
    "dimensions": [SCHEMA["dimensions"][0], {**SCHEMA["dimensions"][1], "hidden": True}, SCHEMA["dimensions"][2]]
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "BUCKET_ROWS", 50)
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 700)
    monkeypatch.setattr(drafts, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(drafts, "CHECKPOINT_SHARE", 0)


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[Draft]:
    (tmp_path / "datasets").mkdir()
    with open_draft(tmp_path / "datasets", JOB, Cipher(bytes(32))) as opened:
        yield opened


def public_key(row: Row, schema: dict[str, Any]) -> int:
    place = 0
    for item in schema["dimensions"]:
        if not item.get("hidden"):
            place = place * len(item["categories"]) + item["categories"].index(row[item["name"]])
    return place


def expected(rows: list[Row], schema: dict[str, Any]) -> list[Row]:
    return sorted(rows, key=lambda row: public_key(row, schema))


def counted(rows: list[Row], schema: dict[str, Any], parsed: Schema) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.bincount([public_key(row, schema) for row in rows], minlength=Shape.of(parsed).public).astype(np.int64)


def told(rows: Rows) -> list[tuple[int, int | None, int]]:
    """Hidden category, delay and fare of each row."""
    hidden = Shape.of(parse_schema(HIDDEN)).hidden_of(rows.cells).tolist()
    delays = zip(rows.values["delay"].tolist(), rows.present["delay"].tolist(), strict=True)
    present = [value if there else None for value, there in delays]
    return list(zip(hidden, present, rows.values["fare"].tolist(), strict=True))


def wanted(rows: list[Row]) -> list[tuple[int, int | None, int]]:
    carriers = SCHEMA["dimensions"][1]["categories"]
    return [
        (
            carriers.index(row["carrier"]),
            None if row["delay"] == "NA" else int(row["delay"]),
            round(float(row["fare"]) * 100),
        )
        for row in rows
    ]


@pytest.mark.parametrize("size", [1, 7, 64, 399, 400, 5000])
def test_chunks_hold_the_rows_sorted_by_public_cell(tmp_path: Path, draft: Draft, size: int) -> None:
    rows, schema = make_rows(), parse_schema(HIDDEN)
    made = Placement(write_csv(tmp_path / "r.csv", rows), schema, counted(rows, HIDDEN, schema), draft)
    assert list(made.place())[-1] == (400, 400)
    chunks = list(made.chunks(size))
    assert [index for index, _ in chunks] == list(range(-(-400 // size)))
    assert [part.cells.size for _, part in chunks[:-1]] == [size] * (len(chunks) - 1)
    whole = told(Rows.joined([part for _, part in chunks]))
    assert whole == wanted(expected(rows, HIDDEN))
    for first in (0, len(chunks) // 2, len(chunks) - 1):
        rest = list(made.chunks(size, first))
        assert [index for index, _ in rest] == list(range(first, len(chunks)))
        assert told(Rows.joined([part for _, part in rest])) == whole[first * size :]


@pytest.mark.parametrize("stop", [1, 5, 9])
def test_a_run_that_stopped_between_or_after_checkpoints_gives_the_same_rows(
    tmp_path: Path, draft: Draft, stop: int
) -> None:
    rows, schema = make_rows(), parse_schema(HIDDEN)
    path, counts = write_csv(tmp_path / "r.csv", rows), counted(rows, HIDDEN, schema)
    steps = Placement(path, schema, counts, draft).place()
    done = [next(steps)[0] for _ in range(stop)]
    # The kill came while the next frames were being written: they stand after what the checkpoint knows.
    for bucket in draft.path.glob("bucket-*.bin"):
        with bucket.open("ab") as file:
            file.write(os.urandom(100))
    again = Placement(path, schema, counts, draft)
    assert next(again.place())[0] > done[-1], "what was placed is placed again"
    list(again.place())
    assert told(Rows.joined([part for _, part in again.chunks(64)])) == wanted(expected(rows, HIDDEN))


def test_one_huge_cell_is_given_out_without_being_held_whole(tmp_path: Path, draft: Draft) -> None:
    rows = [{**row, "origin": "JFK", "carrier": "B6", "month": "2"} for row in make_rows()]
    schema = parse_schema(SCHEMA)
    made = Placement(write_csv(tmp_path / "r.csv", rows), schema, counted(rows, SCHEMA, schema), draft)
    list(made.place())
    pieces = [part.cells.size for part in made.rows_from(0)]
    assert sum(pieces) == 400
    assert max(pieces) < 50
    assert told(Rows.joined(list(made.rows_from(0))))[:5] == wanted(rows)[:5]


def test_frames_are_encrypted_and_bound_to_their_place(tmp_path: Path, draft: Draft) -> None:
    rows, schema = make_rows(), parse_schema(SCHEMA)
    made = Placement(write_csv(tmp_path / "r.csv", rows), schema, counted(rows, SCHEMA, schema), draft)
    list(made.place())
    cells = np.full(8, 5, dtype="<u4").tobytes()
    buckets = sorted(draft.path.glob("bucket-*.bin"))
    assert len(buckets) > 4
    assert all(cells not in path.read_bytes() and path.stat().st_mode & 0o077 == 0 for path in buckets)
    first, second = (path.read_bytes() for path in buckets[:2])
    buckets[0].write_bytes(second)
    buckets[1].write_bytes(first)
    with pytest.raises(DecryptionFailed):
        list(made.rows_from(0))


@given(st.lists(st.integers(0, 120), min_size=1, max_size=40))
def test_buckets_cover_all_cells_in_order_and_hold_no_more_than_they_should(counts: list[int]) -> None:
    plan = Plan.of(np.array(counts, dtype=np.int64))
    assert plan.starts[0] == 0
    assert plan.starts[-1] == sum(counts)
    assert (np.diff(plan.bucket) >= 0).all()
    for bucket, (start, end) in enumerate(zip(plan.starts, plan.starts[1:], strict=False)):
        mine = [count for count, number in zip(counts, plan.bucket, strict=True) if number == bucket]
        assert sum(mine) == end - start
        full = [count for count in mine if count]
        assert plan.single[bucket] == (len(full) <= 1)
        assert len(full) <= 1 or sum(full) <= placement.BUCKET_ROWS
