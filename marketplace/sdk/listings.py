"""Products on offer: a seller lists what may be computed, at what price, by which panel; buyers check the terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace import documents
from marketplace.api.rules import API, check_offer
from marketplace.currencies import CNY
from marketplace.documents import Document, ids
from marketplace.documents.scopes import scope_of_terms
from marketplace.pricing import check_terms, entry_price, price_fits
from marketplace.sdk import panel, rights
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.types import TitleKind


@dataclass(frozen=True)
class Offer:
    """A listing whose documents were checked against it.

    Args:
        listing: the listing as the ledger says.
        terms: what it permits, bound to the listing's id.
        asset: the data asset as the ledger says.
        manifest: what was sealed, bound to the asset's id and ciphertext root.
    """

    listing: Mapping[str, Any]
    terms: Document
    asset: Mapping[str, Any]
    manifest: Document


def make_terms(
    client: Client,
    asset_id: str,
    *,
    title: Mapping[str, str] | None,
    computations: Sequence[str],
    purposes: Sequence[str],
    regions: Sequence[str],
    price: int | None,
    epsilon_per_query_max: int,
    minimum_cohort: int | None,
    nodes: Sequence[str],
    threshold: int,
    term_end: int,
    buyer_cap: int | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    plan: Document | None = None,
    fields: Sequence[str] = (),
    delivery: Document | None = None,
    currency: str = CNY.code,
) -> Document:
    """The terms document of a product.

    Args:
        title: {"en", "zh"}; the data set's own title when None.
        regions: where the buyer may be; everywhere when empty.
        price: for one query, in minor units; None where there is a plan.
        plan: a price plan (marketplace.documents.plans); None where there is a price.
        epsilon_per_query_max: millionths.
        minimum_cohort: smallest number of rows behind a released number; the manifest's own when None.
        nodes: addresses of the panel; all registered nodes when empty.
        threshold: how many nodes must attest the same result.
        term_end: unix seconds.
        buyer_cap: the most that one buyer may spend of the data set's budget, over all orders and versions, millionths;
            no cap when None.
        groups: accounts that count as one buyer, by the group's name.
        fields: names of the columns on offer; all when empty.
        delivery: what the terms of a file (sdk.deliveries.file_terms) or of calls (marketplace.documents.api) say of
            it; neither is computed on. None otherwise.
        currency: ISO 4217 code of the money that all amounts are in, one of the market's.
    """
    asset = rights.get_asset(client, asset_id)
    manifest = rights.checked_manifest(client, asset)
    terms: Document = {"type": "terms", "version": 1, "title": dict(title or manifest["title"]), "asset": asset_id}
    terms |= {"manifest": asset["manifestDigest"], "computations": list(computations), "purposes": list(purposes)}
    terms |= {"price": price} if plan is None else _planned(plan)
    terms |= {} if currency == CNY.code else {"currency": currency}
    terms |= {"regions": list(regions), "epsilonPerQueryMax": epsilon_per_query_max}
    named = [{"name": name, "accounts": list(accounts)} for name, accounts in (groups or {}).items()]
    terms |= {"buyerCap": buyer_cap, "groups": named, "fields": list(fields)}
    terms |= {"minimumCohort": minimum_cohort or manifest["minimumCohort"], "termEnd": documents.iso_time(term_end)}
    if delivery is not None:
        terms |= {"version": 4 if delivery["mode"] == API else 3, "delivery": delivery}
    made = documents.validate_terms(terms | {"panel": panel.choose_panel(client, nodes, threshold)})
    check_terms(made)
    check_offer(made, manifest)
    return made


def _planned(plan: Document) -> Document:
    return {"version": 2, "plan": plan, "price": entry_price(documents.validate_plan(plan))}


def create(client: Client, terms: Document, title: str | None = None) -> dict[str, Any]:
    """List a product under these terms; the seller must hold a title to operate that covers them.

    Args:
        title: that title's id; the asset's first title to operate when None.
    Returns:
        the intent's outcome with "listingId" and "termsDigest".
    """
    terms_digest = client.put_document(documents.validate_terms(terms))
    manifest = rights.checked_manifest(client, rights.get_asset(client, terms["asset"]))
    message = {
        "listingId": ids.listing_id(client.address, terms["asset"], terms_digest),
        "assetId": terms["asset"],
        "titleId": title or ids.title_id(terms["asset"], TitleKind.OPERATE),
        "seller": client.address,
        "termsDigest": terms_digest,
        **scope_of_terms(terms, manifest),
        "price": terms["price"],
        "currency": documents.money_of(terms).number,
        "validUntil": documents.unix_seconds(terms["termEnd"]),
        "deadline": client.deadline(),
    }
    outcome = client.submit("/listings", {"list": message, "signature": client.sign("List", message)})
    return {**outcome, "listingId": message["listingId"], "termsDigest": terms_digest}


def delist(client: Client, listing_id: str) -> dict[str, Any]:
    """Take a product off the market; orders already funded go on."""
    version = get(client, listing_id)["version"]
    message = {"listingId": listing_id, "seller": client.address, "version": version, "deadline": client.deadline()}
    body = {"delist": message, "signature": client.sign("Delist", message)}
    return client.submit(f"/listings/{listing_id}/delisting", body)


def list_all(client: Client) -> list[dict[str, Any]]:
    """Every listing."""
    return client.pages("/listings")


def get(client: Client, listing_id: str) -> dict[str, Any]:
    """A listing as the ledger says."""
    found: dict[str, Any] = client.get(f"/listings/{listing_id}")
    return found


def inspect(
    client: Client, listing_id: str, listing: dict[str, Any] | None = None, asset: dict[str, Any] | None = None
) -> Offer:
    """A listing with its terms, asset and manifest, each bound to the next by its digest.

    Args:
        listing, asset: as the service sent them along with something else; asked for where they are None.
    Raises:
        VerificationError: a document is not the one that the listing's id commits to.
    """
    listing = listing or get(client, listing_id)
    terms = documents.validate_terms(client.get_document(listing["termsDigest"]))
    derived = ids.listing_id(listing["seller"], listing["assetId"], listing["termsDigest"])
    rule = "listings.id_commits_to_terms"
    expect(derived, listing_id, "listing_id_differs", rule)
    expect(terms["asset"], listing["assetId"], "terms_for_another_asset", rule)
    expect(terms["price"], listing["price"], "price_differs", rule)
    expect(documents.money_of(terms).code, listing["currency"], "terms_currency_differs", rule)
    expect(price_fits(terms), True, "price_differs", rule)
    asset = asset or rights.get_asset(client, listing["assetId"])
    expect(asset["assetId"], listing["assetId"], "terms_for_another_asset", rule)
    manifest = rights.checked_manifest(client, asset)
    expect(terms["manifest"], asset["manifestDigest"], "terms_for_another_manifest", rule)
    return Offer(listing, terms, asset, manifest)
