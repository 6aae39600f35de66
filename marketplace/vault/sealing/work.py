"""What sealing a batch starts from, and what it gives the manifest."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.canonical import digest_json, to_hex
from marketplace.documents import Document
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.sealing.categories import Progress
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.schema import Schema
from marketplace.vault.sealing.statistics import CellStatistics


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
        block: of the batch. ring: keys of the series. draft: where blobs go. statistics: of the rows.
    """

    source: Source
    frame: Document
    block: int
    ring: KeyRing
    draft: Draft
    statistics: CellStatistics


Columns = list[dict[str, Any]]
"""Entries of a batch's columns in the manifest."""
