"""Two layouts for sums over rows beside each other: BFV coefficients, and keyed pads (decision 0015)."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from crypto.seal.columns import group_rows, open_column, seal_column
from crypto.seal.evaluate import evaluate_sum, evaluate_weighted
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import PADS_24, PADS_64, PadProfile
from crypto.seal.pads import PadProof, combine_padded, prove_pads, release_padded
from crypto.seal.parameters import CELLS, ROWS, Profile
from crypto.seal.release import open_number, release_share
from crypto.seal.weights import weigh_cells
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.samples import GROUPS, groups_of, padded_rows, values_of, weights_of
from scripts.benchmarks.tables import Table, milliseconds, versions

REPEATS = 9
SMALL = 8
STEPS = ["sum ms", f"{GROUPS} groups ms", "weights for every row ms", "share of a sum ms", "share of the weighted ms"]
COLUMNS = ["layout", "bytes/value", "seal s", "open s", *STEPS, "peak MiB"]


def layouts_table(rows: int) -> Table:
    """Each layout in a process of its own."""
    functions = (padded_64, padded_24, lattice_rows, lattice_cells)
    found = [(row, peak) for row, peak in (alone(function, rows) for function in functions)]
    notes = [
        versions("tenseal", "numpy", "cryptography"),
        "evaluation: operands in memory, one thread, weights made beforehand; median of 9; every result is numpy's",
        "share: what the holder of a key does for one number. Of BFV it is the same whatever was asked, but the holder",
        "repeats the evaluation or trusts who did; of pads it sees no data and takes two words a run of rows",
        f"{ROWS.name} has no room to hide the error of a sum from a recipient, so it releases nothing",
        f"pads of 24 bits: values below {SMALL}, as the totals must stay below 2^23",
    ]
    table = [[*row, peak] for row, peak in found]
    return Table(f"Two layouts for sums over {rows:,} rows sorted by group", COLUMNS, table, notes)


def padded_64(rows: int) -> list[str]:
    """Pads of eight bytes."""
    return _padded(PADS_64, rows, values_of(rows))


def padded_24(rows: int) -> list[str]:
    """Pads of three bytes, small values."""
    return _padded(PADS_24, rows, values_of(rows) % SMALL)


def lattice_rows(rows: int) -> list[str]:
    """The narrow profile, from which nothing is released."""
    return _lattice(ROWS, rows, releases=False)


def lattice_cells(rows: int) -> list[str]:
    """The profile that data sets are sealed with today, one coefficient a row."""
    return _lattice(CELLS, rows, releases=True)


def _padded(profile: PadProfile, rows: int, values: Any) -> list[str]:
    key, sheet = PadKey.generate(profile), Sheet(0, "x", fresh_salt())
    order, ranges = group_rows(groups_of(rows), GROUPS)
    values, ends = values[order], np.arange(rows + 1)
    start = time.perf_counter()
    blobs = list(padded_rows(key, sheet, values))
    sealed = time.perf_counter()
    chunks = open_padded(profile, blobs)
    opened = time.perf_counter()
    whole, groups = Runs.of(range(rows)), [Runs.of(cells) for cells in ranges]
    weights = (
        weights_of(rows) if profile.bits > PADS_24.bits else np.ones(rows, dtype=np.int64) * (1 - ends[:-1] % 2 * 2)
    )
    every = Runs(ends[:-1], ends[1:], weights)
    proof = prove_pads(profile, every.weight, 0, int(values.max()), total=int(values.sum()))

    def share(runs: Runs) -> Callable[[], object]:
        return lambda: release_padded(key, [(sheet, runs)], 0, proof)

    _check_padded(key, sheet, proof, [(evaluate_runs(profile, chunks, runs), runs) for runs in (whole, every)], values)
    steps = [
        lambda: evaluate_runs(profile, chunks, whole),
        lambda: [evaluate_runs(profile, chunks, runs) for runs in groups],
        lambda: evaluate_runs(profile, chunks, every),
        share(whole),
        share(every),
    ]
    size, times = sum(map(len, blobs)) / rows, [f"{milliseconds(step, REPEATS):.2f}" for step in steps]
    return [profile.name, f"{size:.2f}", f"{sealed - start:.3f}", f"{opened - sealed:.3f}", *times]


def _check_padded(key: PadKey, sheet: Sheet, proof: PadProof, found: list[tuple[int, Runs]], values: Any) -> None:
    for total, runs in found:
        opened = combine_padded(key.profile, total, [release_padded(key, [(sheet, runs)], 0, proof)])
        true = int((np.repeat(runs.weights, runs.lengths) * values).sum())
        if opened != true:
            raise AssertionError(f"{key.profile.name}: the opened number is not numpy's")


def _lattice(profile: Profile, rows: int, *, releases: bool) -> list[str]:
    key, values = SealingKey.generate(profile), values_of(rows)
    order, ranges = group_rows(groups_of(rows), GROUPS)
    values = values[order]
    start = time.perf_counter()
    blobs = list(seal_column(key, values))
    sealed = time.perf_counter()
    chunks = open_column(profile, blobs)
    opened = time.perf_counter()
    weights = weights_of(rows)
    prepared = weigh_cells(profile, np.arange(rows), weights)
    number = evaluate_weighted(profile, chunks, prepared)
    if open_number(key, number) != int((values * weights).sum()):
        raise AssertionError(f"{profile.name}: the opened number is not numpy's")
    steps = [
        lambda: evaluate_sum(profile, chunks, range(rows)),
        lambda: [evaluate_sum(profile, chunks, cells) for cells in ranges],
        lambda: evaluate_weighted(profile, chunks, prepared),
    ]
    times = [f"{milliseconds(step, REPEATS):.2f}" for step in steps]
    share = f"{milliseconds(lambda: release_share(key, number.c1, 0), REPEATS):.2f}" if releases else "none"
    size = sum(map(len, blobs)) / rows
    return [profile.name, f"{size:.2f}", f"{sealed - start:.3f}", f"{opened - sealed:.3f}", *times, share, share]
