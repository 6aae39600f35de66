"""Minimum cohort: no released number, and no difference of two numbers released from the same column, may rest on fewer
than k rows.

Only the vault can apply this, because only it knows true counts. For every number with cell set S:
  1. rows(S) >= k, and if the column holds a measure's values, the rows where that measure is present >= k;
  2. against every earlier released set T: rows(S - T) and rows(T - S) are each 0 or >= k, present rows likewise;
  3. the whole data set counts as released from the start, because the manifest publishes its exact counts.
Groups that fail are suppressed and named. The union of the groups that remain is a released set too, so one small
suppressed group could be had by subtracting from a total: then the next smallest group is suppressed with it.

What this does not stop: a combination of three or more answers, and the difference of two columns over one set (rows
less present values counts missing ones, however few). Against those stand noise and privacy budget alone.
That a group was suppressed, or a query refused, tells that a true count is small; that it was not, tells that it isn't.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import RuleError
from marketplace.queries.plan import Cells, Plan

Group = tuple[str, ...]
_BLOCK = 1 << 22  # entries of a table of comparisons that are held at once


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
    """

    rows: NDArray[np.int64]
    present: Mapping[str, NDArray[np.int64]]
    blocks: tuple[int, ...]
    cells: int

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
        measures: measures whose values or presence were released with it.
    """

    cells: Cells
    measures: frozenset[str]


@dataclass(frozen=True)
class Cohort:
    """What may be released: `released` groups in the plan's order, `suppressed` ones, and the sets to remember."""

    released: tuple[Group, ...]
    suppressed: tuple[Group, ...]
    sets: tuple[Released, ...]


def plan_measures(plan: Plan) -> frozenset[str]:
    """Measures that the plan's columns hold."""
    return frozenset(column.partition(":")[2] for column in plan.columns if ":" in column)


def check_cohort(plan: Plan, counts: Counts, earlier: Iterable[Released], minimum: int) -> Cohort:
    """Decide which groups of the plan may be released.

    Args:
        plan: what is asked. counts: true counts. minimum: k >= 1.
        earlier: every set released from this data set, to anybody.
    Raises:
        RuleError: `cohort_too_small` or `cohort_difference_too_small` when no group may be released.
    """
    measures = plan_measures(plan)
    groups = {group: counts.atoms(cells) for group, cells in plan.group_cells().items()}
    before = [Released(counts.atoms(np.arange(counts.cells, dtype=np.int64)), measures), *earlier]
    guard = _Guard(counts, measures, minimum, before)
    large = [group for group in plan.groups if guard.large_enough(groups[group])]
    if not large:
        raise _refusal("cohort_too_small", minimum, "every group, or the whole selection")
    far = guard.far_from_earlier([groups[group] for group in large])
    apart = [group for group, holds in zip(large, far, strict=True) if holds]
    apart = _without_leaking_union(guard, groups, apart)
    if not apart:
        raise _refusal("cohort_difference_too_small", minimum, "the difference to an earlier answer")
    suppressed = tuple(group for group in plan.groups if group not in set(apart))
    kept = [groups[group] for group in apart]
    union = [_union(kept)] if len(kept) > 1 else []
    return Cohort(tuple(apart), suppressed, tuple(Released(cells, measures) for cells in [*kept, *union]))


class _Guard:
    """Rows behind cell sets and their differences, against all earlier sets at once.

    The cells of all earlier sets lie in one array, set after set, so memory follows what was released.
    """

    def __init__(self, counts: Counts, measures: frozenset[str], minimum: int, earlier: Sequence[Released]) -> None:
        self.counts, self.minimum = counts, minimum
        self._cells = np.concatenate([item.cells for item in earlier])
        self._ends = np.cumsum([0, *(item.cells.size for item in earlier)])
        # Rows matter for every earlier set, a measure's rows for the sets that it was released with.
        self._weights = [(counts.rows, np.ones(len(earlier), dtype=np.bool_))]
        for name in sorted(measures):
            self._weights.append((counts.present[name], np.array([name in item.measures for item in earlier])))

    def large_enough(self, cells: Cells) -> bool:
        return all(int(weight[cells].sum()) >= self.minimum for weight, _ in self._weights)

    def far_from_earlier(self, disjoint: Sequence[Cells]) -> NDArray[np.bool_]:
        """For each of some disjoint sets, whether it is far enough from every earlier one."""
        label = np.full(self.counts.rows.size, len(disjoint), dtype=np.int64)
        for number, cells in enumerate(disjoint):
            label[cells] = number
        far = np.ones(len(disjoint), dtype=np.bool_)
        step = max(1, _BLOCK // (len(disjoint) + 1))
        for weight, which in self._weights:
            for start in range(0, which.size, step):
                far &= self._far(label, len(disjoint), weight, which, slice(start, start + step))
        return far

    def _far(
        self,
        label: NDArray[np.int64],
        count: int,
        weight: NDArray[np.int64],
        which: NDArray[np.bool_],
        block: slice,
    ) -> NDArray[np.bool_]:
        ends = self._ends[block.start : block.stop + 1]
        cells, which = self._cells[ends[0] : ends[-1]], which[block]
        row = np.repeat(np.arange(which.size), np.diff(ends)) * (count + 1)
        # Entry (earlier set, new set) of the table: rows in both; the last column is what no new set takes. Counts
        # stay below 2^53, so sums in double precision are exact.
        table = np.bincount(row + label[cells], weight[cells], which.size * (count + 1)).reshape(which.size, -1)
        shared, theirs = table[which, :count], table.sum(axis=1)[which, None]
        mine = np.bincount(label, weight, count + 1)[:count]
        left = np.concatenate([mine - shared, theirs - shared])
        return cast(NDArray[np.bool_], ((left == 0) | (left >= self.minimum)).all(axis=0))

    def rows(self, cells: Cells) -> int:
        return int(self.counts.rows[cells].sum())


def _without_leaking_union(guard: _Guard, groups: Mapping[Group, Cells], kept: list[Group]) -> list[Group]:
    remaining = sorted(kept, key=lambda group: guard.rows(groups[group]), reverse=True)
    while remaining and not guard.far_from_earlier([_union([groups[group] for group in remaining])])[0]:
        remaining.pop()
    taken = set(remaining)
    return [group for group in kept if group in taken]


def _union(sets: Sequence[Cells]) -> Cells:
    return np.sort(np.concatenate(sets))


def _refusal(code: str, minimum: int, what: str) -> RuleError:
    details: dict[str, Any] = {
        "rule": "queries.minimum_cohort",
        "expected": f"at least {minimum} rows behind every number and every difference to an earlier answer",
        "got": f"fewer than {minimum} rows behind {what}",
        "hint": "widen the filter or group by fewer dimensions",
        "hint_zh": "放宽筛选条件或减少分组维度",
    }
    if code == "cohort_too_small":
        message, zh = f"fewer than {minimum} rows lie behind the answer", f"结果所涉行数少于 {minimum}"
    else:
        message = f"with an earlier answer this one would single out fewer than {minimum} rows"
        zh = f"与先前结果相减将涉及少于 {minimum} 行"
    return RuleError(code, message, zh=zh, **details)
