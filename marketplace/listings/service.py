"""Putting products on offer and taking them back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from crypto import bls
from crypto.canonical import from_hex
from marketplace.api.rules import check_offer
from marketplace.currencies import code_of
from marketplace.deliveries.modes import require_allowed
from marketplace.documents import Document, money_of, unix_seconds, validate_manifest, validate_terms
from marketplace.documents.scopes import scope_of_terms
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue, remember
from marketplace.evidence.inbox.outlook import told, why_not_sold
from marketplace.evidence.inbox.submitting import submit
from marketplace.identifiers import standing
from marketplace.intents import Deployment
from marketplace.listings.tables import Listing
from marketplace.participants.service import require_active
from marketplace.pricing import check_listed
from marketplace.refusals import refuse
from marketplace.rights.service import get_asset, manifest_of
from marketplace.storage.documents import has_document, read_document
from marketplace.types import Digest, Role


def get_listing(session: Session, listing_id: str) -> Listing:
    """A listing as the ledger says. Raises NotFoundError `listing_unknown`."""
    row = session.get(Listing, listing_id)
    if row is None:
        raise unknown_listing(listing_id)
    return row


def unknown_listing(listing_id: str) -> NotFoundError:
    """The error for a listing that does not exist, or that is not its caller's to change."""
    return NotFoundError("listing_unknown", f"there is no listing {listing_id}", zh="没有该挂牌")


def terms_of(session: Session, listing: Listing) -> Document:
    """What a listing permits."""
    return read_document(session, listing.terms_digest)


def listing_json(session: Session, listing: Listing) -> dict[str, Any]:
    """A listing with its terms."""
    return {**listing.as_json(), "terms": terms_of(session, listing)}


def listings_json(session: Session, listings: Sequence[Listing], now: int) -> list[dict[str, Any]]:
    """Listings with their terms and their standing at `now`: {"status", "inForce", "reason"}, the reason why one that
    stands cannot be bought as {"code", "message", "zh"} or None.
    """
    why = why_not_sold(session, [row.listing_id for row in listings], now)
    return [
        {**listing_json(session, row), "standing": _standing_json(row, why[row.listing_id], now)} for row in listings
    ]


def _standing_json(row: Listing, why: RuleError | None, now: int) -> dict[str, Any]:
    stands = standing.of_product(row.status, row.valid_until, now, sold=why is None)
    reason = told(why) if stands.status == "blocked" else None
    return {"status": stands.status, "inForce": stands.in_force, "reason": reason}


def list_product(session: Session, deployment: Deployment, offer: Statement, now: int) -> Digest:
    """Queue a listing whose terms document is here and says what is signed.

    Raises:
        RuleError: `document_missing`, `terms_differ`, `cohort_below_manifest`, `node_not_active`, or what the rules of
        listings say. crypto.errors.InvalidProof: a node of the panel has not proved that it holds its key.
    """
    name, message = offer.digest(deployment), offer.message
    if is_under_way(session, name):
        return name
    check_statement(offer, deployment, now)
    require_traded(deployment, message["currency"])
    _check_terms(session, message)
    arguments = [dict(message), offer.signatures[0]]
    precheck.run(session, "Listings", "list", arguments, now)
    remember(session, deployment, offer, message["listingId"])
    by = message["seller"]
    return queue(session, contract="Listings", verb="list", arguments=arguments, digest=name, by=by, now=now)


def require_traded(deployment: Deployment, currency: int) -> None:
    """Refuse to list in a currency that nobody could order in. Raises RuleError `currency_not_in_market`."""
    if code_of(currency) not in deployment.currencies:
        raise refuse("CurrenciesUnknown", currency=currency)


def delist(session: Session, deployment: Deployment, wish: Statement, now: int) -> Digest:
    """Queue the end of a listing. Raises RuleError as the rules say."""
    return submit(session, deployment, wish, "delist", now)


def _check_terms(session: Session, message: Mapping[str, Any]) -> None:
    if not has_document(session, message["termsDigest"]):
        raise RuleError(
            "document_missing",
            f"the terms {message['termsDigest']} are not here yet",
            zh="挂牌条款文档尚未上传",
            rule="listings.terms_are_here",
            got=message["termsDigest"],
            hint=f"upload them first: PUT /documents/{message['termsDigest']}",
            hint_zh="请先上传该文档",
        )
    terms = validate_terms(read_document(session, message["termsDigest"]))
    asset = get_asset(session, message["assetId"])
    stated = {
        "asset": asset.asset_id,
        "manifest": asset.manifest_digest,
        "price": message["price"],
        "currency": message["currency"],
        "termEnd": message["validUntil"],
    }
    found = {
        **{field: terms[field] for field in ("asset", "manifest", "price")},
        "currency": money_of(terms).number,
        "termEnd": unix_seconds(terms["termEnd"]),
    }
    if found != stated:
        raise RuleError(
            "terms_differ",
            "the terms do not say what the listing and the asset say",
            zh="条款与挂牌或资产不一致",
            rule="listings.terms_are_the_listing",
            expected=stated,
            got=found,
            hint="upload terms that name this asset, and list with their digest",
            hint_zh="请上传针对该资产的条款，并以其摘要挂牌",
        )
    claim = read_document(session, asset.claim_digest)
    require_allowed(terms, asset.level, claim["origin"])
    check_listed(terms, claim["origin"])
    manifest = validate_manifest(manifest_of(session, asset))
    _check_scope(terms, manifest, message)
    check_offer(terms, manifest)
    _check_cohort(terms, manifest)
    _check_panel(session, terms)


def _check_scope(terms: Document, manifest: Document, message: Mapping[str, Any]) -> None:
    stated = scope_of_terms(terms, manifest)
    signed = {name: message[name] for name in stated}
    if signed != stated:
        raise RuleError(
            "terms_differ",
            "the listing does not offer what its terms say: purposes, regions, fields",
            zh="挂牌范围与条款所述用途、地域、字段不一致",
            rule="listings.scope_is_the_terms",
            expected=stated,
            got=signed,
            hint="upload terms within the title that the seller operates under, and list with their digest",
            hint_zh="请上传不超出卖方所持经营权范围的条款，并以其摘要挂牌",
        )


def _check_cohort(terms: Document, manifest: Document) -> None:
    if terms["minimumCohort"] < manifest["minimumCohort"]:
        raise RuleError(
            "cohort_below_manifest",
            "a listing may not allow smaller cohorts than the data set's manifest",
            zh="条款的最小群体不得低于清单规定",
            rule="listings.cohort_at_least_manifest",
            expected=f">= {manifest['minimumCohort']}",
            got=terms["minimumCohort"],
            hint="state a minimum cohort that is at least the manifest's",
            hint_zh="条款中的最小群体应不低于清单规定",
        )


def _check_panel(session: Session, terms: Document) -> None:
    for node in terms["panel"]["nodes"]:
        require_active(
            session,
            node["address"],
            Role.PANEL,
            "node_not_active",
            hint="name nodes of active participants with that role; `marketplace panel standing` lists them",
            hint_zh="请指定具有该角色且状态正常的节点；`marketplace panel standing` 可列出节点",
        )
        bls.verify_possession(from_hex(node["bls"], 48), from_hex(node["possession"], 96))
