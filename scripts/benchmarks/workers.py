"""Plans on ten million row-level values, evaluated by one worker process and by two: `--compute processes:N`.

Two forms: padded rows (pads-64), and rows as BFV coefficients (bfv-4096-rows-1). A plan is evaluated first on data that
no worker has opened (reading, checking and opening blobs, then adding), then again. Worker processes are
started, and have evaluated a plan on other data, before the clock runs. Every result is compared byte by byte with what
this process gets by itself, and one number of each plan is opened and compared with numpy.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.seal.columns import seal_column
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_wire import CHUNK, PADS_64
from crypto.seal.pads import PadProof, combine_padded, release_padded, seal_padded
from crypto.seal.parameters import ROWS
from crypto.seal.release import open_number
from marketplace.compute.columns import WorkersColumns
from marketplace.compute.processes import Processes
from marketplace.documents import SALT
from marketplace.queries.evaluation import evaluate_plan
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.planning.forms import reaches
from marketplace.queries.planning.forms.rows import taken_of
from scripts.benchmarks.sealing.held import COLUMN, Entries, Held, manifest_of, plan_of, write_blob
from scripts.benchmarks.tables import Table, versions

GROUPS, ROUNDS, REPEATS = 16, 3, 3
START_SECONDS = 60
COUNTS = (1, 2)


def _by(held: Held, workers: Processes) -> Entries:
    return held.entries(WorkersColumns(workers, held.folder, held.fetch))


@dataclass
class Times:
    """Milliseconds of each round's first plan and of its repeats; milliseconds of processor that the busiest worker
    spent on the first; the largest peak of any worker in MiB."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    busiest: list[float] = field(default_factory=list)
    peak: float = 0.0


def run(quick: bool) -> list[Table]:
    """One table. Quick: a tenth of the values."""
    load, rows = os.getloadavg()[0], 1_000_000 if quick else 10_000_000
    rows_of_table = []
    with tempfile.TemporaryDirectory() as name:
        small = _padded(Path(name), GROUPS * 100, GROUPS)
        for held in (_padded(Path(name), rows, 1), _padded(Path(name), rows, GROUPS), _lattice(Path(name), rows)):
            rows_of_table += _measured(held, small)
    columns = ["plan", "workers", "first ms", "ratio", "again ms", "ratio", "busiest CPU ms", "ratio", "peak MiB"]
    notes = [
        versions("tenseal", "numpy"),
        f"{os.cpu_count()} cores; load average before {load:.1f}, after {os.getloadavg()[0]:.1f}: with other work",
        "on the cores two workers share what is left, and ratios of milliseconds say nothing about spreading",
        f"first: median of {ROUNDS} rounds that take turns; again: least of {ROUNDS} x {REPEATS}; ratio: to one",
        "worker; 2.00x is the floor: no cost of spreading at all. Workers keep 256 chunks open; more are opened again",
        "busiest CPU: processor time of the busiest worker in the first plan, median; its ratio bounds what two",
        "workers reach on free cores, and leaves out what this process does and what the workers wait for",
        "inline: this process alone, without sockets. Peak: VmHWM of the largest worker, interpreter included",
        f"this process, which only adds up: {_peak(os.getpid()):.0f} MiB, having sealed the data and drawn the values",
    ]
    return [Table(f"{rows:,} row-level values, evaluated by worker processes", columns, rows_of_table, notes)]


def _measured(held: Held, small: Held) -> list[list[str]]:
    here, whole = _here(held)
    times = {count: Times() for count in COUNTS}
    for _ in range(ROUNDS):
        for count in COUNTS:
            _round(held, small, times[count], count=count, whole=whole)
    table = [[held.name, "inline", *(f"{here[0]:,.0f}", "", f"{here[1]:,.1f}"), *[""] * 4]]
    one = _figures(times[1])
    for count, found in times.items():
        shown = [(f"{mine:,.1f}", f"{base / mine:.2f}x") for mine, base in zip(_figures(found), one, strict=True)]
        table.append(["", str(count), *(text for pair in shown for text in pair), f"{found.peak:.0f}"])
    return table


def _figures(times: Times) -> tuple[float, float, float]:
    return statistics.median(times.first), min(times.again), statistics.median(times.busiest)


def _here(held: Held) -> tuple[tuple[float, float], Entries]:
    """Milliseconds of this process, first and again, and the plan's entries; the first number is opened."""
    columns = SealedColumns(held.fetch)
    first, whole = _timed(lambda: held.entries(columns))
    if held.opened(next(iter(evaluate_plan(held.manifest, held.plan, columns)))) != held.true:
        raise AssertionError(f"{held.name}: the opened number is not numpy's")
    return (first, min(_timed(lambda: held.entries(columns))[0] for _ in range(REPEATS))), whole


def _round(held: Held, small: Held, times: Times, *, count: int, whole: Entries) -> None:
    workers = Processes(count)
    try:
        _start(workers, small)
        before = {pid: _spent(pid) for pid in workers.pids}
        found = [_timed(lambda: _by(held, workers))]
        times.busiest.append(max(_spent(pid) - earlier for pid, earlier in before.items()))
        found += [_timed(lambda: _by(held, workers)) for _ in range(REPEATS)]
        times.peak = max(times.peak, *map(_peak, workers.pids))
    finally:
        workers.close()
    if any(entries != whole for _, entries in found):
        raise AssertionError(f"{held.name}: {count} workers give other bytes")
    times.first.append(found[0][0])
    times.again += [took for took, _ in found[1:]]


def _start(workers: Processes, small: Held) -> None:
    """Have every worker evaluate something."""
    end = time.monotonic() + START_SECONDS
    while len(workers.pids) < workers.count:
        if time.monotonic() > end:
            raise AssertionError("not all workers have started")
        _by(small, workers)


def _timed(action: Callable[[], Entries]) -> tuple[float, Entries]:
    start = time.perf_counter()
    entries = action()
    return (time.perf_counter() - start) * 1000, entries


def _spent(pid: int) -> float:
    """Milliseconds of processor that a worker has used; it has one thread."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _padded(folder: Path, rows: int, groups: int) -> Held:
    """Padded rows of GROUPS public cells: the sum of all of them, or of each."""
    key, sheet, values = PadKey.generate(PADS_64), Sheet(0, COLUMN, fresh_salt()), _values(rows)
    blobs = [seal_padded(key, sheet, start, values[start : start + CHUNK]) for start in range(0, rows, CHUNK)]
    columns = {COLUMN: [write_blob(folder, blob) for blob in blobs], SALT: [write_blob(folder, sheet.salt)]}
    form = {"form": "rows", "profile": PADS_64.name, "places": rows // GROUPS}
    manifest = manifest_of(form, columns, rows, (GROUPS,))
    plan = plan_of(list(np.array_split(np.arange(GROUPS), groups)))

    def opened(number: Any) -> int:
        taken = taken_of(manifest, 0, plan.numbers[0], reaches(manifest, 0)(plan.numbers[0]), lambda _: sheet.salt)
        return combine_padded(PADS_64, number.c0, [release_padded(key, taken, 0, PadProof(0, 0))])

    name = f"padded rows: SUM by {groups} groups" if groups > 1 else "padded rows: one SUM over all"
    return Held(name, folder, manifest, plan, opened, int(values[: rows // groups].sum()))


def _lattice(folder: Path, rows: int) -> Held:
    """One BFV coefficient a row; the sums of GROUPS ranges."""
    key, values = SealingKey.generate(ROWS), _values(rows)
    columns = {COLUMN: [write_blob(folder, blob) for blob in seal_column(key, values)]}
    manifest = manifest_of({"form": "cells", "profile": ROWS.name, "prefix": None}, columns, rows, (1000, rows // 1000))
    plan = plan_of(np.array_split(np.arange(rows, dtype=np.int64), GROUPS))
    true = int(values[: plan.numbers[0].cells.size].sum())
    name = f"BFV rows: SUM by {GROUPS} groups"
    return Held(name, folder, manifest, plan, lambda number: open_number(key, number), true)


def _values(rows: int) -> NDArray[np.int64]:
    return np.random.default_rng(7).integers(0, 1000, rows)
