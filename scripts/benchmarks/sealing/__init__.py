"""Sealed arithmetic over rows against TenSEAL's own, side by side in one run: time, error, bytes at rest, memory.

races       one query by both, each in a process of its own, from the same seed
layouts     the two layouts for sums over rows beside each other: lattice and pads (decision 0015)
products    rows of a hidden category
steps       bytes at rest, the memory of sealing, and what each party does for one released number
alone       a function in a process of its own
held        a sealed column on disk with a question about it
"""

from scripts.benchmarks.sealing.layouts import layouts_table
from scripts.benchmarks.sealing.products import products_table
from scripts.benchmarks.sealing.races import race_tables
from scripts.benchmarks.sealing.steps import memory_table, steps_table, storage_table
from scripts.benchmarks.tables import Table


def run(quick: bool) -> list[Table]:
    """All tables. Quick: a tenth of the rows."""
    rows = 100_000 if quick else 1_000_000
    return [
        *race_tables(rows),
        layouts_table(rows),
        storage_table(rows),
        memory_table(rows),
        steps_table(),
        products_table(33_678 if quick else 336_776),
    ]
