"""A vault believes a negotiated price only as its seller signed it, and for the order that names it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from marketplace.documents import digest, iso_time
from marketplace.documents.ids import agreement_id, order_id
from marketplace.participants.proofs import KeyProof
from marketplace.queries.answers.answer import Answer
from marketplace.queries.permission.papers import Cited, OrderPapers
from marketplace.vault.decisions.cases import Decision
from tests.agreements import agreement_on
from tests.plans import plan
from tests.sealed_market import LATER, NOW, Market, Order, agreed_by, agreed_on, keys, open_market, signed

OPEN: dict[str, Any] = {"version": 2, "plan": plan("NEGOTIATED"), "price": 0}
TIERS = [{"upTo": 1, "unitPrice": 70}, {"upTo": None, "unitPrice": 30}]
AGREED = plan("PER_CALL", scheme="GRADUATED", tiers=TIERS)
FREE = plan("PER_CALL", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 0}])
BUYER, RIVAL = keys("buyer"), keys("rival")
ALL, SOME = "SELECT COUNT(*) FROM f", "SELECT COUNT(*) FROM f WHERE month = '2'"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("negotiated"))


def test_questions_are_billed_by_the_agreed_plan(market: Market) -> None:
    order = market.order(agreed=AGREED, escrow=100, **OPEN)
    for sql, due in ((ALL, 70), (SOME, 100)):
        assert isinstance(market.ask(order, sql), Answer)
        assert order.account.amount == due


def test_an_amendment_has_the_price_too(market: Market) -> None:
    amended = _on_form(market, "GF-2025-2615", amends="0x" + "44" * 32)
    assert amended.name == "AmendAgreement"
    assert decided(market, under(market, amended)).refusal is None


def with_papers(order: Order, **changes: Any) -> Order:
    return replace(order, papers=replace(order.papers, **changes))


def _signed_by_buyer(market: Market, papers: OrderPapers) -> Cited:
    assert papers.cited is not None
    message = dict(papers.cited.signed.message)
    return replace(papers.cited, signed=signed("Agree", message, BUYER))


def _other_plan(market: Market, papers: OrderPapers) -> Cited:
    assert papers.cited is not None
    cheap = {**papers.cited.document, "fields": {**papers.cited.document["fields"], "plan": FREE}}
    return replace(papers.cited, document=cheap)


def _expired(market: Market, papers: OrderPapers) -> Cited:
    assert papers.cited is not None
    message = {**papers.cited.signed.message, "deadline": 1}
    return replace(papers.cited, signed=signed("Agree", message, market.supplier))


FORGED: dict[str, Callable[[Market, OrderPapers], Cited | None]] = {
    "none at all": lambda _market, _papers: None,
    "signed by the buyer alone": _signed_by_buyer,
    "another plan in it": _other_plan,
    "another agreement of these two": lambda market, _papers: agreed_by(market.supplier, BUYER, FREE, [market.asset]),
    "an agreement of others": lambda market, _papers: agreed_by(market.supplier, RIVAL, AGREED, [market.asset]),
    "signed too late": _expired,
}


@pytest.mark.parametrize("how", FORGED)
def test_a_vault_answers_for_no_price_that_its_seller_did_not_sign(market: Market, how: str) -> None:
    order = market.order(agreed=AGREED, **OPEN)
    query = market.query(order, ALL)
    forged = replace(order.papers, cited=FORGED[how](market, order.papers))
    proof = KeyProof((), {"cited": NOW})
    decision = market.decide(market.task(order, query, papers=forged, keys=proof))
    assert decision.refusal is not None
    assert (decision.refusal["code"], decision.release) == ("order_papers_invalid", None)


def test_an_acceptance_that_names_no_agreement_has_no_negotiated_price(market: Market) -> None:
    """Without it the order's id would commit to no price."""
    order = market.order(agreed=AGREED, **OPEN)
    bare = {name: value for name, value in order.papers.agreement.items() if name != "under"} | {"version": 1}
    fund = {**order.papers.fund.message, "agreementDigest": digest(bare), "deadline": LATER}
    forged = with_papers(order, agreement=bare, fund=signed("Fund", fund, BUYER))
    query = market.query(forged, ALL)
    decision = market.decide(market.task(forged, query))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "order_papers_invalid"


def under(market: Market, cited: Cited) -> Order:
    """A whole order, rightly signed by its buyer, whose acceptance names this agreement."""
    order = market.order(agreed=AGREED, **OPEN)
    papers, name = order.papers, cited.signed.message["agreementId"]
    accepted = {**papers.agreement, "under": name}
    digests = {"agreementDigest": digest(accepted), "agreementId": name}
    fund = {**papers.fund.message, **digests}
    fund["orderId"] = order_id(fund["buyer"], fund["listingId"], digest(accepted))
    papers = replace(papers, agreement=accepted, fund=signed("Fund", fund, BUYER), cited=cited)
    return replace(order, papers=papers, account=replace(order.account, order=fund["orderId"]))


def decided(market: Market, order: Order, **times: int) -> Decision:
    task = market.task(order, market.query(order, ALL), keys=KeyProof((), times))
    return market.decide(task)


def _on_form(market: Market, form: str, **changes: Any) -> Cited:
    fields = {"plan": AGREED, "assets": [market.asset]} | changes.pop("fields", {})
    made = {"partyA": market.supplier.address, "partyB": BUYER.address, "fields": fields}
    return agreed_on(agreement_on(form, **(made | changes)), market.supplier)


def _fields(**changes: Any) -> Callable[[Market], Cited]:
    return lambda market: _on_form(market, "GF-2025-2615", fields=changes)


def _of_sides_swapped(market: Market) -> Cited:
    """The ids and the digest hold, but the document makes the buyer the provider."""
    document = agreement_on(
        partyA=BUYER.address, partyB=market.supplier.address, fields={"plan": AGREED, "assets": [market.asset]}
    )
    one, two = market.supplier.address, BUYER.address
    message = dict(agreed_on(document, market.supplier).signed.message) | {"partyA": one, "partyB": two}
    message["agreementId"] = agreement_id(one, two, message["agreementDigest"])
    return Cited("Agree", signed("Agree", message, market.supplier), document)


def _of_another_end(market: Market) -> Cited:
    cited = _on_form(market, "GF-2025-2615")
    message = {**cited.signed.message, "validUntil": LATER + 1}
    return replace(cited, signed=signed("Agree", message, market.supplier))


def _amends_another(market: Market) -> Cited:
    cited = _on_form(market, "GF-2025-2615", amends="0x" + "44" * 32)
    message = {**cited.signed.message, "previousId": "0x" + "45" * 32}
    return replace(cited, signed=signed("AmendAgreement", message, market.supplier))


def _without_its_fields(market: Market) -> Cited:
    return agreed_on(_on_form(market, "GF-2025-2615").document | {"fields": {"plan": AGREED}}, market.supplier)


PLAN = "the agreed price: "
OUTSIDE: dict[str, tuple[Callable[[Market], Cited], str]] = {
    "about other data": (_fields(assets=["0x" + "da" * 32]), PLAN + "agreement_other_data"),
    "for another purpose": (_fields(purposes=["FINANCIAL_SERVICE"]), PLAN + "purpose_not_agreed"),
    "for another region": (_fields(regions=["US"]), PLAN + "region_not_agreed"),
    "delivered otherwise": (_fields(delivery_modes=["API"]), PLAN + "delivery_not_agreed"),
    "with a plan for hits": (
        _fields(plan=plan("PER_HIT", scheme="GRADUATED", tiers=TIERS)),
        PLAN + "plan_not_for_questions",
    ),
    "on a form under which nothing is bought": (
        lambda market: _on_form(market, "GF-2025-2616"),
        PLAN + "agreement_covers_no_orders",
    ),
    "its document of sides swapped": (_of_sides_swapped, "its document's sides"),
    "its document with another end": (_of_another_end, "its document's end"),
    "its document amends another": (_amends_another, "what it amends"),
    "its document without the form's fields": (_without_its_fields, PLAN + "malformed_document"),
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_a_price_holds_for_what_it_was_agreed_for_alone(market: Market, how: str) -> None:
    """Ids and signatures are in order: but the plan that seller and buyer signed is of something else."""
    made, link = OUTSIDE[how]
    decision = decided(market, under(market, made(market)))
    assert decision.refusal is not None
    assert (decision.refusal["code"], decision.release) == ("order_papers_invalid", None)
    assert decision.refusal["message"]["en"].endswith(f": {link}")


def test_a_price_holds_for_orders_until_the_agreements_end(market: Market) -> None:
    end = NOW + 86_400
    cited = _on_form(market, "GF-2025-2615", validUntil=iso_time(end))
    for agreed, funded, holds in ((NOW, end, True), (NOW, end + 1, False), (NOW + 2, NOW + 1, False)):
        refusal = decided(market, under(market, cited), cited=agreed, fund=funded).refusal
        assert (None if refusal is None else refusal["code"]) == (None if holds else "order_papers_invalid")
