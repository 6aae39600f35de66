"""A service that waves orders and listings through, which the contracts take as they are signed: the auditor counts
caps and trials again from the ledger, and reads plans beside their rulebooks."""

from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace.auditor.verifier import audit
from marketplace.currencies import CNY, CURRENCIES
from marketplace.documents import digest, iso_time
from marketplace.documents.ids import agreement_id, listing_id, order_id, title_id
from marketplace.documents.plans import flat_plan
from marketplace.documents.scopes import scope_of_terms
from marketplace.pricing import entry_price
from marketplace.types import ZERO_DIGEST, TitleKind
from tests import bundles
from tests.agreements import agreement_on
from tests.bundles import START, YEAR, Made, Maker
from tests.calls import OPERATIONS, delivery
from tests.memory import MemoryBundle
from tests.plans import PUBLIC, plan

Json = dict[str, Any]
CAPPED = PUBLIC | dict.fromkeys(("subsidy", "treasuryYieldBps", "marginBps", "tax"), 0) | {"operatingCost": 10_000}
OFFERED = [{**operation, "columns": ["origin"], "filters": []} for operation in OPERATIONS]
TIERS = [{"upTo": None, "unitPrice": 500}]


def _terms(maker: Maker, found: Json, **more: Any) -> Json:
    return maker.terms | {"version": 2, "plan": found, "price": entry_price(found)} | more


def _list(maker: Maker, terms: Json, **signed: Any) -> str:
    """A listing under these terms; `signed` is what the seller signs beside them."""
    heir = maker.people["heir"].address
    listing = listing_id(heir, maker.asset, maker.store(terms))
    message: Json = {"listingId": listing, "assetId": maker.asset, "titleId": title_id(maker.asset, TitleKind.OPERATE)}
    message |= {"seller": heir, "termsDigest": digest(terms), "price": terms["price"], "currency": CNY.number}
    message |= {**scope_of_terms(maker.terms, maker.manifest), "validUntil": START + YEAR, "deadline": START + YEAR}
    maker.act("Listings", "list", "List", message | signed, "heir")
    maker.ledger.seal()
    return listing


def _fund(maker: Maker, listing: str, terms: Json, escrow: int, *, cap: int = 1, **accepted: Any) -> str:
    """An order of the buyer's; `accepted` is what its acceptance says otherwise."""
    buyer, said = maker.people["buyer"].address, {"purpose": "TRANSPORT", "region": "CN-SH"} | accepted
    paper = {
        "type": "agreement",
        "version": 2 if "under" in said else 1,
        "listing": listing,
        "terms": digest(terms),
        "buyer": buyer,
        **said,
    }
    paper["nonce"] = f"0x{len(maker.documents):064x}"
    order = order_id(buyer, listing, maker.store(paper))
    message: Json = {"orderId": order, "listingId": listing, "buyer": buyer, "escrow": escrow, "currency": CNY.number}
    message |= {"epsilonCap": cap, "validUntil": START + YEAR, "agreementDigest": digest(paper)}
    message |= {"agreementId": said.get("under", ZERO_DIGEST), "deadline": START + YEAR}
    maker.act("Orders", "fund", "Fund", message, "buyer")
    maker.ledger.seal()
    return order


def _close(maker: Maker, order: str) -> None:
    """Settle an order for nothing, which gives back what it had set aside."""
    low = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    signature = maker.ledger.intent("Voucher", low, maker.people["buyer"])[1]
    bundles.settle(maker, bundles.Order(order, 0, 1, voucher={**low, "signature": signature}))
    maker.ledger.seal()


def _open(maker: Maker, origin: str, money: int) -> None:
    """A market with one asset, and a buyer with money."""
    bundles.admit_all(maker)
    bundles.seal_data(maker)
    maker.budget = 1_000_000
    bundles.register(maker, origin)
    maker.terms = bundles.first_terms(maker)
    issue = {"account": maker.people["buyer"].address, "amount": money, "ref": "0x" + "01" * 32, **maker.by("bank")}
    maker.act("SettlementToken", "issue", "Issue", issue | {"currency": CNY.number}, "bank")
    maker.ledger.seal()


class Told:
    """What of a market's story a finding has to name."""

    def __init__(self) -> None:
        self.wrong: list[tuple[str, str]] = []
        self.rules: set[str] = set()
        self.made: Made | None = None

    def findings(self) -> list[tuple[str, str]]:
        """Code and subject of each, as the audit of the whole bundle has them."""
        assert self.made is not None
        report = audit(MemoryBundle(self.made.files), self.made.trust, reexecute=0)
        assert {finding.step for finding in report.findings} == {9}
        self.rules = {finding.rule for finding in report.findings}
        return [(finding.code, finding.subject) for finding in report.findings]


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Public data that may earn 10,000 fen, sold under two listings; what is settled for less makes room."""
    told = Told()

    def tell(maker: Maker) -> None:
        _open(maker, "PUBLIC", 50_000)
        public = plan("PER_CALL", scheme="GRADUATED", tiers=TIERS, publicData=CAPPED)
        first = _terms(maker, public)
        second = _terms(maker, public | {"tiers": [{"upTo": None, "unitPrice": 501}]})
        trial = _terms(maker, plan("FREE_TRIAL", calls=3, publicData=CAPPED))
        one, two, three = (_list(maker, terms) for terms in (first, second, trial))
        hkd = _terms(maker, public, currency="HKD")
        for wrong, signed in (
            (hkd, {"currency": CURRENCIES["HKD"].number}),
            (_terms(maker, public | {"publicData": CAPPED | {"marginBps": 601}}), {}),
            (_terms(maker, public | {"publicData": CAPPED | {"unitCeiling": 499}}), {}),
            (_terms(maker, flat_plan(500)), {}),
        ):
            told.wrong.append(("plan_unfit", f"listing {_list(maker, wrong, **signed)}"))
        _fund(maker, three, trial, 0)
        told.wrong.append(("trial_used", f"order {_fund(maker, three, trial, 0)}"))
        monthly = plan("SUBSCRIPTION", period="MONTH", scheme="GRADUATED", tiers=TIERS, publicData=CAPPED)
        year = _fund(maker, _list(maker, _terms(maker, monthly)), _terms(maker, monthly), 500)
        told.wrong.append(("term_beyond_period", f"order {year}"))
        _close(maker, year)
        large = _fund(maker, one, first, 6_000)
        _fund(maker, two, second, 4_000)  # to the fen
        told.wrong.append(("revenue_cap", f"order {_fund(maker, two, second, 501)}"))
        _close(maker, large)
        _fund(maker, one, first, 5_499)
        told.wrong.append(("revenue_cap", f"order {_fund(maker, one, first, 500)}"))

    told.made = bundles.make_market(tmp_path_factory.mktemp("node"), tell)
    return told


def test_plans_and_orders_beyond_what_public_data_may_earn_and_a_second_trial_are_named(capped: Told) -> None:
    assert capped.findings() == capped.wrong
    assert {"pricing.plan_fits_rulebook", "pricing.max_permitted_revenue"} <= capped.rules


@pytest.fixture(scope="module")
def waved(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Listings and orders that no honest service would have queued."""
    told = Told()

    def tell(maker: Maker) -> None:
        _open(maker, "ENTERPRISE", 50_000)
        fair, heir, buyer = flat_plan(500), maker.people["heir"].address, maker.people["buyer"].address
        for wrong in (
            fair | {"publicData": CAPPED},
            fair | {"rulebook": "cn-2099.1"},
            plan("PER_HIT", scheme="GRADUATED", tiers=TIERS),
        ):
            told.wrong.append(("plan_unfit", f"listing {_list(maker, _terms(maker, wrong))}"))
        told.wrong.append(("plan_unfit", f"listing {_list(maker, _terms(maker, fair, price=400))}"))
        for name, changes, signed in (
            ("price", {}, {"price": 499}),
            ("currency", {}, {"currency": CURRENCIES["HKD"].number}),
            ("termEnd", {}, {"validUntil": START + YEAR - 1}),
            ("purposes", {"purposes": ["TRANSPORT", "EDUCATION"]}, {}),
            ("territories", {"regions": ["CN-SH"]}, {}),
            ("asset", {"asset": "0x" + "ab" * 32}, {}),
            ("manifest", {"manifest": "0x" + "ab" * 32}, {}),
        ):
            nonce = {"title": {"en": f"Delays, another {name}", "zh": "延误"}}
            listing = _list(maker, _terms(maker, fair, **nonce, **changes), **signed)
            told.wrong.append(("listing_differs", f"listing {listing} {name}"))
        small = _terms(maker, fair, minimumCohort=9)
        told.wrong.append(("cohort_below_manifest", f"listing {_list(maker, small)}"))
        terms = _terms(maker, fair)
        listing = _list(maker, terms)
        elsewhere: list[Json] = [{"purpose": "EDUCATION"}, {"region": "US"}]
        for accepted in elsewhere:
            told.wrong.append(("order_not_permitted", f"order {_fund(maker, listing, terms, 500, **accepted)}"))
        calls = _terms(maker, fair, version=4, computations=[], delivery=delivery(operations=OFFERED))
        listing = _list(maker, calls)
        _fund(maker, listing, calls, 500)
        told.wrong.append(("budget_not_needed", f"order {_fund(maker, listing, calls, 500, cap=2)}"))
        open_terms = _terms(maker, plan("NEGOTIATED"))
        listing = _list(maker, open_terms)
        fields: Json = {"assets": [maker.asset], "purposes": ["TRANSPORT"], "regions": ["CN"], "plan": fair}
        sides: Json = {"partyA": heir, "partyB": buyer, "validUntil": iso_time(START + YEAR)}
        agreed = agreement_on(**sides, fields=fields)
        ends = {"partyA": heir, "partyB": buyer, "validUntil": START + YEAR, "deadline": START + YEAR}
        bundles.enter_agreement(maker, "agree", "Agree", agreed, ends)
        under = agreement_id(heir, buyer, digest(agreed))
        _fund(maker, listing, open_terms, 500, under=under)
        told.wrong.append(("escrow_too_small", f"order {_fund(maker, listing, open_terms, 499, under=under)}"))

    told.made = bundles.make_market(tmp_path_factory.mktemp("node"), tell)
    return told


def test_listings_and_orders_that_only_a_dishonest_service_takes_are_named(waved: Told) -> None:
    assert waved.findings() == waved.wrong
