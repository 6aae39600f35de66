"""How people write and read quantities: money in yuan, epsilon as a decimal, times in UTC. Inside they are integers.

Parsing is exact: more decimals than the unit has are refused, never rounded.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

import typer

FEN = 100
MICRO = 1_000_000
_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})([smhdy])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


def parse_money(text: str) -> int:
    """Fen from yuan, e.g. "2.50" is 250."""
    return _scaled(text, FEN, "yuan with at most two decimals, e.g. 2.50")


def parse_epsilon(text: str) -> int:
    """Micro-epsilon from a decimal, e.g. "0.5" is 500000."""
    return _scaled(text, MICRO, "a decimal with at most six decimals, e.g. 0.5")


def parse_duration(text: str) -> int:
    """Seconds from a number and a unit, e.g. "90d"; units s, m, h, d, y (365 days)."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("a whole number and one of s m h d y, e.g. 90d")
    return int(match[1]) * _SECONDS[match[2]]


def parse_address(text: str) -> str:
    """An address in the one spelling used everywhere: lower case."""
    return _hex(text, 40, "an address: 0x and 40 hex digits")


def parse_digest(text: str) -> str:
    """A digest or id in the one spelling used everywhere: lower case."""
    return _hex(text, 64, "a digest or id: 0x and 64 hex digits")


def parse_share(text: str) -> tuple[str, int]:
    """A revenue share, "ADDRESS:BPS" with 10000 basis points for the whole."""
    address, _, bps = text.rpartition(":")
    if not bps.isdecimal() or not 0 < int(bps) <= 10_000:
        raise typer.BadParameter("ADDRESS:BPS, where 10000 basis points are the whole, e.g. 0xabc…:9000")
    return parse_address(address), int(bps)


def money(fen: int) -> str:
    """Yuan with two decimals."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // FEN:,}.{fen % FEN:02d}"


def epsilon(micro: int) -> str:
    """Epsilon without superfluous zeros."""
    return format((Decimal(micro) / MICRO).normalize(), "f")


def moment(unix_seconds: int) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def short(identifier: str) -> str:
    """A digest or address for a table: its first and last digits."""
    return identifier if len(identifier) <= 20 else f"{identifier[:10]}…{identifier[-6:]}"


def _scaled(text: str, unit: int, expected: str) -> int:
    value = Decimal(text) * unit if _DECIMAL.fullmatch(text) else None
    if value is None or value != value.to_integral_value():
        raise typer.BadParameter(expected)
    return int(value)


def _hex(text: str, digits: int, expected: str) -> str:
    lowered = text.strip().lower()
    if not re.fullmatch(rf"0x[0-9a-f]{{{digits}}}", lowered):
        raise typer.BadParameter(expected)
    return lowered
