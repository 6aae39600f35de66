"""Statements as CSV, whose columns a profile names.

A profile is a JSON object:

    {"encoding": "gb18030", "delimiter": ",", "account": "1001…", "currency": "CNY",
     "columns": {"reference": "流水号", "date": "日期", "credit": "收入", "debit": "支出",
                 "balance": "余额", "counterparty": "对方账号", "text": "摘要"}}

"lastDate" names the last day that the file covers, "2026-11-30", where whoever reads it does not: what a table leaves
out at its end could not be told from what has yet to come.
In place of "credit" and "debit" a file may have "amount" with its sign. "balance" (after each entry), "counterparty"
and "text" may be missing; where there is a balance, it must follow from entry to entry.
"""

import csv
import io
import itertools
from collections.abc import Mapping
from typing import Any

from marketplace.currencies import CNY
from marketplace.settlement.statements.entries import BankStatement, Entry, check_size, date, malformed, units
from marketplace.words import Words

_NEEDED, _OPTIONAL = {"reference", "date"}, {"credit", "debit", "amount", "balance", "counterparty", "text"}


def parse_csv(content: bytes, profile: Mapping[str, Any], name: str, until: str = "") -> BankStatement:
    """The statement in a CSV file.

    Args:
        profile: what its columns are called, see above.
        name: what to call the statement.
        until: the last day that it covers, in place of the profile's.
    Raises:
        InvalidInputError: `statement_malformed`, names the line and column; `statement_balances`.
    """
    check_size(content)
    columns = _columns(profile)
    try:
        text = content.decode(str(profile.get("encoding", "utf-8-sig")))
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=str(profile.get("delimiter", ",")), strict=True)
        rows = list(table)
    except (UnicodeDecodeError, LookupError, csv.Error, TypeError) as error:
        raise malformed(
            "file", Words("a table in the profile's encoding", "符合列映射所载编码的表"), type(error).__name__
        ) from None
    if missing := set(columns.values()) - set(table.fieldnames or ()):
        raise malformed(
            "header", Words(f"columns {sorted(columns.values())}", f"列 {sorted(columns.values())}"), sorted(missing)
        )
    currency = str(profile.get("currency", CNY.code))
    entries, balances = [], []
    for number, row in enumerate(rows, 2):
        cells = {key: (row[column] or "").strip() for key, column in columns.items()}
        entries.append(_entry(cells, currency, f"line {number}"))
        if "balance" in cells:
            balances.append(_signed(cells["balance"], currency, f"line {number} balance"))
    last = _last_date(until or str(profile.get("lastDate", "")), entries)
    return _with_balances(name, profile, last, entries, balances)


_LAST = Words("lastDate, or --until: the last day that the file covers", "lastDate 或 --until：文件涵盖的最后一日")


def _last_date(stated: str, entries: list[Entry]) -> str:
    last = date(stated, _LAST)
    if beyond := [entry.value_date for entry in entries if entry.value_date > last]:
        raise malformed(
            Words("an entry's date", "条目日期"),
            Words(f"a day until {last}, which the file is said to cover", f"不晚于文件所载截止日 {last}"),
            max(beyond),
        )
    return last


def _with_balances(
    name: str, profile: Mapping[str, Any], last: str, entries: list[Entry], balances: list[int]
) -> BankStatement:
    for number, (before, after) in enumerate(itertools.pairwise(balances), 3):
        if before + entries[number - 2].signed != after:
            raise malformed(
                f"line {number} balance",
                Words(
                    f"{before + entries[number - 2].signed} minor units",
                    f"{before + entries[number - 2].signed} 个最小货币单位",
                ),
                after,
            )
    opening = balances[0] - entries[0].signed if balances else None
    return BankStatement(
        name=name,
        account=str(profile.get("account", "")),
        sequence=None,
        opening=opening,
        closing=balances[-1] if balances else None,
        last_date=last,
        entries=tuple(entries),
        currency=str(profile.get("currency", CNY.code)),
    )


def _columns(profile: Mapping[str, Any]) -> dict[str, str]:
    columns = profile.get("columns")
    if not isinstance(columns, Mapping) or not _NEEDED <= columns.keys() <= _NEEDED | _OPTIONAL:
        raise malformed(
            "profile columns",
            Words(
                f"{sorted(_NEEDED)} and any of {sorted(_OPTIONAL)}",
                f"{sorted(_NEEDED)} 及 {sorted(_OPTIONAL)} 中任意项",
            ),
            columns,
        )
    if ("amount" in columns) == ({"credit", "debit"} <= columns.keys()):
        raise malformed(
            "profile columns",
            Words("either amount, or credit and debit", "amount，或 credit 与 debit"),
            sorted(columns),
        )
    return {str(key): str(column) for key, column in columns.items()}


def _entry(cells: Mapping[str, str], currency: str, place: str) -> Entry:
    if not cells["reference"]:
        raise malformed(f"{place} reference", Words("the bank's own reference", "银行流水号"), "nothing")
    if "amount" in cells:
        signed = _signed(cells["amount"], currency, f"{place} amount")
    else:
        credit, debit = (units(cells[key] or "0", currency, f"{place} {key}") for key in ("credit", "debit"))
        if credit and debit:
            raise malformed(place, Words("a credit or a debit", "贷方或借方"), "both")
        signed = credit - debit
    if signed == 0:
        raise malformed(place, Words("an amount above zero", "大于零的金额"), 0)
    day = date(cells["date"].replace("/", "-"), f"{place} date")
    return Entry(cells["reference"], day, abs(signed), signed > 0, cells.get("counterparty", ""), cells.get("text", ""))


def _signed(text: str, currency: str, place: str) -> int:
    plain = text.strip().removeprefix("+")
    return -units(plain[1:], currency, place) if plain.startswith("-") else units(plain, currency, place)
