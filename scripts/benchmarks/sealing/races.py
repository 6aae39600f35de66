"""One query by both sides: the same rows, one process after the other, so that each peak of memory is its own."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.benchmarks.sealing import ours, theirs
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.samples import GROUPS
from scripts.benchmarks.tables import Table, versions

VERSIONS = ("tenseal", "numpy", "opendp")
ADDITIONS, PRODUCTS = "SEAL's additions", "SEAL's products, additions, one NTT"


@dataclass(frozen=True)
class Race:
    """A query: its name, how either side runs it, and what SEAL's own operations in it are."""

    name: str
    ours: Callable[[int], ours.Found]
    theirs: Callable[[int, int], theirs.Found]
    floor: str


SUM = Race("SUM", ours.our_sum, theirs.their_sum, ADDITIONS)
DOT = Race("weighted DOT", ours.our_dot, theirs.their_dot, PRODUCTS)
RACES = [
    SUM,
    Race("VARIANCE", ours.our_variance, theirs.their_variance, ADDITIONS),
    DOT,
    Race("filtered SUM, scattered rows", ours.our_filter, theirs.their_filter, PRODUCTS),
    Race(f"SUM by {GROUPS} groups", ours.our_groups, theirs.their_groups, ADDITIONS),
]


def race_tables(rows: int) -> list[Table]:
    """Every query, on one thread on either side; and two of them with TenSEAL's default, which is all cores."""
    compared, floors, spread = list[list[str]](), list[list[str]](), list[list[str]]()
    for race in RACES:
        (mine, my_peak), (other, other_peak) = alone(race.ours, rows), alone(race.theirs, rows, 1)
        compared.append(_compared(race.name, mine["ms"], other, my_peak, other_peak))
        if "cold" in mine:
            compared.append(_compared(f"{race.name}, weights made anew", mine["cold"], other, my_peak, other_peak))
        if race is DOT:
            padded, padded_peak = alone(ours.padded_dot, rows)
            for what, took in (
                ("on pads, weights made anew", "ms"),
                ("… and opened with the holder's share", "shared"),
            ):
                compared.append(_compared(f"{race.name} {what}", padded[took], other, padded_peak, other_peak))
            mine["error"] = max(mine["error"], padded["error"])
        floors.append([race.name, race.floor, f"{mine['floor']:.2f}", f"{mine['ms']:.2f}", _share(mine)])
        if race in (SUM, DOT):
            all_cores, peak = alone(race.theirs, rows, 0)
            spread.append(_compared(race.name, mine["ms"], all_cores, my_peak, peak))
        if mine["error"]:
            raise AssertionError(f"{race.name}: our result is not numpy's")
    return [_race_table(rows, compared), _floor_table(rows, floors), _threads_table(rows, spread)]


def _compared(name: str, took: float, other: theirs.Found, my_peak: str, other_peak: str) -> list[str]:
    ratio = f"{other['ms'] / took:,.0f}x"
    return [name, f"{took:.2f}", f"{other['ms']:,.0f}", ratio, f"{other['error']:.1e}", my_peak, other_peak]


def _share(mine: ours.Found) -> str:
    return f"{mine['floor'] / mine['ms']:.0%}"


COLUMNS = ["query", "ours ms", "CKKSVector ms", "ratio", "its error", "our peak MiB", "its peak MiB"]


def _race_table(rows: int, compared: list[list[str]]) -> Table:
    notes = [
        versions(*VERSIONS),
        "evaluation only, operands in memory, one thread on either side; ours: median of 9; TenSEAL: once",
        "weights: made once for a question and kept, or made anew at every call; TenSEAL encodes them at every call",
        "pads: the form that is sold; opening them is not asked of TenSEAL, whose decryption is left out",
        "groups: our rows are sorted by group before sealing (a choice of layout); TenSEAL takes one mask a group,",
        "all of them run; our results are numpy's to the last digit, or the benchmark fails",
        "peak: VmHWM of a process for each side, sealing, interpreter and libraries included",
    ]
    return Table(f"Encrypted aggregates over {rows:,} rows, ours and TenSEAL's", COLUMNS, compared, notes)


def _floor_table(rows: int, floors: list[list[str]]) -> Table:
    notes = [
        "floor: SEAL's own operations on the same operands in a bare loop, taking turns with ours; median of 9",
        "additions: the rest of a sum is one product a border, the way back from NTT form, and SEAL's saving of it",
    ]
    columns = ["query", "floor", "floor ms", "ours ms", "share inside SEAL"]
    return Table(f"How much of our time is SEAL's, {rows:,} rows", columns, floors, notes)


def _threads_table(rows: int, spread: list[list[str]]) -> Table:
    notes = ["TenSEAL's default: a thread for every core. Ours stays on one thread."]
    return Table(f"The same with all cores for TenSEAL, {rows:,} rows", COLUMNS, spread, notes)
