"""Opened blobs are kept by what they were opened as: a manifest, or two, may name one blob in several roles."""

from typing import Any

import numpy as np
import pytest

from crypto.canonical import sha256, to_hex
from marketplace.documents import COUNTS, SALT
from marketplace.queries.evaluation.data import SealedColumns

BLOB = np.array([3, 1, 4, 1], dtype="<u4").tobytes()  # four public cells make counts as long as a salt
CHUNKS = [{"blob": to_hex(sha256(BLOB)), "size": len(BLOB)}]
BATCH: dict[str, Any] = {"rows": 9, "columns": [{"form": 0, "name": name, "chunks": CHUNKS} for name in (SALT, COUNTS)]}
MANIFEST = {"dimensions": [{"name": "d", "categories": list("abcd"), "hidden": False}]}


@pytest.mark.parametrize("first", [SALT, COUNTS])
def test_one_blob_may_be_a_salt_and_counts_in_either_order(first: str) -> None:
    columns = SealedColumns(lambda _: BLOB)
    for name in (first, SALT, COUNTS):
        if name == SALT:
            assert columns.salt(BATCH, 0) == BLOB
        else:
            assert columns.counts(MANIFEST, BATCH, 0).tolist() == [3, 1, 4, 1]
