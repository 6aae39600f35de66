"""The proof holds where it says so, refuses where it must, and its bounds are those of the worst ciphertexts."""

from fractions import Fraction

import numpy as np
import pytest

from crypto.errors import ParameterError
from crypto.seal.cells import open_chunk, seal_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom import (
    MINIMUM_MARGIN_BITS,
    error_bound,
    noise_bound,
    prove_headroom,
    release_margin,
    require_releasable,
)
from crypto.seal.noise import laplace_scale
from crypto.seal.parameters import Profile
from crypto.seal.release import open_number
from crypto.seal.wire import Blob, read_blob, write_blob
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS, column_of, hidden_error, key_of


def with_error(profile: Profile, blob: bytes, extra: int) -> bytes:
    """The blob with `extra` added to the error of every value: what a sampler gone wrong would have sealed."""
    parsed = read_blob(profile, blob)
    primes = np.array(profile.data_primes, dtype=np.uint64)[:, None]
    shift = np.array([[extra % prime] for prime in profile.data_primes], dtype=np.uint64)
    return write_blob(profile, Blob(parsed.count, parsed.seed, (parsed.c0 + shift) % primes))


def test_cells_hide_every_error_they_can_have() -> None:
    """Certain bound at the largest sum of any values: 21.5 per cell, 2^26 cells; smudging of 2^120 values."""
    worst = error_bound(CELLS, CELLS.max_cells, CELLS.half, CELLS.half)
    assert worst == 21 * 2**26 + 2**25 + 2
    assert 2 ** release_margin(CELLS) * worst <= 2 << CELLS.smudging_bits
    assert release_margin(CELLS) == 89 >= MINIMUM_MARGIN_BITS
    assert worst + (1 << CELLS.smudging_bits) < CELLS.modulus // (2 * CELLS.plain_modulus)
    require_releasable(CELLS)


def test_rows_hide_too_little_and_release_nothing() -> None:
    assert release_margin(ROWS) < MINIMUM_MARGIN_BITS
    assert prove_headroom(ROWS, 1_000_000, 0, 100_000).margin_bits == 4
    assert prove_headroom(ROWS, 1, 0, 1).margin_bits < MINIMUM_MARGIN_BITS
    with pytest.raises(ParameterError, match="releases nothing: expected a smudging margin of 40 bits"):
        require_releasable(ROWS)


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_real_errors_stay_inside_the_bound(profile: Profile) -> None:
    values, _, chunks = column_of(profile)
    for cells in (range(1), range(100), range(len(values)), range(17, 2 * profile.degree)):
        total = int(values[cells.start : cells.stop].sum())
        bound = error_bound(profile, len(cells), 1 << 20, abs(total))
        assert abs(hidden_error(key_of(profile), evaluate_sum(profile, chunks, cells), total)) <= bound


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_decoding_is_exact_up_to_the_stated_room_and_not_beyond(profile: Profile) -> None:
    """An error of just under q/2t in total is harmless, and one just over it changes the digit."""
    cells, room = 64, profile.modulus // (2 * profile.plain_modulus)
    blob = seal_chunk(key_of(profile), np.full(cells, 5))
    for extra, expected in ((room // cells - 32, 5 * cells), (room // cells + 32, 5 * cells + 1)):
        spoiled = open_chunk(profile, with_error(profile, blob, extra))
        assert open_number(key_of(profile), evaluate_sum(profile, [spoiled], range(cells))) == expected


def test_the_largest_total_is_proven_and_the_next_refused() -> None:
    cells, value = 2**10, 2**47
    assert prove_headroom(CELLS, cells, 0, value - 1).total == 2**57 - 2**10
    with pytest.raises(ParameterError, match=rf"could wrap: expected .* < {2**57}, got {2**57} \+ 0"):
        prove_headroom(CELLS, cells, 0, value)
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, cells, -value, 0)


def test_a_total_that_reaches_half_really_wraps() -> None:
    """What the proof refuses is what goes wrong: one more and the sign turns over."""
    chunk = open_chunk(ROWS, seal_chunk(key_of(ROWS), [ROWS.half - 1, 1]))
    assert open_number(key_of(ROWS), evaluate_sum(ROWS, [chunk], [0])) == ROWS.half - 1
    assert open_number(key_of(ROWS), evaluate_sum(ROWS, [chunk], [0, 1])) == -ROWS.half


def test_a_known_total_is_tighter_than_cells_times_value() -> None:
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, 8192, 0, 2**46)
    assert prove_headroom(CELLS, 8192, 0, 2**46, total=2**50).total == 2**50
    assert prove_headroom(CELLS, 2, -3, 1, total=2**50).total == 6


def test_noise_takes_its_room_too() -> None:
    scale = laplace_scale(2**40, 100_000)
    assert prove_headroom(CELLS, 10, 0, 2**40, scale=scale).noise == noise_bound(scale) == 46 * 10 * 2**40
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, 10, 0, 2**40, scale=Fraction(2**52))


@pytest.mark.parametrize(
    ("cells", "low", "high", "total", "reason"),
    [
        (0, 0, 1, None, "expected 1 to 67108864, got 0"),
        (-5, 0, 1, None, "got -5"),
        (2**26 + 1, 0, 1, None, "got 67108865"),
        (1, 2, 1, None, "expected low <= high, got 2 > 1"),
        (1, 0, 1, -1, "declared total"),
    ],
)
def test_declarations_that_make_no_sense(cells: int, low: int, high: int, total: int | None, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        prove_headroom(CELLS, cells, low, high, total=total)


def test_rows_refuse_sums_whose_rounding_could_reach_a_digit() -> None:
    """Values so wide that each is off by up to a half when encoded: 2^21 of them may be off by a digit."""
    assert prove_headroom(ROWS, 2**21, 0, 2**17).error < 2**17
    with pytest.raises(ParameterError, match="could reach the digits"):
        prove_headroom(ROWS, 2**21, 0, 2**26, total=2**38)


def test_weights_multiply_errors_and_must_leave_a_margin() -> None:
    plain = prove_headroom(CELLS, 100, 0, 1000, total=50_000)
    same = prove_headroom(CELLS, 100, 0, 1000, total=50_000, weight=100)
    heavy = prove_headroom(CELLS, 100, 0, 1000, total=50_000, weight=1 << 40)
    assert same == plain
    assert heavy.error >= 21 << 40
    assert heavy.margin_bits == 75
    with pytest.raises(ParameterError, match="smudging margin"):
        prove_headroom(CELLS, 100, 0, 1000, total=50_000, weight=1 << 76)
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, 100, 0, 1000, total=1 << 57, weight=1 << 60)
