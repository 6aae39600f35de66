"""What the command line reads and shows: quantities, durations, addresses, digests, times. Inside they are integers and
lower-case hex."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from marketplace import quantities
from marketplace.console.usage import BadValue
from marketplace.currencies import currency_of
from marketplace.documents.identifiers import Identifier, Kind, is_certificate_code, parse_identifier
from marketplace.errors import InvalidInputError
from marketplace.rulebooks.calendar import Duration
from marketplace.words import Words

Value = TypeVar("Value")


def parse_as(name: str, parse: Callable[[str], Value], text: str) -> Value:
    """What a command itself parses, and not typer for it: its fault, too, names where it stands.

    Args:
        name: the argument or option as it is written, e.g. "AMOUNT" or "--share".
    """
    try:
        return parse(text)
    except BadValue as error:
        raise BadValue(error.message, error.zh, name) from None


def parse_reason(text: str) -> str:
    """A ground in words; nothing but blanks is none."""
    if not text.strip():
        raise BadValue("the ground in words; it is empty", "请以文字写明理由，不得为空")
    return text


#: the option of every command whose act states a ground by digest alone
Reason = Annotated[
    str, typer.Option(metavar="TEXT", parser=parse_reason, help="the ground; its digest goes onto the ledger 理由")
]

_DURATION = re.compile(r"(\d{1,6})(mo|[smhdy])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MONTHS = {"mo": 1, "y": 12}
MAX_MONTHS = 1200  # a hundred years


def parse_money(text: str) -> int:
    """Fen from an amount in yuan, e.g. 250 from "2.50"."""
    return _quantity(quantities.parse_money, text)


def parse_amount(name: str, text: str, currency: str) -> int:
    """Minor units from an amount of an argument or option, whose currency (ISO 4217 code) a command finds first."""
    return parse_as(name, lambda given: _quantity(lambda one: quantities.parse_money(one, currency), given), text)


def parse_currency(text: str) -> str:
    """The code of a currency, in capitals."""
    try:
        return currency_of(text.strip().upper()).code
    except InvalidInputError as error:
        raise BadValue(f"one of {error.expected}", error.zh) from None


#: the option of every command about money that does not follow from an order, a listing or a batch
InCurrency = Annotated[
    str,
    typer.Option("--currency", metavar="CODE", parser=parse_currency, help="ISO 4217, one of the market's 货币"),
]


def parse_epsilon(text: str) -> int:
    """Micro-epsilon from a decimal, e.g. "0.5" is 500000."""
    return _quantity(quantities.parse_epsilon, text)


def parse_duration(text: str) -> Duration:
    """A number and a unit, e.g. "90d"; units s, m (minutes), h, d, and by the date mo (months) and y."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadValue(
            "a whole number of at most six digits and one of s m h d mo y, e.g. 90d (m are minutes, mo months)",
            "应为至多六位的整数加单位 s m h d mo y 之一，如 90d（m 为分钟，mo 为月）",
        )
    count, unit = int(match[1]), match[2]
    if unit in _SECONDS:
        return Duration(seconds=count * _SECONDS[unit])
    if count * _MONTHS[unit] > MAX_MONTHS:
        raise BadValue("a hundred years at most", "不得超过一百年")
    return Duration(months=count * _MONTHS[unit])


def parse_address(text: str) -> str:
    """An address in the one spelling used everywhere, lower-case hex; a participant's identifier is its address."""
    if text.strip().lower().startswith(f"{Kind.PARTY}1"):
        return _identified(text).prefix
    return _hex(
        text,
        40,
        "an address: 0x and 40 hex digits, or a participant's identifier party1…",
        "应为地址：0x 加 40 位十六进制数，或主体标识 party1…",
    )


def parse_digest(text: str) -> str:
    """A digest or id in the one spelling used everywhere: lower case."""
    return _hex(text, 64, "a digest or id: 0x and 64 hex digits", "应为摘要或编号：0x 加 64 位十六进制数")


class Code(str):
    """The 15-character code of a certificate; a command is told the id of the data that it is about."""

    __slots__ = ()


def parse_id(kind: Kind) -> Callable[[str], str | Identifier]:
    """A parser of ids of one kind: digest or identifier, and for data the code of a certificate. The command gets the
    whole id (console/command.py)."""

    def parse(text: str) -> str | Identifier:
        if kind is Kind.DATA and is_certificate_code(text.strip().upper()):
            return Code(text.strip().upper())
        if text.strip().lower().startswith("0x"):
            return parse_digest(text)
        found = _identified(text)
        if found.kind is not kind:
            raise BadValue(
                f"an identifier {kind}1…, this one is of another kind", f"应为标识 {kind}1…，所给标识属于另一类"
            )
        return found

    return parse


def parse_share(text: str) -> tuple[str, int]:
    """A revenue share, "ADDRESS:BPS" with 10000 basis points for the whole."""
    address, _, bps = text.rpartition(":")
    if not bps.isdecimal() or not 0 < int(bps) <= 10_000:
        raise BadValue(
            "ADDRESS:BPS, where 10000 basis points are the whole, e.g. 0xabc…:9000",
            "应为 地址:基点，10000 基点为全部，如 0xabc…:9000",
        )
    return parse_address(address), int(bps)


moment = quantities.moment


def short(identifier: str) -> str:
    """A digest or address for a table: its first and last digits."""
    return identifier if len(identifier) <= 20 else f"{identifier[:10]}…{identifier[-6:]}"


def _identified(text: str) -> Identifier:
    try:
        return parse_identifier(text.strip())
    except InvalidInputError as error:
        raise BadValue(error.message, error.zh) from None


def _quantity(parse: Callable[[str], int], text: str) -> int:
    try:
        return parse(text)
    except InvalidInputError as error:
        raise BadValue(str(error.expected), error.zh) from None


def _hex(text: str, digits: int, expected: str, zh: str) -> str:
    lowered = text.strip().lower()
    if not re.fullmatch(rf"0x[0-9a-f]{{{digits}}}", lowered):
        raise BadValue(expected, zh)
    return lowered


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InvalidInputError: `file_not_an_object`.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        problem = type(value).__name__
    except ValueError as error:
        value, problem = None, str(error)
    if not isinstance(value, dict):
        raise InvalidInputError(
            "file_not_an_object",
            f"{path} is not a JSON object: {problem}",
            zh=f"{path} 不是 JSON 对象",
            expected=Words("a JSON object", "JSON 对象"),
            got=problem,
            hint="correct the file; docs/architecture/agreements.md shows what goes into it",
            hint_zh="请更正该文件；内容见 docs/architecture/agreements.md",
        )
    return value
