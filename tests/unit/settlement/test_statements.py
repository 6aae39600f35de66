"""Banks' statements: what is read of them, and every difference to the ledger is found and named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.documents import payment_reference
from marketplace.errors import InvalidInputError
from marketplace.settlement.statements.camt import parse_camt
from marketplace.settlement.statements.entries import BankStatement, Entry
from marketplace.settlement.statements.reconciliation import Report, reconcile
from marketplace.settlement.statements.table import parse_csv
from marketplace.types import ZERO_DIGEST, RedemptionStatus
from tests.bank_statements import camt

BANK, OTHER = "0x" + "ba" * 20, "0x" + "bb" * 20
NOON = 1_794_024_000  # 2026-11-07
ENTRIES = (
    Entry("IN-1", "2026-11-02", 100_000, is_credit=True, counterparty="6222020000", text="充值 & <deposit>"),
    Entry("OUT-1", "2026-11-03", 30_001, is_credit=False, counterparty="6222020001", text="redemption"),
)
Rows = list[dict[str, Any]]


def ledger(entries: Any, at: int = NOON, currency: str = "CNY") -> tuple[Rows, Rows]:
    """The rows of a ledger that says what the bank says, and something of another bank."""
    issues: Rows = [
        {"ref": payment_reference(OTHER, "X"), "bank": OTHER, "amount": 5, "issuedAt": at, "currency": "CNY"}
    ]
    locked = {"ref": ZERO_DIGEST, "bank": BANK, "amount": 7, "status": RedemptionStatus.LOCKED, "endedAt": 0}
    redemptions: Rows = [locked]
    for entry in entries:
        row = {"ref": payment_reference(BANK, entry.reference), "bank": BANK, "amount": entry.amount}
        row |= {"currency": currency}
        if entry.is_credit:
            issues.append({**row, "issuedAt": at})
        else:
            redemptions.append({**row, "redemptionId": row["ref"], "status": RedemptionStatus.PAID, "endedAt": at})
    return issues, redemptions


def check(statements: list[BankStatement], rows: tuple[Rows, Rows]) -> Report:
    return reconcile(statements, *rows, BANK)


def found(report: Report) -> list[tuple[str, str]]:
    return [(item.kind, item.item) for item in report.differences]


@pytest.mark.parametrize("version", [2, 8])
def test_camt_053_is_read_whole(version: int) -> None:
    (statement,) = parse_camt(camt(ENTRIES, version=version))
    assert statement.entries == ENTRIES
    assert (statement.opening, statement.closing, statement.sequence) == (100_000, 169_999, 1)
    assert (statement.account, statement.last_date) == ("1001000012345678901", "2026-11-30")


def test_entries_that_are_not_booked_do_not_count_and_batches_are_read_payment_by_payment() -> None:
    content = camt(ENTRIES, opening=0).replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>", 1)
    with pytest.raises(InvalidInputError) as refused:
        parse_camt(content)
    assert refused.value.code == "statement_balances"
    parts = "".join(
        f'<TxDtls><Refs><AcctSvcrRef>P-{n}</AcctSvcrRef></Refs><Amt Ccy="CNY">{n}.50</Amt></TxDtls>' for n in (1, 2)
    ).encode()
    one = camt([Entry("B", "2026-11-02", 400, is_credit=True)])
    start, end = one.index(b"<NtryDtls>") + 10, one.index(b"</NtryDtls>")
    (statement,) = parse_camt(one[:start] + parts + one[end:])
    assert [(entry.reference, entry.amount) for entry in statement.entries] == [("P-1", 150), ("P-2", 250)]
    with pytest.raises(InvalidInputError):
        parse_camt((one[:start] + parts + one[end:]).replace(b"2.50", b"2.51"))


@pytest.mark.parametrize("day", ["2026-02-30", "2026-11-31", "0000-01-01", "２０２６-11-02", "2026-11-02x"])
def test_a_day_that_does_not_exist_is_named_and_not_carried_on(day: str) -> None:
    """Else it would fail only later, where the last day is counted with, and without saying where it stands."""
    with pytest.raises(InvalidInputError) as refused:
        parse_camt(camt(ENTRIES).replace(b"2026-11-02", day.encode()))
    assert refused.value.code == "statement_malformed"
    profile = {"columns": {"reference": "ref", "date": "day", "amount": "amount"}, "lastDate": day}
    with pytest.raises(InvalidInputError):
        parse_csv(b"ref,day,amount\nIN-1,2026-11-02,1.00\n", profile, "x")


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "no xml": lambda _: b"hello",
    "a document type": lambda good: good.replace(b"<Document", BOMB + b"<Document", 1),
    "another namespace": lambda good: good.replace(b"camt.053.001.08", b"camt.054.001.08"),
    "a version of tomorrow": lambda good: good.replace(b"camt.053.001.08", b"camt.053.001.19"),
    "elements of no namespace": lambda good: good.replace(b"<Stmt>", b'<Stmt xmlns="">'),
    "another currency": lambda good: good.replace(b'Ccy="CNY"', b'Ccy="USD"'),
    "parts of a fen": lambda good: good.replace(b"300.01", b"300.011"),
    "a comma": lambda good: good.replace(b"300.01", b"300,01"),
    "no reference": lambda good: good.replace(b"<AcctSvcrRef>IN-1</AcctSvcrRef>", b""),
    "no direction": lambda good: good.replace(b"<CdtDbtInd>DBIT</CdtDbtInd>", b""),
    "no balance": lambda good: good.replace(b"OPBD", b"XXXX"),
    "a day that is none": lambda good: good.replace(b"2026-11-02", b"2026-13-02"),
    "too large": lambda good: good + b" " * (32 << 20),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_statement_is_refused(case: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_camt(BROKEN[case](camt(ENTRIES)))
    assert refused.value.code == "statement_malformed"


def test_balances_must_add_up() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_camt(camt(ENTRIES, closing=170_000))
    assert (refused.value.code, refused.value.expected, refused.value.got) == ("statement_balances", 169_999, 170_000)


PROFILE = {
    "encoding": "gb18030",
    "account": "1001",
    "lastDate": "2026-11-30",
    "columns": {"reference": "流水号", "date": "日期", "credit": "收入", "debit": "支出", "balance": "余额"},
}
SIGNED = {"columns": {"reference": "r", "date": "d", "amount": "a"}}
TABLE = "流水号,日期,收入,支出,余额\nIN-1,2026/11/02,1000.00,,1500.00\nOUT-1,2026-11-03,,300.01,1199.99\n"


def test_csv_is_read_by_its_profile() -> None:
    statement = parse_csv(TABLE.encode("gb18030"), PROFILE, "a.csv")
    assert (statement.opening, statement.closing) == (50_000, 119_999)
    assert found(check([statement], ledger(ENTRIES))) == []
    (entry,) = parse_csv(b"r,d,a\nOUT-1,2026-11-03,-300.01\n", SIGNED, "b.csv", "2026-11-03").entries
    assert (entry.amount, entry.is_credit) == (30_001, False)


@pytest.mark.parametrize(
    ("content", "until"),
    [
        (b"", "2026-11-30"),
        (b"foo,bar\n", "2026-11-30"),
        (b"r,d,a\n", ""),
        (b"r,d,a\nOUT-1,2026-11-03,-300.01\n", ""),
        (b"r,d,a\nOUT-1,2026-11-03,-300.01\n", "2026-11-02"),
    ],
    ids=["nothing", "other columns", "no day", "no last day", "an entry after the last day"],
)
def test_a_table_says_which_columns_and_days_it_has_even_without_an_entry(content: bytes, until: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_csv(content, SIGNED, "b.csv", until)
    assert refused.value.code == "statement_malformed"


def test_what_a_table_leaves_out_at_its_end_is_missing_at_the_bank() -> None:
    whole = b"r,d,a\nIN-1,2026-11-02,1000.00\nOUT-1,2026-11-03,-300.01\n"
    for cut, missing in ((whole, []), (whole[:28], ["OUT-1"]), (whole[:6], ["IN-1", "OUT-1"])):
        statement = parse_csv(cut, SIGNED, "b.csv", "2026-11-30")
        expected = [("missing_at_bank", payment_reference(BANK, name)) for name in missing]
        assert found(check([statement], ledger(ENTRIES))) == expected


def test_statements_of_two_currencies_end_on_days_of_their_own() -> None:
    """Neither hides what the other lacks, nor makes anything missing."""
    yuan = parse_csv(b"r,d,a\n", SIGNED, "c.csv", "2026-11-06")
    dollars = parse_csv(b"r,d,a\n", SIGNED | {"currency": "HKD"}, "h.csv", "2026-11-30")
    (of_yuan, _), (of_dollars, _) = ledger(ENTRIES[:1]), ledger(ENTRIES[:1], currency="HKD")
    report = check([yuan, dollars], (of_yuan + of_dollars[1:], []))
    name = payment_reference(BANK, "IN-1")
    assert (found(report), report.later) == ([("missing_at_bank", name)], [name])
    assert check([dollars], (of_yuan, [])).not_looked_at == ["CNY"]


def test_money_paid_to_another_account_than_the_holder_signed_for_is_found() -> None:
    (statement,) = parse_camt(camt(ENTRIES))
    rows, name = ledger(ENTRIES), payment_reference(BANK, "OUT-1")
    assert found(reconcile([statement], *rows, BANK, {name: "6222 0200-01"})) == []
    report = reconcile([statement], *rows, BANK, {name: "6222020002"})
    assert found(report) == [("beneficiary_differs", "OUT-1")]
    silent = replace(statement, entries=(ENTRIES[0], replace(ENTRIES[1], counterparty="")))
    assert reconcile([statement], *rows, BANK, {name: "6222020001"}).payee_unknown == []
    assert reconcile([statement], *rows, BANK).payee_unknown == [name]
    assert reconcile([silent], *rows, BANK, {name: "6222020001"}).as_dict()["payeeUnknown"] == [name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1199.99", "1199.98"),
        ("1000.00", ""),
        ("IN-1", ""),
        ("300.01", "x"),
        ("流水号", "编号"),
        ("2026/11/02", "2.11."),
    ],
)
def test_a_table_that_does_not_follow_its_profile_is_refused(old: str, new: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_csv(TABLE.replace(old, new).encode("gb18030"), PROFILE, "a.csv")


HISTORY = st.lists(
    st.builds(Entry, st.text("ABC-0123456789", min_size=1, max_size=12), st.just("2026-11-02"), st.integers(1, 10**9),
              st.booleans()),
    min_size=1, max_size=12, unique_by=lambda entry: entry.reference,
)  # fmt: skip


def statement_of(entries: Any, number: int = 1, version: int = 8) -> BankStatement:
    return parse_camt(camt(entries, number=number, name=f"S-{number}", version=version))[0]


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.sampled_from([2, 8]), st.data())
def test_any_history_reconciles_with_its_own_statement(entries: list[Entry], version: int, data: Any) -> None:
    whole = statement_of(entries, version=version)
    assert found(check([whole], ledger(entries))) == []
    part = replace(whole, entries=tuple(data.draw(st.permutations(entries))[: len(entries) // 2 + 1]), name="part")
    assert found(check([part, whole, whole], ledger(entries))) == [], "overlaps and repetitions change nothing"
    assert len(check([whole], ledger(entries)).matched) == len(entries)


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.data())
def test_any_single_change_is_found_and_named(entries: list[Entry], data: Any) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    victim, rest = entries[at], entries[:at] + entries[at + 1 :]
    name, rows = victim.reference, ledger(entries)
    more, turned = replace(victim, amount=victim.amount + 1), replace(victim, is_credit=not victim.is_credit)
    other = statement_of([more])
    cases = {
        ("missing_at_bank", payment_reference(BANK, name)): ([statement_of(rest)], rows),
        ("missing_on_ledger", name): ([statement_of(entries)], ledger(rest)),
        ("amount_differs", name): ([statement_of([*rest, more])], rows),
        ("direction_differs", name): ([statement_of([*rest, turned])], rows),
        ("duplicate_at_bank", name): ([statement_of([*entries, victim])], rows),
        ("statements_disagree", name): ([statement_of(entries), replace(other, name="S-1b")], rows),
    }
    for difference, (statements, against) in cases.items():
        report = check(statements, against)
        assert found(report) == [difference]
        assert report.unexplained == 1


def test_a_statement_speaks_of_its_own_currency_alone() -> None:
    """The ledger's facts in others are neither matched with it nor missed in it."""
    (dollars,) = parse_camt(camt(ENTRIES, currency="HKD"))
    (yen,) = parse_camt(camt(ENTRIES, currency="JPY"))
    assert (dollars.currency, yen.entries[0].amount) == ("HKD", ENTRIES[0].amount)
    assert found(check([dollars], ledger(ENTRIES, currency="HKD"))) == []
    assert check([dollars], ledger(ENTRIES, currency="HKD")).currencies == ["HKD"]
    in_yuan = ledger(ENTRIES)
    assert {kind for kind, _ in found(check([dollars], in_yuan))} == {"currency_differs"}
    assert found(check([replace(dollars, entries=())], in_yuan)) == []


def test_one_reference_in_two_currencies_needs_a_line_of_each() -> None:
    """Else a small payment in one currency would vouch for any issue in another."""
    yuan, dollars = replace(ENTRIES[0], amount=100), replace(ENTRIES[0], amount=99_999_999)
    (in_yuan,) = parse_camt(camt([yuan, ENTRIES[1]]))
    (in_dollars,) = parse_camt(camt([dollars], currency="HKD"))
    of_yuan, of_dollars = ledger([yuan, ENTRIES[1]]), ledger([dollars], currency="HKD")
    rows = (of_yuan[0] + of_dollars[0][1:], of_yuan[1])
    lacking = check([in_yuan, replace(in_dollars, entries=())], rows)
    assert found(lacking) == [("missing_at_bank", payment_reference(BANK, "IN-1"))]
    assert lacking.differences[0].expected == {"amount": 99_999_999, "currency": "HKD", "direction": "in"}
    both = check([in_yuan, in_dollars], rows)
    assert (found(both), len(both.matched)) == ([], 3)


def test_amounts_beside_the_accounts_currency_are_refused() -> None:
    good = camt(ENTRIES, currency="HKD")
    for bad in (good.replace(b'Ccy="HKD"', b'Ccy="USD"', 1), good.replace(b"HKD", b"XXX")):
        with pytest.raises(InvalidInputError) as refused:
            parse_camt(bad)
        assert refused.value.code == "statement_malformed"
    with pytest.raises(InvalidInputError):
        parse_camt(camt(ENTRIES, currency="JPY").replace(b"</Amt>", b".5</Amt>", 1))


def test_a_missing_statement_is_named() -> None:
    first = statement_of(ENTRIES[:1], number=1)
    third = parse_camt(camt(ENTRIES[1:], number=3, name="S-3", opening=first.closing or 0))[0]
    second = replace(third, sequence=2, name="S-2")
    rows = ledger(ENTRIES)
    assert found(check([third, first], rows)) == [("sequence_gap", "S-3")]
    assert found(check([second, first], rows)) == []
    moved = replace(second, opening=1)
    assert found(check([moved, first], rows)) == [("sequence_gap", "S-2")]


def test_a_bank_may_number_the_statements_of_each_year_from_one() -> None:
    """Where the balances say that nothing lies between."""
    december = replace(statement_of(ENTRIES[:1], number=12), last_date="2026-12-31")
    (read,) = parse_camt(camt(ENTRIES[1:], number=1, name="S-1", opening=december.closing or 0))
    january, rows = replace(read, last_date="2027-01-31"), ledger(ENTRIES)
    assert found(check([january, december], rows)) == []
    for wrong in ({"opening": 1}, {"opening": None}, {"sequence": 2}, {"last_date": "2026-12-31"}):
        ((kind, _),) = found(check([replace(january, **wrong), december], rows))
        assert kind == "sequence_gap", wrong


def test_what_the_ledger_says_after_the_last_day_is_not_missing_yet() -> None:
    statement = parse_camt(camt(ENTRIES[:1], last="2026-11-06"))[0]
    issues, redemptions = ledger(ENTRIES)
    report = check([statement], (issues, redemptions))
    assert (found(report), report.later) == ([], [payment_reference(BANK, "OUT-1")])
    redemptions[-1]["endedAt"] = NOON - 86_400  # the day that the statement still covers
    assert found(check([statement], (issues, redemptions))) == [("missing_at_bank", payment_reference(BANK, "OUT-1"))]


def test_a_missing_statement_is_named_though_one_of_another_currency_has_its_number() -> None:
    """A bank may keep several currencies under one account's number, each with statements numbered by themselves."""
    first = statement_of(ENTRIES[:1], number=1)
    third = parse_camt(camt(ENTRIES[1:], number=3, name="S-3", opening=first.closing or 0))[0]
    (other,) = parse_camt(camt([], currency="HKD", number=2, name="H-2", opening=first.closing or 0))
    assert found(check([first, other, third], ledger(ENTRIES))) == [("sequence_gap", "S-3")]
    assert found(check([first, replace(other, sequence=1, opening=5, closing=5), replace(third, sequence=2)],
                       ledger(ENTRIES))) == []  # fmt: skip


BALANCED = {"columns": {**SIGNED["columns"], "balance": "b"}}


def test_a_table_that_is_left_out_shows_in_the_balances() -> None:
    """What a bank took in between stands neither in the tables that it gives nor on the ledger."""
    early = parse_csv(b"r,d,a,b\nIN-1,2026-11-02,1000.00,1000.00\n", BALANCED, "a.csv", "2026-11-02")
    late = parse_csv(b"r,d,a,b\nOUT-1,2026-11-03,-300.01,199.99\n", BALANCED, "c.csv", "2026-11-30")
    honest = parse_csv(b"r,d,a,b\nOUT-1,2026-11-03,-300.01,699.99\n", BALANCED, "c.csv", "2026-11-30")
    both = b"r,d,a,b\nIN-1,2026-11-02,1000.00,1000.00\nOUT-1,2026-11-03,-300.01,699.99\n"
    whole = parse_csv(both, BALANCED, "w.csv", "2026-11-30")
    rows = ledger(ENTRIES)
    report = check([late, early], rows)
    assert [(item.kind, item.item, item.expected, item.got) for item in report.differences] == [
        ("sequence_gap", "c.csv", 69_999, 19_999)
    ]
    bare = parse_csv(b"r,d,a\nOUT-1,2026-11-03,-300.01\n", SIGNED, "d.csv", "2026-11-30")
    for statements, untold in (([early, honest], []), ([whole, honest, early], []), ([early, bare], ["d.csv"])):
        report = check(statements, rows)
        assert (found(report), report.as_dict()["unbalanced"]) == ([], untold)


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.data())
def test_tables_of_days_follow_one_another_by_their_balances(entries: list[Entry], data: Any) -> None:
    """All of them, in any order and with some of them in one, agree; without one between two others they do not,
    whatever stood in it and though the ledger knows nothing of it."""
    days = [replace(entry, value_date=f"2026-11-{place + 1:02d}") for place, entry in enumerate(entries)]
    tables, balance = list[BankStatement](), data.draw(st.integers(-(10**6), 10**6))
    for entry in days:
        after = balance + entry.signed
        tables.append(BankStatement(entry.value_date, "1001", None, balance, after, entry.value_date, (entry,)))
        balance = after
    end = data.draw(st.integers(1, len(tables)))
    some = tables[:end]
    joined = replace(some[0], name="joined", closing=some[-1].closing, last_date=some[-1].last_date,
                     entries=tuple(days[:end]))  # fmt: skip
    assert found(check([*data.draw(st.permutations(tables)), joined], ledger(days))) == []
    if len(tables) > 2:
        left_out = data.draw(st.integers(1, len(tables) - 2))
        kept, known = tables[:left_out] + tables[left_out + 1 :], days[:left_out] + days[left_out + 1 :]
        assert found(check(kept, ledger(known))) == [("sequence_gap", tables[-1].name)]


def test_one_payment_is_not_taken_from_two_accounts() -> None:
    once = statement_of(ENTRIES)
    again = replace(once, account="2002", name="T-1", entries=ENTRIES[1:], opening=30_001, closing=0)
    assert found(check([once, again], ledger(ENTRIES))) == [("duplicate_at_bank", "OUT-1")]


def test_a_statement_says_nothing_of_days_after_its_last() -> None:
    """Else whatever it leaves out would count as later, while what it names matches."""
    with pytest.raises(InvalidInputError) as refused:
        parse_camt(camt(ENTRIES[:1], last="2026-11-01"))
    assert (refused.value.code, refused.value.got) == ("statement_malformed", "2026-11-02")
