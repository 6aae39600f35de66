"""Pads: exact for any runs, refused where they could wrap, the same as a second implementation, and nothing more."""

import hashlib
import itertools
import json
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crypto.errors import InvalidKey, MalformedInput, ParameterError
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import (
    CHUNK,
    MAX_VALUES,
    OVERHEAD,
    PAD_PROFILES,
    PADS_24,
    PADS_64,
    PadChunk,
    PadProfile,
    pad_profile,
    read_chunk,
    write_chunk,
)
from crypto.seal.pads import PadProof, combine_padded, prove_pads, release_padded, seal_padded
from tests.unit.crypto.seal.plain_pads import VECTORS, make_vectors

CASES = json.loads(VECTORS.read_text(encoding="utf-8"))
EVERY = sorted(PAD_PROFILES.values(), key=lambda item: item.bits)
ANY = PadProof(0, 1 << 70)
FEW = settings(max_examples=60, deadline=None)


def sheet(column: str = "sum:fare", block: int = 0) -> Sheet:
    return Sheet(block, column, fresh_salt())


def sealed(key: PadKey, page: Sheet, values: NDArray[np.int64]) -> list[bytes]:
    return [seal_padded(key, page, at, values[at : at + CHUNK]) for at in range(0, len(values), CHUNK)]


def released(key: PadKey, page: Sheet, blobs: list[bytes], runs: Runs, noise: int = 0) -> int:
    """By two holders of a whole key, each with its noise; by one of a half."""
    total = evaluate_runs(key.profile, open_padded(key.profile, blobs), runs)
    halves = key.split() if key.is_whole else (key,)
    return combine_padded(key.profile, total, [release_padded(half, [(page, runs)], noise, ANY) for half in halves])


def runs_below(rows: int) -> st.SearchStrategy[Runs]:
    """A few runs, with gaps and without."""
    return st.sets(st.integers(0, rows), min_size=2, max_size=12).flatmap(
        lambda ends: (
            st.lists(st.integers(-(1 << 62), 1 << 62), min_size=len(ends) - 1, max_size=len(ends) - 1)
            .filter(any)
            .map(lambda weights: _runs(sorted(ends), weights))
        )
    )


def _runs(ends: list[int], weights: list[int]) -> Runs:
    kept = [(range(a, b), w) for a, b, w in zip(ends, ends[1:], weights, strict=False) if w]
    return Runs.of(*(rows for rows, _ in kept), weights=[w for _, w in kept])


def expected(profile: PadProfile, values: NDArray[np.int64], runs: Runs, noise: int = 0) -> int:
    total = noise
    for start, stop, weight in zip(runs.starts.tolist(), runs.stops.tolist(), runs.weights.tolist(), strict=True):
        total += weight * sum(values[start:stop].tolist())
    return (total + profile.half) % profile.modulus - profile.half


@pytest.mark.parametrize("case", CASES, ids=[f"{c['profile']} from {c['start']}" for c in CASES])
def test_the_vectors_of_the_second_implementation(case: dict[str, Any]) -> None:
    profile = pad_profile(case["profile"])
    page = Sheet(case["block"], case["column"], bytes.fromhex(case["salt"]))
    key = PadKey.from_bytes(profile, bytes.fromhex("".join(case["keys"])))
    blob = seal_padded(key, page, case["start"], np.array(case["values"]))
    assert blob.hex() == case["blob"]
    runs = Runs.of(*(range(a, b) for a, b, _ in case["runs"]), weights=[w for *_, w in case["runs"]])
    shares = [release_padded(half, [(page, runs)], case["noise"], ANY) for half in key.split()]
    assert shares == case["shares"]
    chunk = read_chunk(profile, blob)
    before = PadChunk(profile, chunk.salt, 0, np.zeros(chunk.start, dtype=chunk.words.dtype))
    chunks = [before, chunk] if chunk.start else [chunk]
    assert combine_padded(profile, evaluate_runs(profile, chunks, runs), shares) == case["number"]


def test_the_vectors_are_what_their_generator_makes() -> None:
    assert make_vectors() == CASES


@FEW
@given(st.sampled_from(EVERY), st.data())
def test_any_runs_give_numpys_sum_and_the_noise(profile: PadProfile, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 200))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    values = draw.integers(1 - profile.half, profile.half, rows)
    runs, noise = data.draw(runs_below(rows)), data.draw(st.integers(-1000, 1000))
    key, page = PadKey.generate(profile), sheet()
    blobs = sealed(key, page, values)
    assert released(key, page, blobs, runs, noise) == expected(profile, values, runs, 2 * noise)
    total = evaluate_runs(profile, open_padded(profile, blobs), runs)
    whole = release_padded(key, [(page, runs)], noise, ANY)
    assert combine_padded(profile, total, [whole]) == expected(profile, values, runs, noise)


@pytest.mark.parametrize("profile", EVERY, ids=[p.name for p in EVERY])
@pytest.mark.parametrize("step", [1, 2, 9, 5000, 3 * CHUNK])
def test_runs_over_chunks_dense_and_sparse(profile: PadProfile, step: int) -> None:
    draw, rows = np.random.default_rng(step), 2 * CHUNK + 100
    values, ends = draw.integers(-500, 500, rows), np.append(np.arange(7, rows, step), rows)
    key, page = PadKey.generate(profile), sheet()
    blobs = sealed(key, page, values)
    weights = draw.integers(1, 9, ends.size - 1)
    for chosen in (slice(None), slice(None, None, 2)):  # without gaps and with
        runs = Runs(ends[:-1][chosen], ends[1:][chosen], weights[chosen])
        assert released(key, page, blobs, runs) == expected(profile, values, runs)


@given(st.sets(st.integers(0, 6 * CHUNK), min_size=2, max_size=12), st.booleans())
def test_the_chunks_of_runs_are_those_with_a_row_in_them(ends: set[int], gaps: bool) -> None:
    edges = sorted(ends)
    pairs = list(itertools.pairwise(edges))[:: 2 if gaps else 1]
    touched = {number for a, b in pairs for number in range(a // CHUNK, (b - 1) // CHUNK + 1)}
    assert Runs.of(*(range(a, b) for a, b in pairs)).chunks() == sorted(touched)


@FEW
@given(st.sampled_from(EVERY), st.integers(0, 5000), st.integers(1, 300))
def test_words_at_places_are_words_of_the_stream(profile: PadProfile, first: int, count: int) -> None:
    key, page = PadKey.generate(profile), sheet()
    stream, index = key.words(page, first, count), np.arange(first, first + count)
    assert np.array_equal(key.words_at(page, index), stream)
    assert np.array_equal(key.words_at(page, index[::7]), stream[::7])
    assert np.array_equal(key.words(page, 0, first + count)[first:], stream)


@given(st.sampled_from(EVERY), st.integers(1, 1 << 40), st.integers(-(1 << 62), 1 << 62), st.integers(1, 1 << 30))
def test_what_could_wrap_is_refused_and_nothing_else(profile: PadProfile, weight: int, value: int, scale: int) -> None:
    for shares in (1, 2):
        if weight * abs(value) + shares * 46 * scale < profile.half:
            proof = prove_pads(profile, weight, 0, abs(value), scale=Fraction(scale), shares=shares)
            assert proof == PadProof(weight * abs(value), shares * 46 * scale)
        else:
            with pytest.raises(ParameterError, match="could wrap"):
                prove_pads(profile, weight, -abs(value), 0, scale=Fraction(scale), shares=shares)


def test_a_tighter_total_is_taken_and_a_wrong_bound_refused() -> None:
    assert prove_pads(PADS_24, 1 << 20, 0, 1 << 10, total=1000) == PadProof(1000, 0)
    for weight, low, high, total in ((0, 0, 1, None), (1, 2, 1, None), (1, 0, 1, -1)):
        with pytest.raises(ParameterError, match="declared bounds"):
            prove_pads(PADS_24, weight, low, high, total=total)


def test_a_sum_that_was_not_proven_does_wrap() -> None:
    """Why the proof is asked for: without it the released number is simply wrong."""
    key, page, values = PadKey.generate(PADS_24), sheet(), np.full(100, 100_000)
    assert released(key, page, sealed(key, page, values), Runs.of(range(100))) != 10_000_000


def test_a_share_is_refused_more_noise_than_was_proven() -> None:
    with pytest.raises(ParameterError, match="noise"):
        release_padded(PadKey.generate(PADS_64), [(sheet(), Runs.of(range(3)))], 11, PadProof(5, 10))


def test_a_changed_ciphertext_changes_the_number_by_as_much_and_only_its_digest_tells() -> None:
    key, page, values = PadKey.generate(PADS_64), sheet(), np.arange(50)
    blob = sealed(key, page, values)[0]
    chunk = read_chunk(PADS_64, blob)
    words = chunk.words.copy()
    words[7] += 1000
    forged = write_chunk(PadChunk(PADS_64, chunk.salt, 0, words))
    assert released(key, page, [forged], Runs.of(range(50))) == int(values.sum()) + 1000
    assert hashlib.sha256(forged).digest() != hashlib.sha256(blob).digest()


@pytest.mark.parametrize("other", ["column", "block", "salt", "key"])
def test_nothing_opens_with_another_sheet_or_key(other: str) -> None:
    key, page, values = PadKey.generate(PADS_64), sheet(), np.arange(1000)
    wrong = {
        "column": Sheet(0, "sum:tip", page.salt),
        "block": Sheet(1, page.column, page.salt),
        "salt": sheet(),
        "key": page,
    }
    holder = PadKey.generate(PADS_64) if other == "key" else key
    assert released(holder, wrong[other], sealed(key, page, values), Runs.of(range(1000))) != int(values.sum())


def test_one_holder_of_two_opens_nothing() -> None:
    key, page, values = PadKey.generate(PADS_64), sheet(), np.arange(1000)
    blobs = sealed(key, page, values)
    for half in key.split():
        assert released(half, page, blobs, Runs.of(range(1000))) != int(values.sum())
    assert released(key, page, blobs, Runs.of(range(1000))) == int(values.sum())


def test_padded_residues_of_a_constant_column_look_uniform() -> None:
    """All bits of c and of its differences are balanced within five standard deviations, whatever the width."""
    for profile in EVERY:
        blobs = sealed(PadKey.generate(profile), sheet(), np.zeros(CHUNK, dtype=np.int64))
        words = open_padded(profile, blobs)[0].words.astype(np.uint64)
        for seen in (words, np.diff(words), np.cumsum(words)):
            for bit in range(profile.bits):
                ones = int((seen >> np.uint64(bit) & np.uint64(1)).sum())
                assert abs(ones - seen.size / 2) < 5 * seen.size**0.5 / 2


def test_two_sealings_of_the_same_values_share_no_residue() -> None:
    key, values = PadKey.generate(PADS_64), np.zeros(1000, dtype=np.int64)
    one, other = (open_padded(PADS_64, sealed(key, sheet(), values))[0].words for _ in range(2))
    assert not np.intersect1d(one, other).size


@pytest.mark.parametrize("profile", EVERY, ids=[p.name for p in EVERY])
def test_bytes_per_value_at_rest(profile: PadProfile) -> None:
    blob = seal_padded(PadKey.generate(profile), sheet(), 0, np.zeros(CHUNK, dtype=np.int64))
    assert len(blob) == OVERHEAD + CHUNK * profile.bits // 8


@settings(max_examples=200, deadline=None)
@given(st.integers(0, OVERHEAD + 300 - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(offset: int, change: int) -> None:
    blob = bytearray(_blob())
    blob[offset] ^= change
    with pytest.raises(MalformedInput):
        read_chunk(PADS_24, bytes(blob))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.integers(0, OVERHEAD + 300 - 1)))
def test_any_other_bytes_are_refused(data: bytes | int) -> None:
    with pytest.raises(MalformedInput):
        read_chunk(PADS_24, _blob()[:data] if isinstance(data, int) else data)


_KEY = PadKey.from_bytes(PADS_24, bytes(range(64)))


def _blob() -> bytes:
    return seal_padded(_KEY, Sheet(0, "x", bytes(16)), 0, np.arange(100))


def _remade(blob: bytes, **fields: int) -> bytes:
    """The blob with a field changed and its checksum made right, so that a later check is the one that speaks."""
    changed = bytearray(blob)
    places = {"version": (8, 2), "zero": (10, 2), "count": (12, 4), "start": (80, 8)}
    for name, value in fields.items():
        at, size = places[name]
        changed[at : at + size] = value.to_bytes(size, "little")
    changed[32:64] = hashlib.sha256(changed[:32] + changed[64:]).digest()
    return bytes(changed)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"version": 2}, "version"),
        ({"zero": 1}, "reserved"),
        ({"count": 0}, "count"),
        ({"count": CHUNK + 1}, "count"),
        ({"count": 99}, "length"),
        ({"start": 1}, "first value"),
        ({"start": MAX_VALUES}, "first value"),
        ({"start": (1 << 64) - CHUNK}, "first value"),
    ],
)
def test_a_field_out_of_range_is_named(fields: dict[str, int], said: str) -> None:
    with pytest.raises(MalformedInput, match=said):
        read_chunk(PADS_24, _remade(_blob(), **fields))


def test_a_blob_of_another_width_is_refused() -> None:
    with pytest.raises(MalformedInput, match="parameter set"):
        read_chunk(PADS_64, _blob())


def test_chunks_out_of_order_or_of_two_sheets_are_no_column() -> None:
    key, page = PadKey.generate(PADS_24), sheet()
    blobs = sealed(key, page, np.zeros(CHUNK + 5, dtype=np.int64))
    again = sealed(key, sheet(), np.zeros(CHUNK + 5, dtype=np.int64))
    short = seal_padded(key, page, 0, np.zeros(CHUNK - 1, dtype=np.int64))
    for column in (blobs[::-1], blobs[1:], [blobs[0], again[1]], [short, blobs[1]]):
        with pytest.raises(MalformedInput, match="padded column"):
            open_padded(PADS_24, column)


@pytest.mark.parametrize(
    ("start", "values"),
    [
        (0, []),
        (0, [0] * (CHUNK + 1)),
        (0, [PADS_24.half]),
        (0, [-PADS_24.half]),
        (0, [[1, 2]]),
        (0, [0.5]),
        (1, [0]),
        (-CHUNK, [0]),
        (MAX_VALUES, [0]),
    ],
)
def test_values_that_do_not_fit_are_not_sealed(start: int, values: list[Any]) -> None:
    with pytest.raises(ParameterError):
        seal_padded(_KEY, sheet(), start, np.array(values))


def test_half_a_key_seals_nothing() -> None:
    with pytest.raises(ParameterError, match="whole key"):
        seal_padded(_KEY.split()[0], sheet(), 0, np.arange(3))


def test_halves_make_the_key_and_nothing_else_does() -> None:
    one, other = _KEY.split()
    assert one.join(other).to_bytes() == _KEY.to_bytes()
    assert {one.is_whole, other.is_whole} == {False}
    stranger = PadKey.generate(PADS_64).split()[0]
    for pair in ((one, one), (one, stranger), (one, _KEY), (_KEY, one)):
        with pytest.raises(InvalidKey, match="pad key"):
            pair[0].join(pair[1])
    with pytest.raises(ParameterError, match="half"):
        one.split()


@pytest.mark.parametrize(
    ("starts", "stops", "weights"),
    [
        ([], [], []),
        ([3], [3], [1]),
        ([0], [3], [0]),
        ([-1], [3], [1]),
        ([0, 2], [3, 4], [1, 1]),
        ([4, 0], [5, 1], [1, 1]),
        ([0], [1, 2], [1]),
    ],
)
def test_what_is_no_runs_is_refused(starts: list[int], stops: list[int], weights: list[int]) -> None:
    with pytest.raises(ParameterError, match="runs"):
        Runs(*(np.array(part, dtype=np.int64) for part in (starts, stops, weights)))


def test_runs_beyond_the_column_and_chunks_of_another_kind_are_refused() -> None:
    chunks = open_padded(PADS_24, [_blob()])
    with pytest.raises(ParameterError, match="runs"):
        evaluate_runs(PADS_24, chunks, Runs.of(range(99, 101)))
    for profile, column in ((PADS_64, chunks), (PADS_24, [])):
        with pytest.raises(ParameterError, match="chunk"):
            evaluate_runs(profile, column, Runs.of(range(3)))


def test_a_residue_out_of_range_is_refused() -> None:
    for total, shares in ((PADS_24.modulus, [0]), (0, [-1]), (0, [])):
        with pytest.raises(ParameterError, match="residues"):
            combine_padded(PADS_24, total, shares)


def test_keys_show_nothing_and_are_not_pickled() -> None:
    key = PadKey.generate(PADS_64)
    assert key.to_bytes().hex() not in repr(key)
    assert PadKey.from_bytes(PADS_64, key.to_bytes()).to_bytes() == key.to_bytes()
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    for data in (bytes(31), bytes(64), bytes(96), b""):
        with pytest.raises(InvalidKey):
            PadKey.from_bytes(PADS_64, data)


@pytest.mark.parametrize(("block", "column", "salt"), [(-1, "x", 16), (1 << 32, "x", 16), (0, "", 16), (0, "x", 15)])
def test_a_sheet_has_a_block_a_name_and_a_salt(block: int, column: str, salt: int) -> None:
    with pytest.raises(ParameterError, match="sheet"):
        Sheet(block, column, bytes(salt))


def test_only_known_parameter_sets_have_a_name() -> None:
    with pytest.raises(ParameterError, match="unknown pads"):
        pad_profile("pads-16-1")


def test_runs_say_their_weight() -> None:
    assert Runs.of(range(3), range(5, 9), weights=[2, -3]).weight == 3 * 2 + 4 * 3
    assert Runs.of(range(3), range(5, 9), weights=[2, -3]).times(-5).weights.tolist() == [-10, 15]
    for factor in (0, 1 << 62):
        with pytest.raises(ParameterError, match="weights"):
            Runs.of(range(3), weights=[2]).times(factor)


@pytest.mark.parametrize("largest", [8, 1 << 61, (1 << 63) - 1])
@pytest.mark.parametrize("gaps", [0, 3])
def test_weight_and_ends_are_those_of_the_rows_one_by_one(largest: int, gaps: int) -> None:
    """With weights that stay in 64 bits when added up and with such that do not, with gaps between runs and without."""
    draw = np.random.default_rng(largest % 97 + gaps)
    lengths = draw.integers(1, 4, 60)
    starts = np.concatenate([[5], 5 + np.cumsum(lengths + draw.integers(0, gaps + 1, 60))[:-1]]).astype(np.int64)
    weights = draw.integers(1, largest, 60, endpoint=True) * draw.choice([-1, 1], 60)
    weights[10:50] = weights[10]  # few changes among many runs
    runs = Runs(starts, starts + lengths, weights)
    words = [int(word) for word in draw.integers(0, 1 << 63, int(runs.stops[-1]) + 1)]
    rows = [
        (row, int(weight))
        for start, stop, weight in zip(runs.starts, runs.stops, weights, strict=True)
        for row in range(start, stop)
    ]
    assert runs.weight == sum(abs(weight) for _, weight in rows)
    index, change = runs.ends()
    assert (np.diff(index) > 0).all()
    found = sum(int(less) * words[place] for place, less in zip(index, change, strict=True))
    assert (found - sum(weight * (words[row + 1] - words[row]) for row, weight in rows)) % (1 << 64) == 0


def test_a_number_over_columns_and_batches_opens_with_both_shares() -> None:
    key, draw = PadKey.generate(PADS_64), np.random.default_rng(8)
    taken, total, true = list[tuple[Sheet, Runs]](), 0, 0
    for block in range(2):
        salt = fresh_salt()
        for column, factor in (("sum:fare", 3), ("n:fare", -1)):
            page, values = Sheet(block, column, salt), draw.integers(-50, 50, CHUNK + 70)
            runs = Runs.of(range(5, CHUNK + 3), range(CHUNK + 3, CHUNK + 60), weights=[1, 4]).times(factor)
            taken.append((page, runs))
            total += evaluate_runs(PADS_64, open_padded(PADS_64, sealed(key, page, values)), runs)
            true += expected(PADS_64, values, runs)
    shares = [release_padded(half, taken, 7, ANY) for half in key.split()]
    assert combine_padded(PADS_64, total % PADS_64.modulus, shares) == true + 14
