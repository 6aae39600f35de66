"""Sums over hidden categories: right against numpy, proven, the same everywhere, and smudged."""

import hashlib
import multiprocessing
import secrets
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.headroom_products import product_error, prove_product
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS, PRODUCTS
from crypto.seal.products import (
    RowChunk,
    SealedProduct,
    add_products,
    combine_product,
    evaluate_product,
    open_rows,
    read_product,
    release_product,
    seal_rows,
)
from crypto.seal.release import join_shares
from crypto.seal.splitting import split

N, Q, T = PRODUCTS.degree, PRODUCTS.modulus, PRODUCTS.plain_modulus
ROWS, LARGEST = N + 700, 200_000
DRAW = np.random.default_rng(3)
VALUES = DRAW.integers(-LARGEST, LARGEST, ROWS)
CATEGORY = DRAW.integers(0, 3, ROWS)
KEY = SealingKey.generate(PRODUCTS)
PROVEN = prove_product(PRODUCTS, rows=ROWS, chunks=2, indicators=2, total=ROWS * LARGEST, scale=1000)


def sealed(values: np.ndarray) -> list[bytes]:
    return [seal_rows(KEY, values[start : start + N]) for start in range(0, len(values), N)]


BLOBS = [sealed(VALUES), *(sealed(np.equal(CATEGORY, category).astype(np.int64)) for category in range(3))]
MEASURE, *INDICATORS = [[open_rows(PRODUCTS, blob) for blob in column] for column in BLOBS]
SOME = np.arange(ROWS) % 3 != 1


def error_of(number: SealedProduct, total: int) -> int:
    """The ciphertext's error at the released coefficient."""
    message = total * pow(N, -1, T) % T
    error = (number.c0 + KEY.answer_product(number.c1, number.c2) - (Q * message + T // 2) // T) % Q
    return error - Q if error > Q // 2 else error


def released(number: SealedProduct, noise: int = 0) -> int:
    return combine_product(PRODUCTS, number.c0, release_product(KEY, number.c1, number.c2, noise, PROVEN))


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.001, 0.5, 1.0]),
    st.sets(st.integers(0, 2), min_size=1),
    st.integers(-999, 999),
)
def test_numbers_are_numpys_and_their_noise(seed: int, share: float, categories: set[int], noise: int) -> None:
    mask = np.random.default_rng(seed).random(ROWS) < share
    mask[0] = True
    number = evaluate_product(PRODUCTS, MEASURE, [INDICATORS[index] for index in sorted(categories)], mask)
    expected = int(VALUES[mask & np.isin(CATEGORY, list(categories))].sum())
    proven = prove_product(PRODUCTS, rows=ROWS, chunks=2, indicators=3, total=ROWS * LARGEST, scale=1000)
    assert combine_product(PRODUCTS, number.c0, release_product(KEY, number.c1, number.c2, noise, proven)) == (
        expected + noise
    )
    assert abs(error_of(number, expected)) <= product_error(PRODUCTS, 2, len(categories))


def test_counts_are_products_with_a_column_of_ones() -> None:
    ones = [open_rows(PRODUCTS, blob) for blob in sealed(np.ones(ROWS, dtype=np.int64))]
    assert released(evaluate_product(PRODUCTS, ones, INDICATORS[:1], SOME)) == int((SOME & (CATEGORY == 0)).sum())


def test_the_widest_error_stays_within_the_bound_and_is_not_far_below_it_by_accident() -> None:
    """Values and masks with full-size coefficients: the bound has to hold where they are largest."""
    wide = DRAW.integers(-(T // 2) + 1, T // 2, N)
    column, flags = open_rows(PRODUCTS, seal_rows(KEY, wide)), open_rows(PRODUCTS, seal_rows(KEY, wide[::-1].copy()))
    number = evaluate_product(PRODUCTS, [column], [[flags]], np.arange(N) % 2 == 0)
    total = sum(int(a) * int(b) for a, b in zip(wide[::2], wide[::-1][::2], strict=True))
    error, bound = abs(error_of(number, total)), product_error(PRODUCTS, 1, 1)
    assert T * T < error <= bound


def test_two_halves_make_the_number() -> None:
    one, other = split(KEY, square=True)
    number = evaluate_product(PRODUCTS, MEASURE, INDICATORS[:2], SOME)
    shares = [release_product(half, number.c1, number.c2, 5, PROVEN) for half in (one, other)]
    expected = int(VALUES[SOME & (CATEGORY < 2)].sum()) + 10
    assert combine_product(PRODUCTS, number.c0, join_shares(PRODUCTS, shares)) == expected
    assert combine_product(PRODUCTS, number.c0, shares[0]) != expected


def _digest(blobs: list[list[bytes]]) -> tuple[int, bytes]:
    measure, *indicators = [[open_rows(PRODUCTS, blob) for blob in column] for column in blobs]
    number = evaluate_product(PRODUCTS, measure, indicators[:2], SOME)
    return number.c0, number.request_digest()


def test_other_processes_get_the_same_bytes() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(_digest, [BLOBS, BLOBS], chunksize=1)
    assert found == [_digest(BLOBS)] * 2


def test_without_smudging_a_share_tells_the_error_and_with_it_the_error_is_drowned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = evaluate_product(PRODUCTS, MEASURE, INDICATORS[:1], SOME)
    total = int(VALUES[SOME & (CATEGORY == 0)].sum())
    message = total * pow(N, -1, T) % T

    def error_seen() -> int:
        """What a recipient who knows the total learns of the error."""
        share = release_product(KEY, number.c1, number.c2, 0, PROVEN)
        seen = (number.c0 + share - (Q * message + T // 2) // T) % Q
        return seen - Q if seen > Q // 2 else seen

    true = error_of(number, total)
    assert abs(error_seen()) > abs(true) << 40
    monkeypatch.setattr(secrets, "randbelow", lambda width: width // 2)
    assert abs(error_seen() - true) <= 1


def test_numbers_that_could_wrap_or_show_their_error_are_refused() -> None:
    with pytest.raises(ParameterError, match="could wrap"):
        prove_product(PRODUCTS, rows=ROWS, chunks=2, indicators=1, total=T // 2)
    with pytest.raises(ParameterError, match="could wrap"):
        prove_product(PRODUCTS, rows=ROWS, chunks=2, indicators=1, total=T // 2 - 40, scale=1)
    with pytest.raises(ParameterError, match="margin"):
        prove_product(PRODUCTS, rows=1 << 22, chunks=1 << 9, indicators=1000, total=1)
    with pytest.raises(ParameterError, match="digits"):
        prove_product(PRODUCTS, rows=ROWS, chunks=2, indicators=1, total=1, shares=8)
    with pytest.raises(ParameterError, match="rows"):
        prove_product(PRODUCTS, rows=(1 << 22) + 1, chunks=1 << 9, indicators=1, total=1)


def test_a_share_is_refused_more_noise_than_was_proven() -> None:
    number = evaluate_product(PRODUCTS, MEASURE, INDICATORS[:1], SOME)
    with pytest.raises(ParameterError, match="noise"):
        release_product(KEY, number.c1, number.c2, PROVEN.noise + 1, PROVEN)


def test_the_largest_numbers_of_the_profile_have_room_for_two_holders() -> None:
    proven = prove_product(PRODUCTS, rows=1 << 22, chunks=1 << 9, indicators=8, total=1 << 32, scale=1000, shares=2)
    assert proven.margin_bits >= 40


@pytest.mark.parametrize(
    ("measure", "indicators", "mask"),
    [
        (MEASURE, [], SOME),
        (MEASURE, [INDICATORS[0][:1]], SOME),
        (MEASURE[::-1], [INDICATORS[0][::-1]], SOME),
        (MEASURE, INDICATORS[:1], SOME[1:]),
        (MEASURE, INDICATORS[:1], np.zeros(ROWS, dtype=np.bool_)),
        (MEASURE, INDICATORS[:1], SOME.astype(np.int64)),
        ([RowChunk(CELLS, N, None), MEASURE[1]], INDICATORS[:1], SOME),
    ],
)
def test_what_is_no_product_of_columns_is_refused(
    measure: Sequence[RowChunk], indicators: Sequence[Sequence[RowChunk]], mask: np.ndarray
) -> None:
    with pytest.raises(ParameterError):
        evaluate_product(PRODUCTS, measure, indicators, mask)


@pytest.mark.parametrize("values", [[], [T // 2], [-(T // 2)], [1] * (N + 1)])
def test_rows_that_do_not_fit_a_chunk_are_not_sealed(values: list[int]) -> None:
    with pytest.raises(ParameterError):
        seal_rows(KEY, np.array(values, dtype=np.int64))


def test_blobs_and_requests_of_another_form_are_refused() -> None:
    with pytest.raises(MalformedInput):
        open_rows(PRODUCTS, BLOBS[0][0][:-8])
    with pytest.raises(ParameterError, match="slots"):
        open_rows(CELLS, BLOBS[0][0])
    with pytest.raises(ParameterError, match="slots"):
        seal_rows(SealingKey.generate(CELLS), VALUES[:3])
    number = evaluate_product(PRODUCTS, MEASURE, INDICATORS[:1], SOME)
    for c1, c2 in ((number.c1[:3], number.c2), (number.c1, number.c2 + np.uint64(1 << 50))):
        with pytest.raises(MalformedInput):
            release_product(KEY, c1, c2, 0, PROVEN)
    with pytest.raises(ParameterError, match="residues"):
        combine_product(PRODUCTS, Q, 0)


def test_a_request_is_read_exactly_and_nothing_else_is() -> None:
    number = evaluate_product(PRODUCTS, MEASURE, INDICATORS[:1], SOME)
    data = number.request()
    again = read_product(PRODUCTS, number.c0, data)
    assert (again.c0, again.request_digest()) == (number.c0, hashlib.sha256(data).digest())
    assert number.request_digest() == again.request_digest()
    words = np.frombuffer(data[-8 * PRODUCTS.words :], dtype="<u8").copy()
    words[7] = PRODUCTS.data_primes[0]
    for bad in (b"", data[:-1], data + b"0", b"x" + data[1:], data[: -8 * PRODUCTS.words] + words.tobytes()):
        with pytest.raises(MalformedInput):
            read_product(PRODUCTS, 0, bad)


def test_numbers_are_added_and_of_none_the_sum_is_zero() -> None:
    parts = [evaluate_product(PRODUCTS, MEASURE, INDICATORS[:1], mask) for mask in (SOME, ~SOME)]
    assert released(add_products(PRODUCTS, parts)) == int(VALUES[CATEGORY == 0].sum())
    assert released(add_products(PRODUCTS, [])) == 0
