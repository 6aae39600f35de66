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
That a group was suppressed, or a query refused, tells that a true count is small; that it was not, tells that it isn't.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import COUNTS, cell_count, column_names
from marketplace.errors import RuleError
from marketplace.queries.numbers import Number, Plan
from marketplace.queries.selection import Cells, Group, public_cells
from marketplace.queries.statistics import presence

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
    layers, before = _layers(plan, counts), list(earlier)
    kept = [group for group in plan.groups if all(layer.is_large(group, counts, minimum) for layer in layers)]
    if not kept:
        raise _refusal("cohort_too_small", minimum, "every group, or the whole selection")
    asked: list[Group] = []
    while kept != asked:  # a group that goes for one layer's sake changes the unions of the others
        asked = kept
        kept = _far_groups(layers, counts, minimum, before, asked)
    if not kept:
        raise _refusal("cohort_difference_too_small", minimum, "the difference to an earlier answer")
    suppressed = tuple(group for group in plan.groups if group not in set(kept))
    return Cohort(tuple(kept), suppressed, tuple(item for layer in layers for item in layer.released(kept)))


def released_sets(plan: Plan, counts: Counts, groups: Sequence[Group]) -> tuple[Released, ...]:
    """The sets that releasing these groups of a plan tells of."""
    return tuple(item for layer in _layers(plan, counts) for item in layer.released(list(groups)))


def _far_groups(
    layers: Sequence["_Layer"], counts: Counts, minimum: int, earlier: Sequence[Released], kept: list[Group]
) -> list[Group]:
    released: list[Released] = []
    for layer in layers:
        guard = _Guard(counts, layer.measures, minimum, [*earlier, *released])
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

    def is_large(self, group: Group, counts: Counts, minimum: int) -> bool:
        weights = [counts.rows, *(counts.present[name] for name in sorted(self.measures))]
        return all(int(weight[cells].sum()) >= minimum for cells in self.sets[group].values() for weight in weights)

    def far(self, guard: "_Guard", groups: Sequence[Group]) -> list[Group]:
        """The groups all of whose sets are far enough from every earlier one."""
        owners = [group for group in groups for _ in self.sets[group]]
        holds = guard.far_from_earlier([cells for group in groups for cells in self.sets[group].values()])
        near = {owner for owner, held in zip(owners, holds, strict=True) if not held}
        return [group for group in groups if group not in near]

    def without_leaking_union(self, guard: "_Guard", kept: Sequence[Group]) -> list[Group]:
        """The groups, without the smallest ones as long as the union of what remains is near an earlier set."""
        size = {group: sum(guard.rows(cells) for cells in self.sets[group].values()) for group in kept}
        remaining = sorted(kept, key=lambda group: size[group], reverse=True)
        while remaining and not guard.far_from_earlier(list(self._unions(remaining).values())).all():
            remaining.pop()
        taken = set(remaining)
        return [group for group in kept if group in taken]

    def released(self, groups: Sequence[Group]) -> list[Released]:
        """The sets to remember: of each group, and of all of them together."""
        found = [cells for group in groups for cells in self.sets[group].values()]
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


class _Guard:
    """Rows behind cell sets and their differences, against all earlier sets at once.

    The cells of all earlier sets lie in one array, set after set, so memory follows what was released.
    """

    def __init__(self, counts: Counts, measures: frozenset[str], minimum: int, earlier: Sequence[Released]) -> None:
        self.counts, self.minimum = counts, minimum
        self._cells = np.concatenate([np.zeros(0, dtype=np.int64), *(item.cells for item in earlier)])
        self._ends = np.cumsum([0, *(item.cells.size for item in earlier)])
        # Rows matter for every earlier set, a measure's rows for the sets that it was released with.
        self._weights = [(counts.rows, np.ones(len(earlier), dtype=np.bool_))]
        for name in sorted(measures):
            self._weights.append(
                (counts.present[name], np.array([name in item.measures for item in earlier], dtype=np.bool_))
            )

    def far_from_earlier(self, disjoint: Sequence[Cells]) -> NDArray[np.bool_]:
        """For each of some disjoint sets, whether it is far enough from every earlier one and from all batches."""
        label = np.full(self.counts.rows.size, len(disjoint), dtype=np.int64)
        for number, cells in enumerate(disjoint):
            label[cells] = number
        far = self._far_from_batches(label, len(disjoint))
        step = max(1, _BLOCK // (len(disjoint) + 1))
        for weight, which in self._weights:
            for start in range(0, which.size, step):
                far &= self._far(label, len(disjoint), weight, which, slice(start, start + step))
        return far

    def _far_from_batches(self, label: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
        far = np.ones(count, dtype=np.bool_)
        cells = self.counts.cells
        for weight, _ in self._weights:
            batches = [slice(block * cells, (block + 1) * cells) for block in self.counts.blocks]
            inside = np.stack([np.bincount(label[one], weight[one], count + 1) for one in batches])
            total, inside = inside.sum(axis=1, keepdims=True), inside[:, :count]
            beyond = np.where(inside == total, 0, inside).sum(axis=0)
            around = np.where(inside == 0, 0, total - inside).sum(axis=0)
            far &= self._is_enough(beyond) & self._is_enough(around)
            if self.counts.public is not None:
                far &= self._far_from_public_cells(label, count, weight)
        return far

    def _far_from_public_cells(
        self, label: NDArray[np.int64], count: int, weight: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        public, cells = cast(NDArray[np.int64], self.counts.public), self.counts.cells
        beyond, around = np.zeros(count), np.zeros(count)
        for block in self.counts.blocks:
            mine = slice(block * cells, (block + 1) * cells)
            total = np.bincount(public, weight[mine])
            taken = label[mine] < count
            pairs, place = np.unique(public[taken] * count + label[mine][taken], return_inverse=True)
            inside = np.bincount(place.reshape(-1), weight[mine][taken], pairs.size)
            whole, owner = total[pairs // count], pairs % count
            beyond += np.bincount(owner, np.where(inside == whole, 0, inside), count)
            around += np.bincount(owner, np.where(inside == 0, 0, whole - inside), count)
        return self._is_enough(beyond) & self._is_enough(around)

    def _is_enough(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        return cast(NDArray[np.bool_], (rows == 0) | (rows >= self.minimum))

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
        return cast(NDArray[np.bool_], self._is_enough(left).all(axis=0))

    def rows(self, cells: Cells) -> int:
        return int(self.counts.rows[cells].sum())


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
