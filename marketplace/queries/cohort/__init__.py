"""Minimum cohort: no released number, and no difference of two numbers released from the same column, may rest on fewer
than k rows.

Only the vault can apply this, because only it knows true counts. Sets are sets of ATOMS: one logical cell of one batch,
so that the difference of a question to the same question of an earlier version is the rows of the batches in between.
For every number with set S:
  1. rows(S) >= k, and if the column holds a measure's values, the rows where that measure is present >= k, and if it
     holds a joint's, the rows where all of its measures are;
  2. against every earlier released set T: rows(S - T) and rows(T - S) are each 0 or >= k, present rows likewise;
  3. every batch counts as released from the start, because manifests publish its exact counts: what S holds beyond the
     batches that lie wholly in it, and what the batches that it touches hold beyond S, are each 0 or >= k rows. (Of one
     batch that says: the rows of the data set that are not in S. Of several: no total of an earlier version, taken from
     an answer, leaves a few rows of a later batch.)
  4. where data are sealed row by row, how many rows every public cell has is public too: what S holds beyond the public
     cells that lie wholly in it, and what the public cells that it touches hold beyond S, are each 0 or >= k rows. (So
     all categories of a hidden dimension but a rare one are not asked for where the rare one has few rows.)
  5. where those sizes are public, the hidden categories of rows in a public cell of 1 to k-1 rows decide nothing: such
     a cell's rows count where a set or a difference takes the cell with all its categories, and else they do not, and
     then what counts besides must be k rows, not none (small_cells.py). This rests on public things alone, and 1 to 4
     count rows so.
A weighted number releases more sets than one: its cells, and for each distinct weight the cells that have it. Two
answers with weights w and w' differ by w - w', which is constant on what two such sets share, so pairs of them are held
apart like pairs of plain sets. A cell of weight zero is in no set. Within one question all its sets are compared with
each other too.

Groups that fail are suppressed and named. The union of the groups that remain is a released set too (for weighted
numbers, the union of each weight's sets), so one small suppressed group could be had by subtracting from a total: then
the next smallest group is suppressed with it.

What this does not stop: a combination of three or more answers; the difference of two columns over one set (rows less
present values counts missing ones, however few); the difference of a corrected batch to what it was before, whose rows
are other atoms. Against those stand noise and privacy budget alone, which are the series' own.
That a group was suppressed, or a query refused, tells that a true count is small; that it was not, tells that it isn't;
of hidden categories it tells so of public cells with k rows and more, not of smaller ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import RuleError
from marketplace.queries.cohort.counts import Counts, Released
from marketplace.queries.cohort.differences import Guard, Measured
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.selection import Cells, Group
from marketplace.queries.planning.statistics import presence
from marketplace.words import Words


@dataclass(frozen=True)
class Cohort:
    """What may be released: `released` groups in the plan's order, `suppressed` ones, and the sets to remember."""

    released: tuple[Group, ...]
    suppressed: tuple[Group, ...]
    sets: tuple[Released, ...]


def check_cohort(plan: Plan, counts: Counts, earlier: Iterable[Released], minimum: int) -> Cohort:
    """Decide which groups of the plan may be released.

    Args:
        plan: what is asked. counts: true counts. minimum: k >= 1.
        earlier: every set released from this series, to anybody.
    Raises:
        RuleError: `cohort_too_small` or `cohort_difference_too_small` when no group may be released.
    """
    layers, before, data = _layers(plan, counts), list(earlier), Measured(counts, minimum)
    kept = list(plan.groups)
    for layer in layers:
        kept = layer.large(Guard(data, layer.measures, []), kept)
    if not kept:
        raise _refusal("cohort_too_small", minimum, Words("every group, or the whole selection", "每个分组或全部所选"))
    asked: list[Group] = []
    while kept != asked:  # a group that goes for one layer's sake changes the unions of the others
        asked = kept
        kept = _far_groups(layers, data, before, asked)
    if not kept:
        raise _refusal(
            "cohort_difference_too_small", minimum, Words("the difference to an earlier answer", "与先前结果之差")
        )
    suppressed = tuple(group for group in plan.groups if group not in set(kept))
    return Cohort(tuple(kept), suppressed, tuple(item for layer in layers for item in layer.released(kept)))


def released_sets(plan: Plan, counts: Counts, groups: Sequence[Group]) -> tuple[Released, ...]:
    """The sets that releasing these groups of a plan tells of."""
    return tuple(item for layer in _layers(plan, counts) for item in layer.released(list(groups)))


def _far_groups(
    layers: Sequence["_Layer"], data: Measured, earlier: Sequence[Released], kept: list[Group]
) -> list[Group]:
    released: list[Released] = []
    for layer in layers:
        guard = Guard(data, layer.measures, [*earlier, *released])
        kept = layer.without_leaking_union(guard, layer.far(guard, kept))
        released += layer.released(kept)
    return kept


class _Layer:
    """Sets that one number of each group releases: its cells, or for each weight the cells that have it.

    Args:
        sets: for each group, its disjoint sets by weight; the weight is 0 where sets are whole.
        measures: what the numbers over these sets tell presence of.
    """

    def __init__(self, sets: Mapping[Group, Mapping[int, Cells]], measures: frozenset[str]) -> None:
        self.sets, self.measures = sets, measures

    def large(self, guard: Guard, groups: Sequence[Group]) -> list[Group]:
        """The groups all of whose sets count a cohort."""
        return self._passing(groups, guard.large(self._sets(groups)))

    def far(self, guard: Guard, groups: Sequence[Group]) -> list[Group]:
        """The groups all of whose sets are far enough from every earlier one."""
        return self._passing(groups, guard.far(self._sets(groups)))

    def without_leaking_union(self, guard: Guard, kept: Sequence[Group]) -> list[Group]:
        """The groups, without the smallest ones as long as the union of what remains is near an earlier set."""
        size = dict.fromkeys(kept, 0)
        for group, rows in zip(self._owners(kept), guard.counted(self._sets(kept))[0].tolist(), strict=True):
            size[group] += rows
        remaining = sorted(kept, key=lambda group: size[group], reverse=True)
        while remaining and not guard.far(list(self._unions(remaining).values())).all():
            remaining.pop()
        taken = set(remaining)
        return [group for group in kept if group in taken]

    def _sets(self, groups: Sequence[Group]) -> list[Cells]:
        return [cells for group in groups for cells in self.sets[group].values()]

    def _owners(self, groups: Sequence[Group]) -> list[Group]:
        return [group for group in groups for _ in self.sets[group]]

    def _passing(self, groups: Sequence[Group], holds: NDArray[np.bool_]) -> list[Group]:
        failing = {owner for owner, held in zip(self._owners(groups), holds.tolist(), strict=True) if not held}
        return [group for group in groups if group not in failing]

    def released(self, groups: Sequence[Group]) -> list[Released]:
        """The sets to remember: of each group, and of all of them together."""
        found = self._sets(groups)
        found += self._unions(groups).values() if len(groups) > 1 else []
        return [Released(cells, self.measures) for cells in found]

    def _unions(self, groups: Sequence[Group]) -> dict[int, Cells]:
        by_weight: dict[int, list[Cells]] = {}
        for group in groups:
            for weight, cells in self.sets[group].items():
                by_weight.setdefault(weight, []).append(cells)
        return {weight: np.sort(np.concatenate(sets)) for weight, sets in by_weight.items()}


def _layers(plan: Plan, counts: Counts) -> list[_Layer]:
    """The sets of a plan: numbers over the same cells with the same weights release the same ones."""
    by_group: dict[Group, dict[str, Number]] = {}
    for number in plan.numbers:
        by_group.setdefault(number.group, {})[number.statistic] = number
    names: dict[tuple[tuple[bytes, bytes], ...], list[str]] = {}
    for statistic in plan.names:
        footprint = tuple(_footprint(by_group[group][statistic]) for group in plan.groups)
        names.setdefault(footprint, []).append(statistic)
    layers = []
    for same in names.values():
        measures = frozenset(
            presence(column) for name in same for column, _ in by_group[plan.groups[0]][name].parts
        ) - {""}
        numbers = {group: by_group[group][same[0]] for group in plan.groups}
        layers.append(_Layer({group: {0: counts.atoms(one.cells)} for group, one in numbers.items()}, measures))
        if any(number.weights is not None for number in numbers.values()):
            levels = {group: _levels(number, counts) for group, number in numbers.items()}
            layers.append(_Layer(levels, measures))
    return layers


def _footprint(number: Number) -> tuple[bytes, bytes]:
    return number.cells.tobytes(), b"" if number.weights is None else number.weights.tobytes()


def _levels(number: Number, counts: Counts) -> dict[int, Cells]:
    if number.weights is None:
        return {1: counts.atoms(number.cells)}
    levels = np.unique(number.weights).tolist()
    return {level: counts.atoms(number.cells[number.weights == level]) for level in levels}


def _refusal(code: str, minimum: int, what: Words) -> RuleError:
    details: dict[str, Any] = {
        "rule": "queries.minimum_cohort",
        "expected": Words(
            f"at least {minimum} rows behind every number and every difference to an earlier answer",
            f"每个数值及其与先前结果之差均至少涉及 {minimum} 行",
        ),
        "got": Words(f"fewer than {minimum} rows behind {what.en}", f"{what.zh}所涉少于 {minimum} 行"),
        "hint": "widen the filter or group by fewer dimensions",
        "hint_zh": "放宽筛选条件或减少分组维度",
    }
    if code == "cohort_too_small":
        message, zh = f"fewer than {minimum} rows lie behind the answer", f"结果所涉行数少于 {minimum}"
    else:
        message = f"with an earlier answer this one would single out fewer than {minimum} rows"
        zh = f"与先前结果相减将涉及少于 {minimum} 行"
    return RuleError(code, message, zh=zh, **details)
