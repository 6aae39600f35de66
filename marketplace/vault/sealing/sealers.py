"""How a batch is sealed in each form. A form is a row of FORM_SEALERS."""

from collections.abc import Callable
from functools import partial

import numpy as np

from crypto.seal.cells import seal_chunk
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_wire import CHUNK
from crypto.seal.pads import seal_padded
from crypto.seal.products import seal_rows as seal_chunk_of_rows
from marketplace.documents import Document, column_names, public_shape
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.place_sealing import seal_places
from marketplace.vault.sealing.row_sealing import seal_rows
from marketplace.vault.sealing.totals import Integers
from marketplace.vault.sealing.work import Columns, Work


def seal_cells(work: Work, position: int) -> Columns:
    """The totals of each public cell, or their running totals along one dimension."""
    columns: Columns = []
    key, prefix = _key(work, position), work.frame["forms"][position]["prefix"]
    names, size = column_names(work.frame, position), key.profile.degree
    for done, name in enumerate(names, start=1):
        values = _running(work.frame, prefix, work.statistics.columns[name])
        parts = [values[start : start + size] for start in range(0, len(values), size)]
        chunks = [
            work.draft.chunk((position, name, index), partial(seal_chunk, key, part))
            for index, part in enumerate(parts)
        ]
        columns.append({"form": position, "name": name, "chunks": chunks})
        work.source.progress("sealing", done, len(names))
    return columns


def seal_products(work: Work, position: int) -> Columns:
    """Every row: a one, its values, and a 0/1 column for each category of the hidden dimension."""
    key = _key(work, position)

    def seal(column: str, index: int, values: Integers) -> bytes:  # noqa: ARG001 - every chunk is sealed alike
        return seal_chunk_of_rows(key, values)

    return seal_rows(work, position, key.profile.degree, seal)


def seal_rows_padded(work: Work, position: int) -> Columns:
    """Every row: a one and its values, in places that are the same for every public cell."""
    key, salt = work.ring[position], _salt(work.draft, position)
    assert isinstance(key, PadKey)

    def seal(column: str, index: int, values: Integers) -> bytes:
        return seal_padded(key, Sheet(work.block, column, salt), index * CHUNK, values)

    return seal_places(work, position, CHUNK, salt, seal)


def _salt(draft: Draft, position: int) -> bytes:
    """Drawn once for a draft, however often it is taken up: its rows are the same each time, and so are its chunks."""
    name = f"salt-{position}"
    kept = draft.load(name)
    if kept is None:
        kept = fresh_salt()
        draft.save(name, kept)
    return kept


def _key(work: Work, position: int) -> SealingKey:
    key = work.ring[position]
    assert isinstance(key, SealingKey)
    return key


def _running(manifest: Document, prefix: str | None, values: Integers) -> Integers:
    """The values, or their running totals along the dimension `prefix`."""
    if prefix is None:
        return values
    names = [item["name"] for item in manifest["dimensions"] if not item["hidden"]]
    return np.cumsum(values.reshape(public_shape(manifest)), axis=names.index(prefix)).reshape(-1)


FORM_SEALERS: dict[str, Callable[[Work, int], Columns]] = {
    "cells": seal_cells,
    "rows": seal_rows_padded,
    "products": seal_products,
}
