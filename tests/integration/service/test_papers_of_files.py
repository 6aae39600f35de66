"""Statements, invoices and trade vouchers of orders of files: data, credentials and PDF, and what the auditor says."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.papers_in_hand import Paper
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.cli import main
from marketplace.sdk import deliveries, evidence, papers, settlement
from marketplace.settlement.papers.printing import ATTACHMENT, print_paper
from marketplace.settlement.statements.account import CHINA
from marketplace.types import OrderStatus
from tests.integration.service.delivering import PRICE, a_file, offer_file, order_file
from tests.integration.service.late import Late
from tests.integration.service.test_papers import month_of
from tests.integration.service.test_refusals import code_of
from tests.integration.service.town import YEAR, Town


def china_month(moment: int) -> str:
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m")


FEE, TAX = PRICE * 250 // 10_000, PRICE * 600 // 10_600


@pytest.fixture(scope="module")
def filed(town: Town) -> str:
    """An order of a file that was accepted, after a correction."""
    buyer, supplier = town["buyer"], town["supplier"]
    order = order_file(town, offer_file(town))
    deliveries.deliver(supplier, order, a_file(11))
    deliveries.receive(buyer, order)
    deliveries.acknowledge(buyer, order)
    deliveries.object_to(buyer, order, ["a row is missing 缺一行"])
    deliveries.deliver(supplier, order, a_file(12))
    assert code_of(lambda: papers.trade_voucher(buyer, order)) == "trade_not_settled"
    deliveries.accept(buyer, order)
    return order


@pytest.fixture(scope="module")
def signed(town: Town, filed: str) -> dict[str, dict[str, Any]]:
    """Every paper that tells of it, as the exchange signed it."""
    buyer, supplier = town["buyer"], town["supplier"]
    voucher = papers.trade_voucher(buyer, filed)
    month = month_of(papers.content(buyer, voucher)["payment"]["settledAt"])
    return {
        "voucher": voucher,
        "invoice": papers.invoice(supplier, supplier.address, buyer.address, month),
        "buyer": papers.statement(buyer, month),
        "supplier": papers.statement(supplier, month),
    }


def test_a_trade_voucher_has_the_delivery_that_was_accepted(town: Town, filed: str, signed: dict[str, Any]) -> None:
    paper, row = papers.content(town["buyer"], signed["voucher"]), deliveries.get(town["buyer"], filed)
    said, paid = paper["delivery"], paper["payment"]
    assert (said["mode"], said["rounds"]) == ("FILE_DOWNLOAD", 2)
    assert [said[name] for name in ("noteHash", "ciphertextDigest", "fingerprintId")] == [
        row[name] for name in ("noteHash", "ciphertextDigest", "fingerprintId")
    ]
    assert (paid["prepaid"], paid["gross"], paid["refund"], paid["fee"]) == (PRICE, PRICE, 0, FEE)
    assert paid["tax"] == TAX
    assert sum(share["amount"] for share in paid["shares"]) == paid["net"] == PRICE - FEE
    assert set(paper["assessment"].values()) == {True, "cn-2025.1"}


def test_an_invoice_bills_a_file_once_and_whole(town: Town, filed: str, signed: dict[str, Any]) -> None:
    paper = papers.content(town["supplier"], signed["invoice"])
    (line,) = [line for line in paper["lines"] if line["order"] == filed]
    assert [(part["code"], part["units"], part["amount"]) for part in line["bill"]] == [("full_set", 1, PRICE)]
    assert (line["gross"], line["fee"], line["net"], line["tax"]) == (PRICE, FEE, PRICE - FEE, TAX)
    assert paper["totals"]["orders"] == len(paper["lines"])


def test_statements_say_that_a_file_was_funded_and_paid(town: Town, filed: str, signed: dict[str, Any]) -> None:
    about = {
        name: [
            (line["cause"], line["amount"])
            for line in papers.content(town[name], signed[name])["movements"]
            if line["about"] == filed
        ]
        for name in ("buyer", "supplier")
    }
    paid = {line["to"]: line["amount"] for line in settlement.statement(town["supplier"], filed)["lines"]}
    assert about["buyer"] == [("orders.funded", -PRICE)]
    assert about["supplier"] == [("deliveries.delivery_accepted", paid[town["supplier"].address])]


def test_what_time_ended_is_on_the_statements_too(late: Late) -> None:
    """One delivery that nobody objected to, and one that never came."""
    town, months = late.town, {china_month(late.now())}
    buyer, supplier = town["buyer"], town["supplier"]
    listing = offer_file(town, term_end=late.now() + YEAR // 4)
    silent, never = order_file(town, listing), order_file(town, listing)
    deliveries.deliver(supplier, silent, a_file(13))
    deliveries.receive(buyer, silent)
    deliveries.acknowledge(buyer, silent)
    late.pass_window()
    late.until(silent, lambda item: item["status"] == OrderStatus.SETTLED)  # both by the service itself
    late.until(never, lambda item: item["status"] == OrderStatus.REFUNDED)
    assert code_of(lambda: papers.trade_voucher(buyer, never)) == "trade_not_settled"
    assert papers.content(buyer, papers.trade_voucher(buyer, silent))["delivery"]["rounds"] == 1
    months.add(china_month(late.now()))
    moved = {
        (name, line["cause"], line["amount"], line["about"])
        for name in ("buyer", "supplier")
        for month in months
        for line in papers.content(town[name], papers.statement(town[name], month))["movements"]
        if line["about"] in (silent, never)
    }
    share = settlement.statement(supplier, silent)["lines"][1]["amount"]
    assert moved == {
        ("buyer", "orders.funded", -PRICE, silent),
        ("buyer", "orders.funded", -PRICE, never),
        ("buyer", "deliveries.delivery_lapsed", PRICE, never),
        ("supplier", "deliveries.delivery_deemed", share, silent),
    }


def test_each_paper_is_printed_whole(signed: dict[str, Any]) -> None:
    wanted = {"voucher": ["交易凭证", "交付单摘要", "FILE_DOWNLOAD"], "invoice": ["账单", "全量一次性 the whole, once"]}
    wanted |= {side: ["账户对账单", "Account statement", "期末余额"] for side in ("buyer", "supplier")}
    for name, paper in signed.items():
        read = pypdf.PdfReader(io.BytesIO(print_paper(paper, 1_790_000_000)))
        assert json.loads(read.attachments[ATTACHMENT][0]) == paper
        text = "".join(page.extract_text() for page in read.pages).replace("\0", "")
        assert [word for word in wanted[name] if word not in text] == []


def test_the_auditor_derives_each_paper(town: Town, signed: dict[str, Any], tmp_path: Path) -> None:
    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    trust = Trust(registrar=town["registrar"].address, log_key=town["auditor"].profile.pin.log_key)
    now = town["buyer"].now()
    with open_bundle(tmp_path / "evidence.zip") as bundle:
        report = audit(bundle, trust, reexecute=0, papers=[Paper(name, value, now) for name, value in signed.items()])
    assert [finding for finding in report.findings if finding.code.startswith("paper_")] == []


def test_the_statement_on_a_terminal_says_through_which_asset(
    town: Town, filed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("marketplace.settlement.commands.money.open_client", lambda *_, **__: _Open(town["supplier"]))
    for language, heading in (("en", "due through asset"), ("zh", "来自资产")):
        assert main(["--lang", language, "settlement", "statement", filed]) == 0
        shown = capsys.readouterr().out
        assert heading in shown
        assert town.facts["asset"] in shown


class _Open:
    """A client that stays open when its command is done."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, *_: object) -> None:
        return None
