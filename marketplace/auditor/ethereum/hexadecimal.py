"""Ethereum JSON-RPC hex text, strictly: "0x", lower case, quantities without leading zeros. One value, one text."""

import re

from crypto.errors import MalformedInput

_QUANTITY = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,63})", re.ASCII)
_DATA = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)


def quantity(value: object) -> int:
    """The integer of a QUANTITY such as "0x1a".

    Raises:
        MalformedInput: it is not in the one accepted form.
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise MalformedInput(f"a quantity like 0x1a expected, got {str(value)[:80]!r}")
    return int(value, 16)


def data(value: object, size: int | None = None) -> bytes:
    """The bytes of a DATA text such as "0x00ff".

    Args:
        value: the text.
        size: exact number of bytes required, or None.

    Raises:
        MalformedInput: it is not in the one accepted form or has another size.
    """
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise MalformedInput(f"lower-case hex data expected, got {str(value)[:80]!r}")
    raw = bytes.fromhex(value[2:])
    if size is not None and len(raw) != size:
        raise MalformedInput(f"{size} bytes expected, got {len(raw)}")
    return raw


def text(raw: bytes) -> str:
    """DATA text of bytes."""
    return "0x" + raw.hex()
