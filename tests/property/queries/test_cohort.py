"""The cohort guard against a reader who keeps every answer and subtracts.

The attack: two allowed answers whose cell sets differ by few rows. Without the guard the reader learns the exact sum
over those rows (the tests use answers without noise, the best case for the attacker); with it, never.
"""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import RuleError
from marketplace.queries.cohort import check_cohort
from marketplace.queries.cohort.counts import Counts, Released
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.statistics import Statistic, Weighting
from marketplace.types import Digest

MINIMUM = 10
CELLS = 6


def plan_of(groups: list[list[int]], column: str = "rows") -> Plan:
    """A plan that asks one column of disjoint groups of cells."""
    labels = [(str(index),) for index in range(len(groups))]
    parts = ((column, 1),)
    numbers = tuple(
        Number(label, column, parts, np.array(sorted(cells), dtype=np.int64))
        for label, cells in zip(labels, groups, strict=True)
    )
    return Plan(0, numbers, (Statistic(parts),), tuple(labels), 1, Digest("0x00"))


def counts_of(rows: list[int], present: list[int] | None = None) -> Counts:
    return Counts(np.array(rows, dtype=np.int64), {"m": np.array(present or rows, dtype=np.int64)}, (0,), len(rows))


QUESTIONS = st.lists(
    st.lists(st.integers(0, CELLS - 1), min_size=1, max_size=CELLS, unique=True).flatmap(
        lambda cells: st.lists(st.integers(0, 2), min_size=len(cells), max_size=len(cells)).map(
            lambda labels: [
                [cell for cell, label in zip(cells, labels, strict=True) if label == wanted]
                for wanted in sorted(set(labels))
            ]
        )
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 25), min_size=CELLS, max_size=CELLS), QUESTIONS)
def test_no_answer_and_no_difference_rests_on_few_rows(rows: list[int], questions: list[list[list[int]]]) -> None:
    counts = counts_of(rows)
    earlier: list[Released] = []
    for groups in questions:
        try:
            cohort = check_cohort(plan_of(groups), counts, earlier, MINIMUM)
        except RuleError:
            continue
        assert set(cohort.released) | set(cohort.suppressed) == {(str(index),) for index in range(len(groups))}
        earlier.extend(cohort.sets)
    answered = [frozenset(item.cells.tolist()) for item in earlier]
    assert all(int(counts.rows[list(item)].sum()) >= MINIMUM for item in answered)
    for one, other in permutations([frozenset(range(CELLS)), *answered], 2):
        rest = int(counts.rows[list(one - other)].sum())
        assert rest == 0 or rest >= MINIMUM


def test_differencing_works_without_the_guard_and_not_with_it() -> None:
    rows, values = np.array([50, 1, 60, 40, 30, 20]), np.array([500, 7777, 10, 20, 30, 40])
    all_but_one, every = [0, 2], [0, 1, 2]
    stolen = int(values[every].sum()) - int(values[all_but_one].sum())
    assert stolen == 7777, "two exact answers over 110 and 111 rows give the one row away"

    counts = counts_of(rows.tolist())
    first = check_cohort(plan_of([every]), counts, [], MINIMUM)
    with pytest.raises(RuleError) as caught:
        check_cohort(plan_of([all_but_one]), counts, first.sets, MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"
    # Nor the other way round.
    other = check_cohort(plan_of([all_but_one]), counts, [], MINIMUM)
    with pytest.raises(RuleError):
        check_cohort(plan_of([every]), counts, other.sets, MINIMUM)


def test_a_suppressed_group_cannot_be_had_from_the_total() -> None:
    counts = counts_of([50, 1, 60, 40, 30, 20])
    total = check_cohort(plan_of([[0, 1, 2]]), counts, [], MINIMUM)
    grouped = check_cohort(plan_of([[0], [1], [2]]), counts, total.sets, MINIMUM)
    # 50 + 60 of 111 would leave one row: the next smallest group goes too.
    assert grouped.released == (("2",),)
    assert grouped.suppressed == (("0",), ("1",))


def test_the_published_count_of_all_rows_counts_as_an_answer() -> None:
    counts = counts_of([50, 1, 60, 40, 30, 20])
    with pytest.raises(RuleError) as caught:
        check_cohort(plan_of([[0, 2, 3, 4, 5]]), counts, [], MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"


def test_rows_without_a_value_do_not_fill_a_cohort() -> None:
    counts = counts_of([50, 50, 50, 50, 50, 50], [50, 3, 50, 50, 50, 50])
    with pytest.raises(RuleError) as caught:
        check_cohort(plan_of([[1]], "sum:m"), counts, [], MINIMUM)
    assert caught.value.code == "cohort_too_small"
    assert check_cohort(plan_of([[1]], "rows"), counts, [], MINIMUM).released == (("0",),)
    first = check_cohort(plan_of([[0, 1]], "sum:m"), counts, [], MINIMUM)
    with pytest.raises(RuleError):
        check_cohort(plan_of([[0]], "sum:m"), counts, first.sets, MINIMUM)


def weighted_plan(weights: list[int], column: str = "sum:m") -> Plan:
    """A plan of one number that gives each cell a weight."""
    cells, parts = np.flatnonzero(np.array(weights)).astype(np.int64), ((column, 1),)
    number = Number((), column, parts, cells, np.array(weights, dtype=np.int64)[cells])
    return Plan(0, (number,), (Statistic(parts),), ((),), 1, Digest("0x00"))


WEIGHTINGS = st.lists(st.lists(st.integers(-2, 2), min_size=CELLS, max_size=CELLS).filter(any), max_size=5)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 25), min_size=CELLS, max_size=CELLS), WEIGHTINGS)
def test_no_weight_and_no_difference_of_weights_rests_on_few_rows(rows: list[int], questions: list[list[int]]) -> None:
    """The cells of each weight, and what two answers' sets of any two weights do not share."""
    counts = counts_of(rows)
    earlier: list[Released] = []
    answered: list[list[int]] = []
    for weights in questions:
        try:
            earlier.extend(check_cohort(weighted_plan(weights), counts, earlier, MINIMUM).sets)
        except RuleError:
            continue
        answered.append(weights)
    for weights in answered:
        for level in set(weights) - {0}:
            assert sum(count for count, weight in zip(rows, weights, strict=True) if weight == level) >= MINIMUM
    for one, other in permutations(answered, 2):
        for mine, theirs in product(set(one) - {0}, set(other) - {0}):
            both = zip(rows, one, other, strict=True)
            alone = sum(count for count, a, b in both if a == mine and b != theirs)
            assert alone == 0 or alone >= MINIMUM


def test_a_weight_of_its_own_singles_nobody_out() -> None:
    """One cell of a single row with another weight: w less the plain sum would be that row's value."""
    rows, values = [50, 1, 60, 40, 30, 20], np.array([500, 7777, 10, 20, 30, 40])
    weights = np.array([1, 2, 1, 1, 1, 1])
    assert int(weights @ values) - int(values.sum()) == 7777
    counts = counts_of(rows)
    with pytest.raises(RuleError) as caught:
        check_cohort(weighted_plan(weights.tolist()), counts, [], MINIMUM)
    assert caught.value.code == "cohort_too_small"


def test_two_weightings_that_differ_in_one_row_are_held_apart() -> None:
    rows, values = [50, 1, 60, 40, 30, 20], np.array([500, 7777, 10, 20, 30, 40])
    one, other = np.array([2, 2, 2, 1, 1, 1]), np.array([2, 1, 2, 1, 1, 1])
    assert int((one - other) @ values) == 7777
    counts = counts_of(rows)
    first = check_cohort(weighted_plan(one.tolist()), counts, [], MINIMUM)
    assert len(first.sets) == 3, "its cells, and those of each weight"
    with pytest.raises(RuleError) as caught:
        check_cohort(weighted_plan(other.tolist()), counts, first.sets, MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"


def test_the_cells_of_weight_zero_count_as_a_difference_within_one_question() -> None:
    rows = [50, 1, 60, 40, 30, 20]
    weighted = weighted_plan([1, 0, 2, 2, 1, 1]).numbers[0]
    plain = Number((), "n:m", (("n:m", 1),), np.arange(CELLS, dtype=np.int64))
    statistics = (Statistic(plain.parts), Statistic(weighted.parts))
    both = Plan(0, (plain, weighted), statistics, ((),), 1, Digest("0x00"))
    with pytest.raises(RuleError) as caught:
        check_cohort(both, counts_of(rows), [], MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"


def test_complete_cases_must_fill_a_cohort_of_their_own() -> None:
    rows = np.full(CELLS, 50, dtype=np.int64)
    complete = np.array([50, 3, 50, 50, 50, 50], dtype=np.int64)
    counts = Counts(rows, {"m": rows, "@0": complete}, (0,), CELLS)
    with pytest.raises(RuleError):
        check_cohort(plan_of([[1]], "cross@0:m:k"), counts, [], MINIMUM)
    first = check_cohort(plan_of([[0, 1]], "sum@0:m"), counts, [], MINIMUM)
    assert check_cohort(plan_of([[0]], "sum:m"), counts, first.sets, MINIMUM).released
    with pytest.raises(RuleError):
        check_cohort(plan_of([[0]], "n@0"), counts, first.sets, MINIMUM)


def test_a_batch_of_few_rows_cannot_be_had_from_two_versions() -> None:
    """Version one has block 0; version two appends block 1, with one row in cell 2."""
    rows = np.array([50, 40, 60, 40, 30, 20, 0, 0, 1, 0, 0, 90], dtype=np.int64)
    before = Counts(rows, {"m": rows}, (0,), CELLS)
    after = Counts(rows, {"m": rows}, (0, 1), CELLS)
    first = check_cohort(plan_of([[2]]), before, [], MINIMUM)
    with pytest.raises(RuleError) as caught:
        check_cohort(plan_of([[2]]), after, first.sets, MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"
    assert check_cohort(plan_of([[5]]), after, check_cohort(plan_of([[5]]), before, [], MINIMUM).sets, MINIMUM).released


def test_a_published_total_of_an_earlier_version_leaves_no_few_rows() -> None:
    """Nothing was asked before. Version two appends block 1: one row in cell 5, ninety in cell 0. The cells 1 to 5 hold
    all of block 0, whose exact size is public, and one row besides."""
    rows = np.array([0, 40, 60, 40, 30, 20, 90, 0, 0, 0, 0, 1], dtype=np.int64)
    after = Counts(rows, {"m": rows}, (0, 1), CELLS)
    with pytest.raises(RuleError) as caught:
        check_cohort(plan_of([[1, 2, 3, 4, 5]]), after, [], MINIMUM)
    assert caught.value.code == "cohort_difference_too_small"
    assert check_cohort(plan_of([[1, 2, 3]]), after, [], MINIMUM).released, "the rest of block 0 is fifty rows"
    with pytest.raises(RuleError):  # cell 0 is all of block 1 but one row
        check_cohort(plan_of([[0]]), after, [], MINIMUM)


def test_a_small_cell_of_one_batch_does_not_forbid_what_many_batches_hold() -> None:
    rows = np.array([50, 50, 2, 50, 50, 50, 50, 50, 50, 50, 50, 50], dtype=np.int64)
    counts = Counts(rows, {"m": rows}, (0, 1), CELLS)
    assert check_cohort(plan_of([[0, 1, 3, 4, 5]]), counts, [], MINIMUM).released


def test_a_group_lost_to_weights_is_lost_for_every_number() -> None:
    """Groups of a plain and a weighted number: the cells of one weight in the first group are too few."""
    rows = [50, 1, 60, 40, 30, 20]
    groups = {("a",): [0, 1], ("b",): [2, 3], ("c",): [4, 5]}
    weights = np.array([1, 2, 1, 2, 1, 1], dtype=np.int64)
    numbers = []
    for label, cells in groups.items():
        index = np.array(cells, dtype=np.int64)
        numbers.append(Number(label, "n:m", (("n:m", 1),), index))
        numbers.append(Number(label, "w", (("sum:m", 1),), index, weights[index]))
    statistics = (Statistic((("n:m", 1),)), Statistic((("sum:m", 1),), Weighting("d", (1, 2))))
    numbers = [item if item.statistic == "n:m" else replace(item, statistic=statistics[1].name) for item in numbers]
    plan = Plan(0, tuple(numbers), statistics, tuple(groups), 1, Digest("0x00"))
    cohort = check_cohort(plan, counts_of(rows), [], MINIMUM)
    assert cohort.suppressed == (("a",),)
    assert cohort.released == (("b",), ("c",))


def test_asking_again_is_no_difference() -> None:
    counts = counts_of([50, 1, 60, 40, 30, 20])
    first = check_cohort(plan_of([[0, 1, 2]]), counts, [], MINIMUM)
    assert check_cohort(plan_of([[0, 1, 2]]), counts, first.sets, MINIMUM).released == (("0",),)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 25), min_size=2 * CELLS, max_size=2 * CELLS), QUESTIONS)
def test_public_counts_leave_few_rows_of_no_released_set(rows: list[int], questions: list[list[list[int]]]) -> None:
    """Two batches; the cells of one remainder modulo 3 are the categories of one public cell."""
    public = np.arange(CELLS, dtype=np.int64) % 3
    both = np.array(rows, dtype=np.int64)
    counts = Counts(both, {"m": both}, (0, 1), CELLS, public)
    for groups in questions:
        try:
            cohort = check_cohort(plan_of(groups), counts, [], MINIMUM)
        except RuleError:
            continue
        sets = [groups[int(label)] for (label,) in cohort.released]
        for cells in [*sets, [cell for one in sets for cell in one]]:
            assert all(left == 0 or left >= MINIMUM for left in leftovers(rows, cells)), (rows, cells)


def leftovers(rows: list[int], cells: list[int]) -> tuple[int, int]:
    """Rows of a set beyond the public cells that lie wholly in it, and rows beyond the set of those that it touches."""
    beyond = around = 0
    for start in (0, CELLS):
        for cell in range(3):
            atoms = {start + place for place in range(CELLS) if place % 3 == cell}
            inside = sum(rows[atom] for atom in atoms & {start + place for place in cells})
            whole = sum(rows[atom] for atom in atoms)
            beyond += 0 if inside == whole else inside
            around += 0 if inside == 0 else whole - inside
    return beyond, around


# -- public cells of few rows: two batches of three public cells with two categories each, as above

PUBLIC = np.arange(CELLS, dtype=np.int64) % 3
ATOMS = [{start + cell, start + cell + 3} for start in (0, CELLS) for cell in range(3)]
PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=6, max_size=6)


def hidden_counts(pairs: list[tuple[int, int]]) -> Counts:
    """Rows of both categories of each public cell of each batch; every third row has no value."""
    rows = np.zeros(2 * CELLS, dtype=np.int64)
    for atoms, pair in zip(ATOMS, pairs, strict=True):
        rows[sorted(atoms)] = pair
    present = rows - rows // 3
    return Counts(rows, {"m": present}, (0, 1), CELLS, PUBLIC)


def outcome(plan: Plan, counts: Counts, earlier: list[Released]) -> object:
    """What everybody sees of a decision; the sets of what was released are kept."""
    try:
        cohort = check_cohort(plan, counts, earlier, MINIMUM)
    except RuleError as refused:
        return refused.code
    earlier.extend(cohort.sets)
    return cohort.released, cohort.suppressed


@settings(deadline=None, max_examples=500)
@given(PAIRS, st.lists(st.integers(0, 9), min_size=6, max_size=6), QUESTIONS, st.sampled_from(["rows", "sum:m"]))
def test_categories_in_small_public_cells_decide_nothing(
    pairs: list[tuple[int, int]], moved: list[int], questions: list[list[list[int]]], column: str
) -> None:
    """The rows of every public cell below the cohort get other categories: all decisions stay, one after the other."""
    other = [
        pair if sum(pair) >= MINIMUM else (min(many, sum(pair)), sum(pair) - min(many, sum(pair)))
        for pair, many in zip(pairs, moved, strict=True)
    ]
    true, changed = hidden_counts(pairs), hidden_counts(other)
    # Values of a small cell are missing as before: only their categories moved.
    for atoms, pair in zip(ATOMS, pairs, strict=True):
        if sum(pair) < MINIMUM:
            kept = int(true.present["m"][sorted(atoms)].sum())
            first = min(kept, int(changed.rows[min(atoms)]))
            changed.present["m"][sorted(atoms)] = first, kept - first
    seen: tuple[list[Released], list[Released]] = ([], [])
    for groups in questions:
        plan = plan_of(groups, column)
        assert outcome(plan, true, seen[0]) == outcome(plan, changed, seen[1])


@settings(deadline=None, max_examples=500)
@given(PAIRS, QUESTIONS)
def test_what_is_released_counts_a_cohort_without_small_cells_that_are_apart(
    pairs: list[tuple[int, int]], questions: list[list[list[int]]]
) -> None:
    counts, earlier = hidden_counts(pairs), list[Released]()
    for groups in questions:
        outcome(plan_of(groups), counts, earlier)
    sets = [frozenset(item.cells.tolist()) for item in earlier]
    assert all(is_enough(counts, item) for item in sets)
    for one, other in permutations(sets, 2):
        assert is_enough(counts, one - other), (pairs, one, other)


def is_enough(counts: Counts, atoms: frozenset[int]) -> bool:
    """The rule of differences.py in plain words: a cohort of rows, not counting public cells of few rows whose
    categories are told apart; or no row at all."""
    counted, apart = 0, False
    for cell in ATOMS:
        rows, mine = int(counts.rows[sorted(cell)].sum()), cell & atoms
        if 0 < rows < MINIMUM and mine and mine != cell:
            apart = True
        else:
            counted += int(counts.rows[sorted(mine)].sum())
    return counted >= MINIMUM or (counted == 0 and not apart)
