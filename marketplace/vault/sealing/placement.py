"""Rows of a file sorted by public cell, whatever their number, in memory that does not follow it.

Two passes over the file: the first counted the rows of each cell, so it is known which stretch of the sorted rows every
cell takes. The second writes each row into the bucket of its cell: a bucket is a run of neighbouring cells with about
BUCKET_ROWS rows. Then one bucket after the other is read, sorted and given out. A bucket of a single cell needs no
sorting and is given out as it was written, so one huge cell does no harm.

Buckets are temporary files in the draft, frame by frame encrypted: values of rows stand nowhere else on the vault's
disk in clear, encryption costs less than the disk does, and a killed run leaves them behind until it is taken up. Rows
of one cell keep the order of the file, so a run that was continued gives the same rows as one that was not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketplace.vault.sealing.drafts import Checkpoints, Draft
from marketplace.vault.sealing.reading import read_batches
from marketplace.vault.sealing.rows import Rows, Shape
from marketplace.vault.sealing.schema import Schema
from marketplace.vault.sealing.totals import Integers

BUCKET_ROWS = 1 << 18
MOST_BUCKETS = 512
_STATE = "placement"


@dataclass(frozen=True)
class Plan:
    """Which cells make which bucket.

    Args:
        bucket: of each public cell. starts: first sorted row of each bucket, and the number of rows at the end.
        single: whether the rows of a bucket are all of one cell.
    """

    bucket: NDArray[np.int64]
    starts: list[int]
    single: list[bool]

    @classmethod
    def of(cls, counts: Integers) -> "Plan":
        """The plan for these rows of each public cell."""
        rows = int(counts.sum())
        most = max(BUCKET_ROWS, -(-rows // MOST_BUCKETS))
        bucket, starts, single, held, cells = np.zeros(counts.size, dtype=np.int64), [0], list[bool](), 0, 0
        for cell, count in enumerate(counts.tolist()):
            if held and held + count > most:
                starts.append(starts[-1] + held)
                single.append(cells == 1)
                held = cells = 0
            bucket[cell] = len(single)
            held, cells = held + count, cells + (count > 0)
        return cls(bucket, [*starts, rows], [*single, cells <= 1])


class Placement:
    """Sorts the rows of one file in one draft.

    Args:
        path: the file. schema: with all categories listed. counts: rows of each public cell, from the first pass.
    """

    def __init__(self, path: Path, schema: Schema, counts: Integers, draft: Draft) -> None:
        self._path, self._schema, self._draft = path, schema, draft
        self._shape, self._plan, self._record = Shape.of(schema), Plan.of(counts), _Record(schema)
        self._rows, self._ends = 0, [0] * len(self._plan.single)
        self.measures = self._record.measures

    def place(self) -> Iterator[tuple[int, int]]:
        """Write every row into its bucket; yields (rows so far, all rows). Goes on where a killed run was."""
        self._restore()
        checkpoints, total = Checkpoints(), self._plan.starts[-1]
        if self._rows == total:
            return
        for batch in read_batches(self._path, self._schema.columns, skip=self._rows):
            rows = Rows.read(self._schema, self._shape, batch)
            self._write(rows)
            self._rows += rows.cells.size
            checkpoints.save_if_due(self._save)
            yield self._rows, total
        self._save()

    def rows_from(self, start: int) -> Iterator[Rows]:
        """All rows in the order of their public cells but the first `start`, in pieces of a bucket at most."""
        for bucket, (first, end) in enumerate(zip(self._plan.starts, self._plan.starts[1:], strict=False)):
            before = first
            for rows in self._bucket(bucket) if end > start else ():
                left = rows.take(slice(max(0, start - before), None))
                before += rows.cells.size
                if left.cells.size:
                    yield left

    def chunks(self, size: int, first: int = 0) -> Iterator[tuple[int, Rows]]:
        """Chunks of `size` sorted rows, the last one of what is left, with their index, from index `first` on."""
        held, index = [Rows.none(self._record.measures)], first
        for rows in self.rows_from(first * size):
            held.append(rows)
            waiting = sum(part.cells.size for part in held)
            if waiting >= size:
                joined = Rows.joined(held)
                for start in range(0, waiting - size + 1, size):
                    yield index, joined.take(slice(start, start + size))
                    index += 1
                held = [joined.take(slice(waiting - waiting % size, None))]
        joined = Rows.joined(held)
        if joined.cells.size:
            yield index, joined

    def _write(self, rows: Rows) -> None:
        bucket = self._plan.bucket[self._shape.public_of(rows.cells)]
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=len(self._ends)))
        for number, (start, end) in enumerate(zip([0, *ends.tolist()], ends.tolist(), strict=False)):
            if end > start:
                data = self._record.pack(rows.take(order[start:end]))
                self._ends[number] = self._draft.append_frame(_name(number), self._ends[number], data)

    def _bucket(self, number: int) -> Iterator[Rows]:
        frames = self._draft.frames(_name(number), self._ends[number])
        parts = (self._record.unpack(frame) for frame in frames)
        if self._plan.single[number]:
            yield from parts
            return
        rows = Rows.joined(list(parts))
        yield rows.take(np.argsort(self._shape.public_of(rows.cells), kind="stable"))

    def _save(self) -> None:
        for number, end in enumerate(self._ends):
            if end:
                self._draft.sync(_name(number))
        self._draft.save(_STATE, json.dumps({"rows": self._rows, "ends": self._ends}).encode())

    def _restore(self) -> None:
        saved = self._draft.load(_STATE)
        if saved is not None:
            state = json.loads(saved)
            self._rows, self._ends = state["rows"], state["ends"]


class _Record:
    """Rows as bytes: cells, a mask of the measures that are present, and the values of each measure."""

    def __init__(self, schema: Schema) -> None:
        self.measures = [measure.name for measure in schema.measures]
        kinds = {measure.name: "<i4" if measure.largest < 2**31 else "<i8" for measure in schema.measures}
        self._fields = [("cells", "<u4"), ("present", "<u8"), *((f"m:{name}", kinds[name]) for name in self.measures)]

    def pack(self, rows: Rows) -> bytes:
        present = np.zeros(rows.cells.size, dtype=np.uint64)
        for bit, name in enumerate(self.measures):
            present |= rows.present[name].astype(np.uint64) << np.uint64(bit)
        arrays = [rows.cells, present, *(rows.values[name] for name in self.measures)]
        return b"".join(array.astype(kind).tobytes() for array, (_, kind) in zip(arrays, self._fields, strict=True))

    def unpack(self, data: bytes) -> Rows:
        count = len(data) // sum(np.dtype(kind).itemsize for _, kind in self._fields)
        found, place = {}, 0
        for name, kind in self._fields:
            found[name] = np.frombuffer(data, dtype=kind, count=count, offset=place)
            place += found[name].nbytes
        present = {
            name: (found["present"] >> np.uint64(bit) & np.uint64(1)).astype(np.bool_)
            for bit, name in enumerate(self.measures)
        }
        values = {name: found[f"m:{name}"].astype(np.int64) for name in self.measures}
        return Rows(found["cells"].astype(np.int64), values, present)


def _name(bucket: int) -> str:
    return f"bucket-{bucket}"
