"""How people write and read quantities: money in its currency, privacy budget as a decimal, moments. Inside they are
integers.

Parsing is exact: more decimals than the unit has are refused, never rounded.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

from marketplace.currencies import CNY, currency_of
from marketplace.errors import InvalidInputError
from marketplace.types import MICRO, NO_LIMIT

_DECIMAL = re.compile(r"\d+(\.\d{1,9})?", re.ASCII)


def parse_money(text: str, currency: str = CNY.code) -> int:
    """Minor units from an amount of a currency (ISO 4217 code), e.g. 250 fen from "2.50" yuan.

    Raises:
        InvalidInputError: `malformed_quantity`; `currency_unknown`.
    """
    found = currency_of(currency)
    if found is CNY:
        return _scaled(text, 100, "yuan with at most two decimals, e.g. 2.50", "金额(元)，至多两位小数，如 2.50")
    places, zh = (
        (f"at most {found.exponent} decimals", f"至多 {found.exponent} 位小数")
        if found.exponent
        else (
            "no decimals",
            "不含小数",
        )
    )
    return _scaled(text, 10**found.exponent, f"an amount of {found.code} with {places}", f"金额({found.zh})，{zh}")


def parse_epsilon(text: str) -> int:
    """Millionths of the budget's unit from a decimal, e.g. "0.5" is 500000.

    Raises:
        InvalidInputError: `malformed_quantity`.
    """
    return _scaled(text, MICRO, "a decimal with at most six decimals, e.g. 0.5", "至多六位小数的十进制数，如 0.5")


def money(amount: int, currency: str = CNY.code) -> str:
    """Minor units of a currency (ISO 4217 code) as its amount, with as many decimals as it has: of CNY, yuan."""
    places = currency_of(currency).exponent
    sign, whole = ("-", -amount) if amount < 0 else ("", amount)
    fraction = f".{whole % 10**places:0{places}d}" if places else ""
    return f"{sign}{whole // 10**places:,}{fraction}"


def worth(amount: int, currency: str = CNY.code) -> tuple[str, str]:
    """(English, Chinese): the amount with its currency, e.g. "2.50 yuan" or "2.50 HKD"."""
    found, text = currency_of(currency), money(amount, currency)
    return f"{text} {'yuan' if found is CNY else found.code}", f"{text} {found.zh}"


def epsilon(micro: int) -> str:
    """A privacy budget without superfluous zeros."""
    return format((Decimal(micro) / MICRO).normalize(), "f")


def moment(unix_seconds: int) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _scaled(text: str, unit: int, expected: str, zh: str) -> int:
    value = Decimal(text) * unit if _DECIMAL.fullmatch(text) else None
    if value is not None and value > NO_LIMIT:
        most = format(Decimal(NO_LIMIT) / unit, "f")
        expected, zh = f"at most {most}", f"不超过 {most} 的数"
    elif value is not None and value == value.to_integral_value():
        return int(value)
    raise InvalidInputError(
        "malformed_quantity", f"expected {expected}, got {text[:40]!r}", zh=f"应为{zh}", expected=expected, got=text
    )
