"""The record of an identifier: what it stands for, how it stands, and what it belongs to; public facts only.

A record carries what its full id is made of (`facts`), so that a reader computes the id, and from it the identifier,
again. All of it is the read model's, and so the ledger's; titles are those of the documents that the ids commit to.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, select

from marketplace.documents import Document, iso_time
from marketplace.documents.dids import did_web
from marketplace.documents.identifiers import KIND_NAMES, Kind, identifier
from marketplace.evidence.inbox.outlook import told, why_not_sold
from marketplace.identifiers import standing
from marketplace.identifiers.service.endings import ended, has_moved, is_disputed, moment_of
from marketplace.identifiers.service.finding import Found
from marketplace.identifiers.standing import Standing
from marketplace.identifiers.tables import Named
from marketplace.listings.service import get_listing, terms_of
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order
from marketplace.participants.service import get_participant
from marketplace.rights.service import get_asset, manifest_of
from marketplace.rights.service.annexes import annex
from marketplace.rights.tables import Asset, Version
from marketplace.storage.projected import ProjectedRow, projected
from marketplace.types import Role

MOST_VERSIONS = 100  # of a series, newest first
Parts = tuple[ProjectedRow, Standing, dict[str, str] | None, Document, list[tuple[str, Kind, str]]]
"""(row, standing, title, facts, links as (relation, kind, full id))."""


def record(session: Session, found: Found, public_url: str, now: int) -> Document:
    """What is told about an object.

    Args:
        public_url: where the service is reached; names the object's DID.
        now: unix seconds.
    """
    row, stands, title, facts, links = _PARTS[found.name.kind](session, found.subject, found, now)
    return {
        "identifier": str(found.name),
        "grouped": found.name.grouped,
        "kind": found.name.kind.value,
        "kindName": KIND_NAMES[found.name.kind],
        "subject": found.subject,
        "did": did_web(public_url, "did", str(found.name)),
        "status": stands.status,
        "statusName": standing.NAMES[stands.status],
        "inForce": stands.in_force,
        "reason": stands.reason,
        "disputed": isinstance(row, Asset) and is_disputed(session, row.asset_id),
        "since": moment_of(session, found.row.event_block),
        "until": ended(session, row, stands, found.row.event_block),
        "validUntil": iso_time(stands.valid_until) if stands.valid_until else None,
        "title": title,
        "facts": facts,
        **_annex(session, row, now),
        "links": [_link(relation, kind, subject) for relation, kind, subject in links],
    }


def _annex(session: Session, row: ProjectedRow, now: int) -> Document:
    """What data, or a product's data, were made of, and the remarks that are kept with their record."""
    if not isinstance(row, Asset | Listing):
        return {"inputs": [], "remarks": []}
    told = annex(session, row.asset_id, now)
    inputs = [item | {"href": f"/identifiers/{item['identifier']}"} for item in told["inputs"]]
    return {"inputs": inputs, "remarks": told["remarks"]}


def _link(relation: str, kind: Kind, subject: str) -> dict[str, str]:
    name = str(identifier(kind, subject))
    return {"rel": relation, "identifier": name, "subject": subject, "href": f"/identifiers/{name}"}


def _party(session: Session, account: str, _found: Found, _now: int) -> Parts:
    row = get_participant(session, account)
    roles = [role.name for role in Role if role & row.roles]
    return row, standing.of_party(row.status), None, {"account": account, "roles": roles}, []


def _data(session: Session, asset_id: str, _found: Found, now: int) -> Parts:
    asset = get_asset(session, asset_id)
    links = [("holder", Kind.PARTY, asset.holder), ("series", Kind.SERIES, _first_of(session, asset_id))]
    if standing.of_data(asset.status, asset.valid_until, now).status != "registered":
        links.append(("certificate", Kind.CERTIFICATE, asset.certificate_digest))
    version = session.get(Version, asset_id)
    links += [("predecessor", Kind.DATA, version.previous)] if version else []
    links += [("successor", Kind.DATA, later) for later in _successors(session, asset_id)]
    facts = {"assetId": asset_id, **_asset_facts(session, asset)}
    return asset, standing.of_data(asset.status, asset.valid_until, now), _title(session, asset), facts, links


def _series(session: Session, first: str, _found: Found, now: int) -> Parts:
    versions = [*_versions(session, first), first][:MOST_VERSIONS]
    newest = get_asset(session, versions[0])
    links = [("holder", Kind.PARTY, newest.holder), ("newest", Kind.DATA, versions[0])]
    links += [("version", Kind.DATA, asset_id) for asset_id in versions]
    facts = {
        "assetId": first,
        **_asset_facts(session, get_asset(session, first)),
        "versions": len(versions),
        "holder": newest.holder,
    }
    return newest, standing.of_data(newest.status, newest.valid_until, now), _title(session, newest), facts, links


def _product(session: Session, listing_id: str, _found: Found, now: int) -> Parts:
    row = get_listing(session, listing_id)
    facts = {"listingId": listing_id, "seller": row.seller, "assetId": row.asset_id, "termsDigest": row.terms_digest}
    links = [("seller", Kind.PARTY, row.seller), ("data", Kind.DATA, row.asset_id)]
    title = terms_of(session, row)["title"]
    why = why_not_sold(session, [listing_id], now)[listing_id]
    stands = standing.of_product(row.status, row.valid_until, now, sold=why is None)
    if stands.status == "blocked":
        stands = replace(stands, reason=told(why))
    return row, stands, title, {**facts, "price": row.price}, links


def _certificate(session: Session, digest: str, found: Found, now: int) -> Parts:
    asset = get_asset(session, found.row.about)
    facts = {"certificateDigest": digest, "assetId": asset.asset_id, **_asset_facts(session, asset)}
    links = [("data", Kind.DATA, asset.asset_id), ("holder", Kind.PARTY, asset.holder)]
    moved = asset.certificate_digest != digest or has_moved(session, asset)
    stands = standing.of_certificate(asset.status, asset.valid_until, now, moved=moved)
    return asset, stands, _title(session, asset), facts, links


def _order(session: Session, order_id: str, _found: Found, _now: int) -> Parts:
    row = projected(session, Order, order_id)
    listing = get_listing(session, row.listing_id)
    facts = {
        "orderId": order_id,
        "buyer": row.buyer,
        "listingId": row.listing_id,
        "agreementDigest": row.agreement_digest,
    }
    links = [("buyer", Kind.PARTY, row.buyer), ("seller", Kind.PARTY, listing.seller)]
    links.append(("product", Kind.PRODUCT, row.listing_id))
    return row, standing.of_order(row.status, row.valid_until), terms_of(session, listing)["title"], facts, links


def _trade(session: Session, _voucher: str, found: Found, now: int) -> Parts:
    row, _, title, facts, links = _order(session, found.row.about, found, now)
    links = [("order", Kind.ORDER, found.row.about), *links]
    return row, standing.OF_TRADE, title, facts, links


_PARTS: dict[Kind, Callable[[Session, str, Found, int], Parts]] = {
    Kind.PARTY: _party,
    Kind.DATA: _data,
    Kind.SERIES: _series,
    Kind.PRODUCT: _product,
    Kind.CERTIFICATE: _certificate,
    Kind.ORDER: _order,
    Kind.TRADE: _trade,
}


def _asset_facts(session: Session, asset: Asset) -> Document:
    """Who holds it, and what its id is made of: who registered it first, and its manifest."""
    registrant = manifest_of(session, asset)["holder"]
    return {"holder": asset.holder, "registrant": registrant, "manifestDigest": asset.manifest_digest}


def _title(session: Session, asset: Asset) -> dict[str, str]:
    title: dict[str, str] = manifest_of(session, asset)["title"]
    return title


def _first_of(session: Session, asset_id: str) -> str:
    version = session.get(Version, asset_id)
    return version.series if version else asset_id


def _successors(session: Session, asset_id: str) -> list[str]:
    return _on_ledger(session, Version.previous == asset_id)


def _versions(session: Session, first: str) -> list[str]:
    return _on_ledger(session, Version.series == first)


def _on_ledger(session: Session, which: Any) -> list[str]:
    """Versions that the ledger has, newest first."""
    statement = select(Version.asset_id).where(which, Named.kind == Kind.DATA.value)
    statement = statement.join(Named, col(Named.subject) == col(Version.asset_id))
    newest = (col(Named.event_block).desc(), col(Named.event_log_index).desc())
    return list(session.exec(statement.order_by(*newest).limit(MOST_VERSIONS)))
