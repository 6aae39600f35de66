"""Sealing a large Parquet file: seconds, rows a second, peak memory; and a run that was killed and continued.

The file has three dimensions (576 cells) and six measures: integers of three widths, two of them with missing values,
and decimals as doubles; one measure has bins and two make a joint, so every kind of column is sealed. Each run is a
process of its own that starts from nothing; the killed one gets a real SIGKILL.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from marketplace.vault.keeping.folder import VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from scripts.benchmarks.tables import Table, versions

GROUP_ROWS = 1 << 20
CARRIERS = [f"C{number:02}" for number in range(16)]
SCHEMA: dict[str, Any] = {
    "title": {"en": "Scale", "zh": "规模"},
    "dimensions": [
        {"name": "origin", "categories": ["EWR", "JFK", "LGA"]},
        {"name": "carrier", "categories": CARRIERS},
        {"name": "month", "categories": [str(month) for month in range(1, 13)]},
    ],
    "measures": [
        {"name": "delay", "unit": "minute", "scale": 0, "low": -100, "high": 1500, "bins": [0, 15, 60, 180]},
        {"name": "distance", "unit": "mile", "scale": 0, "low": 0, "high": 6000},
        {"name": "air_time", "unit": "minute", "scale": 0, "low": 0, "high": 1000},
        {"name": "fare", "unit": "yuan", "scale": 2, "low": 0, "high": 100_000},
        {"name": "fuel", "unit": "tonne", "scale": 1, "low": 0, "high": 2000},
        {"name": "seats", "unit": "seat", "scale": 0, "low": 0, "high": 900},
    ],
    "joints": [{"measures": ["air_time", "distance"]}],
}


def run(quick: bool) -> list[Table]:
    """One table. Quick: a twentieth of the rows."""
    rows = 500_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_file(folder / "rows.parquet", rows)
        results = [_measured(folder, "whole", None), _measured(folder, "killed", 0.5)]
    columns = ["sealing", "rows x measures", "seconds", "rows/s", "peak RSS MiB", "file MiB"]
    notes = [
        versions("pyarrow", "numpy", "tenseal"),
        "a process of its own, reading, checking and sealing; VmHWM of that process, interpreter and Arrow included",
        "killed: SIGKILL when half of the rows were read, then started again: seconds of both runs together",
        "floor: decoding the Parquet columns alone, in the same run",
    ]
    floor = ["Parquet decoding alone", f"{rows:,} x 6", f"{results[0]['floor']:.1f}", "", "", ""]
    table = [_row(item, rows) for item in results] + [floor]
    return [Table(f"Sealing {rows:,} rows from Parquet in the cells form", columns, table, notes)]


def write_file(path: Path, rows: int) -> None:
    """A Parquet file of `rows` rows, the same for the same number, written row group by row group."""
    generator = np.random.default_rng(11)
    writer = None
    for start in range(0, rows, GROUP_ROWS):
        table = _table(generator, min(GROUP_ROWS, rows - start))
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def seal_alone(folder: str, kill_at: float) -> None:
    """Seal the folder's file, report seconds, peak memory and the sum of what was sealed; die at that share of rows."""
    start = time.perf_counter()

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "reading" and done >= kill_at * total:
            os.kill(os.getpid(), signal.SIGKILL)

    home, holder = Path(folder), "0x" + "11" * 20
    vault = VaultFolder(home / "vault", Cipher(bytes(32)))
    schema = parse_schema(SCHEMA)
    made = seal_file(
        home / "rows.parquet", schema, vault, holder=holder, release_key=holder, now=1_790_000_000, progress=progress
    )
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.split("VmHWM:")[1].split()[0])
    print(json.dumps({"seconds": time.perf_counter() - start, "peak": peak, "rows": int(made.counts.rows.sum())}))


def _measured(folder: Path, name: str, kill_at: float | None) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    (place / "rows.parquet").symlink_to(folder / "rows.parquet")
    start, killed = time.perf_counter(), 0.0
    if kill_at is not None:
        assert _seal(place, kill_at).returncode == -9
        killed = time.perf_counter() - start
    done = json.loads(_seal(place, 2).stdout)
    size = (folder / "rows.parquet").stat().st_size / (1 << 20)
    return {**done, "name": name, "seconds": done["seconds"] + killed, "size": size, "floor": _floor(folder)}


def _seal(place: Path, kill_at: float) -> "subprocess.CompletedProcess[str]":
    code = f"from scripts.benchmarks.scale import seal_alone; seal_alone({str(place)!r}, {kill_at})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def _floor(folder: Path) -> float:
    start = time.perf_counter()
    with parquet.ParquetFile(folder / "rows.parquet") as file:
        for _ in file.iter_batches(batch_size=1 << 18, use_threads=False):
            pass
    return time.perf_counter() - start


def _row(item: dict[str, Any], rows: int) -> list[str]:
    figures = [f"{item['seconds']:.1f}", f"{rows / item['seconds']:,.0f}", f"{item['peak'] / 1024:.0f}"]
    return [item["name"], f"{rows:,} x 6", *figures, f"{item['size']:.0f}"]


def _table(generator: np.random.Generator, rows: int) -> pa.Table:
    def integers(low: int, high: int, kind: Any, missing: float = 0.0) -> pa.Array:
        values = generator.integers(low, high, rows).astype(kind)
        return pa.array(values, mask=generator.random(rows) < missing if missing else None)

    labels = [("origin", ["EWR", "JFK", "LGA"]), ("carrier", CARRIERS)]
    columns: dict[str, Any] = {
        name: pa.DictionaryArray.from_arrays(generator.integers(0, len(values), rows).astype(np.int8), values)
        for name, values in labels
    }
    columns["month"] = integers(1, 13, np.int8)
    columns["delay"] = integers(-60, 1200, np.int16, missing=0.02)
    columns["distance"] = integers(50, 5000, np.int32)
    columns["air_time"] = integers(20, 700, np.int32, missing=0.03)
    columns["fare"] = pa.array(generator.integers(0, 100_000, rows) / 100)
    columns["fuel"] = pa.array(generator.integers(0, 2000, rows) / 10)
    columns["seats"] = integers(0, 800, np.int64)
    return pa.table(columns)
