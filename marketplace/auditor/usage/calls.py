"""Step 10, data delivered call by call: metered = billed = paid, counted again from the signed records alone.

For each order the first difference is named: the record that does not follow, is not the seller's, or cannot be; the
voucher that is not for exactly the records under it; the settlement that is not the last voucher's; the service record
that its calls do not give. That what was paid is what holders and fee share, to the fen, is step 7's.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace.api.levels import figures_of
from marketplace.api.metering import Meter, meter_of, period_of, voucher_due
from marketplace.api.rules import check_offer, is_api, record_fault
from marketplace.api.statements import check
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.claimed import check_refunded, check_settled
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.auditor.usage.barred import Barred
from marketplace.auditor.usage.billing import UNDER_WAY_SECONDS, Billing
from marketplace.auditor.usage.orders import Papers, Standing
from marketplace.documents import unix_seconds, voucher_message
from marketplace.errors import MarketplaceError, RuleError
from marketplace.intents import INTENTS
from marketplace.participants.keybook import AHEAD_SECONDS
from marketplace.types import OrderStatus

Leaf = Mapping[str, Any]
CALL_LEAVES: dict[str, frozenset[str]] = {
    "api.gateway": frozenset({"listing", "gateway"}),
    "api.calls": frozenset({"order", "batch"}),
    "api.voucher": frozenset({"order", "voucher"}),
    "api.service": frozenset({"order", "record"}),
    "api.answer": frozenset({"order", "record", "answer"}),
}


@dataclass
class _Account:
    """One order's calls so far: all of them, those that the last voucher pays for, and by period the last service
    record with its leaf."""

    meter: Meter
    paid: Meter
    records: list[Mapping[str, Any]] = field(default_factory=list)
    voucher: Mapping[str, Any] | None = None
    services: dict[str, tuple[Mapping[str, Any], str]] = field(default_factory=dict)
    broken: bool = False


class Calls:
    """Checks the leaves about calls; `settles` compares with the ledger."""

    def __init__(
        self,
        tables: Tables,
        documents: Documents,
        papers: Papers,
        billing: Billing,
        report: Report,
        *,
        barred: Barred,
    ) -> None:
        self._tables, self._documents, self._papers = tables, documents, papers
        self._billing, self._report, self._barred = billing, report, barred
        self._accounts: dict[str, _Account] = {}
        self._stated: dict[str, str] = {}
        self._answered: defaultdict[str, int] = defaultdict(int)

    def check(self, leaf: Leaf, subject: str) -> None:
        """One leaf, in the log's order."""
        if leaf["type"] == "api.gateway":
            self._gateway(leaf, subject)
            return
        standing = self._papers.of(leaf["order"], subject)
        if standing is None:
            return
        if not is_api(standing.terms):
            self._report.find("calls_not_offered", subject, expected="terms that say API", got=leaf["order"])
            return
        if leaf["order"] not in self._accounts:
            self._accounts[leaf["order"]] = _Account(meter_of(standing.terms), meter_of(standing.terms))
            self._offer(standing)
        account = self._accounts[leaf["order"]]
        act = {"api.calls": self._take, "api.voucher": self._pay, "api.service": self._serve, "api.answer": self._reply}
        act[leaf["type"]](leaf, standing, account, subject)

    def _offer(self, standing: Standing) -> None:
        try:
            check_offer(standing.terms, standing.manifest)
        except MarketplaceError as error:
            subject = f"listing {standing.listing['listingId']}"
            self._report.find("calls_not_offered", subject, expected=error.expected, got=error.got)

    def _gateway(self, leaf: Leaf, subject: str) -> None:
        gateway = self._documents.get(leaf["gateway"], "gateway", subject)
        listing = self._tables.rows["listings"].get((leaf["listing"],))
        if gateway is None or listing is None:
            return
        stated = (gateway["listing"], gateway["seller"])
        self._report.same("reference", f"{subject} gateway", (listing["listingId"], listing["seller"]), stated)
        self._signed(gateway, unix_seconds(leaf["at"]), subject)

    def _take(self, leaf: Leaf, standing: Standing, account: _Account, subject: str) -> None:
        """Records, each the next one, the seller's, possible, and within term and quota; the first fault is named."""
        batch = self._documents.get(leaf["batch"], "call_batch", subject)
        if batch is None or account.broken:
            account.broken = True
            return
        for record in batch["records"]:
            self._report.count("call records")
            if not self._fits(record, standing, account, f"{subject} call {record['number']}"):
                account.broken = True
                return
            account.records.append(record)

    def _fits(self, record: Mapping[str, Any], standing: Standing, account: _Account, subject: str) -> bool:
        report, at = self._report, unix_seconds(record["at"])
        expected = (standing.order["orderId"], standing.listing["seller"])
        fits = report.same("reference", f"{subject} order", expected, (record["order"], record["seller"]))
        fits &= self._signed(record, at, subject)
        fault = record_fault(record, standing.terms)
        if fault or at > standing.order["validUntil"]:
            report.find(
                "call_record_impossible", subject, expected="within its terms", got=fault.en if fault else record["at"]
            )
            fits = False
        bar = self._barred.by(standing.order, standing.listing, at)
        if bar is not None:
            report.find("call_barred", subject, expected="an open order, titles in force", got=bar)
            fits = False
        try:
            account.meter.take(record)
        except RuleError as error:
            report.find("call_record_order", subject, expected=error.expected, got=error.got)
            return False
        quota, period = standing.terms["delivery"]["quota"], period_of(record["at"], account.meter.kind)
        used = account.meter.usages[period].calls if period in account.meter.usages else 0
        if quota is not None and used > quota:
            report.find("call_over_quota", subject, expected=f"<= {quota} in {period}", got=used)
            fits = False
        return fits

    def _pay(self, leaf: Leaf, standing: Standing, account: _Account, subject: str) -> None:
        """A voucher is for exactly the records under its root, by the plan, and for more than the one before."""
        voucher = self._documents.get(leaf["voucher"], "voucher", subject)
        if voucher is None or account.broken:
            return
        self._report.count("vouchers")
        report, message = self._report, voucher_message(voucher)
        done, wanted = account.paid.size, voucher["calls"]
        if not done <= wanted <= len(account.records):
            report.find("voucher_calls", subject, expected=f"{done} to {len(account.records)}", got=wanted)
            return
        for record in account.records[done:wanted]:
            account.paid.take(record)
        order, purpose = standing.order, standing.agreement["purpose"]
        try:
            due = voucher_due(order["orderId"], account.paid, standing.terms, purpose)
        except RuleError as error:
            report.find("voucher_amount", subject, expected=f"{error.code}: {error.message}", got=message["amount"])
            return
        report.same("reference", f"{subject} voucher.order", due["orderId"], message["orderId"])
        report.same("voucher_calls", f"{subject} voucher.callsRoot", due["callsRoot"], message["callsRoot"])
        report.same("voucher_amount", f"{subject} voucher.amount", due["amount"], message["amount"])
        report.same("voucher_amount", f"{subject} voucher.epsilon", 0, message["epsilon"])
        if message["amount"] > order["escrow"]:
            report.find("voucher_over_escrow", subject, expected=f"<= {order['escrow']}", got=message["amount"])
        at, grace = unix_seconds(leaf["at"]), INTENTS["Voucher"].grace + UNDER_WAY_SECONDS
        self._billing.check_signature(voucher, order["buyer"], subject, at, grace=grace)
        account.voucher = voucher

    def _serve(self, leaf: Leaf, standing: Standing, account: _Account, subject: str) -> None:
        """A service record is the seller's; what it has to say is told when all calls are known."""
        record = self._documents.get(leaf["record"], "service_record", subject)
        if record is None:
            return
        self._stated[leaf["record"]] = record["order"]
        if account.broken:
            return
        self._report.count("service records")
        expected = (standing.order["orderId"], standing.listing["seller"])
        self._report.same("reference", f"{subject} order", expected, (record["order"], record["seller"]))
        self._signed(record, unix_seconds(leaf["at"]), subject)
        account.services[record["period"]] = (record, subject)

    def _reply(self, leaf: Leaf, standing: Standing, _: _Account, subject: str) -> None:
        """The buyer answers a service record of its order, once."""
        answer = self._documents.get(leaf["answer"], "service_answer", subject)
        if answer is None:
            return
        order = standing.order
        stated = (answer["order"], answer["record"], answer["buyer"])
        self._report.same("reference", f"{subject} answer", (order["orderId"], leaf["record"], order["buyer"]), stated)
        self._signed(answer, unix_seconds(leaf["at"]), subject)
        self._answered[leaf["record"]] += 1
        known = (self._stated.get(leaf["record"]), self._answered[leaf["record"]])
        self._report.same("service_answer_differs", subject, (order["orderId"], 1), known)

    def records(self, order: str) -> list[Mapping[str, Any]]:
        """The records of an order, up to the first that does not hold."""
        return self._accounts[order].records if order in self._accounts else []

    def voucher(self, order: str) -> Mapping[str, Any] | None:
        """The last voucher of an order that holds."""
        return self._accounts[order].voucher if order in self._accounts else None

    def settles(self, order: str, row: Row) -> bool:
        """Whether an order was delivered call by call; then what was paid is compared with what was metered, unless a
        record does not hold: then that is the first difference, and nothing after it can be told."""
        account = self._accounts.get(order)
        if account is None and not self._is_api(row):
            return False
        if account is not None and account.broken:
            return True
        if account is not None:
            self._check_services(order, account)
        voucher = account.voucher if account else None
        billed = voucher or {"amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
        if row["status"] == OrderStatus.SETTLED:
            check_settled(self._tables, row, billed, self._report)
        elif row["status"] == OrderStatus.REFUNDED:
            check_refunded(row, voucher, self._report)
        self._report.count("calls metered", account.meter.size if account else 0)
        paid = min(row["calls"], billed["calls"])  # a buyer alone can claim with any number
        self._report.count("calls paid", paid)
        unpaid = account.meter.size - paid if account else 0
        if unpaid > 1 and row["status"] in (OrderStatus.SETTLED, OrderStatus.REFUNDED):
            self._report.find("calls_unpaid", f"order {order}", expected="one call at most", got=unpaid)
        return True

    def _check_services(self, order: str, account: _Account) -> None:
        """A service record is what all calls of its period give, those that were handed in after it too."""
        standing = self._papers.of(order, f"order {order}")
        for period, (record, subject) in account.services.items() if standing else ():
            figures = figures_of(account.records, period, standing.terms) if standing else None
            if figures is None:
                self._report.find("service_differs", subject, expected="calls of that period", got=period)
            for name, value in (figures or {}).items():
                self._report.same("service_differs", f"{subject} {name}", value, record[name])

    def _is_api(self, row: Row) -> bool:
        standing = self._papers.of(row["orderId"], f"order {row['orderId']}")
        return standing is not None and is_api(standing.terms)

    def _signed(self, document: Mapping[str, Any], at: int, subject: str) -> bool:
        try:
            check(document, self._billing.book, at, grace=UNDER_WAY_SECONDS, early=AHEAD_SECONDS)
        except MarketplaceError as error:
            self._report.find("call_signature", subject, expected=error.expected, got=error.message)
            return False
        return True
