"""Columns of any length, squares in limbs, rows sorted by group: variance and group-by come out exact."""

import numpy as np
import pytest

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.cells import decrypt_chunk
from crypto.seal.columns import group_rows, join_limbs, open_column, seal_column, split_limbs
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.release import open_number
from tests.unit.crypto.seal.samples import CELLS, ROWS, column_of, key_of

KEY = key_of(ROWS)


def total(values: np.ndarray[tuple[int], np.dtype[np.int64]], cells: range) -> int:
    chunks = open_column(ROWS, seal_column(KEY, values))
    return open_number(KEY, evaluate_sum(ROWS, chunks, cells))


@pytest.mark.parametrize("length", [1, 4095, 4096, 4097, 8192])
def test_a_column_of_any_length(length: int) -> None:
    values = np.arange(length) * 3 - length
    blobs = list(seal_column(KEY, values))
    assert len(blobs) == -(-length // 4096)
    assert np.array_equal(np.concatenate([decrypt_chunk(KEY, blob) for blob in blobs]), values)


def test_an_empty_column() -> None:
    with pytest.raises(ParameterError, match="at least one value"):
        next(seal_column(KEY, np.array([], dtype=np.int64)))


def test_a_column_with_one_foreign_chunk() -> None:
    _, blobs, _ = column_of(ROWS)
    with pytest.raises(MalformedInput):
        open_column(ROWS, [blobs[0], next(seal_column(key_of(CELLS), np.array([1])))])


def test_variance_from_values_and_squares_in_two_limbs() -> None:
    values = np.random.default_rng(2).integers(-100_000, 100_000, 9000)
    low, high = split_limbs(values * values, 17, 2)
    cells = range(len(values))
    squares = join_limbs([total(low, cells), total(high, cells)], 17)
    n, plain = len(values), total(values, cells)
    assert squares == int((values * values).sum())
    assert n * squares - plain**2 == n * int((values * values).sum()) - int(values.sum()) ** 2


def test_group_by_over_sorted_rows() -> None:
    generator = np.random.default_rng(8)
    groups, values = generator.integers(0, 16, 10_000), generator.integers(-50, 5000, 10_000)
    groups[groups == 5] = 6
    order, ranges = group_rows(groups, 16)
    chunks = open_column(ROWS, seal_column(KEY, values[order]))
    assert [len(cells) for cells in ranges] == np.bincount(groups, minlength=16).tolist()
    assert len(ranges[5]) == 0
    for group, cells in enumerate(ranges):
        if cells:
            assert open_number(KEY, evaluate_sum(ROWS, chunks, cells)) == int(values[groups == group].sum())


@pytest.mark.parametrize("groups", [[-1, 0], [0, 3]])
def test_a_group_that_was_not_declared(groups: list[int]) -> None:
    with pytest.raises(ParameterError, match="expected numbers 0 to 2"):
        group_rows(np.array(groups), 3)


@pytest.mark.parametrize(("values", "bits", "limbs"), [([-1], 4, 2), ([256], 4, 2), ([1], 0, 2), ([1], 32, 2)])
def test_values_that_do_not_fit_their_limbs(values: list[int], bits: int, limbs: int) -> None:
    with pytest.raises(ParameterError, match="limbs: expected"):
        split_limbs(np.array(values), bits, limbs)
