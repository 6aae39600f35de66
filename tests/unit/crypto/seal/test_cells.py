"""Sealing and opening: what goes in comes out, twice the same values are never twice the same bytes."""

import numpy as np
import pytest

from crypto.errors import ParameterError
from crypto.seal.cells import decrypt_chunk, open_chunk, seal_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom import COIN_BOUND
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import Profile
from tests.unit.crypto.seal.samples import BOTH, ROWS, hidden_error, key_of


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_extreme_signed_values_come_back(profile: Profile) -> None:
    values = [0, 1, -1, profile.half - 1, 1 - profile.half]
    assert decrypt_chunk(key_of(profile), seal_chunk(key_of(profile), values)).tolist() == values


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_a_full_chunk_comes_back(profile: Profile) -> None:
    values = np.arange(profile.degree) - profile.degree // 2
    assert np.array_equal(decrypt_chunk(key_of(profile), seal_chunk(key_of(profile), values)), values)


def test_sealing_twice_shares_neither_seed_nor_words() -> None:
    one, two = (seal_chunk(key_of(ROWS), [7, 8]) for _ in range(2))
    assert one[:32] == two[:32]
    assert one[64:128] != two[64:128]
    assert not (np.frombuffer(one[128:], dtype=np.uint64) == np.frombuffer(two[128:], dtype=np.uint64)).any()


def test_another_key_sees_noise() -> None:
    """Half of the decrypted values would be within 2^38 of 0 by chance alone; none is the value that was sealed."""
    other = SealingKey.generate(ROWS)
    seen = decrypt_chunk(other, seal_chunk(key_of(ROWS), np.full(4096, 12_345)))
    assert (seen == 12_345).sum() < 3
    assert np.abs(seen).max() > 1 << 37


@pytest.mark.parametrize(
    "values",
    [[], [[1, 2]], [0] * 4097, [1 << 39], [-(1 << 39)], [1.5], ["1"], [None], [1 << 70], [True]],
    ids=["none", "two dimensions", "too many", "t/2", "-t/2", "float", "text", "nothing", "huge", "truth"],
)
def test_values_that_cannot_be_sealed(values: list[int]) -> None:
    with pytest.raises(ParameterError, match="values of one chunk: expected"):
        seal_chunk(key_of(ROWS), values)


def test_a_refusal_never_shows_the_value() -> None:
    with pytest.raises(ParameterError) as refusal:
        seal_chunk(key_of(ROWS), [987_654_321_987_654])
    assert "987654321987654" not in str(refusal.value)


def test_encryption_error_is_bounded_and_distributed_as_the_proof_assumes() -> None:
    """1000 fresh errors: never beyond 21; variance 10.5 (its estimate has deviation 0.46; 3.2 is seven of them)."""
    key, errors = key_of(ROWS), []
    chunk = open_chunk(ROWS, seal_chunk(key, np.zeros(4096, dtype=np.int64)))
    for cell in range(1000):
        errors.append(hidden_error(key, evaluate_sum(ROWS, [chunk], [cell]), 0))
    assert max(map(abs, errors)) <= COIN_BOUND
    assert abs(float(np.var(errors)) - 10.5) < 3.2
    assert abs(float(np.mean(errors))) < 7 * (10.5 / 1000) ** 0.5
