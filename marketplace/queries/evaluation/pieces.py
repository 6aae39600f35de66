"""A plan cut into pieces that can be evaluated anywhere and in any order, and add up to the same bytes.

A piece is some of the plan's numbers over a share of the chunks of every column and batch. Sealed numbers are added
modulo q, which is exact, so neither the cut nor the order of the sums shows in the result. Pieces name sealed data by
the manifest's digests and hold public cells and weights; they hold no sealed bytes and nothing secret.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marketplace.documents.columns import UNSEALED
from marketplace.queries.evaluation.data import EVERY_CHUNK, Share
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.selection import Cells

TOGETHER = 64  # most numbers of a piece; each comes back as up to 0.5 MB
BESIDE = 16  # the same where chunks are divided, as every share of them comes back with all numbers
_NOTHING = np.zeros(0, dtype=np.int64)
_HELPERS = (*UNSEALED, "ind:")  # columns that say which rows a number takes
SPARE = 2  # pieces that each worker should get, so that a slow one does not keep the others waiting for long


@dataclass(frozen=True)
class Piece:
    """Some neighbouring numbers of a plan over some chunks.

    Args:
        manifest: what was sealed. form: position of the form that answers. numbers: of the plan, from `start` on.
        share: of the chunks.
    """

    manifest: Mapping[str, Any]
    form: int
    numbers: tuple[Number, ...]
    start: int
    share: Share

    def __getstate__(self) -> dict[str, Any]:
        """On its way to a worker neighbouring cells are a range: of millions, two numbers."""
        known = {id(number.cells): number.cells for number in self.numbers}
        places = {name: place for place, name in enumerate(known)}
        bare = [(replace(number, cells=_NOTHING), places[id(number.cells)]) for number in self.numbers]
        return {**vars(self), "numbers": bare, "cells": [_short(cells) for cells in known.values()]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        sets = state.pop("cells")
        cells = [np.arange(found.start, found.stop) if isinstance(found, range) else found for found in sets]
        numbers = tuple(replace(number, cells=cells[place]) for number, place in state["numbers"])
        vars(self).update(state | {"numbers": numbers})

    @property
    def home(self) -> int:
        """The same for the same chunks or numbers, so that a worker meets again what it has opened."""
        return self.share.rest if self.share.parts > 1 else self.start // max(1, len(self.numbers))

    @property
    def blobs(self) -> list[str]:
        """Every blob that the piece may need, once: of the columns that its numbers name, and of those without which
        no row has its place or its category."""
        named = {column for number in self.numbers for column, _ in number.parts}
        found = [
            (column["name"], place, str(item["blob"]))
            for batch in self.manifest["batches"]
            for column in batch["columns"]
            if column["form"] == self.form and (column["name"] in named or column["name"].startswith(_HELPERS))
            for place, item in enumerate(column["chunks"])
        ]
        return list(dict.fromkeys(blob for name, place, blob in found if name in UNSEALED or self.share.takes(place)))


def _short(cells: Cells) -> range | Cells:
    first, last = int(cells[0]), int(cells[-1])
    return range(first, last + 1) if last - first + 1 == cells.size else cells


def cut_plan(manifest: Mapping[str, Any], plan: Plan, workers: int) -> Iterator[Piece]:
    """The pieces of a plan for so many workers, in the order of its numbers: neighbouring pieces of the same numbers
    are to be added up. Where there are enough chunks they are divided among the workers, so that each is opened once
    for all its numbers; else many numbers are, and of few numbers the chunks there are."""
    wanted = SPARE * workers
    most = max(len(column["chunks"]) for column in manifest["batches"][0]["columns"] if column["form"] == plan.form)
    if most >= wanted:
        size, parts = BESIDE, wanted
    elif len(plan.numbers) >= wanted:
        size, parts = min(TOGETHER, -(-len(plan.numbers) // wanted)), 1
    else:
        size, parts = 1, min(-(-wanted // len(plan.numbers)), most)
    shares = [Share(rest, parts) for rest in range(parts)] if parts > 1 else [EVERY_CHUNK]
    for start in range(0, len(plan.numbers), size):
        for share in shares:
            yield Piece(manifest, plan.form, plan.numbers[start : start + size], start, share)
