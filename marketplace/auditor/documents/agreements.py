"""Step 9, agreements on model forms: each document is what both signed, amendments chain, and orders keep within them.

That both sides signed, that an amendment takes the place of an agreement in force, and that an order cites one in force
between buyer and seller at that moment, follows from step 5: the rules ran every call anew. Here documents are laid
beside the rows that came of it.
"""

from typing import Any

from marketplace.agreements.forms import validate_agreement_on_form
from marketplace.agreements.scope import check_order_within
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.documents import unix_seconds
from marketplace.errors import MarketplaceError
from marketplace.pricing import is_negotiated, terms_under
from marketplace.types import ZERO_DIGEST


def billed_by(
    tables: Tables, documents: Documents, terms: dict[str, Any], accepted: dict[str, Any], subject: str
) -> dict[str, Any]:
    """The terms that an order is billed by: its listing's, or, where they leave the price open, with the plan of the
    agreement that its buyer's acceptance names; with that the order's id names it, too.

    Raises:
        MarketplaceError: as `pricing.terms_under` does.
    """
    if not is_negotiated(terms):
        return terms
    row = tables.rows["agreements"].get((accepted.get("under"),))
    return terms_under(terms, documents.get(row["agreementDigest"], "form_agreement", subject) if row else None)


def check_agreements(tables: Tables, documents: Documents, report: Report) -> None:
    """Every agreement on the ledger, then every order that cites one."""
    valid: dict[str, dict[str, Any]] = {}
    for row in tables.rows["agreements"].values():
        report.count("agreements")
        subject = f"agreement {row['agreementId']}"
        document = documents.get(row["agreementDigest"], "form_agreement", subject)
        if document is not None and _check_one(row, document, subject, report):
            valid[row["agreementId"]] = document
    for order in tables.rows["orders"].values():
        if order["agreementId"] in valid:
            _check_order(order, valid[order["agreementId"]], tables, documents, report)


def _check_one(row: Row, document: dict[str, Any], subject: str, report: Report) -> bool:
    try:
        validate_agreement_on_form(document)
    except MarketplaceError as error:
        report.find("agreement_form", subject, expected=error.expected, got=f"{error.code}: {error.message}")
        return False
    amends = None if row["previousId"] == ZERO_DIGEST else row["previousId"]
    stated = {
        "partyA": (row["partyA"], document["partyA"]),
        "partyB": (row["partyB"], document["partyB"]),
        "validUntil": (row["validUntil"], unix_seconds(document["validUntil"])),
        "amends": (amends, document["amends"]),
    }
    same = [report.same("agreement_differs", f"{subject} {name}", *pair) for name, pair in stated.items()]
    return all(same)


def _check_order(order: Row, agreement: dict[str, Any], tables: Tables, documents: Documents, report: Report) -> None:
    subject, listing = f"order {order['orderId']}", (order["listingId"],)
    report.count("orders under agreements")
    accepted = documents.get(order["agreementDigest"], "agreement", subject)
    terms = documents.get(tables.rows["listings"][listing]["termsDigest"], "terms", subject)
    if accepted is None or terms is None:
        return
    try:
        check_order_within(
            agreement,
            asset=order["assetId"],
            purpose=accepted["purpose"],
            region=accepted["region"],
            terms=terms,
            offer=tables.rows["delivery_offers"].get(listing),
        )
    except MarketplaceError as error:
        report.find("order_outside_agreement", subject, expected=error.expected, got=f"{error.code}: {error.got}")
