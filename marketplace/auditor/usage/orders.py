"""What stands behind an order, gathered from the derived ledger and the documents that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crypto.errors import CryptoError
from marketplace.auditor.documents.agreements import billed_by
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.errors import MarketplaceError
from marketplace.queries.permission.papers import OrderPapers, SignedIntent
from marketplace.queries.permission.use import check_permitted
from marketplace.queries.planning.plan import Plan, make_plan


@dataclass(frozen=True)
class Standing:
    """One order with all that a query on it is judged by.

    Args:
        order: its derived row; likewise `listing` and `asset`.
        terms: the terms that the order is billed by: those that the listing names, with the plan of the agreement that
            the buyer's acceptance names where theirs is negotiated.
        manifest: the manifest that the asset names.
        agreement: the agreement that the order names.
    """

    order: Row
    listing: Row
    asset: Row
    terms: dict[str, Any]
    manifest: dict[str, Any]
    agreement: dict[str, Any]


class Papers:
    """Finds and checks the papers of each order once."""

    def __init__(self, tables: Tables, documents: Documents, report: Report) -> None:
        self._tables, self._documents, self._report = tables, documents, report
        self._known: dict[str, Standing | None] = {}
        self._plans: dict[str, Plan | None] = {}

    def of(self, order: str, subject: str) -> Standing | None:
        """The papers of an order, or None with a finding."""
        if order not in self._known:
            self._known[order] = self._find(order, subject)
        return self._known[order]

    def _find(self, order: str, subject: str) -> Standing | None:
        row = self._tables.rows["orders"].get((order,))
        if row is None:
            self._report.find("order_unknown", subject, expected="an order that the ledger funded", got=order)
            return None
        listing = self._tables.rows["listings"][row["listingId"],]
        asset = self._tables.rows["assets"][row["assetId"],]
        terms = self._documents.get(listing["termsDigest"], "terms", f"listing {listing['listingId']}")
        manifest = self._documents.get(asset["manifestDigest"], "manifest", f"asset {asset['assetId']}")
        agreement = self._documents.get(row["agreementDigest"], "agreement", f"order {order}")
        if terms is None or manifest is None or agreement is None:
            return None
        return self._checked(Standing(row, listing, asset, terms, manifest, agreement))

    def _checked(self, standing: Standing) -> Standing:
        row, subject = standing.order, f"order {standing.order['orderId']}"
        links = (
            ("order.currency", standing.listing["currency"], row["currency"]),
            ("agreement.listing", row["listingId"], standing.agreement["listing"]),
            ("agreement.terms", standing.listing["termsDigest"], standing.agreement["terms"]),
            ("agreement.buyer", row["buyer"], standing.agreement["buyer"]),
        )
        for name, expected, got in links:
            self._report.same("papers_mismatch", f"{subject} {name}", expected, got)
        return self._billed(standing, subject)

    def _billed(self, standing: Standing, subject: str) -> Standing:
        """With a negotiated price as the agreement has it, which the acceptance names, and with that the order's id."""
        named, under = standing.order["agreementId"], standing.agreement.get("under")
        if under is not None:
            self._report.same("papers_mismatch", f"{subject} agreement.under", named, under)
        try:
            terms = billed_by(self._tables, self._documents, standing.terms, standing.agreement, subject)
            return replace(standing, terms=terms)
        except MarketplaceError as error:
            self._report.find("order_outside_agreement", subject, expected=error.expected, got=error.code)
            return standing

    def check_permitted(self, standing: Standing, query: Mapping[str, Any], at: int, subject: str) -> None:
        """A finding unless the order's terms permit the query at unix time `at`."""
        papers = OrderPapers(
            listing=SignedIntent(standing.listing, b""),
            fund=SignedIntent(standing.order, b""),
            terms=standing.terms,
            agreement=standing.agreement,
        )
        try:
            check_permitted(papers, query, standing.manifest, at)
        except MarketplaceError as error:
            self._report.find("query_not_permitted", subject, expected=error.expected, got=f"{error.code}: {error.got}")

    def plan(self, standing: Standing, query: Mapping[str, Any], subject: str) -> Plan | None:
        """What evaluating the query means, or None with a finding."""
        question = repr(
            [standing.asset["assetId"], *(query[name] for name in ("select", "where", "groupBy", "epsilon"))]
        )
        if question not in self._plans:
            self._plans[question] = self._planned(standing, query, subject)
        return self._plans[question]

    def _planned(self, standing: Standing, query: Mapping[str, Any], subject: str) -> Plan | None:
        try:
            return make_plan(standing.manifest, query)
        except MarketplaceError as error:
            why = f"{error.code}: {error.message}"
        except CryptoError as error:  # a manifest may name a profile of sealing that nobody has
            why = str(error)
        self._report.find("query_unanswerable", subject, got=why)
        return None
