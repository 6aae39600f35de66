"""What a question comes down to: the integers to release, and the plan that lists them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketplace.queries.planning.selection import Cells, Group
from marketplace.queries.planning.statistics import Parts, Statistic
from marketplace.types import Digest

Weights = NDArray[np.int64]


@dataclass(frozen=True)
class Number:
    """One number to release: the sum over cells of weight times coefficient times column, over all batches.

    Args:
        group: categories of the group-by dimensions; empty without GROUP BY.
        statistic: name of the statistic that it is.
        parts: columns with their coefficients.
        cells: sorted logical cells, int64, none of weight zero; shared by the numbers of a group.
        weights: of the cells, int64, none zero; None where all weigh one.
    """

    group: Group
    statistic: str
    parts: Parts
    cells: Cells = field(repr=False, compare=False)
    weights: Weights | None = field(default=None, repr=False, compare=False)

    @property
    def heaviest(self) -> int:
        """Largest magnitude of a weight."""
        return 1 if self.weights is None else int(np.abs(self.weights).max())


@dataclass(frozen=True)
class Cost:
    """What evaluating a plan takes, by a stated model (see the room forms).

    Args:
        cells: sealed values that are multiplied, over all numbers.
        operations: ciphertext additions and multiplications; for pads, additions of values.
        fetched: bytes of sealed columns that are read.
        microseconds: what one node, and a vault that computes anew, may expect on one ordinary core.
    """

    cells: int
    operations: int
    fetched: int
    microseconds: int


@dataclass(frozen=True)
class Plan:
    """What evaluating a query means.

    Args:
        form: position of the form of sealing that answers it.
        numbers: in the order of the result document: group by group, the group with the first cell first; within a
            group in the order of `statistics`.
        statistics: the kinds of numbers of every group, each once.
        groups: the groups that have any cell, in the order of the query's dimensions and their categories.
        epsilon: budget of the whole query, in millionths.
        digest: names the question: same data, same numbers, same epsilon. Not the order, buyer, sequence or spelling.
    """

    form: int
    numbers: tuple[Number, ...]
    statistics: tuple[Statistic, ...]
    groups: tuple[Group, ...]
    epsilon: int
    digest: Digest

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics."""
        return tuple(statistic.name for statistic in self.statistics)
