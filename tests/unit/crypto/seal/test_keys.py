"""The key is written and read exactly, refuses what is not a key, and shows nothing of itself."""

import copy
import logging
import pickle
from typing import Any

import numpy as np
import pytest

from crypto.errors import InvalidKey, MalformedInput
from crypto.seal.cells import decrypt_chunk, seal_chunk
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import Profile
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS, key_of


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_a_written_key_opens_what_the_key_sealed(profile: Profile) -> None:
    key = key_of(profile)
    again = SealingKey.from_bytes(profile, key.to_bytes())
    assert len(key.to_bytes()) == profile.degree // 4
    assert again.to_bytes() == key.to_bytes()
    assert decrypt_chunk(again, seal_chunk(key, [-4, 0, 9])).tolist() == [-4, 0, 9]


@pytest.mark.parametrize("size", [0, 1023, 1025, 2048])
def test_a_key_of_another_length(size: int) -> None:
    with pytest.raises(InvalidKey, match=f"expected 1024 bytes.*got {size}"):
        SealingKey.from_bytes(ROWS, bytes(size))


@pytest.mark.parametrize("shift", [0, 2, 4, 6])
def test_a_code_that_is_no_coefficient(shift: int) -> None:
    with pytest.raises(InvalidKey, match="another code"):
        SealingKey.from_bytes(ROWS, bytes(500) + bytes([3 << shift]) + bytes(523))


def test_coefficients_are_balanced() -> None:
    """Each value takes a third of 491,520 digits, with deviation 330; seven of that is 1e-11, a skew of 1 % is ten."""
    seen = np.zeros(3, dtype=np.int64)
    for _ in range(60):
        codes = np.frombuffer(SealingKey.generate(CELLS).to_bytes(), dtype=np.uint8)
        digits = np.stack([(codes >> shift) & 3 for shift in (0, 2, 4, 6)])
        seen += np.bincount(digits.reshape(-1), minlength=3)
    assert np.abs(seen - 60 * 8192 / 3).max() < 7 * 331


def test_nothing_of_the_key_in_repr_logs_or_copies(caplog: pytest.LogCaptureFixture) -> None:
    key = key_of(ROWS)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("key %s %r", key, [key])
        SealingKey.from_bytes(ROWS, key.to_bytes())
    assert repr(key) == str(key) == "SealingKey(bfv-4096-rows-1, secret)"
    assert "[" not in caplog.text.replace("[SealingKey(bfv-4096-rows-1, secret)]", "")
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            leak(key)
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_the_answer_is_the_inner_product_with_the_reversed_key(profile: Profile) -> None:
    """Against Python integers, prime by prime."""
    key = key_of(profile)
    c1 = np.stack(
        [np.random.default_rng(3).integers(0, p, profile.degree, dtype=np.uint64) for p in profile.data_primes]
    )
    codes = np.frombuffer(key.to_bytes(), dtype=np.uint8)
    digits = np.stack([(codes >> shift) & 3 for shift in (0, 2, 4, 6)], axis=1).reshape(-1).tolist()
    signs = [(0, 1, -1)[digit] for digit in digits]
    answer = key.answer(c1)
    assert 0 <= answer < profile.modulus
    for row, prime in zip(c1.tolist(), profile.data_primes, strict=True):
        assert answer % prime == sum(s * c for s, c in zip(signs, reversed(row), strict=True)) % prime


def test_an_answer_only_to_a_polynomial_of_the_profile() -> None:
    key, c1 = key_of(ROWS), np.zeros((1, 4096), dtype=np.uint64)
    bads: list[Any] = [c1[0], c1[:, :-1], np.vstack([c1, c1]), c1.astype(np.int64)]
    for bad in bads:
        with pytest.raises(MalformedInput, match="expected uint64 of shape"):
            key.answer(bad)
    c1[0, 9] = ROWS.data_primes[0]
    with pytest.raises(MalformedInput, match=f"expected less than {ROWS.data_primes[0]}"):
        key.answer(c1)
