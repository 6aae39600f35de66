"""How people write and read quantities: money in yuan, privacy budget as a decimal. Inside they are integers.

Parsing is exact: more decimals than the unit has are refused, never rounded.
"""

import re
from decimal import Decimal

from marketplace.errors import InvalidInputError
from marketplace.types import MICRO

FEN = 100
_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)


def parse_money(text: str) -> int:
    """Fen from yuan, e.g. "2.50" is 250.

    Raises:
        InvalidInputError: `malformed_quantity`.
    """
    return _scaled(text, FEN, "yuan with at most two decimals, e.g. 2.50", "金额(元)，至多两位小数，如 2.50")


def parse_epsilon(text: str) -> int:
    """Millionths of the budget's unit from a decimal, e.g. "0.5" is 500000.

    Raises:
        InvalidInputError: `malformed_quantity`.
    """
    return _scaled(text, MICRO, "a decimal with at most six decimals, e.g. 0.5", "至多六位小数的十进制数，如 0.5")


def money(fen: int) -> str:
    """Yuan with two decimals."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // FEN:,}.{fen % FEN:02d}"


def epsilon(micro: int) -> str:
    """A privacy budget without superfluous zeros."""
    return format((Decimal(micro) / MICRO).normalize(), "f")


def _scaled(text: str, unit: int, expected: str, zh: str) -> int:
    value = Decimal(text) * unit if _DECIMAL.fullmatch(text) else None
    if value is None or value != value.to_integral_value():
        raise InvalidInputError(
            "malformed_quantity", f"expected {expected}, got {text[:40]!r}", zh=f"应为{zh}", expected=expected, got=text
        )
    return int(value)
