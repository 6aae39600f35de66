"""The cohort guard against a reader who keeps every answer and subtracts.

The attack: two allowed answers whose cell sets differ by few rows. Without the guard the reader learns the exact sum
over those rows (the tests use answers without noise, the best case for the attacker); with it, never.
"""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import RuleError
from marketplace.queries.cohort import Counts, Released, check_cohort
from marketplace.queries.numbers import Number, Plan
from marketplace.queries.statistics import Statistic
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


def test_asking_again_is_no_difference() -> None:
    counts = counts_of([50, 1, 60, 40, 30, 20])
    first = check_cohort(plan_of([[0, 1, 2]]), counts, [], MINIMUM)
    assert check_cohort(plan_of([[0, 1, 2]]), counts, first.sets, MINIMUM).released == (("0",),)
