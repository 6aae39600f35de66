"""The bits of a Bitstring Status List: one bit per certificate, most significant first, gzip, base64url with a "u".

Rules of this file:
  - A list has at least 131,072 bits, so that asking for one says little about which certificate is meant.
  - What is decoded is bounded before it is unpacked: MAX_BYTES out, and in proportion in.
  - Encoding is deterministic: the same bits give the same text.

Source: W3C Bitstring Status List 1.0 (Recommendation of 15 May 2025) sections 3.3 (generate) and 3.4 (expand).
"""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterable

from crypto.errors import MalformedInput, ParameterError

BITS = 131_072
MAX_BYTES = 1 << 20
_TEXT = re.compile(r"u[A-Za-z0-9_-]+")


def encode(positions: Iterable[int], size: int = BITS) -> str:
    """`encodedList` of a list of `size` bits with the bits at `positions` set.

    Raises:
        ParameterError: a size that is no multiple of 8 or too small or large, or a position outside it.
    """
    if size % 8 or not BITS <= size <= 8 * MAX_BYTES:
        raise ParameterError(f"size: expected a multiple of 8 from {BITS} to {8 * MAX_BYTES}, got {size}")
    bits = bytearray(size // 8)
    for position in positions:
        if not 0 <= position < size:
            raise ParameterError(f"position: expected 0 to {size - 1}, got {position}")
        bits[position // 8] |= 0x80 >> position % 8
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes:
    """The bits of an `encodedList`.

    Raises:
        MalformedInput: not base64url after "u", not one whole gzip member, or fewer bits than BITS or more than fit
            MAX_BYTES.
    """
    if not isinstance(text, str) or len(text) > 2 * MAX_BYTES or not _TEXT.fullmatch(text):
        raise MalformedInput("encodedList: expected base64url without padding after the letter u")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        bits = unpacker.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-(len(text) - 1) % 4)), MAX_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise MalformedInput("encodedList: expected gzip") from None
    if not unpacker.eof or unpacker.unused_data or not BITS <= 8 * len(bits) <= 8 * MAX_BYTES:
        raise MalformedInput(f"encodedList: expected one whole gzip member of {BITS // 8} to {MAX_BYTES} bytes")
    return bits


def is_set(bits: bytes, position: int) -> bool:
    """Whether the bit at `position` is set.

    Raises:
        MalformedInput: the list has no such position.
    """
    if not 0 <= position < 8 * len(bits):
        raise MalformedInput(f"position: expected 0 to {8 * len(bits) - 1}, got {position}")
    return bool(bits[position // 8] & 0x80 >> position % 8)


def positions(bits: bytes) -> list[int]:
    """Every set position, ascending."""
    return [8 * place + bit for place, byte in enumerate(bits) if byte for bit in range(8) if byte & 0x80 >> bit]
