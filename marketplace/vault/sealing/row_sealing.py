"""Sealing a batch row by row: rows sorted by public cell, chunk by chunk, each chunk once however often it is taken up.

How many rows every public cell has is public in such a form, unsealed: it says where each cell's rows are.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from marketplace.documents import COUNTS, column_names
from marketplace.vault.sealing.placement import Placement
from marketplace.vault.sealing.rows import Rows, Shape
from marketplace.vault.sealing.totals import Integers
from marketplace.vault.sealing.values import Present
from marketplace.vault.sealing.work import Columns, Work

Joints = Sequence[Sequence[str]]
"""Measures of each joint."""
Seal = Callable[[str, int, Integers], bytes]
"""Seals one chunk: column, index of the chunk, values."""


def seal_rows(work: Work, position: int, size: int, seal: Seal) -> Columns:
    """The columns of a form of rows.

    Args:
        work: the batch. position: of the form. size: rows of a chunk. seal: seals one chunk of one column.
    """
    source, draft, rows_in_all = work.source, work.draft, work.statistics.rows
    counts = work.statistics.columns["rows"]
    placement = Placement(source.path, source.schema, counts, draft)
    for done, total in placement.place():
        source.progress("placing", done, total)
    draft.chunk((position, COUNTS, 0), partial(counts_blob, counts))
    names, shape = [name for name in column_names(work.frame, position) if name != COUNTS], Shape.of(source.schema)
    chunks = range(-(-rows_in_all // size))
    first = next(
        (index for index in chunks if not all(draft.has((position, name, index)) for name in names)), len(chunks)
    )
    for index, rows in placement.chunks(size, first):
        for name in names:
            draft.chunk((position, name, index), partial(_sealed, seal, shape, rows, (name, index)))
        source.progress("sealing rows", min((index + 1) * size, rows_in_all), rows_in_all)
    return [
        {"form": position, "name": name, "chunks": draft.chunks(position, name)}
        for name in column_names(work.frame, position)
    ]


def column_values(shape: Shape, rows: Rows, column: str, joints: Joints = ()) -> Integers:
    """One value for each row of a column of a form of rows."""
    part, _, name = column.partition(":")
    if "@" in part:
        part, _, joint = part.partition("@")
        complete: Present = np.logical_and.reduce([rows.present[member] for member in joints[int(joint)]])
        ones = complete.astype(np.int64)
        return ones * rows.values[name] if part == "sum" else ones
    if part == "rows":
        return np.ones(rows.cells.size, dtype=np.int64)
    if part == "ind":
        is_one: Present = shape.hidden_of(rows.cells) == int(name.rpartition(":")[2])
        return is_one.astype(np.int64)
    if part == "n":
        return rows.present[name].astype(np.int64)
    values = rows.values[name]
    return values * values if part == "sumsq" else values


def counts_blob(counts: Integers) -> bytes:
    """Rows of each public cell as the public column holds them."""
    return counts.astype("<u4").tobytes()


def _sealed(seal: Seal, shape: Shape, rows: Rows, place: tuple[str, int]) -> bytes:
    return seal(*place, column_values(shape, rows, place[0]))
