"""One batch of rows, from a file into a draft: read, checked, added up, ready to be sealed in every form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import Document
from marketplace.errors import InvalidInputError
from marketplace.vault.keeping.ring import Forms, KeyRing
from marketplace.vault.sealing.drafts import Checkpoints, Draft
from marketplace.vault.sealing.reading import read_batches
from marketplace.vault.sealing.sealers import FORM_SEALERS
from marketplace.vault.sealing.statistics import CellStatistics
from marketplace.vault.sealing.work import Columns, Source, Work


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


def seal_batch(source: Source, frame: Document, change: tuple[str, int], ring: KeyRing, draft: Draft) -> SealedBatch:
    """Read, check and seal a file as one batch.

    Args:
        source: the rows. frame: a manifest whose dimensions, measures, joints and forms count.
        change: name and block of the batch. ring: keys of the series. draft: where blobs go.
    Raises:
        InvalidInputError: the file or a row of it is not as declared, `no_rows`, or it does not fit (ranges.py).
    """
    (name, block), statistics = change, _read(source, frame["forms"], draft)
    work = Work(source, frame, block, ring, draft, statistics)
    columns: Columns = []
    for position, form in enumerate(frame["forms"]):
        columns += FORM_SEALERS[form["form"]](work, position)
    entry = {"name": name, "block": block, "rows": statistics.rows, "missing": statistics.missing(), "columns": columns}
    return SealedBatch(entry, statistics.counts)


def _read(source: Source, forms: Forms, draft: Draft) -> CellStatistics:
    """The statistics of all rows; what a killed run had read is not read again."""
    statistics, checkpoints = CellStatistics(source.schema, forms, source.others), Checkpoints()
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
