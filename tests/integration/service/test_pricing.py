"""A plan from listing to settlement: what was quoted is what vouchers promise and what is paid, tier by tier."""

import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto.canonical import canonical_json
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.errors import InvalidInputError, RuleError
from marketplace.sdk import evidence, listings, orders, papers, queries, settlement
from tests.integration.service.test_agreements import agreed, code_of
from tests.integration.service.test_http import refused
from tests.integration.service.test_way import everybody
from tests.integration.service.town import YEAR, Town
from tests.memory import MemoryBundle
from tests.plans import PUBLIC, plan

MINUTE = 60.0
TIERED = plan("PER_CALL", scheme="GRADUATED", tiers=[{"upTo": 1, "unitPrice": 100}, {"upTo": None, "unitPrice": 7}])


def listed(town: Town, found: dict[str, Any]) -> str:
    return town.list_product(town.facts["asset"], price=None, plan=found)


def test_quoted_metered_billed_and_paid_are_the_same(town: Town) -> None:
    listing = listed(town, TIERED)
    told = orders.quote(town["buyer"], listing, calls=3, purpose="TRANSPORT")
    assert code_of(orders.quote, town["buyer"], listing, calls=3, purpose="AGRICULTURE") == "purpose_not_permitted"
    assert [(line["units"], line["amount"]) for line in told["lines"]] == [(1, 100), (2, 14)]
    assert (told["total"], told["escrowLeast"], told["fee"]["bps"]) == (114, 114, 250)
    order = town.fund(listing, escrow=told["escrowLeast"], epsilon_cap=4_000)
    questions = [f"SELECT COUNT(*) FROM f WHERE month = '{month}'" for month in (1, 2, 3, 4)]
    for question, price in zip(questions, (100, 7, 7), strict=False):
        with everybody(town):
            assert queries.ask(town["buyer"], order, question, 1_000, MINUTE).price == price
    assert code_of(queries.ask, town["buyer"], order, questions[3], 1_000, MINUTE) == "escrow_exceeded"
    settlement.close(town["supplier"], order)
    paid = orders.get(town["buyer"], order)
    assert (paid["amount"], paid["calls"], paid["refund"]) == (114, 3, 0)


def test_a_trial_is_once_a_buyer_and_ends(town: Town) -> None:
    listing = listed(town, plan("FREE_TRIAL", calls=1))
    assert orders.quote(town["buyer"], listing, calls=1, purpose="TRANSPORT")["total"] == 0
    assert code_of(orders.quote, town["buyer"], listing, calls=2, purpose="TRANSPORT") == "quota_exhausted"
    town.fund(listing, escrow=0, epsilon_cap=1_000)
    assert code_of(town.fund, listing, escrow=0, epsilon_cap=1_000) == "trial_used"
    town.fund(listing, "rival", escrow=0, epsilon_cap=1_000)


def at_once(town: Town, times: int, listing: str, **wish: Any) -> list[str]:
    """What becomes of as many orders sent together: "" or the refusal's code."""

    def place(_: int) -> str:
        try:
            town.fund(listing, epsilon_cap=1_000, **wish)
        except RuleError as refusal:
            return refusal.code
        return ""

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(place, range(times)))


def test_orders_sent_together_have_one_trial_among_them(town: Town) -> None:
    listing = listed(town, plan("FREE_TRIAL", calls=3))
    assert at_once(town, 4, listing, escrow=0) == ["", *["trial_used"] * 3]


def test_orders_sent_together_keep_within_what_public_data_may_earn(town: Town) -> None:
    """Of 1,000 fen that the operator may earn, one order of 900 takes too much for any other."""
    asset = town.register(town.seal().manifest, origin="PUBLIC")
    public = {
        "publicData": PUBLIC | {"operatingCost": 1_000, "subsidy": 0, "marginBps": 0, "treasuryYieldBps": 0, "tax": 0}
    }
    listing = town.list_product(asset, price=None, plan={**TIERED, **public})
    assert at_once(town, 3, listing, escrow=900) == ["", "revenue_cap", "revenue_cap"]
    assert code_of(orders.quote, town["buyer"], listing, calls=20, purpose="TRANSPORT") == "revenue_cap"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (plan("PER_HIT", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 1}]), "plan_not_for_questions"),
        ({**TIERED, "tiers": [{"upTo": 1, "unitPrice": 1}]}, "malformed_document"),
    ],
)
def test_plans_that_cannot_be_listed(town: Town, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises((InvalidInputError, RuleError)) as caught:
        listed(town, wrong)
    assert caught.value.code == code


def test_an_order_of_a_month_runs_for_a_month(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It pays one period, so that the buyer's program asks for no longer term, and the service grants none."""
    month = plan("PER_PERIOD", period="MONTH", price=100, quota=5, overage=None)
    listing, later = listed(town, month), int(time.time()) + YEAR // 4
    order = town.fund(listing, escrow=100, epsilon_cap=1_000, valid_until=later)
    assert orders.get(town["buyer"], order)["validUntil"] <= time.time() + 31 * 86_400
    monkeypatch.setattr("marketplace.sdk.orders.pricing.longest_term", lambda _: None)
    code = code_of(town.fund, listing, escrow=100, epsilon_cap=1_000, valid_until=later)
    assert code == "term_beyond_period"


def test_a_price_that_two_sides_agreed_on_is_quoted_vouchered_paid_and_audited(town: Town) -> None:
    buyer, open_ = town["buyer"], plan("NEGOTIATED")
    listing = listed(town, open_)
    assert code_of(orders.quote, buyer, listing, calls=2, purpose="TRANSPORT") == "plan_not_agreed"
    assert code_of(town.fund, listing) == "plan_not_agreed"
    other = agreed(town, plan=plan("PER_HIT", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 1}]))
    assert code_of(town.fund, listing, agreement_id=other) == "plan_not_for_questions"

    under = agreed(town, plan=TIERED)
    told = orders.quote(buyer, listing, calls=2, purpose="TRANSPORT", agreement_id=under)
    assert (told["total"], told["plan"]) == (107, TIERED)
    assert code_of(orders.quote, town["rival"], listing, calls=2, purpose="TRANSPORT", agreement_id=under) == (
        "agreement_unknown"
    )
    assert code_of(town.fund, listing, "rival", agreement_id=under) == "agreement_unknown"
    assert code_of(town.fund, listing, agreement_id=under, escrow=99) == "escrow_too_small"
    order = town.fund(listing, agreement_id=under, escrow=told["escrowLeast"], epsilon_cap=3_000)
    for month, price in ((2, 100), (3, 7)):
        with everybody(town):
            question = f"SELECT COUNT(*) FROM f WHERE month = '{month}'"
            assert queries.ask(buyer, order, question, 1_000, MINUTE).price == price
    settlement.close(town["supplier"], order)
    paid = orders.get(buyer, order)
    assert (paid["amount"], paid["calls"], paid["refund"]) == (107, 2, 0)
    proof = papers.content(buyer, papers.trade_voucher(buyer, order))
    assert (proof["contract"]["plan"]["mode"], proof["assessment"]["priceIsThePlans"]) == ("PER_CALL", True)
    assert proof["contract"]["agreement"] == under


def test_the_auditor_bills_by_what_was_agreed(town: Town, tmp_path: Path) -> None:
    """After the orders above; a bundle whose agreement says another price is found out."""
    town.wait_for_anchor()
    path = tmp_path / "bundle.zip"
    evidence.download_bundle(town["auditor"], path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert [finding.as_dict() for finding in audit(MemoryBundle(files), Trust(), reexecute=0).findings] == []
    name, forms = next(
        (name, value)
        for name, content in files.items()
        if b'"form_agreement"' in content and b'"unitPrice":100' in content and (value := json.loads(content))
    )
    forms["fields"]["plan"]["tiers"][0]["unitPrice"] = 1
    found = audit(MemoryBundle({**files, name: canonical_json(forms)}), Trust(), reexecute=0).findings
    assert {finding.code for finding in found} == {"document_digest", "voucher_amount"}


def test_a_quote_counts_the_periods_and_records_that_it_is_told(town: Town) -> None:
    """A year of calls under a subscription by the month has twelve months, however the calls fall."""
    month = plan("SUBSCRIPTION", period="MONTH", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 1_000}])
    listing = listed(town, month)
    year = orders.quote(town["buyer"], listing, calls=100_000, periods=12, purpose="TRANSPORT")
    assert (year["total"], year["usage"]["periods"], year["usage"]["records"]) == (12_000, 12, 100_000)
    for impossible in ({"hits": 3}, {"periods": 3}, {"hits": 0, "records": 1}):
        wish = {"calls": 2, "purpose": "TRANSPORT", **impossible}
        assert code_of(orders.quote, town["buyer"], listing, **wish) == "usage_contradictory"


def test_a_quote_is_public_and_says_what_is_wrong(town: Town, http: httpx.Client) -> None:
    question = {"listing": town.facts["listing"], "purpose": "TRANSPORT", "calls": 2}
    told = http.get("/orders/quote", params=question).json()
    assert told["total"] == 2 * listings.get(town["buyer"], town.facts["listing"])["price"]
    refused(http.get("/orders/quote", params=question | {"purpose": "FUN"}), 422, "purpose_unknown")
    refused(http.get("/orders/quote", params=question | {"hits": 3}), 422, "usage_contradictory")
    refused(http.get("/orders/quote", params=question | {"listing": "0x" + "ab" * 32}), 404, "listing_unknown")
