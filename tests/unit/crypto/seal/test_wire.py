"""Every class of malformed blob is refused by name, before SEAL sees a byte; one failure per test."""

import numpy as np
import pytest

from crypto.errors import MalformedInput
from crypto.seal.cells import open_chunk, seal_chunk
from crypto.seal.parameters import Profile
from crypto.seal.wire import blob_size, read_blob
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS, key_of, resealed

BLOB = seal_chunk(key_of(ROWS), [1, 2, 3])


def changed(offset: int, data: bytes) -> bytes:
    return BLOB[:offset] + data + BLOB[offset + len(data) :]


def test_a_blob_has_exactly_the_stated_size() -> None:
    assert len(BLOB) == blob_size(ROWS) == 128 + 8 * 4096
    assert open_chunk(ROWS, BLOB).count == 3


@pytest.mark.parametrize("kept", [0, 1, 31, 32, 63, 64, 127, 128, 129, 20_000, len(BLOB) - 8, len(BLOB) - 1])
def test_truncated(kept: int) -> None:
    with pytest.raises(MalformedInput, match=rf"length in bytes: expected {len(BLOB)}, got {kept}$"):
        open_chunk(ROWS, BLOB[:kept])


@pytest.mark.parametrize("extra", [1, 8, 1 << 20])
def test_longer_than_stated(extra: int) -> None:
    with pytest.raises(MalformedInput, match="length in bytes"):
        open_chunk(ROWS, BLOB + bytes(extra))


@pytest.mark.parametrize(
    ("offset", "data", "field"),
    [
        (0, b"S", "magic"),
        (7, b"\x02", "magic"),
        (8, b"\x02", "version"),
        (9, b"\x01", "version"),
        (10, b"\x01", "reserved field"),
        (12, bytes(4), "count of values: expected 1 to 4096, got 0"),
        (12, b"\x01\x10\x00\x00", "count of values: expected 1 to 4096, got 4097"),
        (12, b"\xff\xff\xff\xff", "count of values"),
        (16, bytes(16), "parameter set"),
        (16, CELLS.digest, "parameter set"),
    ],
)
def test_header_fields(offset: int, data: bytes, field: str) -> None:
    with pytest.raises(MalformedInput, match=field):
        open_chunk(ROWS, resealed(changed(offset, data)))


@pytest.mark.parametrize("offset", [12, 32, 63, 64, 127, 128, 20_000, len(BLOB) - 1])
def test_damage_anywhere_is_found_by_the_checksum(offset: int) -> None:
    with pytest.raises(MalformedInput, match=r"checksum: expected [0-9a-f]{64}, got [0-9a-f]{64}$"):
        open_chunk(ROWS, changed(offset, bytes([BLOB[offset] ^ 1])))


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_a_coefficient_at_or_above_its_prime(profile: Profile) -> None:
    blob = seal_chunk(key_of(profile), [1])
    for number, prime in enumerate(profile.data_primes):
        for value in (prime, (1 << 64) - 1):
            offset = 128 + 8 * (number * profile.degree + 77)
            bad = resealed(blob[:offset] + value.to_bytes(8, "little") + blob[offset + 8 :])
            with pytest.raises(MalformedInput, match=f"coefficient: expected less than {prime}, got {value}"):
                open_chunk(profile, bad)


def test_a_blob_of_another_profile() -> None:
    with pytest.raises(MalformedInput):
        open_chunk(CELLS, BLOB)
    padded = BLOB + bytes(blob_size(CELLS) - len(BLOB))
    with pytest.raises(MalformedInput, match="parameter set"):
        open_chunk(CELLS, padded)


def test_seals_own_format_is_not_ours() -> None:
    foreign = b"\x5e\xa1\x10\x04\x03\x00\x00\x00" + bytes(blob_size(ROWS) - 8)
    with pytest.raises(MalformedInput, match="magic"):
        open_chunk(ROWS, foreign)


def test_reading_copies_nothing_and_gives_read_only_words() -> None:
    c0 = read_blob(ROWS, BLOB).c0
    assert c0.shape == (1, 4096)
    assert c0.dtype == np.uint64
    assert not c0.flags.writeable
