"""Statements, invoices and trade vouchers over HTTP: what was settled, to the fen, signed, for its parties alone."""

import io
import json
from datetime import datetime
from pathlib import Path

import pypdf
import pytest

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.papers_in_hand import Paper
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.cli import main
from marketplace.errors import VerificationError
from marketplace.sdk import claims, evidence, identifiers, orders, papers, settlement
from marketplace.settlement.papers.printing import ATTACHMENT, print_paper
from marketplace.settlement.statements.account import CHINA
from tests.integration.service.test_clearing import answered_order
from tests.integration.service.test_refusals import code_of
from tests.integration.service.town import ESCROW, PRICE, Town

FEE = PRICE * 250 // 10_000


def month_of(settled_at: str) -> str:
    return datetime.fromisoformat(settled_at).astimezone(CHINA).strftime("%Y-%m")


@pytest.fixture(scope="module")
def settled(town: Town) -> str:
    order = answered_order(town)
    assert code_of(lambda: papers.trade_voucher(town["buyer"], order)) == "trade_not_settled"
    assert code_of(lambda: settlement.close(town["buyer"], order)) == "order_closed_by_seller"
    settlement.close(town["supplier"], order)
    return order


def test_a_trade_voucher_says_what_the_ledger_says(town: Town, settled: str) -> None:
    buyer, row = town["buyer"], orders.get(town["buyer"], settled)
    signed = papers.trade_voucher(buyer, settled)
    paper = papers.content(town["auditor"], signed)
    paid = paper["payment"]
    assert (paid["prepaid"], paid["gross"], paid["fee"], paid["refund"]) == (ESCROW, PRICE, FEE, ESCROW - PRICE)
    assert paid["shares"] == row["payouts"]
    assert paid["paidAt"] == paid["settledAt"]  # at once, in no batch
    assert (paper["contract"]["buyer"], paper["delivery"]["calls"]) == (buyer.address, 1)
    assert set(paper["assessment"].values()) == {True, "cn-2025.1"}
    record = identifiers.resolve(buyer, paper["identifier"])
    assert (record["subject"], record["kind"]) == (paper["voucher"], "trade")
    assert code_of(lambda: identifiers.resolve(town["rival"], paper["identifier"])) == "unknown_identifier"
    assert code_of(lambda: papers.trade_voucher(town["rival"], settled)) == "order_unknown"


def test_an_invoice_has_every_settled_order_once(town: Town, settled: str) -> None:
    buyer, supplier = town["buyer"], town["supplier"]
    month = month_of(papers.content(buyer, papers.trade_voucher(buyer, settled))["payment"]["settledAt"])
    paper = papers.content(supplier, papers.invoice(supplier, supplier.address, buyer.address, month))
    (line,) = [line for line in paper["lines"] if line["order"] == settled]
    assert [(part["code"], part["units"], part["amount"]) for part in line["bill"]] == [("call", 1, PRICE)]
    assert (line["gross"], line["fee"], line["net"]) == (PRICE, FEE, PRICE - FEE)
    assert line["tax"] == PRICE * 600 // 10_600
    assert code_of(lambda: papers.invoice(town["rival"], supplier.address, buyer.address, month)) == "invoice_unknown"
    assert code_of(lambda: papers.invoice(buyer, buyer.address, buyer.address, month)) == "invoice_sides"
    assert code_of(lambda: papers.invoice(buyer, supplier.address, buyer.address, "2099-01")) == "period_not_begun"
    assert code_of(lambda: papers.statement(buyer, "2099-01")) == "period_not_begun"


def test_what_an_order_used_is_told(town: Town, settled: str) -> None:
    buyer = town["buyer"]
    running = answered_order(town)
    used = claims.spent(buyer, orders.get(buyer, running))
    assert (used["amount"], used["calls"]) == (PRICE, 1)
    assert used == claims.spent(town["supplier"], orders.get(buyer, settled))
    assert used["epsilon"] > 0


def test_a_paper_is_printed_whole_and_a_changed_one_does_not_verify(
    town: Town, settled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed = papers.trade_voucher(town["buyer"], settled)
    read = pypdf.PdfReader(io.BytesIO(print_paper(signed, 1_790_000_000)))
    assert json.loads(read.attachments[ATTACHMENT][0]) == signed
    text = "".join(page.extract_text() for page in read.pages).replace("\0", "")
    assert "交易凭证" in text
    assert "Trade voucher" in text
    signed["credentialSubject"]["paper"]["payment"]["gross"] += 1
    with pytest.raises(VerificationError, match="not signed by this exchange"):
        papers.content(town["buyer"], signed)
    (tmp_path / "forged.json").write_text(json.dumps(signed))
    where = ["--url", town.url, "--home", str(tmp_path / "home")]
    assert main([*where, "vouchers", "verify", str(tmp_path / "forged.json")]) == 7
    capsys.readouterr()
    for foreign in (b"\xff", b"[" * 100_000):
        (tmp_path / "foreign.json").write_bytes(foreign)
        assert main([*where, "vouchers", "verify", str(tmp_path / "foreign.json")]) == 2
        assert "is not JSON" in capsys.readouterr().err


def test_the_auditor_builds_the_services_papers_again(town: Town, settled: str, tmp_path: Path) -> None:
    buyer, supplier = town["buyer"], town["supplier"]
    voucher = papers.trade_voucher(buyer, settled)
    month = month_of(papers.content(buyer, voucher)["payment"]["settledAt"])
    held = {
        "voucher": voucher,
        "invoice": papers.invoice(supplier, supplier.address, buyer.address, month),
        "buyer": papers.statement(buyer, month),
        "supplier": papers.statement(supplier, month),
        "bank": papers.statement(town["bank"], month),
    }
    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    trust = Trust(registrar=town["registrar"].address, log_key=town["auditor"].profile.pin.log_key)
    now = buyer.now()
    with open_bundle(tmp_path / "evidence.zip") as bundle:
        report = audit(bundle, trust, reexecute=0, papers=[Paper(name, value, now) for name, value in held.items()])
    assert [finding for finding in report.findings if finding.code.startswith("paper_")] == []
    assert "papers_compared" in [code for code, *_ in report.notes]
