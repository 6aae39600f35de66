"""Bytes at rest, the memory of sealing, and what each party does for one released number."""

import tempfile
from collections.abc import Callable

import numpy as np

from crypto.seal.cells import open_chunk, seal_chunk
from crypto.seal.columns import seal_column
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_wire import PADS_24, PADS_40, PADS_64
from crypto.seal.parameters import CELLS, ROWS
from crypto.seal.release import combine, release_share
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.samples import LARGEST, padded_rows, values_of
from scripts.benchmarks.sealing.theirs import vector_of
from scripts.benchmarks.tables import Table, milliseconds, versions

REPEATS = 9


def storage_table(rows: int) -> Table:
    """Every layout and TenSEAL's."""
    found, _ = alone(stored, rows)
    notes = [
        versions("tenseal"),
        "pads of 24 bits: for columns whose totals, with weights and noise, stay below 2^23, such as indicators and",
        "small counts; of 40 bits: below 2^39. The planner refuses a question that could wrap.",
    ]
    return Table(f"Bytes per value at rest, {rows:,} values", ["form", "bytes"], found, notes)


def stored(rows: int) -> list[list[str]]:
    """Bytes per value of each form."""
    values, key = values_of(rows), SealingKey.generate(ROWS)
    small, sheet = values % 8, Sheet(0, "x", fresh_salt())
    sizes = {ROWS.name: sum(map(len, seal_column(key, values)))}
    for profile, column in ((PADS_64, values), (PADS_40, values), (PADS_24, small)):
        sizes[profile.name] = sum(map(len, padded_rows(PadKey.generate(profile), sheet, column)))
    sizes |= {"TenSEAL CKKSVector": len(vector_of(values, 1).serialize()), "int64, not encrypted": values.nbytes}
    return [[name, f"{size / rows:.2f}"] for name, size in sizes.items()]


def memory_table(rows: int) -> Table:
    """Sealing four columns to disk."""
    seconds, peak = alone(seal_alone, rows, 4)
    notes = [f"profile {ROWS.name}, a process of its own, blobs written to disk one by one; VmHWM, libraries included"]
    columns, row = ["values", "peak RSS MiB", "seconds"], [f"{rows:,} x 4", peak, f"{seconds:.2f}"]
    return Table("Memory and time of sealing", columns, [row], notes)


def seal_alone(rows: int, columns: int) -> float:
    """Seals random columns to a temporary file; the seconds it took."""
    key, generator = SealingKey.generate(ROWS), np.random.default_rng(3)
    values = [generator.integers(0, LARGEST, rows) for _ in range(columns)]
    with tempfile.TemporaryFile() as file:
        took = milliseconds(lambda: [file.write(blob) for column in values for blob in seal_column(key, column)], 1)
    return took / 1000


def steps_table() -> Table:
    """One number over one chunk, profile bfv-8192-cells-1: what a panel node, a vault and a buyer each do."""
    rows, peak = alone(steps)
    notes = [versions("tenseal", "numpy"), f"one chunk of 8192 cells; median of {REPEATS}; peak RSS {peak} MiB"]
    return Table(f"The steps of one released number, {CELLS.name}", ["step", "by", "ms"], rows, notes)


def steps() -> list[list[str]]:
    """Name, party and milliseconds of each step."""
    key = SealingKey.generate(CELLS)
    values = np.arange(CELLS.degree)
    blob = seal_chunk(key, values)
    chunk = open_chunk(CELLS, blob)
    chosen = np.flatnonzero(values % 3 == 0)
    number = evaluate_sum(CELLS, [chunk], chosen)
    share = release_share(key, number.c1, 0)
    found: list[tuple[str, str, Callable[[], object]]] = [
        ("seal 8192 cells", "supplier", lambda: seal_chunk(key, values)),
        ("check and open the blob", "panel, vault", lambda: open_chunk(CELLS, blob)),
        ("evaluate one number", "panel, vault", lambda: evaluate_sum(CELLS, [chunk], chosen)),
        ("digest of c1", "panel, vault", number.request_digest),
        ("share", "vault", lambda: release_share(key, number.c1, 0)),
        ("combine", "buyer", lambda: combine(CELLS, number.c0, share)),
    ]
    return [[name, who, f"{milliseconds(step, REPEATS):.3f}"] for name, who, step in found]
