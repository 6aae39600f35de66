"""Buying: terms are accepted, money goes into escrow, a right to use is granted."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import canonical_json, to_hex
from marketplace import documents, pricing
from marketplace.agreements.scope import check_order_within
from marketplace.documents import Document, ids
from marketplace.sdk import agreements, listings
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.listings import Offer
from marketplace.types import ZERO_DIGEST


@dataclass(frozen=True)
class Deal:
    """An order with everything it rests on, each part bound to the order's id.

    Args:
        order: the order as the ledger says.
        agreement: what the buyer accepted.
        offer: the listing, its terms, the asset and its manifest.
        terms: those that the order is billed by: the listing's, with the plan of the agreement that the buyer's
            acceptance names where theirs is negotiated.
    """

    order: dict[str, Any]
    agreement: Document
    offer: Offer
    terms: Document


def fund(
    client: Client,
    listing_id: str,
    *,
    escrow: int,
    epsilon_cap: int,
    purpose: str,
    region: str,
    valid_until: int,
    agreement_id: str = ZERO_DIGEST,
    currency: str = "",
) -> dict[str, Any]:
    """Accept a listing's terms and fund an order.

    Args:
        escrow: set aside, in minor units of the listing's currency; what is not spent comes back.
        epsilon_cap: the most privacy loss that this order may cause, millionths.
        currency: in which `escrow` was reckoned (ISO 4217 code), where it was: refused unless it is the listing's.
        agreement_id: the agreement with the seller under which to order; none by default. It has the price where the
            listing's is negotiated.
        valid_until: unix seconds; after it anyone may have the escrow refunded. Capped by the listing's own end, and
            by the one period that an order of questions buys where its plan has periods.
    Returns:
        the intent's outcome with "orderId", "agreementDigest" and "validUntil", which may be earlier than asked.
    """
    offer = listings.inspect(client, listing_id)
    money = documents.money_of(offer.terms)
    expect(money.code, currency or money.code, "terms_currency_differs", "settlement.one_currency")
    agreement: Document = {"type": "agreement", "version": 1, "listing": listing_id}
    agreement |= {} if agreement_id == ZERO_DIGEST else {"version": 2, "under": agreement_id}
    agreement |= {"terms": offer.listing["termsDigest"], "buyer": client.address, "purpose": purpose, "region": region}
    agreement |= {"nonce": to_hex(secrets.token_bytes(32))}
    longest = pricing.longest_term(_billed(client, offer, agreement))  # before anything is signed
    term_ends = [valid_until, offer.listing["validUntil"], *([] if longest is None else [client.now() + longest])]
    digest = documents.digest(documents.validate_agreement(agreement))
    message = {
        "orderId": ids.order_id(client.address, listing_id, digest),
        "listingId": listing_id,
        "buyer": client.address,
        "escrow": escrow,
        "currency": money.number,
        "epsilonCap": epsilon_cap,
        "validUntil": min(term_ends),
        "agreementDigest": digest,
        "agreementId": agreement_id,
        "deadline": client.deadline(),
    }
    body = {"fund": message, "signature": client.sign("Fund", message), "agreement": agreement}
    named = {"orderId": message["orderId"], "agreementDigest": digest, "validUntil": message["validUntil"]}
    return {**client.submit("/orders", body), **named}


def _billed(client: Client, offer: Offer, accepted: Mapping[str, Any]) -> Document:
    """The terms that an order is billed by. A negotiated price holds for what it was agreed for alone: the ledger asks
    only that some agreement is in force between the two.

    Args:
        accepted: the buyer's acceptance, or what it will say: "buyer", "purpose", "region" and, if there is, "under".
    Raises:
        RuleError, InvalidInputError: as `pricing.terms_under` and `check_order_within` do. VerificationError: as
            `_agreed` does.
    """
    agreed = _agreed(client, offer, accepted["buyer"], accepted.get("under", ZERO_DIGEST))
    if agreed is not None:
        use = {"purpose": accepted["purpose"], "region": accepted["region"]}
        check_order_within(agreed, asset=offer.terms["asset"], **use, terms=offer.terms, offer=None)
    return pricing.terms_under(offer.terms, agreed)


def _agreed(client: Client, offer: Offer, buyer: str, agreement_id: str) -> Document | None:
    """The agreement that has a negotiated price, which both signed; None where the price is the listing's, or nothing
    is agreed. Raises VerificationError: `order_agreement_differs`, or as `agreements.get_signed` does."""
    if not pricing.is_negotiated(offer.terms) or agreement_id == ZERO_DIGEST:
        return None
    cited = agreements.get_signed(client, agreement_id)
    sides, rule = {cited["partyA"], cited["partyB"]}, "orders.id_commits_to_agreement"
    expect(sides, {buyer, offer.listing["seller"]}, "order_agreement_differs", rule)
    document: Document = cited["document"]
    return document


def quote(
    client: Client,
    listing_id: str,
    *,
    calls: int,
    purpose: str,
    hits: int | None = None,
    records: int | None = None,
    periods: int = 1,
    agreement_id: str = ZERO_DIGEST,
) -> dict[str, Any]:
    """What `calls` calls would cost, line by line; nothing is signed. Of hits, records and periods: `pricing.usage_of`.

    It is computed here, from terms that were checked against the listing's id; the service is asked only for the fee
    and, of public data, for what it has earned, and must come to the same total.

    Args:
        agreement_id: the agreement with the seller that has the price, where the listing's is negotiated.
    Raises:
        InvalidInputError: `usage_contradictory`. RuleError: `plan_not_agreed`. VerificationError: `quote_differs`.
    """
    usage = pricing.usage_of(calls, hits=hits, records=records, periods=periods)
    offer = listings.inspect(client, listing_id)
    plan = pricing.plan_of(pricing.terms_under(offer.terms, _agreed(client, offer, client.address, agreement_id)))
    asked: dict[str, Any] = {"calls": calls, "hits": usage.hits, "records": usage.records, "periods": periods}
    asked |= {"plan": canonical_json(plan).decode()} if pricing.is_negotiated(offer.terms) else {}
    said: dict[str, Any] = client.get("/orders/quote", listing=listing_id, purpose=purpose, **asked)
    promised = said["cap"]["promised"] if said["cap"] else 0
    told = pricing.quote(
        plan,
        usage,
        purpose=purpose,
        fee_bps=said["fee"]["bps"],
        promised=promised,
        currency=documents.money_of(offer.terms).code,
    )
    expect(said, told, "quote_differs", "pricing.quotes_are_bills")
    return told


def list_mine(client: Client) -> list[dict[str, Any]]:
    """Orders in which this participant is buyer or seller."""
    return client.pages("/orders")


def get(client: Client, order_id: str) -> dict[str, Any]:
    """An order as the ledger says."""
    found: dict[str, Any] = client.get(f"/orders/{order_id}")
    return found


def inspect(client: Client, order_id: str) -> Deal:
    """An order with agreement, terms and manifest, so that price, panel and release key follow from the order's id
    alone.

    Raises:
        VerificationError: a document is not the one that the order's id commits to; of a negotiated price,
            `agreement_signature`. RuleError, InvalidInputError: its agreement is of something else, see
            `check_order_within`.
    """
    order: dict[str, Any] = client.get(f"/orders/{order_id}", offer=True)
    listing, asset = order.pop("listing", None), order.pop("asset", None)
    derived = ids.order_id(order["buyer"], order["listingId"], order["agreementDigest"])
    rule = "orders.id_commits_to_agreement"
    expect(derived, order_id, "order_id_differs", rule)
    agreement = documents.validate_agreement(client.get_document(order["agreementDigest"]))
    expect(
        (agreement["listing"], agreement["buyer"]),
        (order["listingId"], order["buyer"]),
        "order_agreement_differs",
        rule,
    )
    offer = listings.inspect(client, order["listingId"], listing, asset)
    expect(offer.listing["termsDigest"], agreement["terms"], "order_terms_differ", rule)
    under = agreement.get("under", ZERO_DIGEST)
    if under != ZERO_DIGEST:
        expect(order["agreementId"], under, "order_agreement_differs", rule)
    return Deal(order, agreement, offer, _billed(client, offer, agreement))
