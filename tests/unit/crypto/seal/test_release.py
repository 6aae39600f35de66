"""A release gives one number and nothing else: the total plus exactly the noise, and garbage without the share."""

from fractions import Fraction

import numpy as np
import pytest

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.evaluate import SealedNumber, evaluate_sum
from crypto.seal.keys import SealingKey
from crypto.seal.noise import discrete_laplace
from crypto.seal.release import add_noise, combine, open_number, release_share
from tests.unit.crypto.seal.goodness import discrete_laplace_p, uniform_p
from tests.unit.crypto.seal.samples import CELLS, ROWS, column_of, hidden_error, key_of

IMPOSSIBLE = 1e-9
KEY = key_of(CELLS)
VALUES, _, CHUNKS = column_of(CELLS)


def number_of(*cells: int) -> SealedNumber:
    return evaluate_sum(CELLS, CHUNKS, list(cells))


@pytest.mark.parametrize("noise", [0, 1, -1, 123_456, -(1 << 50)])
def test_the_recipient_gets_the_total_plus_the_noise(noise: int) -> None:
    number = evaluate_sum(CELLS, CHUNKS, range(len(VALUES)))
    share = release_share(KEY, number.c1, noise)
    assert combine(CELLS, number.c0, share) == int(VALUES.sum()) + noise


def test_noise_may_be_added_to_a_share_that_was_made_without() -> None:
    number = number_of(0, 1)
    share = add_noise(CELLS, release_share(KEY, number.c1, 0), -77)
    assert combine(CELLS, number.c0, share) == int(VALUES[0] + VALUES[1]) - 77
    with pytest.raises(ParameterError, match="noise: expected a magnitude below"):
        add_noise(CELLS, share, CELLS.half)


def test_negative_totals() -> None:
    smallest = int(np.argmin(VALUES))
    number = number_of(smallest)
    assert combine(CELLS, number.c0, release_share(KEY, number.c1, -5)) == int(VALUES[smallest]) - 5 < 0


def test_released_noise_has_the_claimed_distribution() -> None:
    """The whole path, from the draw to the decoded number: 1500 releases of one cell, against the claimed law."""
    number, scale = number_of(3), Fraction(7, 2)
    seen = [combine(CELLS, number.c0, release_share(KEY, number.c1, discrete_laplace(scale))) for _ in range(1500)]
    assert discrete_laplace_p(seen, float(scale), centre=int(VALUES[3])) > IMPOSSIBLE
    assert discrete_laplace_p(seen, 2 * float(scale), centre=int(VALUES[3])) < IMPOSSIBLE


def test_smudging_is_uniform_over_its_whole_width_and_fresh_each_time() -> None:
    """Beyond the number the recipient can compute error plus smudging, which must look like the smudging alone."""
    number, q, t = number_of(1, 2), CELLS.modulus, CELLS.plain_modulus
    encoded = (q * (int(VALUES[1]) + int(VALUES[2])) + t // 2) // t
    width = 1 << CELLS.smudging_bits
    places = []
    for _ in range(1500):
        rest = (number.c0 + release_share(KEY, number.c1, 0) - encoded) % q
        places.append(((rest if rest < q // 2 else rest - q) + width) / (2 * width))
    assert uniform_p(places) > IMPOSSIBLE
    assert len(set(places)) == 1500
    assert abs(hidden_error(KEY, number, int(VALUES[1] + VALUES[2]))) < 64


def test_without_the_share_the_recipient_decodes_garbage() -> None:
    """c0 alone decodes to uniform nonsense, wherever the data are."""
    places = []
    for cell in range(300):
        guess = combine(CELLS, number_of(cell).c0, 0)
        assert abs(guess - int(VALUES[cell])) > 1 << 12
        places.append((guess + CELLS.half) / CELLS.plain_modulus)
    assert uniform_p(places) > IMPOSSIBLE


def test_a_share_opens_its_own_number_and_no_other() -> None:
    """The share for one cell, tried on every other cell's c0: nonsense, of the size of t."""
    share = release_share(KEY, number_of(0).c1, 0)
    places = []
    for cell in range(1, 300):
        guess = combine(CELLS, number_of(cell).c0, share)
        assert abs(guess - int(VALUES[cell])) > 1 << 12
        places.append((guess + CELLS.half) / CELLS.plain_modulus)
    assert uniform_p(places) > IMPOSSIBLE
    assert combine(CELLS, number_of(0).c0, share) == int(VALUES[0])


def test_a_share_of_another_key_opens_nothing() -> None:
    number = number_of(0, 1)
    share = release_share(SealingKey.generate(CELLS), number.c1, 0)
    assert abs(combine(CELLS, number.c0, share) - int(VALUES[0] + VALUES[1])) > 1 << 12


def test_shares_add_up_only_to_the_sum_of_their_own_numbers() -> None:
    """Two released numbers give their sum, which the recipient could add up anyway, and so nothing new."""
    first, second = number_of(0), number_of(1)
    together = sum(release_share(KEY, number.c1, 0) for number in (first, second)) % CELLS.modulus
    c0 = (first.c0 + second.c0) % CELLS.modulus
    assert combine(CELLS, c0, together) == int(VALUES[0] + VALUES[1])
    assert abs(combine(CELLS, number_of(2).c0, together) - int(VALUES[2])) > 1 << 12


def test_nothing_is_released_from_a_profile_that_cannot_smudge() -> None:
    _, _, chunks = column_of(ROWS)
    number = evaluate_sum(ROWS, chunks, [0])
    with pytest.raises(ParameterError, match="releases nothing"):
        release_share(key_of(ROWS), number.c1, 0)


def test_the_owner_opens_exactly() -> None:
    values, _, chunks = column_of(ROWS)
    assert open_number(key_of(ROWS), evaluate_sum(ROWS, chunks, range(9000))) == int(values[:9000].sum())
    assert open_number(KEY, number_of(4, 9)) == int(VALUES[4] + VALUES[9])


@pytest.mark.parametrize("noise", [CELLS.half, -CELLS.half, 1 << 70])
def test_noise_that_would_wrap(noise: int) -> None:
    with pytest.raises(ParameterError, match="noise: expected a magnitude below"):
        release_share(KEY, number_of(0).c1, noise)


def test_a_c1_that_is_no_polynomial_of_the_profile() -> None:
    bad = number_of(0).c1.copy()
    bad[2, 5] = CELLS.data_primes[2]
    with pytest.raises(MalformedInput, match="expected less than"):
        release_share(KEY, bad, 0)
    with pytest.raises(MalformedInput, match="expected uint64 of shape"):
        release_share(KEY, bad[:2], 0)


@pytest.mark.parametrize(("c0", "share"), [(-1, 0), (0, -1), (CELLS.modulus, 0), (0, CELLS.modulus)])
def test_residues_out_of_range(c0: int, share: int) -> None:
    with pytest.raises(ParameterError, match="expected a residue"):
        combine(CELLS, c0, share)
