"""The one form of a bank's statement, from whatever file it came."""

import re
from dataclasses import dataclass
from datetime import date as calendar

from marketplace.currencies import CNY, CURRENCIES
from marketplace.errors import InvalidInputError
from marketplace.words import Words

MAX_BYTES = 32 << 20
MAX_UNITS = 2**53 - 1
_AMOUNT = re.compile(r"([0-9]{1,14})(?:\.([0-9]{1,5}))?")


@dataclass(frozen=True)
class Entry:
    """One booked movement of the bank's account for this market.

    Args:
        reference: the bank's own reference of the payment.
        value_date: "2026-11-02".
        amount: minor units of the statement's currency, above 0.
        is_credit: money came in; else it went out.
        counterparty: number of the other side's account; "" where the statement has none.
        text: remittance information.
    """

    reference: str
    value_date: str
    amount: int
    is_credit: bool
    counterparty: str = ""
    text: str = ""

    @property
    def signed(self) -> int:
        """Minor units, negative for money that went out."""
        return self.amount if self.is_credit else -self.amount


@dataclass(frozen=True)
class BankStatement:
    """One statement of one account.

    Args:
        name: the bank's identification of it.
        account: number of the account.
        sequence: its number among the account's statements; None where it has none.
        opening, closing: balances in minor units, may be negative; None where the file has none.
        last_date: "2026-11-30", the last day that it covers.
        currency: ISO 4217 code of all its amounts.
    """

    name: str
    account: str
    sequence: int | None
    opening: int | None
    closing: int | None
    last_date: str
    entries: tuple[Entry, ...]
    currency: str = CNY.code


def check_balances(statement: BankStatement) -> BankStatement:
    """The statement, refused unless its balances differ by exactly its entries.

    Raises:
        InvalidInputError: `statement_balances`.
    """
    if statement.opening is None or statement.closing is None:
        return statement
    expected = statement.opening + sum(entry.signed for entry in statement.entries)
    if expected != statement.closing:
        raise InvalidInputError(
            "statement_balances",
            f"statement {statement.name}: opening balance and entries do not add up to the closing balance",
            zh=f"对账单 {statement.name}：期初余额与各笔发生额之和不等于期末余额",
            expected=expected,
            got=statement.closing,
            hint="the file is incomplete or was changed; ask the bank for it again",
            hint_zh="文件不完整或被改动，请向银行重新索取",
        )
    return statement


def units(text: str, currency: str, place: str) -> int:
    """Minor units from a decimal, exactly.

    Raises:
        InvalidInputError: `statement_malformed`: no amount, one with parts of a minor unit, or an unknown currency.
    """
    match, known = _AMOUNT.fullmatch(text.strip()), CURRENCIES.get(currency)
    if known is None:
        raise malformed(
            place, Words("an amount in a currency of ISO 4217 that is kept", "支持的 ISO 4217 货币的金额"), currency
        )
    fraction, places = (match[2] or "") if match else "", known.exponent
    if match is None or fraction[places:].strip("0"):
        raise malformed(place, Words(f"a decimal with at most {places} places", f"至多 {places} 位小数"), text)
    value: int = int(match[1]) * 10**places + int(fraction[:places].ljust(places, "0") or "0")
    if value > MAX_UNITS:
        raise malformed(place, Words(f"at most {MAX_UNITS} minor units", f"至多 {MAX_UNITS} 个最小货币单位"), text)
    return value


def date(text: str, place: str | Words) -> str:
    """A day, from an ISO date or a moment. Raises InvalidInputError `statement_malformed`."""
    match = re.match("([0-9]{4}-[0-9]{2}-[0-9]{2})(T|$)", text.strip())
    try:
        return calendar.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise malformed(place, Words("a date YYYY-MM-DD", "日期 YYYY-MM-DD"), text) from None


def malformed(place: str | Words, expected: Words, got: object) -> InvalidInputError:
    """The refusal of a file that does not say what a statement says; names where."""
    at = Words.alike(place) if isinstance(place, str) else place
    return InvalidInputError(
        "statement_malformed",
        f"the bank statement is not well formed at {at.en}",
        zh=f"银行对账单格式有误：{at.zh}",
        expected=expected,
        got=str(got)[:100],
        hint="export it again; camt.053 and CSV with a profile are read",
        hint_zh="请重新导出；支持 camt.053 及带列映射的 CSV",
    )


def check_size(content: bytes) -> None:
    """Refuse a file that is larger than any statement. Raises InvalidInputError `statement_malformed`."""
    if len(content) > MAX_BYTES:
        raise malformed("file", Words(f"at most {MAX_BYTES} bytes", f"至多 {MAX_BYTES} 字节"), len(content))
