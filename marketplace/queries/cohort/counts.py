"""What a cohort is decided on: true counts of atoms, and the sets of atoms that numbers were released of.

An atom is one logical cell of one batch, so that the difference of a question to the same question of an earlier
version is the rows of the batches in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import COUNTS, cell_count, column_names
from marketplace.queries.planning.selection import Cells, public_cells


@dataclass(frozen=True)
class Counts:
    """True counts of every atom; known to the vault alone.

    An atom is one logical cell of one batch: atom = block of the batch * number of logical cells + cell. Blocks are
    numbered through a whole series, so an atom means the same rows in every version; the counts reach back to batches
    that later versions no longer have.

    Args:
        rows: rows of each atom, int64.
        present: for each measure, rows of each atom where it has a value, int64; for "@<j>" rows where all measures of
            joint j have one.
        blocks: those of the version's own batches.
        cells: number of logical cells.
        public: public cell of each logical cell, int64, where a form of rows tells everybody how many rows every public
            cell of every batch has; None where none does.
    """

    rows: NDArray[np.int64]
    present: Mapping[str, NDArray[np.int64]]
    blocks: tuple[int, ...]
    cells: int
    public: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls, manifest: Mapping[str, Any], rows: NDArray[np.int64], present: Mapping[str, NDArray[np.int64]]
    ) -> "Counts":
        """The counts of a version with this manifest."""
        cells, blocks = cell_count(manifest), tuple(int(batch["block"]) for batch in manifest["batches"])
        counted = any(COUNTS in column_names(manifest, form) for form in range(len(manifest["forms"])))
        public = public_cells(manifest, np.arange(cells, dtype=np.int64)) if counted else None
        return cls(rows, present, blocks, cells, public)

    def __repr__(self) -> str:
        return f"Counts({self.rows.size} atoms)"

    def atoms(self, cells: Cells) -> Cells:
        """The atoms of this version in some logical cells, sorted."""
        starts = np.array(sorted(self.blocks), dtype=np.int64) * self.cells
        return (starts[:, None] + cells[None, :]).reshape(-1)


@dataclass(frozen=True)
class Released:
    """A cell set of which a number was released.

    Args:
        cells: sorted atoms.
        measures: measures whose values or presence were released with it; "@<j>" for joint j.
    """

    cells: Cells
    measures: frozenset[str]
