"""Statements, invoices and trade vouchers as they are printed."""

import io
from typing import Any

import pypdf
import pytest

from marketplace import artifacts
from marketplace.agreements.forms import get_form
from marketplace.calls import VERBS
from marketplace.documents import PURPOSES
from marketplace.documents.plans import MODES
from marketplace.settlement.papers.layout import Facts, Table, both, sections_of
from marketplace.settlement.papers.printing import print_paper
from marketplace.settlement.statements.account import Movement, make_statement
from marketplace.settlement.statements.causes import WORDS, cause_of, words_of
from marketplace.types import ZERO_DIGEST
from marketplace.words import MODES as MODE_WORDS
from marketplace.words import PURPOSES as PURPOSE_WORDS
from marketplace.words import Words

ACCOUNT, SELLER, BUYER = ("0x" + digits * 20 for digits in ("a1", "b2", "c3"))
START = 1_793_500_000
LINE: dict[str, Any] = {
    "order": "0x" + "d4" * 32,
    "identifier": "order1fpmy2cwrq6v5xfud3tvw0v4xmhpxjzqvfc3qya",
    "listing": "0x" + "e5" * 32,
    "settledAt": "2026-11-28T04:43:08Z",
    "paidAt": "2026-11-28T04:43:08Z",
    "event": {"block": 31, "logIndex": 0, "intent": "0x" + "f6" * 32},
    "plan": {"mode": "PER_CALL", "digest": "0x" + "17" * 32},
    "bill": [
        {
            "code": "call",
            "en": "answered calls",
            "zh": "已答复调用",
            "units": 1_002,
            "unitPrice": 150,
            "amount": 150_300,
        }
    ],
    "prepaid": 200_000,
    "refund": 49_700,
    "gross": 150_300,
    "fee": 3_757,
    "net": 146_543,
    "tax": 8_507,
    "taxBps": 600,
    "rulebook": "cn-2025.1",
    "batch": None,
}
VOUCHER: dict[str, Any] = {
    "type": "trade_voucher",
    "identifier": "trade1hrsya02c6cjcveeyv8ug4xg7d54xpmhdv539sj",
    "contract": {
        **{"order": "0x" + "d4" * 32, "listing": "0x" + "e5" * 32, "asset": "0x" + "28" * 32},
        **{"seller": SELLER, "buyer": BUYER, "termsDigest": "0x" + "39" * 32, "acceptanceDigest": "0x" + "4a" * 32},
        **{"agreement": ZERO_DIGEST, "purpose": "TRANSPORT", "region": "CN-SH"},
        "plan": {"mode": "PER_CALL", "digest": "0x" + "17" * 32},
    },
    "assessment": {
        **{"priceIsThePlans": True, "purposeIsPermitted": True, "withinEscrow": True, "withinBudget": False},
        "rulebook": "cn-2025.1",
    },
    "delivery": {"mode": "SEALED_QUERY", "calls": 1_002, "callsRoot": "0x" + "5b" * 32, "epsilon": 200_000},
    "payment": {
        **{name: LINE[name] for name in LINE if name not in ("order", "identifier", "listing", "plan", "bill")},
        "currency": "CNY",
        "shares": [{"asset": "0x" + "28" * 32, "holder": SELLER, "amount": 146_543}],
    },
}


def invoice(*lines: dict[str, Any], currency: str = "CNY") -> dict[str, Any]:
    names = ("prepaid", "refund", "gross", "fee", "net", "tax")
    totals = {"orders": len(lines), **{name: sum(line[name] for line in lines) for name in names}}
    head = {"type": "invoice", "seller": SELLER, "buyer": BUYER, "period": "2026-11", "currency": currency}
    return {**head, "lines": list(lines), "totals": totals}


def printed(paper: dict[str, Any]) -> pypdf.PdfReader:
    signed = {"credentialSubject": {"paper": paper, "digest": "0x" + "99" * 32}, "issuer": "did:key:z6Mk"}
    signed |= {"proof": {"created": "2026-11-28T04:43:58Z"}}
    return pypdf.PdfReader(io.BytesIO(print_paper(signed, START)))


def text_of(paper: dict[str, Any]) -> str:
    """Without white space, which is where lines break."""
    return "".join("".join(page.extract_text().replace("\0", "").split()) for page in printed(paper).pages)


def test_an_invoice_adds_up_on_paper() -> None:
    text = text_of(invoice(LINE, LINE))
    for wanted in (SELLER, BUYER, LINE["identifier"], LINE["order"], "1,002", "1.50", "1,503.00", "3,006.00"):
        assert wanted in text
    assert "待批次支付" not in text
    assert "待批次支付" in text_of(invoice(LINE | {"paidAt": None}))


def test_amounts_have_the_decimals_of_their_currency() -> None:
    (_, table, totals) = sections_of(invoice(LINE, currency="JPY"))
    assert isinstance(table, Table)
    assert isinstance(totals, Facts)
    assert table.rows[1][-1] == "150,300"
    assert dict(totals.rows)[Words("net", "净额")] == "146,543"


def test_a_trade_voucher_says_what_was_found() -> None:
    text = text_of(VOUCHER)
    for wanted in ("交通运输TRANSPORT", "未超隐私预算withintheprivacybudget否no", "密态查询SEALED_QUERY", "0.2"):
        assert wanted in text
    assert ZERO_DIGEST not in text  # no agreement is cited
    assert "Asof2026-11-2804:43:58Z" in text


def test_a_long_statement_has_every_movement_and_numbers_its_pages() -> None:
    moves = [Movement(START + n, 100 + n, "orders.settled", f"0x{n:064x}", n, 0) for n in range(300)]
    paper = make_statement(ACCOUNT, "2026-11", moves)
    text, pages = text_of(paper), len(printed(paper).pages)
    assert [n for n in range(300) if f"{n:064x}" not in text] == []
    assert f"page{pages}of{pages}" in text
    assert pages > 5


@pytest.mark.parametrize("contract", VERBS)
def test_every_cause_has_a_name(contract: str) -> None:
    fields = ("orderId", "redemptionId", "batchId", "ref")
    for entry in artifacts.load(contract).entries("event"):
        args = {item["name"]: ZERO_DIGEST for item in entry["inputs"] if item["name"] in fields}
        cause = cause_of(contract, entry["name"], args)
        assert cause is None or cause[0] in WORDS, entry["name"]
    assert both(words_of("orders.of_tomorrow")) == "orders.of_tomorrow orders.of_tomorrow"


def test_purposes_and_modes_are_called_as_in_the_model_forms() -> None:
    choices = get_form("GF-2025-2615").fields["purposes"]["choices"]
    assert {choice["value"]: choice["zh"] for choice in choices} == PURPOSE_WORDS
    assert set(PURPOSE_WORDS) == set(PURPOSES)
    assert set(MODE_WORDS) == set(MODES)
