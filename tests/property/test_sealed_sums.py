"""Laws of sealed data, for any values and any cells."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import CryptoError, MalformedInput, ParameterError
from crypto.seal.cells import SealedChunk, decrypt_chunk, open_chunk, seal_chunk
from crypto.seal.columns import group_rows, join_limbs, split_limbs
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom import prove_headroom
from crypto.seal.keys import SealingKey
from crypto.seal.noise import float_at_least, laplace_scale
from crypto.seal.parameters import PROFILES, Profile
from crypto.seal.release import combine, join_shares, open_number, release_share
from crypto.seal.splitting import split

CELLS, ROWS = PROFILES["bfv-8192-cells-1"], PROFILES["bfv-4096-rows-1"]
FEW = settings(max_examples=40, deadline=None)


@lru_cache
def key_of(profile: Profile) -> SealingKey:
    return SealingKey.generate(profile)


@lru_cache
def sealed(profile: Profile, values: tuple[int, ...]) -> SealedChunk:
    return open_chunk(profile, seal_chunk(key_of(profile), list(values)))


def values_below(bound: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1 - bound, bound - 1), min_size=1, max_size=40)


profiles = st.sampled_from([CELLS, ROWS])


@FEW
@given(profiles, st.data())
def test_decrypting_undoes_sealing(profile: Profile, data: st.DataObject) -> None:
    values = data.draw(values_below(profile.half))
    assert decrypt_chunk(key_of(profile), seal_chunk(key_of(profile), values)).tolist() == values


@FEW
@given(profiles, st.data())
def test_the_sum_of_any_cells_is_the_sum_modulo_t(profile: Profile, data: st.DataObject) -> None:
    values = data.draw(values_below(profile.half))
    cells = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1)))
    seen = open_number(key_of(profile), evaluate_sum(profile, [sealed(profile, tuple(values))], cells))
    assert (seen - sum(values[cell] for cell in cells)) % profile.plain_modulus == 0
    assert -profile.half <= seen < profile.half


@FEW
@given(values_below(1 << 40), st.data(), st.integers(-(1 << 50), 1 << 50))
def test_what_was_proven_is_released_exactly(values: list[int], data: st.DataObject, noise: int) -> None:
    prove_headroom(CELLS, len(values), min(values), max(values), scale=Fraction(1 << 50, 46))
    cells = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1)))
    number = evaluate_sum(CELLS, [sealed(CELLS, tuple(values))], cells)
    share = release_share(key_of(CELLS), number.c1, noise)
    assert combine(CELLS, number.c0, share) == sum(values[cell] for cell in cells) + noise


@FEW
@given(profiles, st.data())
def test_disjoint_questions_add_up(profile: Profile, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-1000, 1000), min_size=2, max_size=60))
    cut = data.draw(st.integers(1, len(values) - 1))
    chunk = sealed(profile, tuple(values))
    parts = [evaluate_sum(profile, [chunk], cells) for cells in (range(cut), range(cut, len(values)))]
    whole = evaluate_sum(profile, [chunk], range(len(values)))
    assert sum(part.c0 for part in parts) % profile.modulus == whole.c0
    primes = np.array(profile.data_primes, dtype=np.uint64)[:, None]
    assert np.array_equal((parts[0].c1 + parts[1].c1) % primes, whole.c1)


@FEW
@given(profiles, st.data())
def test_a_range_is_its_list(profile: Profile, data: st.DataObject) -> None:
    """Two ways to the same polynomial: by the difference of two prefixes, and by one pattern per chunk."""
    full = sealed(profile, tuple(range(profile.degree)))
    chunks, size = [full, full, sealed(profile, (1, 2, 3))], 2 * profile.degree + 3
    start = data.draw(st.integers(0, size - 1))
    cells = range(start, data.draw(st.integers(start + 1, size)))
    one, other = (evaluate_sum(profile, chunks, way) for way in (cells, list(cells)))
    assert (one.c0, one.request_digest()) == (other.c0, other.request_digest())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 128 + 8 * 4096 - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(offset: int, change: int) -> None:
    blob = bytearray(_blob())
    blob[offset] ^= change
    with pytest.raises(MalformedInput):
        open_chunk(ROWS, bytes(blob))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.integers(0, 128 + 8 * 4096 - 1)))
def test_any_other_bytes_are_refused(data: bytes | int) -> None:
    with pytest.raises(MalformedInput):
        open_chunk(ROWS, _blob()[:data] if isinstance(data, int) else data)


@lru_cache
def _blob() -> bytes:
    return seal_chunk(key_of(ROWS), range(100))


@given(st.lists(st.integers(0, (1 << 51) - 1), min_size=1, max_size=50))
def test_limbs_join_to_the_total(values: list[int]) -> None:
    limbs = split_limbs(np.array(values), 17, 3)
    assert all(int(limb.min()) >= 0 and int(limb.max()) < 1 << 17 for limb in limbs)
    assert join_limbs([int(limb.sum()) for limb in limbs], 17) == sum(values)


@given(st.lists(st.integers(0, 6), max_size=80))
def test_grouped_rows_are_a_rearrangement_in_ranges(groups: list[int]) -> None:
    order, ranges = group_rows(np.array(groups, dtype=np.int64), 7)
    assert sorted(order.tolist()) == list(range(len(groups)))
    for group, cells in enumerate(ranges):
        assert [groups[row] for row in order[cells.start : cells.stop]] == [group] * groups.count(group)


@given(st.integers(1, 1 << 50), st.integers(1, 10**9))
def test_the_sampled_scale_protects_at_least_as_much_as_the_exact_one(sensitivity: int, epsilon: int) -> None:
    try:
        scale = laplace_scale(sensitivity, epsilon)
    except CryptoError:
        assert Fraction(sensitivity * 1_000_000, epsilon) > 1 << 52
        return
    assert scale * epsilon == sensitivity * 1_000_000
    assert Fraction(float_at_least(scale)) >= scale


@given(st.integers(1, 1 << 26), st.integers(-(1 << 58), 1 << 58), st.integers(-(1 << 58), 1 << 58))
def test_the_planner_proves_exactly_what_cannot_wrap(cells: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    fits = cells * max(abs(low), abs(high)) < CELLS.half
    if fits:
        assert prove_headroom(CELLS, cells, low, high).margin_bits >= 40
    else:
        with pytest.raises(ParameterError, match="could wrap"):
            prove_headroom(CELLS, cells, low, high)


@FEW
@given(values_below(1 << 40), st.data(), st.integers(-(1 << 50), 1 << 50), st.integers(-(1 << 50), 1 << 50))
def test_two_halves_release_the_number_that_the_key_releases(
    values: list[int], data: st.DataObject, noise: int, other: int
) -> None:
    cells = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1)))
    number = evaluate_sum(CELLS, [sealed(CELLS, tuple(values))], cells)
    shares = [
        release_share(half, number.c1, drawn) for half, drawn in zip(split(key_of(CELLS)), (noise, other), strict=True)
    ]
    whole = combine(CELLS, number.c0, release_share(key_of(CELLS), number.c1, noise + other))
    assert combine(CELLS, number.c0, join_shares(CELLS, shares)) == whole
