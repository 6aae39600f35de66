"""Step 7: no minor unit appears or disappears, and none becomes another currency's. Counted from the ledger's receipts
alone, without the rules of step 5; currency by currency:

issued to accounts - paid out by banks == what all accounts hold, the escrow contract and the token itself included
held by the token itself == amounts of the redemptions that are neither paid nor given back
held by the escrow contract == escrow of the orders that are neither settled nor refunded
escrow == fee + shares + refund, for each settled order; escrow == refund, for each refunded one
held by the clearing contract == what came into its batches by orders and debtors, and is not paid out
came in == paid out, for each settled batch; an order brings its whole escrow
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from marketplace.auditor.findings import Report
from marketplace.currencies import code_of, currency_at, currency_of
from marketplace.events import Event
from marketplace.types import ZERO_ADDRESS


@dataclass
class _Currency:
    """What one token's own events say."""

    issued: int = 0
    paid_out: int = 0
    locked: dict[str, int] = field(default_factory=dict)
    balances: Counter[str] = field(default_factory=Counter)


@dataclass
class _Books:
    tokens: defaultdict[str, _Currency] = field(default_factory=lambda: defaultdict(_Currency))
    listed: dict[str, str] = field(default_factory=dict)
    currency: dict[str, str] = field(default_factory=dict)
    escrow: dict[str, int] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    settled: dict[str, tuple[int, int]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    shares: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[str, int] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    cleared: Counter[str] = field(default_factory=Counter)
    entered: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)


def check_money(events: Iterable[Event], contracts: Mapping[str, str], report: Report) -> None:
    """Check conservation over the events that the receipts state, in order.

    Args:
        contracts: address of every contract by its name.
    """
    books = _Books()
    for event in events:
        _enter(books, event)
    report.count("accounts", len({account for token in books.tokens.values() for account in token.balances}))
    for name in contracts:
        if currency := currency_at(name):
            _check_currency(books, currency.code, books.tokens[name], contracts, report)
    for order in books.escrow.keys() - books.open:
        report.count("orders closed")
        _check_closed(books, order, report)
    for order, entered in books.entered.items():
        report.same("money_batch", f"order {order}", books.escrow.get(order), entered)
    for batch in books.ended:
        report.same("money_batch", batch, 0, books.cleared[batch])


def _check_currency(books: _Books, code: str, token: _Currency, contracts: Mapping[str, str], report: Report) -> None:
    report.same("money_total", f"all accounts in {code}", token.issued - token.paid_out, token.balances.total())
    for account, balance in token.balances.items():
        if balance < 0:
            report.find("money_negative", f"{account} in {code}", expected=">= 0", got=balance)
    held = sum(books.escrow[order] for order in books.open if books.currency[order] == code)
    report.same("money_escrow", f"{contracts['Orders']} in {code}", held, token.balances[contracts["Orders"]])
    waiting = sum(books.cleared[batch] for batch, currency in books.batches.items() if currency == code)
    report.same("money_batch", f"{contracts['Clearing']} in {code}", waiting, token.balances[contracts["Clearing"]])
    itself = contracts[currency_of(code).contract]
    report.same("money_locked", f"{itself} in {code}", sum(token.locked.values()), token.balances[itself])


def _check_closed(books: _Books, order: str, report: Report) -> None:
    if order in books.refunded:
        report.same("money_order", order, books.escrow[order], books.refunded[order])
        return
    fee, refund = books.settled[order]
    report.same("money_order", order, books.escrow[order], fee + books.shares[order] + refund)
    report.same("money_order", f"{order} shares", books.amounts[order] - fee, books.shares[order])


def _enter(books: _Books, event: Event) -> None:
    args = event.args
    if currency_at(event.contract):
        _enter_token(books.tokens[event.contract], event)
    elif event.contract == "Clearing":
        _enter_batch(books, event)
    elif event.name == "Listed":
        books.listed[args["listingId"]] = code_of(args["currency"])
    elif event.name == "Funded":
        books.currency[args["orderId"]] = books.listed.get(args["listingId"], "")
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


def _enter_batch(books: _Books, event: Event) -> None:
    args = event.args
    if event.name == "BatchOpened":
        books.batches[args["batchId"]] = code_of(args["currency"])
    elif event.name == "Entered":
        books.entered[args["orderId"]] = sum(args["amounts"])
        books.cleared[args["batchId"]] += sum(args["amounts"])
    elif event.name == "Collected":
        books.cleared[args["batchId"]] += args["amount"]
    elif event.name == "PaidOut":
        books.cleared[args["batchId"]] -= args["amount"]
    elif event.name == "BatchSettled":
        books.ended.add(args["batchId"])


def _enter_token(token: _Currency, event: Event) -> None:
    args = event.args
    if event.name == "Issued":
        token.issued += args["amount"]
    elif event.name == "Transfer":
        for account, change in ((args["from"], -args["value"]), (args["to"], args["value"])):
            token.balances[account] += change if account != ZERO_ADDRESS else 0
    elif event.name == "RedemptionRequested":
        token.locked[args["redemptionId"]] = args["amount"]
    elif event.name in ("RedemptionPaid", "RedemptionRejected", "RedemptionExpired"):
        token.paid_out += args["amount"] if event.name == "RedemptionPaid" else 0
        token.locked[args["redemptionId"]] = token.locked.get(args["redemptionId"], 0) - args["amount"]
