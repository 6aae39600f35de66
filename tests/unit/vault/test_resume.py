"""Sealing that was killed goes on where it was and gives a valid data set; memory does not follow the rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto.errors import DecryptionFailed
from crypto.seal.cells import decrypt_chunk
from marketplace.documents import all_chunks, column_chunks, column_names
from marketplace.errors import InvalidInputError, RuleError
from marketplace.vault.keeping.custody import Deposit, card_of
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing import drafts, reading
from marketplace.vault.sealing.categories import Progress, silent
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch
from tests.sealed_market import NOW, SCHEMA, keys, make_rows, write_csv

ROOT = Path(__file__).resolve().parents[3]
FULL = SCHEMA | {"joints": [{"measures": ["delay", "fare"]}], "prefix": "month"}
HOLDER = keys("supplier").address
CIPHER = Cipher(b"\x07" * 32)
WORKER = """
import os, signal, sys
from pathlib import Path
from marketplace.vault.sealing import drafts, reading
from tests.unit.vault import test_resume

reading.BATCH_ROWS, reading._BLOCK_BYTES, drafts.CHECKPOINT_SECONDS, drafts.CHECKPOINT_SHARE = 64, 1024, 0, 0
home, stage, share = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def progress(at, done, total):
    if at == stage and done >= share * total:
        os.kill(os.getpid(), signal.SIGKILL)

test_resume.seal(home, progress)
"""


def seal(home: Path, progress: Any = lambda *_: None) -> Dataset:
    """Seal the home's file; a base that is there already gets it as a batch."""
    folder, schema = VaultFolder(home / "vault", CIPHER), parse_schema(FULL)
    (path,) = home.glob("rows.*")
    if folder.names():
        base = folder.open(folder.names()[0])
        return append_batch(path, schema, folder, base, "more", now=NOW, progress=progress)
    return seal_file(path, schema, folder, holder=HOLDER, release_key=HOLDER, now=NOW, progress=progress)


def killed(home: Path, stage: str, share: float) -> None:
    """Seal in another process that gets SIGKILL when that share of the stage is done."""
    command = [sys.executable, "-c", WORKER, str(home), stage, str(share)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9


def columns(dataset: Dataset) -> dict[str, list[int]]:
    """All sealed values of the newest batch."""
    batch = dataset.manifest["batches"][-1]
    return {
        name: [
            int(value)
            for chunk in column_chunks(batch, 0, name)
            for value in decrypt_chunk(dataset.whole_ring[0], dataset.blob(chunk["blob"]))
        ]
        for name in column_names(dataset.manifest)
    }


def as_parquet(path: Path) -> None:
    rows = make_rows()
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    parquet.write_table(table, path, row_group_size=150)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 64)
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 1024)
    monkeypatch.setattr(drafts, "CHECKPOINT_SECONDS", 0)


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("update", [False, True])
def test_a_killed_run_is_continued_at_several_points(tmp_path: Path, form: str, update: bool) -> None:
    home, whole = tmp_path / "home", tmp_path / "whole"
    for place in (home, whole):
        place.mkdir()
        write_csv(place / "rows.csv", make_rows()) if form == "csv" else as_parquet(place / "rows.parquet")
        if update:
            seal(place)
    kept = len(list((home / "vault" / "datasets").iterdir())) if update else 0
    for stage, share in (("reading", 0.3), ("reading", 0.6), ("reading", 1.0), ("sealing", 0.1), ("sealing", 0.7)):
        killed(home, stage, share)
    told: list[tuple[str, int]] = []
    made = seal(home, lambda stage, done, _: told.append((stage, done)))
    assert [stage for stage, _ in told if stage == "reading"] == [], "rows were read that had been read before"
    assert columns(made) == columns(seal(whole))
    assert VaultFolder(home / "vault", CIPHER).open(made.digest).manifest == made.manifest
    assert len(list((home / "vault" / "datasets").iterdir())) == kept + 1
    named = {chunk["blob"][2:] for chunk in all_chunks(made.manifest)}
    assert {path.name for path in (made.path / "blobs").iterdir()} == named
    assert {path.name for path in made.path.iterdir()} == {"blobs", "manifest.json", "private.bin"}


@pytest.mark.usefixtures("small_steps")
def test_what_is_left_after_a_kill_holds_nothing_in_clear_and_opens_with_the_vaults_key_alone(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", make_rows())
    killed(tmp_path, "sealing", 0.5)
    (draft,) = (tmp_path / "vault" / "datasets").iterdir()
    assert {path.name for path in draft.iterdir()} == {"blobs", "chunks.jsonl", "lock", "key.bin", "statistics.bin"}
    for path in draft.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.is_dir() or b"PK" not in path.read_bytes()[:64], "statistics as numpy writes them"
    other, path = VaultFolder(tmp_path / "vault", Cipher(b"\x08" * 32)), tmp_path / "rows.csv"
    with pytest.raises(DecryptionFailed):
        seal_file(path, parse_schema(FULL), other, holder=HOLDER, release_key=HOLDER, now=NOW)


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize(
    "damage", ["torn line", "blob missing", "blob altered", "part left", "finished but for its name"]
)
def test_a_damaged_draft_still_gives_the_true_data_set(tmp_path: Path, damage: str) -> None:
    write_csv(tmp_path / "rows.csv", make_rows())
    killed(tmp_path, "sealing", 0.5)
    (draft,) = (tmp_path / "vault" / "datasets").iterdir()
    journal = draft / "chunks.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    blob = draft / "blobs" / json.loads(lines[0])[3][2:]
    if damage == "torn line":
        journal.write_bytes(b"".join(lines)[:-5])
    elif damage == "blob missing":
        blob.unlink()
    elif damage == "blob altered":
        blob.write_bytes(blob.read_bytes()[:-1])
    elif damage == "part left":
        (draft / "statistics.bin.part").write_bytes(b"half")
    else:
        journal.unlink()
        (draft / "manifest.json").write_bytes(b"{}")
    made = seal(tmp_path)
    assert columns(made)["rows"] == np.cumsum(_rows_by_cell().reshape(-1, 4), axis=1).reshape(-1).tolist()
    assert {path.name for path in made.path.iterdir()} == {"blobs", "manifest.json", "private.bin"}


def _rows_by_cell() -> np.ndarray[Any, np.dtype[np.int64]]:
    lists = [item["categories"] for item in SCHEMA["dimensions"]]
    counts = np.zeros([len(values) for values in lists], dtype=np.int64)
    for row in make_rows():
        place = tuple(values.index(row[item["name"]]) for values, item in zip(lists, SCHEMA["dimensions"], strict=True))
        counts[place] += 1
    return counts


@pytest.mark.usefixtures("small_steps")
def test_another_file_never_continues_a_draft(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", make_rows())
    killed(tmp_path, "reading", 0.6)
    write_csv(tmp_path / "rows.csv", make_rows(100))
    assert sum(columns(seal(tmp_path))["n:fare"][3::4]) == 100


def test_two_processes_never_write_one_draft(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", make_rows())

    def busy(stage: str, done: int, total: int) -> None:
        with pytest.raises(RuleError) as caught:
            seal(tmp_path)
        assert caught.value.code == "draft_busy"

    assert seal(tmp_path, busy).manifest


def test_a_key_that_will_be_split_is_never_written_down_whole(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", make_rows())
    folder, deposit = VaultFolder(tmp_path / "vault", CIPHER), Deposit(card_of(keys("custodian")), keys("supplier"))

    def interrupted(stage: str, done: int, _: int) -> None:
        if stage == "sealing" and done == 3:
            raise KeyboardInterrupt

    def sealed(progress: Progress = silent) -> Dataset:
        schema = parse_schema(FULL)
        return seal_file(
            path, schema, folder, holder=HOLDER, release_key=HOLDER, now=NOW, deposit=deposit, progress=progress
        )

    with pytest.raises(KeyboardInterrupt):
        sealed(interrupted)
    (draft,) = folder.datasets.iterdir()
    assert not (draft / "key.bin").exists()
    before = {file.name for file in (draft / "blobs").iterdir()}
    assert len(before) == 3
    after = {chunk["blob"][2:] for chunk in all_chunks(sealed().manifest)}
    assert not before & after, "a chunk under a key that is gone"


def test_a_faulty_row_leaves_no_draft_and_a_full_disk_leaves_it_to_be_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "vault" / "datasets"
    write_csv(tmp_path / "rows.csv", [{**make_rows()[0], "fare": "-1"}])
    with pytest.raises(InvalidInputError):
        seal(tmp_path)
    assert list(place.iterdir()) == []
    write_csv(tmp_path / "rows.csv", make_rows())
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            seal(tmp_path)
    assert seal(tmp_path).manifest
    assert len(list(place.iterdir())) == 1


def test_peak_memory_does_not_follow_the_number_of_rows(tmp_path: Path) -> None:
    """A row group ten times as large takes well under the 126 MB that its further rows would take as columns.

    What it does take more, the reader of Parquet and the allocator keep of larger pages.
    """
    peaks = []
    for rows in (200_000, 2_000_000):
        code = (
            "import scripts.benchmarks.scale as scale; from pathlib import Path; import sys;"
            f"home = Path(sys.argv[1]); scale.GROUP_ROWS = {rows}; scale.write_file(home / 'rows.parquet', {rows})"
        )
        home = tmp_path / str(rows)
        home.mkdir()
        subprocess.run([sys.executable, "-c", code, str(home)], cwd=ROOT, check=True)
        code = "import sys; from scripts.benchmarks.scale import seal_alone; seal_alone(sys.argv[1], 2)"
        done = subprocess.run([sys.executable, "-c", code, str(home)], cwd=ROOT, check=True, capture_output=True)
        peaks.append(json.loads(done.stdout)["peak"])
    assert peaks[1] - peaks[0] < 80 * 1024
