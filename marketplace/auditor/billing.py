"""Step 10, money and privacy budget: what was metered (calls), billed (vouchers) and settled is the same.

Each call of an order comes with a voucher signed by the order's buyer. Voucher n states the price of n calls, epsilon
for all that was charged, and the RFC 6962 root over the digests of the n questions. The last one closes the order on
the ledger. A question that was answered before on the same data set costs no epsilon; any other costs what it asks for.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from crypto.merkle import EMPTY_ROOT, Frontier, leaf_hash
from marketplace.auditor.findings import Report
from marketplace.auditor.papers import Standing
from marketplace.auditor.rows import Row, Tables
from marketplace.documents import voucher_message
from marketplace.intents import Deployment, struct_hash, verify_intent
from marketplace.types import OrderStatus


@dataclass
class _Account:
    """One order's calls so far."""

    calls: Frontier = field(default_factory=Frontier)
    spent: int = 0
    epsilon: int = 0
    voucher: Mapping[str, Any] | None = None


@dataclass
class _Budget:
    """One data set's epsilon, over all its buyers: (total after the charge, charge, leaf) of each release."""

    charges: list[tuple[int, int, str]] = field(default_factory=list)
    questions: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))


class Billing:
    """Follows vouchers and charges, release by release, in the order of the log."""

    def __init__(self, deployment: Deployment, report: Report) -> None:
        self._deployment, self._report = deployment, report
        self._orders: dict[str, _Account] = defaultdict(_Account)
        self._assets: dict[str, _Budget] = defaultdict(_Budget)

    def check_voucher(self, standing: Standing, voucher: Mapping[str, Any], query: str, subject: str) -> None:
        """The voucher is the buyer's, and one call and its price further than the one before."""
        report, order = self._report, standing.order
        account = self._orders[order["orderId"]]
        account.calls.append(leaf_hash(from_hex(query)))
        report.count("vouchers")
        self._check_signature(voucher, order["buyer"], subject)
        report.same("voucher_calls", f"{subject} voucher.calls", account.calls.size, voucher["calls"])
        report.same("voucher_calls", f"{subject} voucher.callsRoot", to_hex(account.calls.root()), voucher["callsRoot"])
        due = account.calls.size * standing.listing["price"]
        report.same("voucher_amount", f"{subject} voucher.amount", due, voucher["amount"])
        if voucher["amount"] > order["escrow"]:
            report.find("voucher_over_escrow", subject, expected=f"<= {order['escrow']}", got=voucher["amount"])
        if voucher["epsilon"] < account.epsilon:
            report.find("voucher_backwards", subject, expected=f">= {account.epsilon}", got=voucher["epsilon"])
        account.epsilon, account.voucher = voucher["epsilon"], voucher

    def _check_signature(self, voucher: Mapping[str, Any], buyer: str, subject: str) -> None:
        try:
            message, signature = voucher_message(voucher), from_hex(voucher["signature"])
            verify_intent("Voucher", message, self._deployment, buyer, signature)
        except CryptoError as error:
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
        account, budget = self._orders[standing.order["orderId"]], self._assets[standing.asset["assetId"]]
        charged = release["epsilon"]
        account.spent += charged
        self._report.same("epsilon_order", f"{subject} release.spentOrder", account.spent, release["spentOrder"])
        if answered and not account.spent <= account.epsilon <= standing.order["epsilonCap"]:
            expected = f"{account.spent} <= voucher <= {standing.order['epsilonCap']}"
            self._report.find("epsilon_cap", subject, expected=expected, got=account.epsilon)
        budget.charges.append((release["spentAsset"], charged, subject))
        budget.questions[question].append((charged, asked, subject))

    def check_refusal(self, standing: Standing, refusal: Mapping[str, Any], subject: str) -> None:
        """What a refusal says is spent and left is true of the order, and possible for the data set."""
        spent = self._orders[standing.order["orderId"]].spent
        left = standing.order["epsilonCap"] - spent
        self._report.same("epsilon_order", f"{subject} refusal.spentOrder", spent, refusal["spentOrder"])
        self._report.same("epsilon_order", f"{subject} refusal.leftOrder", left, refusal["leftOrder"])
        total = refusal["spentAsset"] + refusal["leftAsset"]
        self._report.same("epsilon_asset", f"{subject} refusal.leftAsset", standing.asset["epsilonBudget"], total)

    def finish(self, tables: Tables) -> None:
        """Compare totals with the ledger: budgets of data sets, settlements of orders."""
        for asset, budget in self._assets.items():
            self._check_budget(tables.rows["assets"][asset,], budget)
        for (order,), row in tables.rows["orders"].items():
            if row["status"] == OrderStatus.SETTLED:
                self._check_settlement(order, row)

    def _check_budget(self, asset: Row, budget: _Budget) -> None:
        total = 0
        for spent, charged, subject in sorted(budget.charges, key=lambda item: (item[0], -item[1])):
            total += charged
            self._report.same("epsilon_asset", f"{subject} release.spentAsset", total, spent)
        if total > asset["epsilonBudget"]:
            expected = f"<= {asset['epsilonBudget']}"
            self._report.find("epsilon_budget", f"asset {asset['assetId']}", expected=expected, got=total)
        for answers in budget.questions.values():
            self._check_question(answers)

    def _check_question(self, answers: list[tuple[int, int, str]]) -> None:
        """A question is charged in full once, and never again."""
        paid = [item for item in answers if item[0]]
        charged, asked, subject = (paid or answers)[0]
        self._report.same("epsilon_charge", f"{subject} release.epsilon", asked, charged)
        for again, _, other in paid[1:]:
            self._report.find("epsilon_charge", f"{other} release.epsilon", expected=0, got=again)

    def _check_settlement(self, order: str, row: Row) -> None:
        report, account = self._report, self._orders[order]
        report.count("settlements")
        billed = account.voucher or {"amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
        for name in ("amount", "epsilon", "calls", "callsRoot"):
            report.same("settled_differs", f"order {order} {name}", billed[name], row[name])

    def voucher_hash(self, order: str) -> str | None:
        """Struct hash of the last voucher of an order, or None if it has none."""
        voucher = self._orders[order].voucher
        return to_hex(struct_hash("Voucher", voucher_message(voucher))) if voucher else None
