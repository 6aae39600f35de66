"""Minimum cohort: no released number, and no difference of two released numbers, may rest on fewer than k rows.

Only the vault can apply this, because only it knows true counts. For every number with cell set S:
  1. rows(S) >= k, and if the column holds a measure's values, the rows where that measure is present >= k;
  2. against every earlier released set T: rows(S - T) and rows(T - S) are each 0 or >= k, present rows likewise;
  3. the whole data set counts as released from the start, because the manifest publishes its exact counts.
Groups that fail are suppressed and named. The union of the groups that remain is a released set too, so one small
suppressed group could be had by subtracting from a total: then the next smallest group is suppressed with it.

What this does not stop is a combination of three or more answers; against that stands the privacy budget alone.
That a group was suppressed, or a query refused, tells that a true count is small.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import RuleError
from marketplace.queries.plan import Cells, Plan

Group = tuple[str, ...]
_BLOCK = 1 << 22  # entries of a matrix that are converted at once


@dataclass(frozen=True)
class Counts:
    """True counts of every cell; known to the vault alone.

    Args:
        rows: rows of each cell, int64.
        present: for each measure, rows of each cell where it has a value, int64.
    """

    rows: NDArray[np.int64]
    present: Mapping[str, NDArray[np.int64]]

    def __repr__(self) -> str:
        return f"Counts({self.rows.size} cells)"


@dataclass(frozen=True)
class Released:
    """A cell set of which a number was released.

    Args:
        cells: sorted indices.
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
    measures, groups = plan_measures(plan), plan.group_cells()
    before = [Released(np.arange(counts.rows.size, dtype=np.int64), measures), *earlier]
    guard = _Guard(counts, measures, minimum, before)
    large = [group for group in plan.groups if guard.large_enough(groups[group])]
    if not large:
        raise _refusal("cohort_too_small", minimum, "every group, or the whole selection")
    apart = [group for group in large if guard.far_from_earlier(groups[group])]
    apart = _without_leaking_union(guard, groups, apart)
    if not apart:
        raise _refusal("cohort_difference_too_small", minimum, "the difference to an earlier answer")
    suppressed = tuple(group for group in plan.groups if group not in set(apart))
    kept = [groups[group] for group in apart]
    union = [_union(kept)] if len(kept) > 1 else []
    return Cohort(tuple(apart), suppressed, tuple(Released(cells, measures) for cells in [*kept, *union]))


class _Guard:
    """Rows behind cell sets and their differences, by matrix products over all earlier sets at once."""

    def __init__(self, counts: Counts, measures: frozenset[str], minimum: int, earlier: Sequence[Released]) -> None:
        self.counts, self.minimum = counts, minimum
        masks = np.zeros((len(earlier), counts.rows.size), dtype=np.bool_)
        for row, item in enumerate(earlier):
            masks[row, item.cells] = True
        # For each weight, the earlier sets of which it was a part, and what it adds up to in each of them.
        self.weights = [(counts.rows, masks)]
        for name in sorted(measures):
            self.weights.append((counts.present[name], masks[[name in item.measures for item in earlier]]))
        self.totals = [_products(masks, weight) for weight, masks in self.weights]

    def large_enough(self, cells: Cells) -> bool:
        return all(int(weight[cells].sum()) >= self.minimum for weight, _ in self.weights)

    def far_from_earlier(self, cells: Cells) -> bool:
        return all(
            self._far(cells, weight, masks, total)
            for (weight, masks), total in zip(self.weights, self.totals, strict=True)
        )

    def _far(
        self, cells: Cells, weight: NDArray[np.int64], masks: NDArray[np.bool_], totals: NDArray[np.int64]
    ) -> bool:
        shared = _products(masks[:, cells], weight[cells])
        left = np.concatenate([int(weight[cells].sum()) - shared, totals - shared])
        return bool(((left == 0) | (left >= self.minimum)).all())

    def rows(self, cells: Cells) -> int:
        return int(self.counts.rows[cells].sum())


def _products(masks: NDArray[np.bool_], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    # Counts stay below 2^53, so products in double precision are exact; blocks bound the memory of the conversion.
    step = max(1, _BLOCK // max(1, weight.size))
    blocks = [masks[start : start + step] @ weight.astype(np.float64) for start in range(0, len(masks), step)]
    return np.concatenate([np.zeros(0), *blocks]).astype(np.int64)


def _without_leaking_union(guard: _Guard, groups: Mapping[Group, Cells], kept: list[Group]) -> list[Group]:
    remaining = sorted(kept, key=lambda group: guard.rows(groups[group]), reverse=True)
    while remaining and not guard.far_from_earlier(_union([groups[group] for group in remaining])):
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
