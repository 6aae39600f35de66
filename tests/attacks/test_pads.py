"""Padded rows: one pad for two columns, totals that come round 2^w, ciphertext that somebody changed.

Guards: a sheet of its own, with a fresh salt, for every sealing of every column; the proof of every number; digests.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto.canonical import sha256
from crypto.errors import ParameterError
from crypto.seal.pad_keys import PadKey, Sheet, fresh_salt
from crypto.seal.pad_sums import Runs, evaluate_runs, open_padded
from crypto.seal.pad_wire import PADS_24, PADS_64, PadChunk, PadProfile, read_chunk, write_chunk
from crypto.seal.pads import PadProof, combine_padded, prove_pads, release_padded, seal_padded
from tests.attacks.chance import most_by_chance

ROWS = 2000
DRAWN = np.random.default_rng(5)
KNOWN, SECRET = DRAWN.integers(0, 200, ROWS), DRAWN.integers(0, 200, ROWS)
SALT = bytes(range(16))


def blob_of(key: PadKey, sheet: Sheet, values: NDArray[np.int64]) -> bytes:
    return seal_padded(key, sheet, 0, values)


# -- two columns on one sheet


def read_beside(first: Sheet, second: Sheet) -> int:
    """How many values of a column an operator reads that knows another one of the same rows and has both blobs."""
    key = PadKey.generate(PADS_64)
    known, secret = (
        read_chunk(PADS_64, blob_of(key, sheet, values)).words.astype(np.uint64)
        for sheet, values in ((first, KNOWN), (second, SECRET))
    )
    guesses = (secret - known + KNOWN.astype(np.uint64)).view(np.int64)
    return int((guesses == SECRET).sum())


def test_two_columns_on_one_sheet_are_read_off_each_other() -> None:
    sheet = Sheet(0, "sum:score", SALT)
    assert read_beside(sheet, sheet) == ROWS


@pytest.mark.parametrize(
    "second",
    [
        Sheet(0, "sum:other", SALT),
        Sheet(1, "sum:score", SALT),
        Sheet(0, "sum:score", fresh_salt()),
    ],
    ids=["another column", "another block", "sealed again"],
)
def test_columns_on_sheets_of_their_own_tell_nothing_of_each_other(second: Sheet) -> None:
    """Differences of pads are uniform on 2^64 words: even one value that fits is beyond chance."""
    assert read_beside(Sheet(0, "sum:score", SALT), second) <= most_by_chance(ROWS, 2.0**-64)


# -- totals that come round


def summed(profile: PadProfile, proven: PadProof, value: int, rows: int) -> int:
    """The released total of some equal rows, without noise."""
    key, sheet, runs = PadKey.generate(profile), Sheet(0, "sum:score", fresh_salt()), Runs.of(range(rows))
    chunks = open_padded(profile, [blob_of(key, sheet, np.full(rows, value, dtype=np.int64))])
    share = release_padded(key, [(sheet, runs)], 0, proven)
    return combine_padded(profile, evaluate_runs(profile, chunks, runs), [share])


def test_a_total_comes_back_as_another_number_where_nothing_is_proven() -> None:
    assert summed(PADS_24, PadProof(0, 0), 10_000, 1000) == 10_000_000 - PADS_24.modulus


def test_a_total_that_could_come_round_has_no_proof() -> None:
    with pytest.raises(ParameterError, match="could wrap"):
        prove_pads(PADS_24, 1000, 0, 10_000)
    assert summed(PADS_24, prove_pads(PADS_24, 800, 0, 10_000), 10_000, 800) == 8_000_000


# -- one more in the clear is one more in the ciphertext


def raised(blob: bytes, row: int, by: int) -> bytes:
    """The blob with more in one row, valid in every field; no key is needed."""
    chunk = read_chunk(PADS_64, blob)
    words = chunk.words.astype(np.uint64)
    words[row] += np.uint64(by)
    return write_chunk(PadChunk(PADS_64, chunk.salt, chunk.start, words))


def test_a_changed_blob_changes_the_total_and_its_digest() -> None:
    """Nothing in the ciphertext tells, so every holder compares the registered digest (test_supplier.py)."""
    key, sheet, runs = PadKey.generate(PADS_64), Sheet(0, "sum:score", fresh_salt()), Runs.of(range(ROWS))
    true = blob_of(key, sheet, SECRET)
    forged = raised(true, 7, 1000)
    share = release_padded(key, [(sheet, runs)], 0, prove_pads(PADS_64, ROWS, 0, 200))
    totals = [
        combine_padded(PADS_64, evaluate_runs(PADS_64, open_padded(PADS_64, [blob]), runs), [share])
        for blob in (true, forged)
    ]
    assert totals == [int(SECRET.sum()), int(SECRET.sum()) + 1000]
    assert sha256(true) != sha256(forged)
