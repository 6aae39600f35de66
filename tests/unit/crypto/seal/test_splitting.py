"""Two halves answer like the key, one half answers like nothing, and shares of both make the same number."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

from crypto.errors import InvalidKey, MalformedInput, ParameterError
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom import error_bound, noise_bound, prove_headroom
from crypto.seal.keys import SealingKey
from crypto.seal.noise import discrete_laplace
from crypto.seal.parameters import Profile
from crypto.seal.release import combine, join_shares, release_share
from crypto.seal.splitting import HalfKey, join, split, split_zero
from tests.unit.crypto.seal.goodness import chi_square_p, uniform_p
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS, column_of, key_of

IMPOSSIBLE = 1e-9
VALUES, _, CHUNKS = column_of(CELLS)
FIRST, SECOND = split(key_of(CELLS), square=True)


def polynomial(profile: Profile, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.stack([draw.integers(0, p, profile.degree, dtype=np.uint64) for p in profile.data_primes])


def words_of(half: HalfKey) -> np.ndarray:
    return np.frombuffer(half.to_bytes(), dtype="<u8")


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_the_halves_answers_add_up_to_the_keys_answer(profile: Profile) -> None:
    key = key_of(profile)
    one, other = split(key)
    for seed in range(5):
        c1 = polynomial(profile, seed)
        assert (one.answer(c1) + other.answer(c1)) % profile.modulus == key.answer(c1)


def test_answers_to_products_are_those_of_the_key_and_its_square() -> None:
    """Against Python's own integers: the square is read off one product of two large numbers."""
    n, q, key = ROWS.degree, ROWS.modulus, key_of(ROWS)
    secret = key.coefficients().tolist()
    packed = sum(value << (32 * place) for place, value in enumerate(secret)) ** 2
    full = []
    for _ in range(2 * n - 1):
        digit = (packed + (1 << 31)) % (1 << 32) - (1 << 31)
        full.append(digit)
        packed = (packed - digit) >> 32
    square = [full[i] - (full[n + i] if n + i < len(full) else 0) for i in range(n)]

    def constant(a: list[int], b: list[int]) -> int:
        return a[0] * b[0] - sum(a[i] * b[n - i] for i in range(1, n))

    c1, c2 = (polynomial(ROWS, seed) for seed in (1, 2))
    expected = (constant(secret, c1[0].tolist()) + constant(square, c2[0].tolist())) % q
    one, other = split(key, square=True)
    assert (one.answer_product(c1, c2) + other.answer_product(c1, c2)) % q == expected


@pytest.mark.parametrize("noise", [0, 1, -123_456, 1 << 50])
def test_shares_of_both_halves_make_the_number_that_the_whole_key_makes(noise: int) -> None:
    number = evaluate_sum(CELLS, CHUNKS, range(len(VALUES)))
    whole = combine(CELLS, number.c0, release_share(key_of(CELLS), number.c1, noise))
    shares = [release_share(FIRST, number.c1, noise), release_share(SECOND, number.c1, 0)]
    assert combine(CELLS, number.c0, join_shares(CELLS, shares)) == whole == int(VALUES.sum()) + noise


def test_both_holders_noise_is_in_the_number() -> None:
    number = evaluate_sum(CELLS, CHUNKS, [3])
    shares = [release_share(FIRST, number.c1, 40), release_share(SECOND, number.c1, -7)]
    assert combine(CELLS, number.c0, join_shares(CELLS, shares)) == int(VALUES[3]) + 33


@pytest.mark.parametrize("half", [FIRST, SECOND], ids=["first", "second"])
def test_one_share_alone_opens_to_nonsense(half: HalfKey) -> None:
    places = []
    for cell in range(300):
        number = evaluate_sum(CELLS, CHUNKS, [cell])
        guess = combine(CELLS, number.c0, release_share(half, number.c1, 0))
        assert abs(guess - int(VALUES[cell])) > 1 << 12
        places.append((guess + CELLS.half) / CELLS.plain_modulus)
    assert uniform_p(places) > IMPOSSIBLE


@pytest.mark.parametrize("side", [0, 1])
def test_a_half_is_uniform_wherever_the_key_is_and_whatever_it_is(side: int) -> None:
    """Chi-square over 64 bins of the words of a half, apart for coefficients that are -1, 0 and 1 in the key; the key
    itself fails the same test."""
    key = key_of(ROWS)
    prime = ROWS.data_primes[0]
    halves = [words_of(split(key)[side]) for _ in range(20)]
    for value in (-1, 0, 1):
        words = np.concatenate([half[key.coefficients() == value] for half in halves])
        bins = np.bincount((words.astype(np.float64) / prime * 64).astype(np.int64).clip(0, 63), minlength=64)
        assert chi_square_p(bins.tolist(), [words.size / 64] * 64) > IMPOSSIBLE
    lifted = (key.coefficients() % prime).astype(np.float64)
    bins = np.bincount((lifted / prime * 64).astype(np.int64).clip(0, 63), minlength=64)
    assert chi_square_p(bins.tolist(), [lifted.size / 64] * 64) < IMPOSSIBLE


def test_any_half_belongs_to_any_key() -> None:
    """The exact argument, executed: a given half has a partner for every key, found by subtraction."""
    given, _ = split(key_of(ROWS))
    another = SealingKey.generate(ROWS)
    prime = ROWS.data_primes[0]
    partner = (another.coefficients() - words_of(given).astype(object)) % prime
    half = HalfKey(ROWS, partner.astype(np.uint64).reshape(1, -1))
    c1 = polynomial(ROWS, 3)
    assert (given.answer(c1) + half.answer(c1)) % prime == another.answer(c1)


def test_two_splits_have_nothing_in_common() -> None:
    again, _ = split(key_of(CELLS), square=True)
    assert not (words_of(again) == words_of(FIRST)).any()


def test_refreshed_halves_answer_as_before_and_old_with_new_do_not() -> None:
    one, other = split_zero(CELLS, square=True)
    fresh, partner = FIRST.plus(one), SECOND.plus(other)
    c1, c2 = polynomial(CELLS, 5), polynomial(CELLS, 6)
    q = CELLS.modulus
    before = (FIRST.answer_product(c1, c2) + SECOND.answer_product(c1, c2)) % q
    assert (fresh.answer_product(c1, c2) + partner.answer_product(c1, c2)) % q == before
    assert (fresh.answer(c1) + partner.answer(c1)) % q == key_of(CELLS).answer(c1)
    number = evaluate_sum(CELLS, CHUNKS, [0])
    mixed = [release_share(fresh, number.c1, 0), release_share(SECOND, number.c1, 0)]
    assert abs(combine(CELLS, number.c0, join_shares(CELLS, mixed)) - int(VALUES[0])) > 1 << 12
    assert not (words_of(fresh) == words_of(FIRST)).any()


def test_two_smudgings_and_two_noises_leave_room_and_one_margin() -> None:
    """At the largest sum of any values, with the widest noise; and the proof refuses what two shares could spoil."""
    scale = Fraction(1 << 50)
    total = CELLS.half - 2 * noise_bound(scale) - 1
    proven = prove_headroom(CELLS, CELLS.max_cells, -1, 1 << 31, total=total, scale=scale, shares=2)
    alone = prove_headroom(CELLS, CELLS.max_cells, -1, 1 << 31, total=total, scale=scale)
    assert proven.margin_bits == alone.margin_bits >= 88
    assert proven.noise == 2 * alone.noise
    worst = error_bound(CELLS, CELLS.max_cells, CELLS.half, CELLS.half)
    assert worst + (2 << CELLS.smudging_bits) < CELLS.modulus // (2 * CELLS.plain_modulus)
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, CELLS.max_cells, -1, 1 << 31, total=total + 1, scale=scale, shares=2)
    with pytest.raises(ParameterError, match="digits of the total"):
        prove_headroom(ROWS, 10, 0, 1, shares=2)


def test_worst_smudging_of_both_holders_still_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    number = evaluate_sum(CELLS, CHUNKS, range(len(VALUES)))
    for extreme in (lambda width: width - 1, lambda _: 0):
        monkeypatch.setattr("crypto.seal.release.secrets.randbelow", extreme)
        shares = [release_share(half, number.c1, discrete_laplace(Fraction(3))) for half in (FIRST, SECOND)]
        found = combine(CELLS, number.c0, join_shares(CELLS, shares))
        assert abs(found - int(VALUES.sum())) < 2 * noise_bound(Fraction(3))


@pytest.mark.parametrize("square", [False, True])
def test_a_half_is_written_and_read_exactly(square: bool) -> None:
    half, _ = split(key_of(ROWS), square=square)
    again = HalfKey.from_bytes(ROWS, half.to_bytes())
    assert again.to_bytes() == half.to_bytes()
    assert len(half.to_bytes()) == 8 * ROWS.degree * (2 if square else 1)


def test_what_is_no_half_is_refused_without_telling_it() -> None:
    data = split(key_of(ROWS))[0].to_bytes()
    with pytest.raises(InvalidKey, match=f"expected {len(data)} or {2 * len(data)} bytes"):
        HalfKey.from_bytes(ROWS, data[:-1])
    with pytest.raises(InvalidKey, match="got another word"):
        HalfKey.from_bytes(ROWS, data[:-8] + b"\xff" * 8)


def test_a_half_shows_nothing_and_is_not_copied() -> None:
    assert repr(FIRST) == "HalfKey(bfv-8192-cells-1, secret)"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(FIRST)


def test_halves_of_different_kinds_do_not_add() -> None:
    rows, _ = split(key_of(ROWS))
    with_square, _ = split(key_of(ROWS), square=True)
    for other in (with_square, FIRST):
        with pytest.raises(ParameterError, match="two of one kind"):
            rows.plus(other)


def test_foreign_polynomials_and_missing_squares_are_refused() -> None:
    half, _ = split(key_of(ROWS))
    good = polynomial(ROWS, 1)
    with pytest.raises(ParameterError, match="half of the square"):
        half.answer_product(good, good)
    bad = good.copy()
    bad[0, 7] = ROWS.data_primes[0]
    with pytest.raises(MalformedInput, match="expected less than"):
        half.answer(bad)


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_two_halves_join_to_their_key_and_strangers_do_not(profile: Profile) -> None:
    one, other = split(key_of(profile))
    assert join(one, other).to_bytes() == join(other, one).to_bytes() == key_of(profile).to_bytes()
    stranger, _ = split(key_of(profile))
    with pytest.raises(InvalidKey, match="belong together"):
        join(one, stranger)


@pytest.mark.parametrize("shares", [[], [-1], [0, CELLS.modulus]])
def test_shares_out_of_range_do_not_join(shares: list[int]) -> None:
    with pytest.raises(ParameterError, match="one or more residues"):
        join_shares(CELLS, shares)
