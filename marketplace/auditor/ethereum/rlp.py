"""Recursive length prefix: the byte form in which Ethereum hashes headers, transactions and receipts.

Strict in both directions: every value has exactly one accepted form, so bytes that decode also re-encode to themselves.

Source: Ethereum yellow paper, appendix B; checked against the `rlp` package in tests.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from crypto.errors import MalformedInput

Item: TypeAlias = "bytes | list[Item]"
MAX_DEPTH = 8  # a typed transaction with an access list needs 4
MAX_ITEMS = 10_000  # each takes a hundred times its shortest form in memory; the ledger's transactions have twelve


def from_int(number: int) -> bytes:
    """The shortest big-endian bytes of a non-negative integer; 0 is empty."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_int(item: Item) -> int:
    """The integer of its shortest big-endian bytes.

    Raises:
        MalformedInput: a list, or a leading zero byte.
    """
    if not isinstance(item, bytes) or item[:1] == b"\0":
        raise MalformedInput("RLP integer expected: bytes without a leading zero")
    return int.from_bytes(item, "big")


def encode(item: Item) -> bytes:
    """RLP of bytes or of nested lists of bytes."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefixed(0x80, item)
    return encode_parts(map(encode, item))


def encode_parts(parts: Iterable[bytes]) -> bytes:
    """RLP list whose members are already encoded."""
    return _prefixed(0xC0, b"".join(parts))


def _prefixed(offset: int, payload: bytes) -> bytes:
    if len(payload) < 56:
        return bytes((offset + len(payload),)) + payload
    length = from_int(len(payload))
    return bytes((offset + 55 + len(length),)) + length + payload


def decode(data: bytes) -> Item:
    """The one item that `data` encodes.

    Raises:
        MalformedInput: bytes are missing or left over, nesting is too deep, there are more than MAX_ITEMS, or the form
            is not the shortest.
    """
    item, end = _decode_at(data, 0, len(data), 0, iter(range(MAX_ITEMS)))
    if end != len(data):
        raise MalformedInput(f"RLP: {len(data) - end} bytes left over")
    return item


def _decode_at(data: bytes, at: int, limit: int, depth: int, left: Iterator[int]) -> tuple[Item, int]:
    if next(left, None) is None:
        raise MalformedInput(f"RLP: more than {MAX_ITEMS} items")
    is_list, start, end = _span(data, at, limit)
    if not is_list:
        return data[start:end], end
    if depth >= MAX_DEPTH:
        raise MalformedInput("RLP: nested too deeply")
    items: list[Item] = []
    while start < end:
        item, start = _decode_at(data, start, end, depth + 1, left)
        items.append(item)
    return items, end


def _span(data: bytes, at: int, limit: int) -> tuple[bool, int, int]:
    """Whether the item at `at` is a list, and where its payload starts and ends."""
    if at >= limit:
        raise MalformedInput("RLP: an item is missing")
    first = data[at]
    if first < 0x80:
        return False, at, at + 1
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    start, length = at + 1, short
    if short > 55:
        start = at + 1 + short - 55
        length = int.from_bytes(data[at + 1 : start], "big")
        if start > limit or data[at + 1] == 0 or length < 56:
            raise MalformedInput("RLP: a length is cut off or not in its shortest form")
    if start + length > limit:
        raise MalformedInput("RLP: an item runs past its end")
    if not is_list and length == 1 and data[start] < 0x80:
        raise MalformedInput("RLP: a single byte is not in its shortest form")
    return is_list, start, start + length
