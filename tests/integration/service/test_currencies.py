"""A market of two currencies from issue to audit: what is sold for Hong Kong dollars touches no yuan."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import load_json
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.papers_in_hand import Paper
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.cli import main
from marketplace.documents.plans import flat_plan
from marketplace.sdk import clearing, evidence, listings, orders, papers, redemptions, settlement
from marketplace.settlement.papers.printing import print_paper
from marketplace.settlement.statements.camt import parse_camt
from marketplace.settlement.statements.entries import Entry
from marketplace.settlement.statements.reconciliation import reconcile
from marketplace.types import BatchStatus, OrderStatus
from tests.bank_statements import camt
from tests.integration.service.test_agreements import agreed
from tests.integration.service.test_papers import month_of
from tests.integration.service.test_refusals import Asking, code_of
from tests.integration.service.town import NODES, Town
from tests.plans import plan

ISSUED, PRICE, ESCROW, REDEEMED = 9_000, 700, 2_100, 400
FEE = PRICE * 250 // 10_000
HKD: dict[str, Any] = {"currency": "HKD"}
OPEN = plan("NEGOTIATED")


def balance(town: Town, name: str, currency: str = "HKD") -> int:
    return int(settlement.balance(town[name], currency=currency)["balance"])


@pytest.fixture(scope="module")
def listing(town: Town) -> str:
    """The data set, sold for Hong Kong dollars too; and a buyer who has some."""
    settlement.issue(town["bank"], town["buyer"].address, ISSUED, "HK-IN-1", currency="HKD")
    return town.list_product(town.facts["asset"], price=PRICE, **HKD)


@pytest.fixture(scope="module")
def order(town: Town, listing: str) -> str:
    """An order with one answered question, closed."""
    yuan = balance(town, "buyer", "CNY")
    asking = Asking(town, town.fund(listing, escrow=ESCROW, **HKD))
    assert (balance(town, "buyer"), balance(town, "buyer", "CNY")) == (ISSUED - ESCROW, yuan)
    asking.query = {**asking.query, "epsilon": 1_900}
    asking.post(epsilon=1_900)
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    name = str(asking.query["order"])
    settlement.close(town["supplier"], name)
    return name


def test_the_profile_says_which_currencies_there_are(town: Town) -> None:
    profile = town["buyer"].get("/profile")
    assert profile["currencies"] == ["CNY", "HKD"]
    assert profile["contracts"]["SettlementTokenHKD"] != profile["contracts"]["SettlementToken"]
    assert town["buyer"].deployment.currencies == ("CNY", "HKD")


def test_an_order_is_settled_in_its_listings_currency(town: Town, listing: str, order: str) -> None:
    row = orders.get(town["buyer"], order)
    assert (row["currency"], row["status"]) == ("HKD", OrderStatus.SETTLED)
    assert listings.inspect(town["buyer"], listing).listing["currency"] == "HKD"
    found = settlement.statement(town["buyer"], order)
    assert (found["currency"], found["sum"]) == ("HKD", ESCROW)
    shares = {line["to"]: line["amount"] for line in found["lines"] if line["what"] == "share"}
    assert sum(shares.values()) == PRICE - FEE
    assert balance(town, "supplier") == shares[town["supplier"].address]
    assert balance(town, "buyer") == ISSUED - PRICE
    assert [row["currency"] for row in settlement.balances(town["buyer"])] == ["CNY", "HKD"]
    told = orders.quote(town["buyer"], listing, calls=3, purpose="TRANSPORT")
    assert (told["currency"], told["total"]) == ("HKD", 3 * PRICE)


def other_fund(town: Town, listing: str, currency: int) -> Callable[[], Any]:
    """An order of the listing in another currency than its terms say, signed by the buyer."""
    buyer = town["buyer"]
    sign = buyer.sign

    def act() -> Any:
        def altered(name: str, message: dict[str, Any]) -> str:
            message |= {"currency": currency}
            return sign(name, message)

        buyer.sign = altered  # type: ignore[method-assign, assignment]
        try:
            return orders.fund(
                buyer,
                listing,
                escrow=ESCROW,
                epsilon_cap=1,
                purpose="TRANSPORT",
                region="CN",
                valid_until=int(time.time()) + 86_400,
            )
        finally:
            buyer.sign = sign  # type: ignore[method-assign]

    return act


def test_nothing_is_paid_or_sold_in_another_currency(town: Town, listing: str, order: str) -> None:
    bank, buyer = town["bank"], town["buyer"]
    assert code_of(other_fund(town, listing, 156)) == "currency_differs"
    assert code_of(lambda: town.fund(listing, escrow=ESCROW, currency="CNY")) == "terms_currency_differs"
    assert code_of(lambda: settlement.issue(bank, buyer.address, 5, currency="USD")) == "currency_unknown"
    assert code_of(lambda: settlement.issue(bank, buyer.address, 5, currency="XXX")) == "currency_unknown"
    assert code_of(lambda: settlement.balance(buyer, currency="USD")) == "currency_not_in_market"
    assert code_of(lambda: town.list_product(town.facts["asset"], price=1, currency="USD")) == "currency_not_in_market"
    assert code_of(lambda: town.fund(listing, escrow=10**9, **HKD)) == "balance_insufficient"


def test_a_batch_is_of_one_currency(town: Town, listing: str, order: str) -> None:
    exchange, before = town["exchange"], balance(town, "collector")
    batch = clearing.open_batch(exchange, int(time.time()) + 2**41, currency="HKD")["batch"]
    debt = clearing.owe(town["buyer"], batch, town["collector"].address, 120, "HK invoice")["debt"]
    assert [row["currency"] for row in clearing.debts(town["buyer"], batch) if row["debtId"] == debt] == ["HKD"]
    found = clearing.run(exchange, batch)
    assert (found["status"], found["currency"]) == (BatchStatus.SETTLED, "HKD")
    assert balance(town, "collector") == before + 120
    assert code_of(lambda: clearing.open_batch(exchange, 2**42, currency="USD")) == "currency_not_in_market"


def test_money_goes_back_to_its_bank_and_is_reconciled_with_it(town: Town, order: str) -> None:
    bank, buyer, before = town["bank"], town["buyer"], balance(town, "buyer")
    payee: dict[str, Any] = {"beneficiary": "Ms Li", "account_number": "622202000000"}
    wish = str(redemptions.redeem(buyer, bank.address, REDEEMED, **payee, **HKD)["redemptionId"])
    assert redemptions.payout(bank, wish)["beneficiary"] == "Ms Li"
    redemptions.pay(bank, wish, "HK-OUT-1")
    row = redemptions.get(buyer, wish)
    assert (row["currency"], balance(town, "buyer")) == ("HKD", before - REDEEMED)
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
    entries = [Entry("HK-IN-1", day, ISSUED, True), Entry("HK-OUT-1", day, REDEEMED, False)]
    rows = (settlement.issues(bank), redemptions.redemptions(bank), bank.address)
    (own,) = parse_camt(camt(entries, currency="HKD", last=day))
    report = reconcile([own], *rows)
    assert (report.unexplained, len(report.matched), report.currencies) == (0, 2, ["HKD"])
    (other,) = parse_camt(camt(entries, last=day))
    assert {item.kind for item in reconcile([other], *rows).differences} >= {"currency_differs"}


def test_papers_and_the_audit_keep_currencies_apart(
    town: Town, order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    buyer, supplier = town["buyer"], town["supplier"]
    voucher = papers.trade_voucher(buyer, order)
    paid = papers.content(buyer, voucher)["payment"]
    month = month_of(paid["settledAt"])
    invoice = papers.invoice(supplier, supplier.address, buyer.address, month, "HKD")
    held = [voucher, invoice, papers.statement(buyer, month, currency="HKD"), papers.statement(buyer, month)]
    lines = papers.content(supplier, invoice)["lines"]
    assert (paid["currency"], [line["order"] for line in lines]) == ("HKD", [order])
    yuan = papers.content(supplier, papers.invoice(supplier, supplier.address, buyer.address, month))
    assert order not in [line["order"] for line in yuan["lines"]]
    assert len(print_paper(voucher, 1_790_000_000)) > 1_000
    where = ["--url", town.url, "--home", str(tmp_path / "home")]
    assert main([*where, "listings", "list"]) == 0
    assert "7.00 HKD" in capsys.readouterr().out
    target = tmp_path / "evidence.zip"
    evidence.download_bundle(town["auditor"], target)
    profile = town["auditor"].get("/profile")
    trust = Trust(registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(target) as bundle:
        held_ = [Paper(str(number), value, buyer.now()) for number, value in enumerate(held)]
        report = audit(bundle, trust, papers=held_)
        rows = [load_json(line) for line in bundle.lines("read_model/balances.jsonl")]
    assert report.findings == []
    totals = {code: sum(row["balance"] for row in rows if row["currency"] == code) for code in ("CNY", "HKD")}
    assert totals["HKD"] == ISSUED - REDEEMED


def test_an_agreement_is_in_yuan_and_prices_nothing_in_another_currency(town: Town, listing: str) -> None:
    """Seven yuan are not seven Hong Kong dollars, though both are 700."""
    agreement = agreed(town, plan=flat_plan(PRICE))
    settlement.issue(town["bank"], town["buyer"].address, PRICE, "HK-IN-9", currency="HKD")
    ordered = partial(town.fund, listing, escrow=PRICE, agreement_id=agreement, epsilon_cap=1_000, **HKD)
    assert code_of(ordered) == "price_not_agreed"
    assert code_of(lambda: town.list_product(town.facts["asset"], price=None, plan=OPEN, **HKD)) == "price_not_agreed"
