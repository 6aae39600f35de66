"""Papers that somebody holds: true ones follow from the evidence; each falsehood is named with its line.

That the service's own papers are the ones that follow is in tests/integration/service/test_papers.py.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace import cli
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.papers_in_hand import MAX_PAPER, Paper, first_difference
from marketplace.auditor.trust import Seen
from marketplace.auditor.verifier import audit, read_ledger
from marketplace.currencies import CNY, CURRENCIES, Currency
from marketplace.settlement.papers.credentials import issue_paper
from marketplace.settlement.papers.sales import Sale, make_invoice, make_trade_voucher
from marketplace.settlement.statements.account import Movement, make_statement
from marketplace.settlement.statements.causes import amount_for, cause_of
from marketplace.types import BatchStatus, OrderStatus
from tests import bundles
from tests.bundles import START, Made, Maker, keys
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import Forger, tables_of

Json = dict[str, Any]
NOW, MONTH = START + 86_400, "2026-09"


def _sales(made: Made) -> list[Sale]:
    """The settled orders, from the read model as the bundle tells it."""
    forger = Forger(made)
    rows = tables_of(forger).rows
    times = {int(header["number"], 16): int(header["timestamp"], 16) for header in forger.lines("ledger/headers.jsonl")}
    found = []
    for order in rows["orders"].values():
        if order["status"] == OrderStatus.SETTLED:
            listing = rows["listings"][order["listingId"],]
            paid = [row for row in rows["payouts"].values() if row["orderId"] == order["orderId"]]
            in_order = sorted(paid, key=lambda row: row["event"]["logIndex"])
            shares = [(row["assetId"], row["holder"], row["amount"]) for row in in_order]
            cleared = rows["cleared_orders"].get((order["orderId"],), {}).get("batchId")
            terms, agreement = (forger.document(name) for name in (listing["termsDigest"], order["agreementDigest"]))
            settled_at = times[order["event"]["block"]]
            delivered = rows["deliveries"].get((order["orderId"],))
            batch = rows["clearing_batches"][cleared,] if cleared else None
            waits = batch is not None and batch["status"] != BatchStatus.SETTLED
            paid_at = None if waits else times[(batch or order)["event"]["block"]]
            about: Json = {"settled_at": settled_at, "paid_at": paid_at, "batch": cleared}
            about |= {"shares": shares, "calls": order["calls"], "delivered": delivered}
            found.append(Sale(order, listing, terms, agreement, **about))
    return found


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A market of one order, settled in a batch that has paid everybody."""

    def tell(maker: Maker) -> None:
        bundles.admit_all(maker)
        bundles.seal_data(maker)
        maker.budget = 10 * bundles.EPSILON
        bundles.register(maker)
        bundles.offer(maker)
        (order,) = bundles.fund_orders(maker, 1, 1, last_until=START + bundles.YEAR)
        batch = bundles.open_batch(maker)
        bundles.clear(maker, order, batch)
        maker.ledger.seal()
        bundles.settle_batch(maker, batch, 3 * bundles.PRICE)
        maker.ledger.call("Clearing", "pay", batch, maker.people["collector"].address)
        maker.ledger.seal()

    return bundles.make_market(tmp_path_factory.mktemp("node"), tell)


@pytest.fixture(scope="module")
def papers(made: Made) -> dict[str, Json]:
    """An honest trade voucher and an honest invoice."""
    return papers_of_sale(made)


def papers_of_sale(made: Made) -> dict[str, Json]:
    """The trade voucher of the first sale, and the invoice of its seller to its buyer."""
    sales = _sales(made)
    seller, buyer = sales[0].listing["seller"], sales[0].order["buyer"]
    sales = [sale for sale in sales if sale.listing["seller"] == seller]
    return {"voucher": make_trade_voucher(sales[0]), "invoice": make_invoice(seller, buyer, MONTH, sales)}


def _report(made: Made, *values: object) -> Report:
    held = [Paper(f"paper{number}", value, NOW) for number, value in enumerate(values)]
    return audit(MemoryBundle(made.files), made.trust, reexecute=0, papers=held)


def _found(report: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in report.findings]


def _signed(paper: Json, name: str = "exchange") -> Json:
    return issue_paper(paper, keys(name).ed25519, NOW)


def statement_of(made: Made, account: str, money: Currency = CNY) -> Json:
    """The account's month in one currency, from the replayed events."""
    report = Report()
    ledger = read_ledger(MemoryBundle(made.files), made.trust, Seen(), report)
    assert ledger is not None
    replay = Replay(ledger.genesis, ledger.roots.deployment, report)
    replay.run(ledger.blocks)
    causes: dict[str | None, tuple[str, str]] = {}
    for placed in replay.derived:
        if cause := cause_of(placed.event.contract, placed.event.name, placed.event.args):
            causes.setdefault(placed.intent, cause)
    mine = [placed for placed in replay.derived if placed.event.contract == money.contract]
    transfers = [placed for placed in mine if placed.event.name == "Transfer"]
    moved = [(placed, amount_for(account, placed.event.args)) for placed in transfers]
    lines = [
        Movement(placed.timestamp, amount, *causes[placed.intent], placed.block, placed.log_index)
        for placed, amount in moved
        if amount
    ]
    return make_statement(account, MONTH, lines, money.code)


def test_a_statement_holds_and_one_that_leaves_out_an_order_does_not(made: Made) -> None:
    rows = tables_of(Forger(made)).rows
    buyer = next(iter(rows["orders"].values()))["buyer"]
    honest = statement_of(made, buyer)
    assert honest["closing"] == rows["balances"][buyer, "CNY"]["balance"]
    number = next(place for place, line in enumerate(honest["movements"]) if line["cause"] == "orders.funded")
    short = copy.deepcopy(honest)
    gone = short["movements"].pop(number)
    for line in short["movements"][number:]:
        line["balance"] -= gone["amount"]
    short["closing"] -= gone["amount"]
    report = _report(made, honest, _signed(honest), _signed(short))
    ((code, subject),) = _found(report)
    assert code == "paper_differs"
    assert subject.startswith(f"paper2 movements[{number}].")


def test_a_paper_is_of_one_currency(made: Made) -> None:
    rows, hkd = tables_of(Forger(made)).rows, CURRENCIES["HKD"]
    sale = next(sale for sale in _sales(made) if sale.order["currency"] == "HKD")
    seller, buyer = sale.listing["seller"], sale.order["buyer"]
    voucher = make_trade_voucher(sale)
    invoice = make_invoice(seller, buyer, MONTH, _sales(made), "HKD")
    statement = statement_of(made, buyer, hkd)
    assert voucher["payment"]["currency"] == "HKD"
    assert (invoice["totals"]["orders"], invoice["totals"]["gross"], invoice["totals"]["refund"]) == (1, 50, 5)
    assert statement["closing"] == rows["balances"][buyer, "HKD"]["balance"] == 900 - 50 - 40
    assert _found(_report(made, voucher, invoice, statement)) == []
    for paper, line in ((statement | {"currency": "CNY"}, "movements"), (invoice | {"currency": "CNY"}, "lines")):
        ((code, subject),) = _found(_report(made, paper))
        assert (code, subject.split(" ")[1].split("[")[0]) == ("paper_differs", line)
    ((code, _),) = _found(_report(made, statement | {"currency": "XXX"}))
    assert code == "paper_malformed"


def test_honest_papers_follow_from_the_evidence_signed_or_not(made: Made, papers: dict[str, Json]) -> None:
    report = _report(made, *papers.values(), *(_signed(paper) for paper in papers.values()))
    assert _found(report) == []
    notes = [code for code, *_ in report.notes]
    assert (notes.count("paper_unsigned"), notes.count("papers_compared")) == (2, 1)


def _change(paper: Json, *path: str | int, by: Callable[[Any], Any]) -> Json:
    changed = copy.deepcopy(paper)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = by(place[path[-1]])
    return changed


def test_a_changed_line_is_named_and_so_is_another_key(made: Made, papers: dict[str, Json]) -> None:
    gross = _change(papers["voucher"], "payment", "gross", by=lambda fen: fen + 1)
    line = _change(papers["invoice"], "lines", 1, "net", by=lambda fen: fen - 1)
    tampered = _change(
        _signed(papers["voucher"]), "credentialSubject", "paper", "payment", "fee", by=lambda fen: fen + 1
    )
    report = _report(made, _signed(gross), line, tampered, _signed(papers["invoice"], "vault"))
    assert _found(report) == [
        ("paper_differs", "paper0 payment.gross"),
        ("paper_differs", "paper1 lines[1].net"),
        ("paper_signature", "paper2"),
        ("paper_differs", "paper2 payment.fee"),
        ("paper_signature", "paper3"),
    ]
    assert (report.findings[0].expected, report.findings[0].got) == (
        str(papers["voucher"]["payment"]["gross"]),
        str(gross["payment"]["gross"]),
    )


def test_a_paper_of_an_unsettled_or_unknown_order_is_named(made: Made, papers: dict[str, Json]) -> None:
    orders = tables_of(Forger(made)).rows["orders"].values()
    unsettled = next(row["orderId"] for row in orders if row["status"] != OrderStatus.SETTLED)
    forged = _change(papers["voucher"], "contract", "order", by=lambda _: unsettled)
    unknown = _change(papers["voucher"], "contract", "order", by=lambda _: "0x" + "ab" * 32)
    billed = _change(papers["invoice"], "lines", 0, "order", by=lambda _: unsettled)
    left_out = _change(papers["invoice"], "lines", by=lambda lines: lines[:-1])
    report = _report(made, _signed(forged), unknown, billed, left_out)
    last = len(papers["invoice"]["lines"]) - 1
    assert _found(report) == [
        ("paper_of_unsettled_order", "paper0 contract.order"),
        ("paper_of_unsettled_order", "paper1 contract.order"),
        ("paper_of_unsettled_order", "paper2 lines[0].order"),
        ("paper_differs", "paper2 lines[0].order"),
        ("paper_differs", f"paper3 lines[{last}]"),
    ]


def test_a_paper_says_when_a_batch_paid_which_is_not_when_it_settled_the_order(paid: Made) -> None:
    (sale,) = _sales(paid)
    paper = make_trade_voucher(sale)
    payment = paper["payment"]
    assert payment["settledAt"] < payment["paidAt"]
    early = _change(paper, "payment", "paidAt", by=lambda _: payment["settledAt"])
    assert _found(_report(paid, paper, _signed(early))) == [("paper_differs", "paper1 payment.paidAt")]


def test_a_trade_voucher_of_a_batch_that_has_not_paid_is_named(made: Made) -> None:
    (sale,) = [sale for sale in _sales(made) if sale.batch]
    assert sale.paid_at is None
    for paid_at in (None, sale.settled_at):
        report = _report(made, _signed(make_trade_voucher(replace(sale, paid_at=paid_at))))
        assert _found(report) == [("paper_of_unpaid_order", "paper0 payment.paidAt")]
    assert (report.findings[0].expected, report.findings[0].got[-9:]) == ("SETTLED", "CONFIRMED")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"type": ["x"]},
        {"type": "trade_voucher", "contract": 1},
        {"type": "trade_voucher", "contract": {"order": ["x"]}},
        {"type": "invoice", "seller": "a", "buyer": "b", "period": "2026-13", "lines": 3},
        {"type": "account_statement", "account": {}, "period": MONTH},
        {"credentialSubject": 1},
        {"type": "\ud800"},
    ],
)
def test_what_is_no_paper_is_said_to_be_none(made: Made, value: object) -> None:
    codes = [code for code, _ in _found(_report(made, value))]
    assert codes[-1] == "paper_malformed"


def test_documents_that_are_not_there_leave_a_paper_open(made: Made, papers: dict[str, Json]) -> None:
    forger = Forger(made)
    del forger.files[f"documents/{papers['voucher']['contract']['acceptanceDigest'][2:]}.json"]
    report = audit(MemoryBundle(forger.files), made.trust, reexecute=0, papers=[Paper("v", papers["voucher"], NOW)])
    assert ("paper_underivable", "v") in _found(report)


def test_the_first_difference_tells_true_from_one_and_missing_from_null() -> None:
    assert first_difference({"a": [1, {"b": 1}]}, {"a": [1, {"b": True}]}) == ("a[1].b", 1, True)
    assert first_difference({"a": None}, {}) == ("a", None, "(nothing)")
    assert first_difference({}, {"a": None}) == ("a", "(nothing)", None)
    assert first_difference({"a": 1, "b": [2]}, {"b": [2], "a": 1}) is None


def test_papers_at_the_terminal(
    made: Made,
    papers: dict[str, Json],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    bundle, file = str(made.write(tmp_path / "evidence.zip")), tmp_path / "paper.json"
    file.write_text(json.dumps(papers["voucher"], indent=2), "utf-8")
    assert cli.main(["audit", bundle, "--paper", str(file), "--paper", str(file), "--lang", "en"]) == 0
    file.write_text(json.dumps(_change(papers["voucher"], "payment", "tax", by=lambda fen: fen + 1)), "utf-8")
    assert cli.main(["audit", bundle, "--paper", str(file), "--lang", "zh"]) == 7
    assert "paper_differs：凭证与账本所得不符" in capsys.readouterr().out
    assert cli.main(["audit", bundle, "--paper", str(file), "--register"]) == 2
    for content in (b"{", b'{"a":1,"a":1}', b"[" * 100_000, b" " * (MAX_PAPER + 1)):
        file.write_bytes(content)
        assert cli.main(["audit", bundle, "--paper", str(file), "--lang", "en"]) == 2
        assert "paper_unreadable" in capsys.readouterr().err
