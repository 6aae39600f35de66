"""Step 7: no fen appears or disappears. Counted from the ledger's receipts alone, without the rules of step 5.

issued to accounts - paid out by banks == what all accounts hold, the escrow contract and the token itself included
held by the token itself == amounts of the redemptions that are neither paid nor given back
held by the escrow contract == escrow of the orders that are neither settled nor refunded
escrow == fee + shares + refund, for each settled order; escrow == refund, for each refunded one
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from marketplace.auditor.findings import Report
from marketplace.auditor.rows import NOBODY
from marketplace.events import Event


@dataclass
class _Books:
    issued: int = 0
    paid_out: int = 0
    locked: dict[str, int] = field(default_factory=dict)
    balances: Counter[str] = field(default_factory=Counter)
    escrow: dict[str, int] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    settled: dict[str, tuple[int, int]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    shares: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[str, int] = field(default_factory=dict)


def check_money(events: Iterable[Event], contracts: Mapping[str, str], report: Report) -> None:
    """Check conservation over the events that the receipts state, in order.

    Args:
        contracts: address of every contract by its name.
    """
    books = _Books()
    for event in events:
        _enter(books, event)
    report.count("accounts", len(books.balances))
    report.same("money_total", "all accounts", books.issued - books.paid_out, books.balances.total())
    for account, balance in books.balances.items():
        if balance < 0:
            report.find("money_negative", account, expected=">= 0", got=balance)
    held = sum(books.escrow[order] for order in books.open)
    report.same("money_escrow", contracts["Orders"], held, books.balances[contracts["Orders"]])
    token = contracts["SettlementToken"]
    report.same("money_locked", token, sum(books.locked.values()), books.balances[token])
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
    elif event.name == "RedemptionRequested":
        books.locked[args["redemptionId"]] = args["amount"]
    elif event.name in ("RedemptionPaid", "RedemptionRejected", "RedemptionExpired"):
        books.paid_out += args["amount"] if event.name == "RedemptionPaid" else 0
        books.locked[args["redemptionId"]] = books.locked.get(args["redemptionId"], 0) - args["amount"]
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
