"""A vault believes a negotiated price only as its seller signed it, and for the order that names it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from marketplace.documents import digest
from marketplace.participants.proofs import KeyProof
from marketplace.queries.answer import Answer
from marketplace.queries.permission import Cited, OrderPapers
from tests.plans import plan
from tests.sealed_market import LATER, NOW, Market, Order, agreed_by, keys, open_market, signed

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
    order = market.order(agreed=AGREED, **OPEN)
    cited = order.papers.cited
    assert cited is not None
    message = {**cited.signed.message, "previousId": "0x" + "44" * 32}
    amended = Cited("AmendAgreement", signed("AmendAgreement", message, market.supplier), cited.document)
    assert isinstance(market.ask(with_papers(order, cited=amended), ALL), Answer)


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
    "another agreement of these two": lambda market, _papers: agreed_by(market.supplier, BUYER, FREE),
    "an agreement of others": lambda market, _papers: agreed_by(market.supplier, RIVAL, AGREED),
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


def test_an_agreed_plan_that_cannot_bill_questions_bills_none(market: Market) -> None:
    per_hit = plan("PER_HIT", scheme="GRADUATED", tiers=TIERS)
    order = market.order(agreed=AGREED, **OPEN)
    query = market.query(order, ALL)
    task = market.task(order, query)
    forged = replace(order.papers, cited=agreed_by(market.supplier, BUYER, per_hit))
    decision = market.decide(replace(task, papers=forged))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "order_papers_invalid"
