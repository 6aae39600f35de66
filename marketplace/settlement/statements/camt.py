"""camt.053, the bank-to-customer statement of ISO 20022, versions 001.02 to 001.08.

Only booked entries count. An entry that books several payments at once is read payment by payment, and they must sum to
it. Read with defusedxml: no document type, no entities, nothing is fetched.

Source: ISO 20022 message definition report "Bank-to-Customer Cash Management", camt.053.001.02 and .08.
"""

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from marketplace.settlement.statements.entries import (
    BankStatement,
    Entry,
    check_balances,
    check_size,
    date,
    malformed,
    units,
)
from marketplace.words import Words

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.0[2-8]\}Document")
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_BOOKED, _VALUED = ("BookgDt/Dt", "BookgDt/DtTm"), ("ValDt/Dt", "ValDt/DtTm")


def parse_camt(content: bytes) -> list[BankStatement]:
    """The statements of a camt.053 message.

    Raises:
        InvalidInputError: `statement_malformed`, names the element; `statement_balances`.
    """
    check_size(content)
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise malformed(
            "file", Words("XML without a document type", "不含文档类型的 XML"), type(error).__name__
        ) from None
    if not _NAMESPACE.fullmatch(root.tag):
        raise malformed(
            "Document",
            Words(
                "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02 to .08",
                "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02 至 .08",
            ),
            root.tag,
        )
    found = [
        _statement(_Reader(root.tag[: root.tag.index("}") + 1], item)) for item in root.iter() if _is(item, "Stmt")
    ]
    if not found:
        raise malformed("BkToCstmrStmt", Words("at least one Stmt", "至少一个 Stmt"), "none")
    return found


def _is(element: Element, name: str) -> bool:
    return element.tag.endswith("}" + name)


class _Reader:
    """One element, whose children are of the message's own namespace."""

    def __init__(self, namespace: str, element: Element) -> None:
        self._namespace, self._element = namespace, element

    def all(self, path: str) -> Iterator["_Reader"]:
        """Every element at a path."""
        steps = "/".join(self._namespace + step for step in path.split("/"))
        return (_Reader(self._namespace, item) for item in self._element.findall(steps))

    def text(self, *paths: str) -> str:
        """The text at the first of some paths that has any; "" at none."""
        texts = (found.own for path in paths for found in self.all(path))
        return next((text for text in texts if text), "")

    @property
    def own(self) -> str:
        """Its own text."""
        return (self._element.text or "").strip()

    def amount(self, place: str, currency: str, path: str = "Amt") -> int:
        """Minor units of the amount at a path, which has to be in the statement's currency."""
        found = next(self.all(path), None)
        if found is None:
            raise malformed(f"{place}/{path}", Words("an amount", "金额"), "none")
        stated = found.attribute("Ccy")
        if stated != currency:
            raise malformed(
                f"{place}/{path}",
                Words(f"an amount in {currency}, as the statement's balances", f"与余额相同货币（{currency}）的金额"),
                stated,
            )
        return units(found.own, stated, f"{place}/{path}")

    def attribute(self, name: str) -> str:
        """An attribute of its own."""
        return self._element.get(name, "")

    def sign(self, place: str) -> int:
        """1 for a credit, -1 for a debit."""
        stated = self.text("CdtDbtInd")
        if stated not in ("CRDT", "DBIT"):
            raise malformed(f"{place}/CdtDbtInd", Words("CRDT or DBIT", "CRDT 或 DBIT"), stated)
        return 1 if stated == "CRDT" else -1


def _statement(reader: _Reader) -> BankStatement:
    name, number = reader.text("Id"), reader.text("ElctrncSeqNb", "LglSeqNb")
    account = reader.text("Acct/Id/IBAN", "Acct/Id/Othr/Id")
    if not name or not account:
        raise malformed("Stmt", Words("Id and Acct/Id", "Id 与 Acct/Id"), name or account or "neither")
    if number and not re.fullmatch("[0-9]{1,18}", number):
        raise malformed("Stmt/ElctrncSeqNb", Words("a number", "数字"), number)
    currency = _currency(reader)
    entries = tuple(entry for item in reader.all("Ntry") for entry in _entries(item, currency))
    stated = reader.text("FrToDt/ToDtTm") or _date_of(reader, CLOSING)
    return check_balances(
        BankStatement(
            name=name,
            account=account,
            sequence=int(number) if number else None,
            opening=_balance(reader, OPENING, currency),
            closing=_balance(reader, CLOSING, currency),
            last_date=_last_day(reader, entries, stated),
            entries=entries,
            currency=currency,
        )
    )


def _last_day(reader: _Reader, entries: Sequence[Entry], stated: str) -> str:
    """The last day covered: the one that is stated, after which nothing is booked, else that of the last entry."""
    if not stated and not entries:
        raise malformed("Stmt/FrToDt", Words("the last day that the statement covers", "对账单涵盖的最后一日"), "none")
    if not stated:
        return max(entry.value_date for entry in entries)
    last = date(stated, "Stmt/FrToDt")
    booked = [date(item.text(*_BOOKED, *_VALUED), "Ntry/BookgDt") for item in reader.all("Ntry") if _is_booked(item)]
    if beyond := [day for day in booked if day > last]:
        raise malformed(
            "Ntry/BookgDt",
            Words(f"a day until {last}, which the statement is said to cover", f"不晚于对账单所载截止日 {last}"),
            max(beyond),
        )
    return last


def _currency(reader: _Reader) -> str:
    """The currency of the account, or where the bank leaves that out, of the first balance; all amounts are in it."""
    stated = reader.text("Acct/Ccy")
    if not stated:
        amounts = (amount.attribute("Ccy") for amount in reader.all("Bal/Amt"))
        stated = next((code for code in amounts if code), "")
    return stated


def _balances(reader: _Reader, codes: tuple[str, ...]) -> list[_Reader]:
    return [item for item in reader.all("Bal") if item.text("Tp/CdOrPrtry/Cd") in codes]


def _balance(reader: _Reader, codes: tuple[str, ...], currency: str) -> int:
    """A statement without balances proves nothing, so both are asked for."""
    found = _balances(reader, codes)
    if not found:
        raise malformed("Stmt/Bal", Words(f"a balance {' or '.join(codes)}", f"余额 {' 或 '.join(codes)}"), "none")
    chosen = min(found, key=lambda item: codes.index(item.text("Tp/CdOrPrtry/Cd")))
    return chosen.sign("Bal") * chosen.amount("Bal", currency)


def _date_of(reader: _Reader, codes: tuple[str, ...]) -> str:
    return next((item.text("Dt/Dt", "Dt/DtTm") for item in _balances(reader, codes)), "")


def _is_booked(entry: _Reader) -> bool:
    return entry.text("Sts/Cd", "Sts") == "BOOK"


def _entries(reader: _Reader, currency: str) -> Iterator[Entry]:
    if not _is_booked(reader):
        return
    sign, total = reader.sign("Ntry"), reader.amount("Ntry", currency)
    day = date(reader.text(*_VALUED, *_BOOKED), "Ntry/ValDt")
    details = list(reader.all("NtryDtls/TxDtls"))
    if len(details) <= 1:
        one = details[0] if details else reader
        reference = reader.text("AcctSvcrRef") or one.text("Refs/AcctSvcrRef")
        yield _entry(reference, day, total, sign, one)
        return
    parts = [item.amount("TxDtls", currency, "Amt" if item.text("Amt") else "AmtDtls/TxAmt/Amt") for item in details]
    if sum(parts) != total:
        raise malformed(
            "Ntry/NtryDtls",
            Words(f"payments that sum to {total} minor units", f"合计 {total} 个最小货币单位的各笔收付"),
            sum(parts),
        )
    for item, amount in zip(details, parts, strict=True):
        yield _entry(item.text("Refs/AcctSvcrRef"), day, amount, sign, item)


def _entry(reference: str, day: str, amount: int, sign: int, details: _Reader) -> Entry:
    if not reference or amount == 0:
        raise malformed(
            "Ntry",
            Words(
                "AcctSvcrRef, the bank's own reference, and an amount above zero",
                "银行流水号 AcctSvcrRef，且金额大于零",
            ),
            reference or amount,
        )
    side = "Dbtr" if sign > 0 else "Cdtr"
    paths = (f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id")
    text = " ".join(item.own for item in details.all("RmtInf/Ustrd"))
    return Entry(reference, day, amount, sign > 0, details.text(*paths), text)
