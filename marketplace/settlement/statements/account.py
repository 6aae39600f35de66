"""A participant's own statement: what its account had, every movement with its cause, and what it had at the end."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from marketplace.currencies import CNY
from marketplace.documents import Document, iso_time
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.words import Words

CHINA = timezone(timedelta(hours=8))  # months begin and end at midnight in China


@dataclass(frozen=True)
class Movement:
    """Money that came or went.

    Args:
        at: unix seconds. amount: minor units, negative for what went.
        cause: the kind of event, e.g. "orders.settled". about: id of the order, redemption, batch or payment.
        block, log_index: where the ledger says so.
    """

    at: int
    amount: int
    cause: str
    about: str
    block: int
    log_index: int


def bounds(period: str) -> tuple[int, int]:
    """Unix seconds of a month's beginning and of the next one's.

    Args:
        period: "2026-11".
    Raises:
        InvalidInputError: `period_invalid`.
    """
    match = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", period)
    if match is None:
        raise InvalidInputError(
            "period_invalid",
            "this is not a month",
            zh="账期格式有误",
            expected="YYYY-MM, e.g. 2026-11",
            got=period[:20],
            hint="give a month",
            hint_zh="请填写月份，如 2026-11",
        )
    year, month = int(match[1]), int(match[2])
    ends = (year + month // 12, month % 12 + 1)
    begin, end = (datetime(*start, 1, tzinfo=CHINA) for start in ((year, month), ends))
    return int(begin.timestamp()), int(end.timestamp())


def require_begun(period: str, now: int) -> None:
    """Refuse a month of which there can be no account yet.

    Args:
        now: unix seconds.
    Raises:
        InvalidInputError: `period_invalid`, as `bounds`; `period_not_begun`.
    """
    begin, _ = bounds(period)
    if begin > now:
        raise InvalidInputError(
            "period_not_begun",
            f"{period} has not begun",
            zh=f"账期 {period} 尚未开始",
            rule="settlement.accounts_of_months_that_began",
            expected=Words(
                f"at most {datetime.fromtimestamp(now, CHINA):%Y-%m}",
                f"不晚于 {datetime.fromtimestamp(now, CHINA):%Y-%m}",
            ),
            got=period,
            hint="name a month that has begun, in China's time",
            hint_zh="请填写已开始的月份（中国时间）",
        )


def make_statement(account: str, period: str, movements: Iterable[Movement], currency: str = CNY.code) -> Document:
    """The statement of an account for a month, in one currency (ISO 4217 code).

    Args:
        movements: all of the account's in that currency, from its first on, in the ledger's order.
    """
    begin, end = bounds(period)
    opening, balance, lines = 0, 0, []
    for item in movements:
        if item.at >= end:
            break
        balance += item.amount
        if item.at < begin:
            opening = balance
            continue
        place = {"block": item.block, "logIndex": item.log_index}
        line = {"at": iso_time(item.at), "amount": item.amount, "balance": balance, "cause": item.cause}
        lines.append({**line, "about": item.about, "event": place})
    head = {"type": "account_statement", "version": 1, "account": account, "period": period}
    return {**head, "currency": currency, "opening": opening, "movements": lines, "closing": balance}


def check_statement(statement: Document) -> Document:
    """The statement, refused unless every balance in it follows from the one before.

    Raises:
        VerificationError: `statement_does_not_sum`.
    """
    balance: Any = statement["opening"]
    for line in statement["movements"]:
        balance += line["amount"]
        if balance != line["balance"]:
            raise _wrong(balance, line["balance"])
    if balance != statement["closing"]:
        raise _wrong(balance, statement["closing"])
    return statement


def _wrong(expected: Any, got: Any) -> VerificationError:
    return VerificationError(
        "statement_does_not_sum",
        "the statement's balances do not follow from its movements",
        zh="对账单余额与各笔变动不符",
        rule="settlement.parts_sum_to_escrow",
        expected=expected,
        got=got,
    )
