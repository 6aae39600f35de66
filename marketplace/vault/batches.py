"""One batch of rows, from a file into a draft: read, checked, added up, sealed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.seal.columns import seal_column
from crypto.seal.keys import SealingKey
from marketplace.documents import Document, column_names, public_shape
from marketplace.errors import InvalidInputError
from marketplace.vault.categories import Progress
from marketplace.vault.folder import Draft
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


def seal_batch(source: Source, frame: Document, change: tuple[str, int], key: SealingKey, draft: Draft) -> SealedBatch:
    """Read, check and seal a file as one batch.

    Args:
        source: the rows. frame: a manifest whose dimensions, measures, joints and forms count.
        change: name and block of the batch. key: of the series. draft: where blobs go.
    Raises:
        InvalidInputError: the file or a row of it is not as declared, `no_rows`, or `bounds_too_wide`.
    """
    statistics = _read(source, key)
    columns: list[dict[str, Any]] = []
    names, (form,) = column_names(frame), frame["forms"]
    for done, column in enumerate(names, start=1):
        values = _running(frame, form["prefix"], statistics.columns[column])
        chunks = [draft.put_blob(blob) for blob in seal_column(key, values)]
        columns.append({"form": 0, "name": column, "chunks": chunks})
        source.progress("sealing", done, len(names))
    name, block = change
    entry = {"name": name, "block": block, "rows": statistics.rows, "missing": statistics.missing(), "columns": columns}
    return SealedBatch(entry, statistics.counts)


def _read(source: Source, key: SealingKey) -> CellStatistics:
    statistics = CellStatistics(source.schema, key.profile, source.others)
    for batch in read_batches(source.path, source.schema.columns):
        statistics.add(batch)
        source.progress("reading", batch.done, batch.total)
    if not statistics.rows:
        name = source.path.name
        raise InvalidInputError("no_rows", f"{name} has no rows", zh=f"{name} 没有数据行")
    return statistics


def _running(manifest: Document, prefix: str | None, values: Integers) -> Integers:
    """The values, or their running totals along the dimension `prefix`."""
    if prefix is None:
        return values
    names = [item["name"] for item in manifest["dimensions"] if not item["hidden"]]
    return np.cumsum(values.reshape(public_shape(manifest)), axis=names.index(prefix)).reshape(-1)
