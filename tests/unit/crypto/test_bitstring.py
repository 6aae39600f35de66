"""Status lists' bits: order, size, and what is refused before it is unpacked."""

import base64
import gzip

import pytest

from crypto import bitstring
from crypto.errors import MalformedInput, ParameterError

# The standard's own example (W3C Bitstring Status List 1.0, example 2): 16 KiB of zeros.
EXAMPLE = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def _packed(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_example_of_the_standard_is_read() -> None:
    assert bitstring.decode(EXAMPLE) == bytes(bitstring.BITS // 8)
    assert bitstring.decode(bitstring.encode([])) == bytes(bitstring.BITS // 8)


def test_the_leftmost_bit_is_the_first() -> None:
    bits = bitstring.decode(bitstring.encode([0, 9, 131_071]))
    assert (bits[0], bits[1], bits[-1]) == (0x80, 0x40, 0x01)
    assert [place for place in (0, 1, 8, 9, 131_071) if bitstring.is_set(bits, place)] == [0, 9, 131_071]
    assert bitstring.positions(bits) == [0, 9, 131_071]


@pytest.mark.parametrize("size", [131_064, 131_073, 8 * bitstring.MAX_BYTES + 8])
def test_a_size_outside_the_bounds_is_refused(size: int) -> None:
    with pytest.raises(ParameterError):
        bitstring.encode([], size)


@pytest.mark.parametrize("position", [-1, bitstring.BITS])
def test_a_position_outside_the_list_is_refused(position: int) -> None:
    with pytest.raises(ParameterError):
        bitstring.encode([position])
    with pytest.raises(MalformedInput):
        bitstring.is_set(bytes(bitstring.BITS // 8), position)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "u",
        EXAMPLE[1:],
        EXAMPLE + "=",
        EXAMPLE[:-8],
        _packed(b"\x1f\x8b\x08"),
        _packed(bytes(200)),
        _packed(gzip.compress(bytes(1000), mtime=0)),
        _packed(gzip.compress(bytes(bitstring.MAX_BYTES + 1), mtime=0)),
        _packed(gzip.compress(bytes(1 << 26), mtime=0)),
        _packed(gzip.compress(bytes(16384), mtime=0) + b"more"),
        "u" + "A" * (2 * bitstring.MAX_BYTES),
    ],
)
def test_what_is_no_list_is_refused(text: object) -> None:
    with pytest.raises(MalformedInput):
        bitstring.decode(text)
