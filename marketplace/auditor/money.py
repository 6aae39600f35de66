"""Step 7: no fen appears or disappears. Counted from the ledger's receipts alone, without the rules of step 5.

issued to accounts == what all accounts hold, the escrow contract included
held by the escrow contract == escrow of the orders that are neither settled nor refunded
escrow == fee + shares + refund, for each settled order; escrow == refund, for each refunded one
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from marketplace.auditor.findings import Report
from marketplace.auditor.rows import NOBODY
from marketplace.events import Event


@dataclass
class _Books:
    issued: int = 0
    balances: Counter[str] = field(default_factory=Counter)
    escrow: dict[str, int] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    settled: dict[str, tuple[int, int]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    shares: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[str, int] = field(default_factory=dict)


def check_money(events: Iterable[Event], orders_contract: str, report: Report) -> None:
    """Check conservation over the events that the receipts state, in order."""
    books = _Books()
    for event in events:
        _enter(books, event)
    report.count("accounts", len(books.balances))
    report.same("money_total", "all accounts", books.issued, books.balances.total())
    for account, balance in books.balances.items():
        if balance < 0:
            report.find("money_negative", account, expected=">= 0", got=balance)
    held = sum(books.escrow[order] for order in books.open)
    report.same("money_escrow", orders_contract, held, books.balances[orders_contract])
    for order in books.escrow.keys() - books.open:
        report.count("orders closed")
        _check_closed(books, order, report)


def _check_closed(books: _Books, order: str, report: Report) -> None:
    if order in books.refunded:
        report.same("money_order", order, books.escrow[order], books.refunded[order])
        return
    fee, refund = books.settled[order]
    report.same("money_order", order, books.escrow[order], fee + books.shares[order] + refund)
    report.same("money_order", f"{order} shares", books.amounts[order] - fee, books.shares[order])


def _enter(books: _Books, event: Event) -> None:
    args = event.args
    if event.name == "Issued":
        books.issued += args["amount"]
    elif event.name == "Transfer":
        for account, change in ((args["from"], -args["value"]), (args["to"], args["value"])):
            books.balances[account] += change if account != NOBODY else 0
    elif event.name == "Funded":
        books.escrow[args["orderId"]] = args["escrow"]
        books.open.add(args["orderId"])
    elif event.name == "Settled":
        books.settled[args["orderId"]] = (args["fee"], args["refund"])
        books.amounts[args["orderId"]] = args["amount"]
        books.open.discard(args["orderId"])
    elif event.name == "SharePaid":
        books.shares[args["orderId"]] += args["amount"]
    elif event.name == "Refunded":
        books.refunded[args["orderId"]] = args["amount"]
        books.open.discard(args["orderId"])
