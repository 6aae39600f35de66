"""What a form of sealing has to say for itself to the planner, and the words for it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from marketplace.documents import cell_shape
from marketplace.errors import RuleError
from marketplace.queries.planning.numbers import Cost, Number, Weights
from marketplace.queries.planning.selection import Cells, public_cells
from marketplace.queries.planning.statistics import Statistic
from marketplace.words import Words

Manifest = Mapping[str, Any]
OPEN_MICROSECONDS_PER_MEGABYTE = 4_000
NUMBER_MICROSECONDS = 500  # digest and share of one number


@dataclass(frozen=True)
class Reach:
    """The sealed values of one column, in each batch, that a number takes.

    Args:
        index: positions in the column, strictly increasing; in a form of rows public cells, each for all of its rows.
        weights: of each, none zero; None where all weigh one.
        categories: of the hidden dimension, positions in its list, strictly increasing; empty where the form does not
            tell them apart.
    """

    index: Cells
    weights: Weights | None
    categories: tuple[int, ...] = ()

    @property
    def weight(self) -> int:
        """Sum of the magnitudes of the weights: by how much the errors of the values count."""
        return self.index.size if self.weights is None else int(np.abs(self.weights).sum())

    @property
    def heaviest(self) -> int:
        """Largest magnitude of a weight."""
        return 1 if self.weights is None else int(np.abs(self.weights).max())


class Proof(Protocol):
    """What was proven of the numbers of a statistic: with less noise than this, released numbers are exact."""

    @property
    def noise(self) -> int:
        """Bound on the magnitude of the noise."""


@dataclass(frozen=True)
class FormRules:
    """One form.

    Args:
        columns: names of the columns that it holds.
        reach: the sealed values that a number takes; raises RuleError where the form cannot tell the cells apart.
        prove: raises ParameterError where a number of the claim could wrap or be decoded inexactly. What it returns is
            for the form's own release (vault/decisions/sharing.py).
        cost: of evaluating some numbers; the last argument is `reaches`.
    """

    columns: Callable[[Manifest, int], Collection[str]]
    reach: Callable[[Manifest, int, Number], Reach]
    prove: Callable[[Manifest, int, "Claim"], Proof]
    cost: Callable[[Manifest, int, Sequence[Number], "Reaches"], Cost]


Reaches = Callable[[Number], Reach]


@dataclass(frozen=True)
class Claim:
    """What is to be proven: that every number of one statistic, with noise of this scale (Noise.reserve), is exact."""

    statistic: Statistic
    numbers: Sequence[Number]
    scale: Fraction
    reach: Reaches


def column_bytes(manifest: Manifest, form: int, touched: Mapping[str, Collection[int]]) -> int:
    """Bytes of some chunks of some columns, in all batches.

    Args:
        touched: indices of the chunks, by column.
    """
    total = 0
    for batch in manifest["batches"]:
        for column in batch["columns"]:
            if column["form"] == form and column["name"] in touched:
                taken = touched[column["name"]]  # a column of too few chunks is found when it is opened
                total += sum(int(chunk["size"]) for place, chunk in enumerate(column["chunks"]) if place in taken)
    return total


def public_reach(manifest: Manifest, cells: Cells, weights: Weights | None) -> tuple[Cells, Weights | None]:
    """Public cells out of logical ones: a hidden dimension must be taken whole, with one weight.

    Raises:
        RuleError: `dimension_hidden`.
    """
    hidden = [axis for axis, item in enumerate(manifest["dimensions"]) if item["hidden"]]
    if not hidden:
        return cells, weights
    shape, axis = cell_shape(manifest), hidden[0]
    public = public_cells(manifest, cells)
    order = np.argsort(public, kind="stable")
    found, counts = np.unique(public, return_counts=True)
    sorted_weights = None if weights is None else weights[order].reshape(-1)
    whole = bool((counts == shape[axis]).all())
    if whole and sorted_weights is not None:
        table = sorted_weights.reshape(-1, shape[axis])
        whole, sorted_weights = bool((table == table[:, :1]).all()), table[:, 0]
    if not whole:
        name = manifest["dimensions"][axis]["name"]
        raise RuleError(
            "dimension_hidden",
            f"the data are not sealed in a form that answers this about the hidden dimension {name}",
            zh=f"数据的密封形式不能就此问题区分 {name} 的类别",
            rule="queries.hidden",
            expected=Words("a question over all categories of the hidden dimension", "涵盖隐藏维度全部类别的提问"),
            got=name,
            hint="COUNT, SUM and MEAN by a hidden dimension need the form with sealed indicators",
            hint_zh="按隐藏维度计数、求和、求均值需要带密封指示列的形式",
        )
    return found, sorted_weights
