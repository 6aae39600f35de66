"""Step 10, money and privacy budget: what was metered (calls), billed (vouchers) and settled is the same.

Each call of an order comes with a voucher signed by the order's buyer. Voucher n states the price of n calls, epsilon
for all that was charged, and the RFC 6962 root over the digests of the n questions. The last one closes the order on
the ledger. A question that was answered before costs no budget; any other costs what it asks for.

Budget is counted in the series' own unit, epsilon or rho, over all versions of a data set. For every release it is
computed again what order, buyer (or group of buyers) and series have spent with it, and compared with what the vault
signed.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from crypto.merkle import EMPTY_ROOT, Frontier, leaf_hash
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.claimed import check_refunded, check_settled
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.auditor.usage.orders import Standing
from marketplace.documents import series_of, voucher_message
from marketplace.errors import RuleError
from marketplace.participants.keybook import AHEAD_SECONDS, KeyBook
from marketplace.pricing import tariff_of
from marketplace.queries.permission.pricing import BuyerAccount, buyer_account, question_of
from marketplace.types import DeliveryStatus, OrderStatus

UNDER_WAY_SECONDS = 3600
"""So long after a key ended an answer to its voucher may be on its way into the log."""


@dataclass
class _Account:
    """One order's calls so far."""

    calls: Frontier = field(default_factory=Frontier)
    spent: int = 0
    epsilon: int = 0
    voucher: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Charge:
    """One release's charge. `total` is what the vault says the series has spent with it, `of_buyer` the buyer."""

    total: int
    charged: int
    of_buyer: int
    buyer: BuyerAccount
    who: str
    subject: str


@dataclass
class _Budget:
    """One series' budget, over all its versions and buyers."""

    budget: int = 0
    charges: list[_Charge] = field(default_factory=list)
    questions: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[tuple[Mapping[str, Any], frozenset[str], str]] = field(default_factory=list)


class Billing:
    """Follows vouchers and charges, release by release, in the order of the log."""

    def __init__(self, book: KeyBook, report: Report) -> None:
        self.book, self._report = book, report
        self._orders: dict[str, _Account] = defaultdict(_Account)
        self._series: dict[tuple[str, str], _Budget] = defaultdict(_Budget)

    def check_voucher(
        self, standing: Standing, voucher: Mapping[str, Any], query: str, subject: str, *, at: int
    ) -> None:
        """The voucher is the buyer's, and one call and its price further than the one before.

        Args:
            at: when the query was answered, unix seconds.
        """
        report, order = self._report, standing.order
        account = self._orders[order["orderId"]]
        account.calls.append(leaf_hash(from_hex(query)))
        report.count("vouchers")
        self.check_signature(voucher, order["buyer"], subject, at)
        report.same("voucher_calls", f"{subject} voucher.calls", account.calls.size, voucher["calls"])
        report.same("voucher_calls", f"{subject} voucher.callsRoot", to_hex(account.calls.root()), voucher["callsRoot"])
        self._check_amount(standing, account.calls.size, voucher["amount"], subject)
        if voucher["amount"] > order["escrow"]:
            report.find("voucher_over_escrow", subject, expected=f"<= {order['escrow']}", got=voucher["amount"])
        if voucher["epsilon"] < account.epsilon:
            report.find("voucher_backwards", subject, expected=f">= {account.epsilon}", got=voucher["epsilon"])
        account.epsilon, account.voucher = voucher["epsilon"], voucher

    def _check_amount(self, standing: Standing, calls: int, amount: int, subject: str) -> None:
        """The voucher promises what the plan asks for that many calls, to the fen."""
        try:
            due: object = tariff_of(standing.terms, standing.agreement).total(calls)
        except RuleError as error:
            due = f"{error.code}: {error.message}"
        self._report.same("voucher_amount", f"{subject} voucher.amount", due, amount)

    def check_signature(
        self, voucher: Mapping[str, Any], buyer: str, subject: str, at: int, *, grace: int = UNDER_WAY_SECONDS
    ) -> None:
        """A living key of the buyer signed it: an answer for the signature of an ended one means that the exchange hid
        the ending from the vault, or that the vault did not look."""
        try:
            message, signature = voucher_message(voucher), from_hex(voucher["signature"])
            self.book.require("Voucher", message, buyer, signature, at, grace=grace, early=AHEAD_SECONDS)
        except (CryptoError, RuleError) as error:
            self._report.find("voucher_signature", subject, expected=buyer, got=error)
        self._report.same("voucher_signature", f"{subject} voucher.buyer", buyer, voucher["buyer"])

    def charge(
        self,
        standing: Standing,
        release: Mapping[str, Any],
        question: str,
        asked: int,
        subject: str,
        *,
        answered: bool = True,
    ) -> None:
        """Enter what a release charged; totals are compared when all are known.

        Args:
            question: digest of the plan, the same for the same question.
            asked: epsilon that the query asks for.
            answered: False where the custodian withheld the answer, so that its voucher is no promise.
        """
        account, budget = self._orders[standing.order["orderId"]], self._budget(standing)
        charged = release["epsilon"]
        account.spent += charged
        self._report.same("epsilon_order", f"{subject} release.spentOrder", account.spent, release["spentOrder"])
        if answered and not account.spent <= account.epsilon <= standing.order["epsilonCap"]:
            expected = f"{account.spent} <= voucher <= {standing.order['epsilonCap']}"
            self._report.find("epsilon_cap", subject, expected=expected, got=account.epsilon)
        who = standing.order["buyer"]
        buyer = buyer_account(standing.terms, who, lambda _accounts: 0)
        budget.charges.append(_Charge(release["spentAsset"], charged, release["spentBuyer"], buyer, who, subject))
        name = question_of(question, standing.manifest, standing.terms)
        budget.questions[name].append((charged, asked, subject))

    def _budget(self, standing: Standing) -> _Budget:
        """The account of an order's series; of the budgets that were registered for it, the smallest counts."""
        budget = self._series[standing.manifest["holder"], series_of(standing.manifest)]
        signed = standing.asset["epsilonBudget"]
        budget.budget = min(budget.budget or signed, signed)
        return budget

    def check_refusal(self, standing: Standing, refusal: Mapping[str, Any], subject: str) -> None:
        """What a refusal says is spent and left is true of the order; of buyer and series that is told at the end."""
        spent = self._orders[standing.order["orderId"]].spent
        left = standing.order["epsilonCap"] - spent
        self._report.same("epsilon_order", f"{subject} refusal.spentOrder", spent, refusal["spentOrder"])
        self._report.same("epsilon_order", f"{subject} refusal.leftOrder", left, refusal["leftOrder"])
        budget, total = self._budget(standing), refusal["spentAsset"] + refusal["leftAsset"]
        self._report.same("epsilon_asset", f"{subject} refusal.leftAsset", budget.budget, total)
        accounts = buyer_account(standing.terms, standing.order["buyer"], lambda _accounts: 0).accounts
        budget.refusals.append((refusal, accounts, subject))
        cap = standing.terms["buyerCap"]
        left = None if cap is None else max(0, cap - refusal["spentBuyer"])
        self._report.same("epsilon_buyer", f"{subject} refusal.leftBuyer", left, refusal["leftBuyer"])

    def finish(self, tables: Tables, settles: Callable[[str, Row], bool] = lambda *_: False) -> None:
        """Compare totals with the ledger: budgets of data sets, settlements of orders.

        Args:
            settles: whether an order was delivered otherwise, and so is compared elsewhere.
        """
        for (_, series), budget in self._series.items():
            self._check_budget(series, budget)
        for (order,), row in tables.rows["orders"].items():
            if settles(order, row):
                continue
            if row["status"] == OrderStatus.SETTLED:
                self._check_settlement(tables, order, row)
            elif row["status"] == OrderStatus.REFUNDED:
                check_refunded(row, self.voucher(order), self._report)

    def _check_budget(self, series: str, budget: _Budget) -> None:
        """In the order in which the vault charged, which its totals give; the log may have them in another."""
        total, by_account = 0, defaultdict[str, int](int)
        for item in sorted(budget.charges, key=lambda item: (item.total, -item.charged)):
            total += item.charged
            by_account[item.who] += item.charged
            self._report.same("epsilon_asset", f"{item.subject} release.spentAsset", total, item.total)
            of_buyer = sum(by_account[account] for account in item.buyer.accounts)
            self._report.same("epsilon_buyer", f"{item.subject} release.spentBuyer", of_buyer, item.of_buyer)
            cap = item.buyer.cap
            if cap is not None and item.charged and of_buyer > cap:
                self._report.find("buyer_cap", item.subject, expected=f"<= {cap}", got=of_buyer)
        if total > budget.budget:
            self._report.find("epsilon_budget", f"series {series}", expected=f"<= {budget.budget}", got=total)
        for answers in budget.questions.values():
            self._check_question(answers)
        for refusal, accounts, subject in budget.refusals:
            self._check_refused(budget, refusal, accounts, subject)

    def _check_refused(
        self, budget: _Budget, refusal: Mapping[str, Any], accounts: frozenset[str], subject: str
    ) -> None:
        """A refusal states one moment of the account: the series' total tells which, and that the buyer's."""
        stated = refusal["spentAsset"]
        before = [item for item in budget.charges if item.total <= stated]
        total = sum(item.charged for item in before)
        self._report.same("epsilon_asset", f"{subject} refusal.spentAsset", total, stated)
        of_buyer = sum(item.charged for item in before if item.who in accounts)
        self._report.same("epsilon_buyer", f"{subject} refusal.spentBuyer", of_buyer, refusal["spentBuyer"])

    def _check_question(self, answers: list[tuple[int, int, str]]) -> None:
        """A question is charged in full once, and never again."""
        paid = [item for item in answers if item[0]]
        charged, asked, subject = (paid or answers)[0]
        self._report.same("epsilon_charge", f"{subject} release.epsilon", asked, charged)
        for again, _, other in paid[1:]:
            self._report.find("epsilon_charge", f"{other} release.epsilon", expected=0, got=again)

    def _check_delivered(self, tables: Tables, row: Row) -> bool:
        """Whether an accepted delivery ended the order; then one call is settled, for what was offered."""
        delivery = tables.rows["deliveries"][row["orderId"],]
        if delivery["status"] not in (DeliveryStatus.ACCEPTED, DeliveryStatus.DEEMED):
            return False
        offer = tables.rows["delivery_offers"][row["listingId"],]
        due = {"amount": offer["amount"], "epsilon": 0, "calls": 1, "callsRoot": delivery["noteHash"]}
        for name, value in due.items():
            self._report.same("settled_differs", f"order {row['orderId']} {name}", value, row[name])
        asked = self._orders[row["orderId"]].calls.size if row["orderId"] in self._orders else 0
        self._report.same("settled_differs", f"order {row['orderId']} questions", 0, asked)
        return True

    def _check_settlement(self, tables: Tables, order: str, row: Row) -> None:
        self._report.count("settlements")
        if (order,) in tables.rows["deliveries"] and self._check_delivered(tables, row):
            return
        account = self._orders[order]
        billed = account.voucher or {"amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
        check_settled(tables, row, billed, self._report)

    def voucher(self, order: str) -> Mapping[str, Any] | None:
        """The voucher of an order's last answer."""
        return self._orders[order].voucher if order in self._orders else None
