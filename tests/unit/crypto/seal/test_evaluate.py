"""Sums on ciphertext: the sum of the chosen cells and of nothing else, byte for byte the same everywhere."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crypto.errors import ParameterError
from crypto.seal.cells import decrypt_chunk, open_chunk, seal_chunk
from crypto.seal.columns import open_column
from crypto.seal.evaluate import add_columns, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.parameters import Profile
from crypto.seal.release import open_number
from crypto.seal.weights import Cells, weigh_cells
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS, column_of, key_of, resealed

SOMEWHERE_ELSE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from crypto.seal.columns import open_column
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.parameters import profile
chosen = profile(sys.argv[1])
chunks = open_column(chosen, (Path(name).read_bytes() for name in sys.argv[2:]))
number = evaluate_sum(chosen, chunks, range(5, 2 * chosen.degree + 9))
print(hex(number.c0), number.request_digest().hex())
"""


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_sum_of_any_cells(profile: Profile) -> None:
    values, _, chunks = column_of(profile)
    n, scattered = profile.degree, np.flatnonzero(np.random.default_rng(1).random(len(values)) < 0.3)
    choices: list[Cells] = [
        range(3, len(values), 7),
        range(len(values)),
        range(n),
        range(n - 1, n + 1),
        [0],
        [len(values) - 1],
        scattered,
        [3, 2 * n],
    ]
    for cells in choices:
        expected = int(values[np.asarray(cells)].sum())
        assert open_number(key_of(profile), evaluate_sum(profile, chunks, cells)) == expected


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_a_range_and_its_list_are_the_same_question(profile: Profile) -> None:
    _, _, chunks = column_of(profile)
    cells = range(7, profile.degree + 40)
    ways = [evaluate_sum(profile, chunks, way) for way in (cells, list(cells), np.arange(7, profile.degree + 40))]
    assert len({(number.c0, number.request_digest()) for number in ways}) == 1


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_only_touched_chunks_matter(profile: Profile) -> None:
    _, blobs, chunks = column_of(profile)
    other = [
        chunks[0],
        open_chunk(profile, seal_chunk(key_of(profile), np.ones(profile.degree, dtype=np.int64))),
        chunks[2],
    ]
    cells = [1, 2 * profile.degree + 1]
    assert evaluate_sum(profile, chunks, cells).request_digest() == evaluate_sum(profile, other, cells).request_digest()
    assert len(blobs) == 3


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_evaluating_leaves_the_chunks_as_they_were(profile: Profile) -> None:
    _, blobs, chunks = column_of(profile)
    fresh = open_column(profile, blobs)
    before = evaluate_sum(profile, chunks, range(100)).request_digest()
    for cells in (range(len(chunks) * 100), range(2 * profile.degree + 5)):
        evaluate_sum(profile, chunks, cells)
    assert evaluate_sum(profile, chunks, range(100)).request_digest() == before
    assert evaluate_sum(profile, fresh, range(100)).request_digest() == before


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_another_process_gets_the_same_bytes(profile: Profile, tmp_path: Path) -> None:
    _, blobs, chunks = column_of(profile)
    files = [tmp_path / str(number) for number in range(len(blobs))]
    for file, blob in zip(files, blobs, strict=True):
        file.write_bytes(blob)
    here = evaluate_sum(profile, chunks, range(5, 2 * profile.degree + 9))
    command = [sys.executable, "-c", SOMEWHERE_ELSE, profile.name, *map(str, files)]
    seen = {subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)}
    assert seen == {f"{hex(here.c0)} {here.request_digest().hex()}"}


def test_threads_do_not_disturb_each_other() -> None:
    _, blobs, chunks = column_of(ROWS)
    expected = evaluate_sum(ROWS, chunks, range(5000)).request_digest()

    def work(number: int) -> bool:
        values = [number, 7]
        opened = open_column(ROWS, blobs)
        sealed = decrypt_chunk(key_of(ROWS), seal_chunk(key_of(ROWS), values)).tolist()
        return sealed == values and evaluate_sum(ROWS, opened, range(5000)).request_digest() == expected

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))


def test_the_digest_is_over_the_stated_bytes() -> None:
    _, _, chunks = column_of(CELLS)
    number = evaluate_sum(CELLS, chunks, [4])
    body = b"".join(int(word).to_bytes(8, "little") for word in number.c1.reshape(-1))
    stated = b"sealed number, c1, version 1\n" + CELLS.digest + body
    assert number.request_digest() == hashlib.sha256(stated).digest()
    assert not number.c1.flags.writeable


def test_c1_depends_on_the_seed_and_the_cells_and_on_no_value() -> None:
    """The same seed with every word of c0 changed gives the same c1, so c1 tells the key's owner no value."""
    blob = seal_chunk(key_of(ROWS), [1, 2, 3])
    other = resealed(blob[:128] + np.zeros(4096, dtype="<u8").tobytes())
    numbers = [evaluate_sum(ROWS, [open_chunk(ROWS, data)], [0, 2]) for data in (blob, other)]
    assert numbers[0].request_digest() == numbers[1].request_digest()
    assert numbers[0].c0 != numbers[1].c0


SIZE = 2 * ROWS.degree + 1000


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([], "got 0"),
        (range(0), "got 0"),
        (range(ROWS.max_cells + 1), f"got {ROWS.max_cells + 1}"),
        ([2, 1], "strictly increasing"),
        ([1, 1], "strictly increasing"),
        (range(9, 0, -1), "strictly increasing"),
        (np.array([1.0, 2.0]), "strictly increasing integers"),
        (np.array([[1, 2]]), "strictly increasing"),
        ([-1, 3], "indices 0 to"),
        ([SIZE], f"indices 0 to {SIZE - 1}, got up to {SIZE}"),
        (range(-1, 5), "indices 0 to"),
        (range(SIZE - 1, SIZE + 1), "indices 0 to"),
    ],
)
def test_cells_that_name_no_sum(cells: Cells, reason: str) -> None:
    _, _, chunks = column_of(ROWS)
    with pytest.raises(ParameterError, match=reason):
        evaluate_sum(ROWS, chunks, cells)


def test_columns_that_are_none() -> None:
    _, _, chunks = column_of(ROWS)
    with pytest.raises(ParameterError, match="at least one chunk"):
        evaluate_sum(ROWS, [], [0])
    with pytest.raises(ParameterError, match=r"expected chunks of bfv-8192-cells-1, got one of bfv-4096-rows-1"):
        evaluate_sum(CELLS, chunks, [0])
    with pytest.raises(ParameterError, match="4096 values in every chunk but the last"):
        evaluate_sum(ROWS, [chunks[2], chunks[0]], [0])


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_weights_of_either_sign_multiply_their_cells(profile: Profile) -> None:
    values, _, chunks = column_of(profile)
    random = np.random.default_rng(2)
    index = np.flatnonzero(random.random(len(values)) < 0.1)
    weights = random.integers(1, 7, index.size) * random.choice([-1, 1], index.size)
    number = evaluate_weighted(profile, chunks, weigh_cells(profile, index, weights))
    assert open_number(key_of(profile), number) == int((values[index] * weights).sum())


def test_weights_of_one_are_the_plain_sum() -> None:
    _, _, chunks = column_of(CELLS)
    index = np.array([3, 5, CELLS.degree + 1])
    plain = evaluate_sum(CELLS, chunks, index)
    weighted = evaluate_weighted(CELLS, chunks, weigh_cells(CELLS, index, np.ones(3, dtype=np.int64)))
    assert (plain.c0, plain.request_digest()) == (weighted.c0, weighted.request_digest())


def test_columns_and_numbers_add_up() -> None:
    values, _, chunks = column_of(CELLS)
    index = np.array([0, 4, CELLS.degree + 2])
    total = int(values[index].sum())
    twice = evaluate_sum(CELLS, add_columns(CELLS, [chunks, chunks]), index)
    assert open_number(key_of(CELLS), twice) == 2 * total
    one = evaluate_sum(CELLS, chunks, index)
    assert open_number(key_of(CELLS), add_numbers(CELLS, [one, twice, one])) == 4 * total
    with pytest.raises(ParameterError, match="one size"):
        add_columns(CELLS, [chunks, chunks[:1]])


@pytest.mark.parametrize("weights", [[1, 0], [1], [1 << 57, 1], [1.5, 2.0]])
def test_weights_that_are_no_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ParameterError, match="weights"):
        weigh_cells(CELLS, np.array([0, 1]), np.array(weights))


def test_weights_serve_every_column_that_is_long_enough() -> None:
    values, _, chunks = column_of(ROWS)
    index = np.arange(3, ROWS.degree + 9, 5)
    prepared = weigh_cells(ROWS, index, np.full(index.size, -2))
    for column, cells in ((chunks, values), (chunks[:2], values[: 2 * ROWS.degree]), (chunks, values)):
        number = evaluate_weighted(ROWS, column, prepared)
        assert open_number(key_of(ROWS), number) == -2 * int(cells[index].sum())
    with pytest.raises(ParameterError, match="indices 0 to"):
        evaluate_weighted(ROWS, chunks[:1], prepared)
    with pytest.raises(ParameterError, match="weights: expected some for"):
        evaluate_weighted(CELLS, column_of(CELLS)[2], prepared)


def test_chunks_with_the_same_weights_are_added_before_they_are_multiplied() -> None:
    index = np.arange(3, 2 * ROWS.degree)
    once, twice = np.tile(np.arange(1, ROWS.degree + 1), 2)[3:], np.arange(1, index.size + 1)
    assert [chunks for _, chunks in weigh_cells(ROWS, np.arange(2 * ROWS.degree)).factors] == [[0, 1]]
    assert [len(weigh_cells(ROWS, index, weights).factors) for weights in (once, twice)] == [2, 2]
