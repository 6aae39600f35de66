"""Buyer's program and seller's gateway take a negotiated price from an agreement that both signed about such an order,
whatever the exchange shows them."""

from typing import Any

import pytest

from crypto.canonical import canonical_json, to_hex
from marketplace import documents
from marketplace.documents import Document, ids
from marketplace.errors import MarketplaceError
from marketplace.intents import sign_intent
from marketplace.sdk import orders
from tests.agreements import agreement_on
from tests.plans import plan
from tests.unit.sdk.exchange import DEPLOYMENT, NOW, keys
from tests.unit.sdk.test_queries import ASSET, BUYER, MANIFEST, SUPPLIER, TERMS, Market

LATER = NOW + 1_000
AGREED = plan("PER_CALL", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 70}])
OPEN = documents.validate_terms({**TERMS, "version": 2, "plan": plan("NEGOTIATED"), "price": 0})
LISTING = ids.listing_id(SUPPLIER.address, ASSET, documents.digest(OPEN))
SIDES = {"partyA": SUPPLIER.address, "partyB": BUYER.address}


class Negotiated(Market):
    """An exchange with one order at a price that two sides agreed on, as `changes` in the form's fields say."""

    def __init__(self, *, signers: dict[str, Any] | None = None, is_signed: bool = True, **changes: Any) -> None:
        super().__init__()
        fields = {"plan": AGREED, "assets": [ASSET], "purposes": ["TRANSPORT"], "regions": []} | changes
        document = agreement_on(**SIDES, fields=fields)
        self.under = ids.agreement_id(SUPPLIER.address, BUYER.address, documents.digest(document))
        self.fixed("GET", f"/agreements/{self.under}", self._agreement(document, signers or {}, is_signed))
        listing = {**self.listing, "listingId": LISTING, "price": 0, "termsDigest": documents.digest(OPEN)}
        self.fixed("GET", f"/listings/{LISTING}", listing)
        accepted = {"type": "agreement", "version": 2, "under": self.under, "listing": LISTING}
        accepted |= {"terms": documents.digest(OPEN), "buyer": BUYER.address, "purpose": "TRANSPORT"}
        accepted |= {"region": "CN-SH", "nonce": "0x" + "33" * 32}
        for made in (OPEN, accepted):
            self.store[documents.digest(made)] = canonical_json(made)
        self.order = ids.order_id(BUYER.address, LISTING, documents.digest(accepted))
        row: Document = {
            "orderId": self.order,
            "listingId": LISTING,
            "buyer": BUYER.address,
            "escrow": 1_000,
            "currency": "CNY",
        }
        row |= {"epsilonCap": 3_000_000, "agreementDigest": documents.digest(accepted), "agreementId": self.under}
        self.fixed("GET", f"/orders/{self.order}", row)
        for account in SIDES.values():
            self.fixed("GET", f"/participants/{account}/keys/proof", {"steps": [], "times": {}})

    def _agreement(self, document: Document, signers: dict[str, Any], is_signed: bool) -> Document:
        row: Document = {"agreementId": self.under, **SIDES, "document": document}
        if not is_signed:
            return row | {"intent": None, "message": None, "signatures": {}, "signedAt": None}
        message: Document = {"agreementId": self.under, **SIDES, "agreementDigest": documents.digest(document)}
        message |= {"validUntil": documents.unix_seconds(document["validUntil"]), "deadline": LATER}
        by = {SUPPLIER.address: SUPPLIER, BUYER.address: BUYER} | signers
        made = {who: to_hex(sign_intent("Agree", message, DEPLOYMENT, key.signing_key)) for who, key in by.items()}
        return row | {"intent": "Agree", "message": message, "signatures": made, "signedAt": NOW}


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(MarketplaceError) as caught:
        call(*arguments, **named)
    return caught.value.code


@pytest.mark.parametrize("who", [BUYER, SUPPLIER], ids=["buyer", "seller"])
def test_both_sides_bill_by_the_agreed_plan(who: Any) -> None:
    market = Negotiated()
    deal = orders.inspect(market.client(who), market.order)
    assert (deal.terms["plan"], deal.terms["price"], deal.offer.terms) == (AGREED, 70, OPEN)
    assert deal.offer.manifest == MANIFEST


OUTSIDE: dict[str, tuple[dict[str, Any], str]] = {
    "about other data": ({"assets": ["0x" + "da" * 32]}, "agreement_other_data"),
    "for another purpose": ({"purposes": ["FINANCIAL_SERVICE"]}, "purpose_not_agreed"),
    "for another region": ({"regions": ["US"]}, "region_not_agreed"),
    "delivered otherwise": ({"delivery_modes": ["API"]}, "delivery_not_agreed"),
    "not signed by its seller": ({"signers": {SUPPLIER.address: keys(99)}}, "agreement_signature"),
    "not signed at all": ({"is_signed": False}, "agreement_signature"),
}


@pytest.mark.parametrize("how", OUTSIDE)
@pytest.mark.parametrize("who", [BUYER, SUPPLIER], ids=["buyer", "seller"])
def test_nobody_bills_by_an_agreement_that_is_of_something_else(who: Any, how: str) -> None:
    """Though the order's id names it: an exchange shows what the ledger would not have taken, or did not ask about."""
    changes, code = OUTSIDE[how]
    market = Negotiated(**changes)
    assert code_of(orders.inspect, market.client(who), market.order) == code


@pytest.mark.parametrize("how", OUTSIDE)
def test_a_buyer_signs_no_order_under_such_an_agreement(how: str) -> None:
    changes, code = OUTSIDE[how]
    market = Negotiated(**changes)
    wish: dict[str, Any] = {"purpose": "TRANSPORT", "region": "CN-SH", "escrow": 1_000, "epsilon_cap": 1_000}
    found = code_of(*(orders.fund, market.client(BUYER), LISTING), valid_until=LATER, agreement_id=market.under, **wish)
    assert found == code
    assert not [request for request in market.seen if request.method == "PUT" or request.url.path == "/orders"]
