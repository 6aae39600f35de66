"""One batch of rows, from a file into a draft: read, checked, added up, sealed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import digest_json, to_hex
from crypto.seal.cells import seal_chunk
from crypto.seal.keys import SealingKey
from marketplace.documents import Document, column_names, public_shape
from marketplace.errors import InvalidInputError
from marketplace.vault.categories import Progress
from marketplace.vault.drafts import Checkpoints, Draft
from marketplace.vault.reading import read_batches
from marketplace.vault.schema import Schema
from marketplace.vault.statistics import CellStatistics
from marketplace.vault.totals import Integers


@dataclass(frozen=True)
class SealedBatch:
    """A batch in a draft.

    Args:
        entry: what the manifest says of it.
        counts: true counts of its logical cells, by name (see CellStatistics).
    """

    entry: Document
    counts: dict[str, NDArray[np.int64]]

    def __repr__(self) -> str:
        return f"SealedBatch({self.entry['name']})"


@dataclass(frozen=True)
class Source:
    """Rows to be sealed.

    Args:
        path: a CSV or Parquet file. schema: what its columns are, with all categories listed.
        others: rows of the data set's other batches.
        progress: told how far each stage is.
    """

    path: Path
    schema: Schema
    others: int
    progress: Progress

    def job(self, **facts: str) -> str:
        """Name of the job of sealing these rows under these facts; other rows, declarations or facts: another job."""
        with self.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return to_hex(digest_json({"content": content, "schema": repr(self.schema), "others": self.others, **facts}))


@dataclass(frozen=True)
class Work:
    """A batch that was read and is to be sealed in every form.

    Args:
        source: the rows. frame: a manifest whose dimensions, measures, joints and forms count.
        block: of the batch. key: of the series. draft: where blobs go. statistics: of the rows.
    """

    source: Source
    frame: Document
    block: int
    key: SealingKey
    draft: Draft
    statistics: CellStatistics


Columns = list[dict[str, Any]]
"""Entries of a batch's columns in the manifest."""


def seal_batch(source: Source, frame: Document, change: tuple[str, int], key: SealingKey, draft: Draft) -> SealedBatch:
    """Read, check and seal a file as one batch.

    Args:
        source: the rows. frame: a manifest whose dimensions, measures, joints and forms count.
        change: name and block of the batch. key: of the series. draft: where blobs go.
    Raises:
        InvalidInputError: the file or a row of it is not as declared, `no_rows`, or `bounds_too_wide`.
    """
    (name, block), statistics = change, _read(source, key, draft)
    work = Work(source, frame, block, key, draft, statistics)
    columns: Columns = []
    for position, form in enumerate(frame["forms"]):
        columns += FORM_SEALERS[form["form"]](work, position)
    entry = {"name": name, "block": block, "rows": statistics.rows, "missing": statistics.missing(), "columns": columns}
    return SealedBatch(entry, statistics.counts)


def seal_cells(work: Work, position: int) -> Columns:
    """The totals of each public cell, or their running totals along one dimension."""
    columns: Columns = []
    names, prefix = column_names(work.frame, position), work.frame["forms"][position]["prefix"]
    size = work.key.profile.degree
    for done, name in enumerate(names, start=1):
        values = _running(work.frame, prefix, work.statistics.columns[name])
        parts = [values[start : start + size] for start in range(0, len(values), size)]
        chunks = [
            work.draft.chunk((position, name, index), partial(seal_chunk, work.key, part))
            for index, part in enumerate(parts)
        ]
        columns.append({"form": position, "name": name, "chunks": chunks})
        work.source.progress("sealing", done, len(names))
    return columns


FORM_SEALERS: dict[str, Callable[[Work, int], Columns]] = {"cells": seal_cells}
"""How a batch is sealed in each form."""


def _read(source: Source, key: SealingKey, draft: Draft) -> CellStatistics:
    """The statistics of all rows; what a killed run had read is not read again."""
    statistics, checkpoints = CellStatistics(source.schema, key.profile, source.others), Checkpoints()
    saved = draft.load("statistics")
    if saved is not None:
        statistics.restore(saved)

    def save() -> None:
        draft.save("statistics", statistics.to_bytes())

    for batch in read_batches(source.path, source.schema.columns, skip=statistics.rows):
        statistics.add(batch)
        checkpoints.save_if_due(save)
        source.progress("reading", batch.done, batch.total)
    if not statistics.rows:
        name = source.path.name
        raise InvalidInputError("no_rows", f"{name} has no rows", zh=f"{name} 没有数据行")
    save()
    return statistics


def _running(manifest: Document, prefix: str | None, values: Integers) -> Integers:
    """The values, or their running totals along the dimension `prefix`."""
    if prefix is None:
        return values
    names = [item["name"] for item in manifest["dimensions"] if not item["hidden"]]
    return np.cumsum(values.reshape(public_shape(manifest)), axis=names.index(prefix)).reshape(-1)
