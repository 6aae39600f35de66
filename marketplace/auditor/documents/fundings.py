"""Step 9, what no order may be made of, whoever signed it: counted again from the ledger's events and the documents.

The contracts know neither plans nor purposes, so these are rules of the service alone, and a service may wave through
what it likes. At each funding: the use is one that the terms permit; the escrow covers the smallest use under a
negotiated price; public data earns no more than its plan permits, over all listings of an asset; a free trial is for
each buyer once; questions are sold for one period at a time; and nothing but questions sets privacy budget aside, which
a refund would keep from all others.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from marketplace.api.rules import LEAST_BUDGET
from marketplace.auditor.documents.agreements import billed_by
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.errors import MarketplaceError, RuleError
from marketplace.pricing import plan_of, require_one_period, require_within_cap
from marketplace.queries.permission.use import check_use


def check_fundings(tables: Tables, derived: Iterable[Placed], documents: Documents, report: Report) -> None:
    """Every order, at the moment when it was funded.

    Args:
        derived: the ledger's events by rule, in order.
    """
    fundings = _Fundings(tables, documents, report)
    for placed in derived:
        if placed.event.contract == "Orders":
            fundings.see(placed.event.name, placed.event.args, placed.timestamp)


class _Fundings:
    """What assets earned and have in escrow, and who ordered under which listing, event by event."""

    def __init__(self, tables: Tables, documents: Documents, report: Report) -> None:
        self._tables, self._documents, self._report = tables, documents, report
        self._promised: dict[str, int] = {}
        self._of_asset: defaultdict[str, int] = defaultdict(int)
        self._ordered: dict[tuple[str, str], str] = {}

    def see(self, name: str, args: Row, at: int) -> None:
        """One event of the contract Orders, in a block of this time."""
        if name == "Funded":
            self._fund(args, at)
        elif name == "Settled":
            self._promise(args["orderId"], args["amount"])
        elif name == "Refunded":
            self._promise(args["orderId"], 0)

    def _promise(self, order: str, amount: int) -> None:
        """From now on an order brings its asset this much, in minor units: its escrow while it is open."""
        asset = self._tables.rows["orders"][order,]["assetId"]
        self._of_asset[asset] += amount - self._promised.get(order, 0)
        self._promised[order] = amount

    def _fund(self, order: Row, at: int) -> None:
        self._report.count("fundings")
        listing = self._tables.rows["listings"][order["listingId"],]
        subject = f"order {order['orderId']}"
        terms = self._documents.get(listing["termsDigest"], "terms", subject)
        accepted = self._documents.get(order["agreementDigest"], "agreement", subject)
        if terms is not None and accepted is not None:
            self._check(order, terms, accepted, at)
        self._ordered.setdefault((order["listingId"], order["buyer"]), order["orderId"])
        self._promise(order["orderId"], order["escrow"])

    def _check(self, order: Row, terms: dict[str, Any], accepted: dict[str, Any], at: int) -> None:
        subject = f"order {order['orderId']}"
        try:
            check_use(terms, accepted)
        except RuleError as error:
            self._report.find("order_not_permitted", subject, expected=error.expected, got=f"{error.code}: {error.got}")
        if "delivery" in terms and order["epsilonCap"] > LEAST_BUDGET:
            self._report.find("budget_not_needed", subject, expected=LEAST_BUDGET, got=order["epsilonCap"])
        try:
            billed = billed_by(self._tables, self._documents, terms, accepted, subject)
        except MarketplaceError:
            return  # step 10 says of every order whether its price is agreed
        if order["escrow"] < billed["price"]:
            self._report.find("escrow_too_small", subject, expected=f">= {billed['price']}", got=order["escrow"])
        try:
            require_within_cap(plan_of(billed), self._of_asset[order["assetId"]], order["escrow"])
        except RuleError as error:
            self._report.find("revenue_cap", subject, expected=error.expected, got=error.got)
        try:
            require_one_period(billed, at, order["validUntil"])
        except RuleError as error:
            self._report.find("term_beyond_period", subject, expected=error.expected, got=error.got)
        earlier = self._ordered.get((order["listingId"], order["buyer"]))
        if plan_of(billed)["mode"] == "FREE_TRIAL" and earlier is not None:
            self._report.find("trial_used", subject, expected=f"no order after {earlier}", got=order["orderId"])
