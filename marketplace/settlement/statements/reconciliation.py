"""Does the bank say what the ledger says? Every payment in is one issue, every payment out one paid redemption.

A payment's name on the ledger is the digest of the bank and the bank's own reference, so who matches whom is never a
guess. What does not match is named, one difference for each fact, and nothing is netted away: a reconciliation passes
only if `unexplained` is zero.

| difference          | says                                                                              |
| ------------------- | --------------------------------------------------------------------------------- |
| missing_on_ledger   | the bank booked a payment, the ledger knows none of this reference                |
| missing_at_bank     | the ledger cites a payment, no statement has it                                   |
| amount_differs      | both know it, for different amounts                                               |
| currency_differs    | both know it, in different currencies                                             |
| direction_differs   | both know it, one as coming in and the other as going out                         |
| beneficiary_differs | paid out to another account than the holder signed for                            |
| duplicate_at_bank   | one statement has a reference twice, or two accounts have it                      |
| statements_disagree | two statements of a currency have one reference with different contents            |
| sequence_gap        | a statement is missing between two others, or one does not begin as the last ended |
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from marketplace.documents import payment_reference
from marketplace.settlement.statements.entries import BankStatement, Entry
from marketplace.types import RedemptionStatus

Row = Mapping[str, Any]
BANK_TIME = timezone(timedelta(hours=8))  # a bank's day ends at midnight in China


@dataclass(frozen=True)
class Difference:
    """One thing that does not match.

    Args:
        kind: see above.
        item: what it is about: the bank's reference, or where the bank has none the name on the ledger, or a statement.
        expected, got: what the ledger says and what the bank says (of two statements: the first and the second).
    """

    kind: str
    item: str
    expected: Any = None
    got: Any = None


@dataclass
class Report:
    """What a reconciliation found.

    Attributes:
        matched: (bank's reference, name on the ledger) of each payment that both know alike.
        currencies: those that the statements are in; what the ledger has in others was not looked at.
        not_looked_at: those that the ledger has of this bank beside them.
        later: names of ledger facts after the end of the statements in their currency, which none can have yet.
        payee_unknown: those matched that went out, to whom nobody can tell: the statement or the payout document is
            silent.
        unbalanced: names of statements with neither number nor balances: whether one is missing beside them, or a line
            in them, nobody can tell.
    """

    matched: list[tuple[str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    currencies: list[str] = field(default_factory=list)
    not_looked_at: list[str] = field(default_factory=list)
    payee_unknown: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        """How many differences there are; zero passes."""
        return len(self.differences)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = [
            {name: value for name, value in asdict(item).items() if value is not None} for item in self.differences
        ]
        return {
            "unexplained": self.unexplained,
            "matched": len(self.matched),
            "later": self.later,
            "currencies": self.currencies,
            "notLookedAt": self.not_looked_at,
            "payeeUnknown": self.payee_unknown,
            "unbalanced": self.unbalanced,
            "differences": found,
        }


@dataclass(frozen=True)
class _Fact:
    """What the ledger says of a payment: minor units of a currency (ISO 4217 code), whether it came in, and of one that
    went out the bank account that its holder signed for, "" where that is not known."""

    amount: int
    currency: str
    is_credit: bool
    at: int
    payee: str = ""


def reconcile(
    statements: Sequence[BankStatement],
    issues: Iterable[Row],
    redemptions: Iterable[Row],
    bank: str,
    payees: Mapping[str, str] = MappingProxyType({}),
) -> Report:
    """Compare all statements of a bank with what it issued and paid on the ledger.

    Args:
        statements: in any order; the same one twice, or overlapping ones, count once.
        issues, redemptions: rows of the read model, of any bank.
        bank: whose statements these are.
        payees: number of the bank account to pay to, by redemption id, of those whose payout document is here.
    """
    report = Report()
    entries = _merge(statements, report)
    currencies = {statement.currency for statement in statements}
    report.currencies = sorted(currencies)
    everywhere = list(_facts(issues, redemptions, bank, payees))
    report.not_looked_at = sorted({fact.currency for _, fact in everywhere} - currencies) if statements else []
    facts = {(fact.currency, name): fact for name, fact in everywhere if fact.currency in currencies or not statements}
    of_others = dict(everywhere)
    ends = {currency: _end([each for each in statements if each.currency == currency]) for currency in currencies}
    seen: set[tuple[str, str]] = set()  # one reference may name a payment in each of several currencies
    for entry, currency in entries:
        cited = payment_reference(bank, entry.reference)
        fact = facts.get((currency, cited)) or of_others.get(cited)
        seen.add((fact.currency if fact else currency, cited))
        _compare(entry, currency, cited, fact, report)
    for (money, name), fact in facts.items():
        if (money, name) not in seen and fact.at >= ends.get(money, 0):
            report.later.append(name)
        elif (money, name) not in seen:
            report.differences.append(Difference("missing_at_bank", name, expected=_said(fact)))
    return report


def _facts(
    issues: Iterable[Row], redemptions: Iterable[Row], bank: str, payees: Mapping[str, str]
) -> Iterator[tuple[str, _Fact]]:
    for row in issues:
        if row["bank"] == bank:
            yield row["ref"], _Fact(row["amount"], row["currency"], is_credit=True, at=row["issuedAt"])
    for row in redemptions:
        if row["bank"] == bank and row["status"] == RedemptionStatus.PAID:
            payee = payees.get(row["redemptionId"], "")
            yield row["ref"], _Fact(row["amount"], row["currency"], is_credit=False, at=row["endedAt"], payee=payee)


def _compare(entry: Entry, currency: str, name: str, fact: _Fact | None, report: Report) -> None:
    got = _said(_Fact(entry.amount, currency, entry.is_credit, 0))
    if fact is None:
        report.differences.append(Difference("missing_on_ledger", entry.reference, got=got))
        return
    expected = _said(fact)
    if fact.currency != currency:
        report.differences.append(Difference("currency_differs", entry.reference, expected, got))
    elif fact.is_credit != entry.is_credit:
        report.differences.append(Difference("direction_differs", entry.reference, expected, got))
    elif fact.amount != entry.amount:
        report.differences.append(Difference("amount_differs", entry.reference, expected, got))
    elif fact.payee and entry.counterparty and _plain(fact.payee) != _plain(entry.counterparty):
        report.differences.append(Difference("beneficiary_differs", entry.reference, fact.payee, entry.counterparty))
    else:
        report.matched.append((entry.reference, name))
        if not (fact.is_credit or (fact.payee and entry.counterparty)):
            report.payee_unknown.append(name)


def _plain(account: str) -> str:
    """An account's number without the spaces and hyphens that people write into it."""
    return account.translate({ord(" "): None, ord("-"): None}).upper()


def _said(fact: _Fact) -> dict[str, Any]:
    return {"amount": fact.amount, "currency": fact.currency, "direction": "in" if fact.is_credit else "out"}


def _merge(statements: Sequence[BankStatement], report: Report) -> list[tuple[Entry, str]]:
    """Every entry once, by the bank's reference in a currency, with that currency; what statements say against
    themselves or each other in it is noted."""
    known: dict[tuple[str, str], tuple[Entry, BankStatement]] = {}
    ordered = sorted(dict.fromkeys(statements), key=_order)
    for statement in ordered:
        own: set[str] = set()
        for entry in statement.entries:
            reference = entry.reference.strip()
            before, first = known.setdefault((statement.currency, reference), (entry, statement))
            if reference in own or first.account != statement.account:
                report.differences.append(Difference("duplicate_at_bank", reference, got=statement.name))
            elif before != entry:
                report.differences.append(Difference("statements_disagree", reference, asdict(before), asdict(entry)))
            own.add(reference)
    report.unbalanced = [
        each.name for each in ordered if each.entries and (each.sequence, each.opening) == (None, None)
    ]
    for _, kept in itertools.groupby(ordered, _account):
        book = list(kept)
        report.differences += [*_gaps(book), *_breaks(book)]
    return [(entry, statement.currency) for entry, statement in known.values()]


def _order(statement: BankStatement) -> tuple[str, str, str, int, str]:
    return *_account(statement), statement.last_date, statement.sequence or 0, statement.name


def _account(statement: BankStatement) -> tuple[str, str]:
    """A bank may keep several currencies under one number, each with statements and balances of its own."""
    return statement.account, statement.currency


def _gaps(book: Sequence[BankStatement]) -> Iterator[Difference]:
    """Statements of an account that carry numbers must follow one another, and begin where the last ended."""
    numbered = [statement for statement in book if statement.sequence is not None]
    for before, after in itertools.pairwise(numbered):
        if before.sequence == after.sequence:
            continue
        wanted = (before.sequence or 0) + 1
        if after.sequence != wanted and not _begins_a_year(before, after):
            yield Difference("sequence_gap", after.name, expected=wanted, got=after.sequence)
        elif None not in (before.closing, after.opening) and before.closing != after.opening:
            yield Difference("sequence_gap", after.name, expected=before.closing, got=after.opening)


def _begins_a_year(before: BankStatement, after: BankStatement) -> bool:
    """Many banks number a year's statements from 1. Only balances then tell that the old year's last is not missing."""
    is_first = after.sequence == 1 and after.last_date[:4] > before.last_date[:4]
    return is_first and after.opening is not None and before.closing == after.opening


def _breaks(book: Sequence[BankStatement]) -> Iterator[Difference]:
    """Where statements of an account carry no numbers, its balances alone tell of one that is missing: the first, with
    every entry once, comes to the last. They may overlap, so it is not asked of one and the next."""
    told = [statement for statement in book if statement.entries or statement.opening is not None]
    if all(statement.sequence is not None for statement in told) or any(item.opening is None for item in told):
        return
    begin, end = min(map(_first_day, told)), max(statement.last_date for statement in told)
    once = {entry.reference.strip(): entry.signed for statement in told for entry in statement.entries}
    moved = sum(once.values())
    reached = {(statement.opening or 0) + moved for statement in told if _first_day(statement) == begin}
    stated = [statement for statement in told if statement.last_date == end]
    if not any(statement.closing in reached for statement in stated):
        yield Difference("sequence_gap", stated[-1].name, expected=min(reached), got=stated[-1].closing)


def _first_day(statement: BankStatement) -> str:
    return min((entry.value_date for entry in statement.entries), default=statement.last_date)


def _end(statements: Sequence[BankStatement]) -> int:
    """Unix seconds of the midnight that ends the last day that the statements of every account cover."""
    lasts: dict[str, str] = {}
    for statement in statements:
        lasts[statement.account] = max(statement.last_date, lasts.get(statement.account, ""))
    last = min(lasts.values())
    return int((datetime.fromisoformat(last).replace(tzinfo=BANK_TIME) + timedelta(days=1)).timestamp())
