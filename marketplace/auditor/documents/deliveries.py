"""Step 9, deliveries: only in ways that level and origin of the data allow, for the price of the terms.

That the seller held its title and the order was open when it delivered, that nobody was late, and who accepted, follows
from step 5: the rules ran every call anew. What acceptance made due is compared with settlements in step 10.
"""

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.deliveries.modes import require_allowed, require_offer
from marketplace.errors import MarketplaceError
from marketplace.types import ZERO_DIGEST


def check_deliveries(tables: Tables, documents: Documents, report: Report) -> None:
    """Every listing, every offer of delivery, and every list of defects."""
    for row in tables.rows["listings"].values():
        _check_listing(row, tables, documents, report)
    for row in tables.rows["deliveries"].values():
        report.count("deliveries")
        _check_defects(row, documents, report)


def _check_listing(row: Row, tables: Tables, documents: Documents, report: Report) -> None:
    subject = f"listing {row['listingId']}"
    asset = tables.rows["assets"][row["assetId"],]
    terms = documents.get(row["termsDigest"], "terms", subject)
    claim = documents.get(asset["claimDigest"], "claim", subject)
    if terms is None or claim is None:
        return
    offer = tables.rows["delivery_offers"].get((row["listingId"],))
    try:
        require_allowed(terms, asset["level"], claim["origin"])
        if offer is not None:
            require_offer(terms, offer)
    except MarketplaceError as error:
        report.find(error.code, subject, expected=error.expected, got=error.got)


def _check_defects(row: Row, documents: Documents, report: Report) -> None:
    if row["defectsDigest"] == ZERO_DIGEST:
        return
    subject = f"delivery {row['orderId']}"
    defects = documents.get(row["defectsDigest"], "defects", subject)
    if defects is not None:
        stated = (defects["order"], defects["note"])
        report.same("delivery_differs", f"{subject} defects", (row["orderId"], row["noteHash"]), stated)
