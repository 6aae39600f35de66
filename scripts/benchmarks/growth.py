"""The same work on more and more rows, against a straight line: is there a cost that grows faster?

What a party pays for one question: a panel node reads the blobs of a column that it has not seen, compares their
digests, has a process of its own load them first (BFV), checks, decodes and opens them, adds them up and names the
result; a vault does the same with its own blobs, and makes its share (pads). Beside it, the sealing, and the arithmetic
alone on opened chunks, with one pass over as many bytes in memory as its floor.

The line is fixed cost + cost a row, fitted so that relative deviations are least (in squares). A BFV sum of more rows
than one sealed number may add up is the sum of several numbers.

    python -m scripts.benchmarks.growth [--rounds N] [rows ...]      (sizes and rounds of your own)
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from crypto.seal.columns import open_column, seal_column
from crypto.seal.confined import ConfinedLoader
from crypto.seal.evaluate import SealedNumber, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import PADS_64
from crypto.seal.pads import PadProof, combine_padded, release_padded
from crypto.seal.parameters import ROWS
from crypto.seal.release import open_number
from crypto.seal.weights import weigh_cells
from marketplace.documents import SALT
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry
from marketplace.queries.planning.forms import reaches
from marketplace.queries.planning.forms.rows import taken_of
from marketplace.queries.protocol.opening import Sealed
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.held import COLUMN, Held, manifest_of, plan_of, write_blob
from scripts.benchmarks.sealing.samples import padded_rows, pieces, values_of, weights_of
from scripts.benchmarks.tables import Table, milliseconds, show, versions

SMALLEST, ROUNDS, MOST, ENOUGH = 10_000, 2, 30, 300.0  # most runs of a step in a round, and milliseconds that end them
STEPS = (("lattice_paid", True), ("padded_paid", True), ("lattice_alone", False), ("padded_alone", False))
"""Each runs in a process of its own, and whether in fresh memory, as the first question of a process does."""
Times = dict[str, float]
Opened = Callable[[list[Any]], int]


def run(quick: bool) -> list[Table]:
    """Both tables, to 10,000,000 rows; quick: to 1,000,000, one round."""
    largest = 1_000_000 if quick else 10_000_000
    sizes = [
        size for size in (SMALLEST * factor * 10**power for power in range(4) for factor in (1, 3)) if size <= largest
    ]
    return tables(sizes, 1 if quick else ROUNDS)


def tables(sizes: list[int], rounds: int) -> list[Table]:
    """What parties pay, and what the arithmetic alone takes."""
    load = os.getloadavg()[0]
    times, peaks = _rounds(sizes, rounds)
    notes = [
        versions("tenseal", "numpy", "cryptography"),
        f"least of {rounds} rounds over all sizes, each size in a process of its own, up to {MOST} runs of a step in "
        f"each; load before {load:.1f}, after {os.getloadavg()[0]:.1f}",
        "line: fixed + cost a row, least squares of relative deviations over all sizes; farthest: of any size from it",
        "peak MiB: of the process that ran the steps of its form at that size, data and blobs included",
        "questions run in fresh memory, as a process's first does (glibc gives every large array back at once)",
    ]
    paid = {name: by_size for name, by_size in times.items() if "," in name or "seal" in name}
    bare = {name: by_size for name, by_size in times.items() if name not in paid}
    paid_peaks = {form: peaks[f"{name}_paid"] for form, name in (("BFV", "lattice"), ("pads", "padded"))}
    span = f"{sizes[0]:,} to {sizes[-1]:,} rows"
    return [
        Table(f"What a party pays, {span}", _columns(sizes), _lines(sizes, paid, paid_peaks), notes),
        Table(f"Arithmetic alone on opened chunks, {span}", _columns(sizes), _lines(sizes, bare, {}), _floor_notes()),
    ]


def _floor_notes() -> list[str]:
    return [
        "floor: numpy adds up as many bytes of a fresh array; BFV rows are 16 bytes opened, padded rows 8",
        "DOT on padded rows has another weight for every row, and reads 8 bytes of it besides",
    ]


def _columns(sizes: list[int]) -> list[str]:
    return ["ms", *(f"{size:,}" for size in sizes), "line, ms", "farthest"]


def _lines(sizes: list[int], times: dict[str, dict[int, float]], peaks: dict[str, dict[int, str]]) -> list[list[str]]:
    found = []
    for name, by_size in times.items():
        took = list(by_size.values())
        fixed, slope, deviations = _line(sizes, took)
        line = f"{fixed:.2f} + {slope * 1e6:.2f}/M"
        found.append([name, *(f"{ms:.2f}" for ms in took), line, f"{max(map(abs, deviations)):.0%}"])
        found.append(["  off the line", *(f"{off:+.0%}" for off in deviations), "", ""])
    found += [[f"peak MiB, {name}", *by_size.values(), "", ""] for name, by_size in peaks.items()]
    return found


def _rounds(sizes: list[int], rounds: int) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, str]]]:
    """Least time of each step at each size, and the peak of each form's process."""
    times, peaks = dict[str, dict[int, float]](), dict[str, dict[int, str]]()
    this = importlib.import_module("scripts.benchmarks.growth")  # not __main__, which other processes do not find
    for (function, fresh), rows in product(STEPS * rounds, sizes):
        found, peak = alone(getattr(this, function), rows, fresh=fresh)
        for name, took in found.items():
            known = times.setdefault(name, {})
            known[rows] = min(took, known.get(rows, took))
        peaks.setdefault(function, {})[rows] = peak
    return times, peaks


def lattice_alone(rows: int) -> Times:
    """Milliseconds of sealing and of the arithmetic, BFV."""
    key, values, weights = SealingKey.generate(ROWS), values_of(rows) // 16, weights_of(rows)
    blobs = list(seal_column(key, values))
    found = {"BFV seal": _best(lambda: list(seal_column(key, values)))}
    opened, ranges = open_column(ROWS, blobs), pieces(ROWS, rows)
    prepared = [weigh_cells(ROWS, np.array(cells), weights[cells.start : cells.stop]) for cells in ranges]

    def added() -> SealedNumber:
        return add_numbers(ROWS, [evaluate_sum(ROWS, opened, cells) for cells in ranges])

    def weighted() -> SealedNumber:
        return add_numbers(ROWS, [evaluate_weighted(ROWS, opened, one) for one in prepared])

    for name, evaluate, true in (("SUM", added, values.sum()), ("DOT", weighted, (values * weights).sum())):
        found[f"BFV {name}"] = _best(evaluate)
        _require(f"BFV {name}", open_number(key, evaluate()), int(true))
    return found | {"floor of BFV": _floor(2 * rows)}


def padded_alone(rows: int) -> Times:
    """Milliseconds of sealing and of the arithmetic, pads."""
    key, sheet, values = PadKey.generate(PADS_64), Sheet(0, COLUMN, fresh_salt()), values_of(rows)
    blobs = list(padded_rows(key, sheet, values))
    found = {"pads seal": _best(lambda: list(padded_rows(key, sheet, values)))}
    chunks, whole, ends = open_padded(PADS_64, blobs), Runs.of(range(rows)), np.arange(rows + 1)
    every = Runs(ends[:-1], ends[1:], weights_of(rows))
    found["pads SUM"] = _best(lambda: evaluate_runs(PADS_64, chunks, whole))
    found["pads DOT"] = _best(lambda: evaluate_runs(PADS_64, chunks, every))
    return found | {"floor of pads": _floor(rows)}


def lattice_paid(rows: int) -> Times:
    """Milliseconds of a question, BFV, one cell a row. Nothing is released from these, so a vault would only add up."""
    key, values, weights = SealingKey.generate(ROWS), values_of(rows) // 16, weights_of(rows)
    blobs, form = list(seal_column(key, values)), {"form": "cells", "profile": ROWS.name, "prefix": None}
    groups = [np.arange(part.start, part.stop, dtype=np.int64) for part in pieces(ROWS, rows)]
    given, probe = [weights[group] for group in groups], _Probe(blobs[-1])
    with tempfile.TemporaryDirectory() as name:
        columns = {COLUMN: [write_blob(Path(name), blob) for blob in blobs]}
        manifest = manifest_of(form, columns, rows, (1000, rows // 1000))

        def opened(numbers: list[Any]) -> int:
            return sum(open_number(key, number) for number in numbers)

        found = Times()
        for what, plan, true in (
            ("SUM", plan_of(groups), values.sum()),
            ("DOT", plan_of(groups, given), (values * weights).sum()),
        ):
            held = Held(what, Path(name), manifest, plan, partial(open_number, key), int(true))
            found[f"BFV {what}, node"] = _best_paid(held, opened, probe.fresh)
            found[f"BFV {what}, own blobs"] = _best_paid(held, opened, lambda: None)
    probe.close()
    return found


def padded_paid(rows: int) -> Times:
    """Milliseconds of a question, pads: a thousand public cells, which DOT weighs by their categories."""
    key, sheet, values = PadKey.generate(PADS_64), Sheet(0, COLUMN, fresh_salt()), values_of(rows)
    blobs, cells = list(padded_rows(key, sheet, values)), np.arange(1000, dtype=np.int64)
    weights = weights_of(cells.size)
    with tempfile.TemporaryDirectory() as name:
        columns = {COLUMN: [write_blob(Path(name), blob) for blob in blobs]}
        columns[SALT] = [write_blob(Path(name), sheet.salt)]
        form = {"form": "rows", "profile": PADS_64.name, "places": rows // cells.size}
        manifest = manifest_of(form, columns, rows, (cells.size,))
        found = Times()
        for what, plan, true in (
            ("SUM", plan_of([cells]), values.sum()),
            ("DOT", plan_of([cells], [weights]), (values.reshape(cells.size, -1).sum(axis=1) * weights).sum()),
        ):

            def opened(numbers: list[Any], number: Any = plan.numbers[0]) -> int:
                taken = taken_of(manifest, 0, number, reaches(manifest, 0)(number), lambda _: sheet.salt)
                share = release_padded(key, taken, 0, PadProof(0, 0))
                return combine_padded(PADS_64, numbers[0].c0, [share])

            held = Held(what, Path(name), manifest, plan, opened, int(true))
            found[f"pads {what}, node"] = _best_paid(held, opened, lambda: None)
            found[f"pads {what}, vault and share"] = _best(partial(_answer, held, None, opened))
    return found


class _Probe:
    """Loads foreign blobs elsewhere first, as nodes do; the process over there has started and seen none of them."""

    def __init__(self, other: bytes) -> None:
        self._other, self._loader = other, ConfinedLoader()

    def fresh(self) -> Callable[[str, str, bytes], None]:
        """A loader that remembers nothing."""
        self.close()
        self._loader = ConfinedLoader()
        self._loader.check(ROWS.name, "warm", self._other)
        return self._loader.check

    def close(self) -> None:
        """End its process."""
        self._loader.close()


def _best_paid(held: Held, opened: Opened, probes: Callable[[], Any]) -> float:
    """Least milliseconds of one question, after comparing its opened answer with numpy's."""
    _require(held.name, opened(_answer(held, probes(), None)), held.true)
    return _best(lambda probe: _answer(held, probe, None), probes)


def _answer(held: Held, probe: Any, share: Opened | None) -> list[Sealed]:
    """The numbers of a question from blobs that this process opens for the first time, each named; and its share."""
    numbers = list(evaluate_plan(held.manifest, held.plan, SealedColumns(held.fetch, probe=probe)))
    for number in numbers:
        number_entry(number)
    if share is not None:
        share(numbers)
    return numbers


def _floor(words: int) -> float:
    array = np.ones(words, dtype=np.uint64)
    return _best(array.sum)


def _require(name: str, found: int, true: int) -> None:
    if found != true:
        raise AssertionError(f"{name}: the opened number is not numpy's")


def _best(action: Callable[..., object], prepare: Callable[[], Any] | None = None) -> float:
    """Least milliseconds of one call; short ones are tried more often. What `prepare` gives is not counted."""
    took: list[float] = []
    while len(took) < 2 or (len(took) < MOST and sum(took) < ENOUGH):
        ready = [prepare()] if prepare else []
        took.append(milliseconds(partial(action, *ready), 1))
    return min(took)


def _line(sizes: list[int], took: list[float]) -> tuple[float, float, list[float]]:
    """Fixed cost, cost a row, and by how much of itself each time is off."""
    rows, times = np.array(sizes, dtype=np.float64), np.array(took)
    design = np.stack([np.ones(rows.size), rows], axis=1)
    (fixed, slope), *_ = np.linalg.lstsq(design / times[:, None], np.ones(rows.size), rcond=None)
    line = fixed + slope * rows
    return float(fixed), float(slope), (times / line - 1).tolist()


def main() -> int:
    """Prints both tables for sizes of one's own, multiples of 1,000."""
    parser = argparse.ArgumentParser(description="cost as rows grow, against a straight line")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000, 10_000_000])
    chosen = parser.parse_args()
    if any(rows < 1000 or rows % 1000 for rows in chosen.rows):
        parser.error(f"rows: expected multiples of 1000, got {json.dumps(chosen.rows)}")
    for table in tables(sorted(chosen.rows), chosen.rounds):
        show(table, Console(width=None if sys.stdout.isatty() else 160))
    return 0


if __name__ == "__main__":
    sys.exit(main())
