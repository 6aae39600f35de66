"""One batch of rows, from a file into a draft: read, checked, added up, sealed."""

import hashlib
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


def seal_batch(source: Source, frame: Document, change: tuple[str, int], key: SealingKey, draft: Draft) -> SealedBatch:
    """Read, check and seal a file as one batch.

    Args:
        source: the rows. frame: a manifest whose dimensions, measures, joints and forms count.
        change: name and block of the batch. key: of the series. draft: where blobs go.
    Raises:
        InvalidInputError: the file or a row of it is not as declared, `no_rows`, or `bounds_too_wide`.
    """
    statistics = _read(source, key, draft)
    columns: list[dict[str, Any]] = []
    names, (form,) = column_names(frame), frame["forms"]
    for done, column in enumerate(names, start=1):
        values = _running(frame, form["prefix"], statistics.columns[column])
        columns.append({"form": 0, "name": column, "chunks": _seal_column(key, column, values, draft)})
        source.progress("sealing", done, len(names))
    name, block = change
    entry = {"name": name, "block": block, "rows": statistics.rows, "missing": statistics.missing(), "columns": columns}
    return SealedBatch(entry, statistics.counts)


def _seal_column(key: SealingKey, column: str, values: Integers, draft: Draft) -> list[dict[str, Any]]:
    size = key.profile.degree
    starts = range(0, len(values), size)
    parts = [values[start : start + size] for start in starts]
    return [draft.chunk((0, column, index), partial(seal_chunk, key, part)) for index, part in enumerate(parts)]


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
