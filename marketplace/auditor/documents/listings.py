"""Step 9, what is on offer: a listing's terms say what the ledger says, and its price is one that may be asked.

The rules ran only what was signed (step 5), and of a listing that is a digest, a price, a scope and a term. Here the
document under the digest is laid beside them.
"""

from typing import Any

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.documents import money_of, unix_seconds
from marketplace.documents.scopes import scope_of_terms
from marketplace.errors import MarketplaceError
from marketplace.pricing import check_listed


def check_listings(tables: Tables, documents: Documents, report: Report) -> None:
    """Every listing, whether or not somebody ordered under it, and whether or not it was withdrawn."""
    for row in tables.rows["listings"].values():
        subject = f"listing {row['listingId']}"
        asset = tables.rows["assets"][row["assetId"],]
        terms = documents.get(row["termsDigest"], "terms", subject)
        manifest = documents.get(asset["manifestDigest"], "manifest", subject)
        claim = documents.get(asset["claimDigest"], "claim", subject)
        if terms is None or manifest is None or claim is None:
            continue
        report.count("listings")
        _check_terms(row, asset, terms, manifest, report)
        least = manifest["minimumCohort"]
        if terms["minimumCohort"] < least:
            report.find("cohort_below_manifest", subject, expected=f">= {least}", got=terms["minimumCohort"])
        try:
            check_listed(terms, claim["origin"])
        except MarketplaceError as error:
            report.find("plan_unfit", subject, expected=error.expected, got=f"{error.code}: {error.got}")


def _check_terms(row: Row, asset: Row, terms: dict[str, Any], manifest: dict[str, Any], report: Report) -> None:
    stated: dict[str, tuple[object, object]] = {
        "asset": (row["assetId"], terms["asset"]),
        "manifest": (asset["manifestDigest"], terms["manifest"]),
        "price": (row["price"], terms["price"]),
        "currency": (row["currency"], money_of(terms).code),
        "termEnd": (row["validUntil"], unix_seconds(terms["termEnd"])),
    }
    try:
        scope = scope_of_terms(terms, manifest)
        stated |= {name: (row[name], scope[name]) for name in scope}
    except MarketplaceError as error:
        report.find("listing_differs", f"listing {row['listingId']} scope", expected=error.expected, got=error.got)
    for name, pair in stated.items():
        report.same("listing_differs", f"listing {row['listingId']} {name}", *pair)
