"""Sealed sums against TenSEAL's own, side by side in one run; bytes at rest; memory; the steps of one release.

Ours: profile bfv-4096-rows-1, one coefficient per row, chunks in memory, result opened by the key's owner and
compared with numpy: exact. TenSEAL: the whole column in one CKKSVector with the parameters of its README (N = 8192,
60+40+40+60 bits, scale 2^40), vector in memory, result decrypted; SUM is `.sum()`, VARIANCE `.sum()` and `.dot(self)`,
a group is `.dot(mask)`. Only the evaluation is timed, on one thread on either side. TenSEAL runs each query once (it
takes seconds); ours is the median of nine.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tenseal
from numpy.typing import NDArray

from crypto.seal.cells import SealedChunk, open_chunk, seal_chunk
from crypto.seal.columns import group_rows, join_limbs, open_column, seal_column, split_limbs
from crypto.seal.evaluate import SealedNumber, evaluate_sum
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS, ROWS
from crypto.seal.release import combine, open_number, release_share
from scripts.benchmarks.products import products_table
from scripts.benchmarks.tables import Table, milliseconds, versions

LIMB_BITS = 17
GROUPS = 16
LARGEST = 100_000
REPEATS = 9
VERSIONS = ("tenseal", "numpy", "opendp")


@dataclass(frozen=True)
class Race:
    """One query run by both: name, rows, milliseconds of each, and the relative error of each."""

    query: str
    rows: int
    ours: float
    theirs: float
    our_error: float
    their_error: float

    def cells(self) -> list[str]:
        """The row of the table."""
        times = [f"{self.ours:.2f}", f"{self.theirs:,.0f}", f"{self.theirs / self.ours:,.0f}x"]
        return [self.query, f"{self.rows:,}", *times, f"{self.our_error:g}", f"{self.their_error:.1e}"]


def run(quick: bool) -> list[Table]:
    """All tables. Quick: a tenth of the rows."""
    rows, grouped_rows = (100_000, 20_000) if quick else (1_000_000, 100_000)
    key, context = SealingKey.generate(ROWS), _readme_context()
    values = np.random.default_rng(1).integers(0, LARGEST, rows)
    columns = _seal(key, values)
    vector = _vector(context, values)
    races = [_sum(key, columns, vector, values), _variance(key, columns, vector, values)]
    stored = _storage(values, vector)
    del columns, vector
    races.append(_group_by(key, context, grouped_rows))
    hidden = products_table(33_678 if quick else 336_776)
    return [_race_table(races), stored, _memory(rows), _steps(), hidden]


def _seal(key: SealingKey, values: NDArray[np.int64]) -> list[list[SealedChunk]]:
    """Values, and their squares in two limbs."""
    columns = [values, *split_limbs(values * values, LIMB_BITS, 2)]
    return [open_column(ROWS, seal_column(key, column)) for column in columns]


def _sum(key: SealingKey, columns: list[list[SealedChunk]], vector: Any, values: NDArray[np.int64]) -> Race:
    kept: list[Any] = []
    theirs = milliseconds(lambda: kept.append(vector.sum()), 1)
    cells = range(len(values))
    ours = milliseconds(lambda: evaluate_sum(ROWS, columns[0], cells), REPEATS)
    true = int(values.sum())
    opened = open_number(key, evaluate_sum(ROWS, columns[0], cells))
    return Race("SUM", len(values), ours, theirs, _error(opened, true), _error(kept[0].decrypt()[0], true))


def _variance(key: SealingKey, columns: list[list[SealedChunk]], vector: Any, values: NDArray[np.int64]) -> Race:
    kept: list[Any] = []
    theirs = milliseconds(lambda: kept.extend([vector.sum(), vector.dot(vector)]), 1)
    cells = range(len(values))

    def evaluate() -> list[SealedNumber]:
        return [evaluate_sum(ROWS, column, cells) for column in columns]

    ours = milliseconds(evaluate, REPEATS)
    total, *limbs = (open_number(key, number) for number in evaluate())
    true = _spread(len(values), int(values.sum()), int((values * values).sum()))
    opened = _spread(len(values), total, join_limbs(limbs, LIMB_BITS))
    decrypted = _spread(len(values), kept[0].decrypt()[0], kept[1].decrypt()[0])
    return Race("VARIANCE", len(values), ours, theirs, _error(opened, true), _error(decrypted, true))


def _group_by(key: SealingKey, context: Any, rows: int) -> Race:
    generator = np.random.default_rng(2)
    values, groups = generator.integers(0, LARGEST, rows), generator.integers(0, GROUPS, rows)
    order, ranges = group_rows(groups, GROUPS)
    chunks = open_column(ROWS, seal_column(key, values[order]))

    def evaluate() -> list[SealedNumber]:
        return [evaluate_sum(ROWS, chunks, cells) for cells in ranges]

    ours = milliseconds(evaluate, REPEATS)
    masks = [(groups == group).astype(np.float64).tolist() for group in range(GROUPS)]
    vector, kept = _vector(context, values), list[Any]()
    theirs = milliseconds(lambda: kept.extend(vector.dot(mask) for mask in masks), 1)
    true = [int(values[groups == group].sum()) for group in range(GROUPS)]
    opened = [open_number(key, number) for number in evaluate()]
    errors = [max(map(_error, seen, true)) for seen in (opened, [number.decrypt()[0] for number in kept])]
    return Race(f"SUM by {GROUPS} groups", rows, ours, theirs, *errors)


def _race_table(races: list[Race]) -> Table:
    notes = [
        versions(*VERSIONS),
        "evaluation only, operands in memory, one thread on either side; ours: median of 9; TenSEAL: once",
        "group-by: our rows are sorted by group before sealing (a choice of layout) and weights are cached after the",
        "first call; TenSEAL takes one mask per group and encodes it at every call",
        "by default TenSEAL uses all cores (ours does not): on two cores its times, and the ratios, about halve",
        "error: relative, of the opened result",
    ]
    columns = ["query", "rows", "ours ms", "CKKSVector ms", "ratio", "our error", "its error"]
    return Table("Encrypted aggregates, ours and TenSEAL's", columns, [race.cells() for race in races], notes)


def _storage(values: NDArray[np.int64], vector: Any) -> Table:
    key = SealingKey.generate(ROWS)
    sealed = sum(len(blob) for blob in seal_column(key, values)) / len(values)
    theirs = len(vector.serialize()) / len(values)
    rows = [["ours (rows)", f"{sealed:.2f}"], ["TenSEAL CKKSVector", f"{theirs:.2f}"], ["int64, not encrypted", "8.00"]]
    return Table(f"Bytes per value at rest, {len(values):,} values", ["form", "bytes"], rows, [versions("tenseal")])


def _memory(rows: int) -> Table:
    command = [sys.executable, "-c", f"from scripts.benchmarks.sealing import seal_alone; seal_alone({rows}, 4)"]
    peak, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    row = [f"{rows:,} x 4", f"{int(peak) / 1024:.0f}", f"{float(seconds):.2f}"]
    notes = [
        "a process of its own, blobs written to disk one by one; VmHWM of that process, interpreter and SEAL included"
    ]
    return Table("Memory and time of sealing", ["values", "peak RSS MiB", "seconds"], [row], notes)


def seal_alone(rows: int, columns: int) -> None:
    """Seals random columns to a temporary file and prints this process's peak RSS in KiB and the seconds it took."""
    key, generator = SealingKey.generate(ROWS), np.random.default_rng(3)
    values = [generator.integers(0, LARGEST, rows) for _ in range(columns)]
    with tempfile.TemporaryFile() as file:
        took = milliseconds(lambda: [file.write(blob) for column in values for blob in seal_column(key, column)], 1)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(status.split("VmHWM:")[1].split()[0], took / 1000)


def _steps() -> Table:
    """One number over one chunk, profile bfv-8192-cells-1: what a panel node, a vault and a buyer each do."""
    key = SealingKey.generate(CELLS)
    values = np.arange(CELLS.degree)
    blob = seal_chunk(key, values)
    chunk = open_chunk(CELLS, blob)
    chosen = np.flatnonzero(values % 3 == 0)
    number = evaluate_sum(CELLS, [chunk], chosen)
    share = release_share(key, number.c1, 0)
    steps: list[tuple[str, str, Callable[[], object]]] = [
        ("seal 8192 cells", "supplier", lambda: seal_chunk(key, values)),
        ("check and open the blob", "panel, vault", lambda: open_chunk(CELLS, blob)),
        ("evaluate one number", "panel, vault", lambda: evaluate_sum(CELLS, [chunk], chosen)),
        ("digest of c1", "panel, vault", number.c1_digest),
        ("share", "vault", lambda: release_share(key, number.c1, 0)),
        ("combine", "buyer", lambda: combine(CELLS, number.c0, share)),
    ]
    rows = [[name, who, f"{milliseconds(step, REPEATS):.3f}"] for name, who, step in steps]
    notes = [versions(*VERSIONS), "one chunk of 8192 cells; median of 9"]
    return Table("The steps of one released number, bfv-8192-cells-1", ["step", "by", "ms"], rows, notes)


def _readme_context() -> Any:
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, poly_modulus_degree=8192, coeff_mod_bit_sizes=[60, 40, 40, 60], n_threads=1
    )
    context.generate_galois_keys()
    context.global_scale = 2**40
    return context


def _vector(context: Any, values: NDArray[np.int64]) -> Any:
    with _quiet():
        return tenseal.ckks_vector(context, values.astype(np.float64).tolist())


@contextmanager
def _quiet() -> Iterator[None]:
    """TenSEAL warns on the C library's standard output about vectors of several chunks; that is not for our tables."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _spread(count: int, total: float, squares: float) -> float:
    """Variance from count, sum and sum of squares."""
    return squares / count - (total / count) ** 2


def _error(seen: float, true: float) -> float:
    return abs(seen - true) / abs(true)
