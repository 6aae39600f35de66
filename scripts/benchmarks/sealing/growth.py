"""The same work on more and more rows, against the straight line that fits best: is there a cost that grows faster?

The line is fixed cost + cost a row, fitted so that relative deviations are least (in squares). A sum of more rows than
one sealed number may add up is the sum of several numbers.
"""

from collections.abc import Callable

import numpy as np

from crypto.seal.columns import open_column, seal_column
from crypto.seal.evaluate import SealedNumber, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import PADS_64
from crypto.seal.parameters import ROWS
from crypto.seal.release import open_number
from crypto.seal.weights import weigh_cells
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.samples import padded_rows, pieces, values_of, weights_of
from scripts.benchmarks.tables import Table, milliseconds, versions

SMALLEST, ROUNDS, FEW, REPEATS, ENOUGH = 10_000, 2, 3, 9, 100
Times = dict[str, float]


def growth_table(largest: int) -> Table:
    """From SMALLEST rows on, twice for each power of ten."""
    sizes = [
        size for size in (SMALLEST * factor * 10**power for power in range(6) for factor in (1, 3)) if size <= largest
    ]
    times, peaks = _rounds(sizes)
    rows_of_table = []
    for name, by_size in times.items():
        took = list(by_size.values())
        fixed, slope, deviations = _line(sizes, took)
        line = f"{fixed:.2f} + {slope * 1e6:.2f}/M"
        rows_of_table.append([name, *(f"{ms:.2f}" for ms in took), line, f"{max(map(abs, deviations)):.0%}"])
        rows_of_table.append(["  off the line", *(f"{off:+.0%}" for off in deviations), "", ""])
        rows_of_table.append(["  peak MiB", *peaks[name].values(), "", ""])
    columns = ["ms", *(f"{size:,}" for size in sizes), "line, ms", "farthest"]
    notes = [
        versions("tenseal", "numpy", "cryptography"),
        f"best of {ROUNDS} rounds over all sizes with {FEW} (long ones) to {10 * REPEATS} (short ones) runs in each",
        "each size in a process of its own",
        "the peak is of the process that ran all of one layout's steps at one size",
    ]
    return Table(f"Cost as rows grow, {sizes[0]:,} to {sizes[-1]:,}", columns, rows_of_table, notes)


def _rounds(sizes: list[int]) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, str]]]:
    """Best time of each step at each size, and the peak of its process."""
    times, peaks = dict[str, dict[int, float]](), dict[str, dict[int, str]]()
    for function in (lattice_times, padded_times) * ROUNDS:
        for rows in sizes:
            found, peak = alone(function, rows)
            for name, took in found.items():
                known = times.setdefault(name, {})
                known[rows] = min(took, known.get(rows, took))
                peaks.setdefault(name, {})[rows] = peak
    return times, peaks


def lattice_times(rows: int) -> Times:
    """Milliseconds of each step, BFV."""
    key, values, weights = SealingKey.generate(ROWS), values_of(rows) // 16, weights_of(rows)
    blobs = list(seal_column(key, values))
    found = {"BFV seal": _best(lambda: list(seal_column(key, values)))}
    found["BFV open"] = _best(lambda: open_column(ROWS, blobs))
    opened, ranges = open_column(ROWS, blobs), pieces(ROWS, rows)
    prepared = [weigh_cells(ROWS, np.array(cells), weights[cells.start : cells.stop]) for cells in ranges]

    def added() -> SealedNumber:
        return add_numbers(ROWS, [evaluate_sum(ROWS, opened, cells) for cells in ranges])

    def weighted() -> SealedNumber:
        return add_numbers(ROWS, [evaluate_weighted(ROWS, opened, one) for one in prepared])

    for name, evaluate, true in (("BFV SUM", added, values.sum()), ("BFV DOT", weighted, (values * weights).sum())):
        found[name] = _best(evaluate)
        if open_number(key, evaluate()) != int(true):
            raise AssertionError(f"{name}: the opened number is not numpy's")
    return found


def padded_times(rows: int) -> Times:
    """Milliseconds of each step, pads."""
    key, sheet, values = PadKey.generate(PADS_64), Sheet(0, "x", fresh_salt()), values_of(rows)
    blobs = list(padded_rows(key, sheet, values))
    found = {"pads seal": _best(lambda: list(padded_rows(key, sheet, values)))}
    chunks, whole, ends = open_padded(PADS_64, blobs), Runs.of(range(rows)), np.arange(rows + 1)
    every = Runs(ends[:-1], ends[1:], weights_of(rows))
    found["pads SUM"] = _best(lambda: evaluate_runs(PADS_64, chunks, whole))
    return found | {"pads DOT": _best(lambda: evaluate_runs(PADS_64, chunks, every))}


def _best(action: Callable[[], object]) -> float:
    """Least milliseconds of one call; short ones are tried more often."""
    first = milliseconds(action, 1)
    repeats = FEW if first > 10 * ENOUGH else REPEATS if first > ENOUGH else 10 * REPEATS
    return min(first, *(milliseconds(action, 1) for _ in range(repeats - 1)))


def _line(sizes: list[int], took: list[float]) -> tuple[float, float, list[float]]:
    """Fixed cost, cost a row, and by how much of itself each time is off."""
    rows, times = np.array(sizes, dtype=np.float64), np.array(took)
    design = np.stack([np.ones(rows.size), rows], axis=1)
    (fixed, slope), *_ = np.linalg.lstsq(design / times[:, None], np.ones(rows.size), rcond=None)
    line = fixed + slope * rows
    return float(fixed), float(slope), (times / line - 1).tolist()
