"""Clearing of many debts in one movement a party: contracts/src/Clearing.sol, and clear of Orders.sol, in Python.

None -> OPEN by openBatch -> CLOSED by closeBatch -> CONFIRMED by confirmBatch -> SETTLED by the last pay. Where the
exchange is silent, anyone closes and confirms in its stead: closeOverdue, confirmOverdue. Collecting, dropping and
paying are nobody's decision: in whatever order they come, and repeated after a crash, the same is paid in
the end: the greatest clearing vector in the sense of Eisenberg and Noe, "Systemic Risk in Financial Systems" (2001),
with whole debts paid in the order of their entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto.canonical import from_hex, keccak256, to_hex
from marketplace.documents.ids import batch_id, debt_id
from marketplace.events import Event
from marketplace.lineage.rules import Lineage, parts_of
from marketplace.listings.rules import Listings
from marketplace.orders.rules import Orders
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.rights.records import Rights
from marketplace.rights.rules import release_budget
from marketplace.settlement.money import Accounts
from marketplace.settlement.rules import FeeTerms, ending_of, share_paid
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, BatchStatus, DebtStatus, OrderStatus, Role

# Of debts in one batch: nobody's paper debts keep an order's money out, and every position is an integer that all JSON
# readers keep exact.
MAX_DEBIT = MAX_CREDIT = 2**52 - 1
NO_DEBT = "0x" + "00" * 31 + "01"  # what the contract keeps under a party's first debt
MAX_WAIT = 30 * 86_400  # seconds that a batch may be open, and that it may wait for debtors: it has an end
OVERDUE_WAIT = 3 * 86_400  # seconds that debtors have to pay in where somebody else closes than the exchange

NONE, OPEN, CLOSED, CONFIRMED, SETTLED = BatchStatus

# verb -> {status before: status after}; what is not in the table is refused. `pay` leads on only when it is the last.
STATES = {
    "openBatch": {NONE: OPEN},
    "owe": {OPEN: OPEN},
    "clear": {OPEN: OPEN},
    "closeBatch": {OPEN: CLOSED},
    "closeOverdue": {OPEN: CLOSED},
    "collect": {CLOSED: CLOSED},
    "drop": {CLOSED: CLOSED},
    "confirmBatch": {CLOSED: CONFIRMED},
    "confirmOverdue": {CLOSED: CONFIRMED},
    "pay": {CONFIRMED: SETTLED},
}


@dataclass
class Position:
    """What a party is due and owes in a batch, and what was collected from it, in minor units of the batch's currency.

    Args:
        debts: the debts it owes, in the order of their entry; the last are dropped first.
        owed: whether it ever owed one.
    """

    credit: int = 0
    debit: int = 0
    collected: int = 0
    paid: bool = False
    debts: list[str] = field(default_factory=list)
    owed: bool = False

    @property
    def needed(self) -> int:
        """What it owes beyond what it is due and has paid in."""
        return max(self.debit - self.credit - self.collected, 0)

    @property
    def net(self) -> int:
        """What it is paid at the end, or, below zero, has yet to pay in."""
        return self.credit + self.collected - self.debit


@dataclass
class Debt:
    """One debt, in minor units of its batch's currency."""

    debtor: str
    creditor: str
    amount: int
    status: DebtStatus = DebtStatus.ENTERED


@dataclass
class Batch:
    """One batch. `legs` counts orders and debts. Unix seconds: until `pay_by` nothing is dropped, until `close_by` the
    exchange alone closes and confirms. All of it is in `currency` (numeric code)."""

    status: BatchStatus = NONE
    legs: int = 0
    pay_by: int = 0
    close_by: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    currency: int = 0

    def at(self, party: str) -> Position:
        """The position of `party`, which enters the batch with it."""
        return self.positions.setdefault(party, Position())

    def latest(self, debtor: str) -> str:
        """The debt of `debtor` that would be dropped next; NO_DEBT where all were, zero where there never was one."""
        position = self.positions.get(debtor)
        if position is None or not position.owed:
            return ZERO_DIGEST
        return position.debts[-1] if position.debts else NO_DEBT

    @property
    def uncovered(self) -> list[str]:
        """Who has yet to pay in."""
        return [party for party, position in self.positions.items() if position.needed]

    @property
    def unpaid(self) -> list[str]:
        """Whom `pay` has not reached."""
        return [party for party, position in self.positions.items() if not position.paid]


@dataclass
class Batches:
    """The state of the contract.

    Args:
        account: the address of the contract, which holds what was collected and what orders brought.
    """

    account: str
    records: dict[str, Batch] = field(default_factory=dict)
    debts: dict[str, Debt] = field(default_factory=dict)

    def require(self, batch: str, verb: str) -> Batch:
        """The batch, refused unless `verb` may be done to it now."""
        record = self.records.get(batch, Batch())
        if record.status not in STATES[verb]:
            (required,) = STATES[verb]
            raise refuse("ClearingStatus", batchId=batch, current=int(record.status), required=int(required))
        return record


def open_batch(
    state: Batches, participants: Participants, accounts: Accounts, opening: Message, now: int
) -> list[Event]:
    """Open a batch.

    Args:
        opening: the intent OpenBatch, signed by the exchange.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(opening, now)
    _require_id(batch_id(opening["exchange"], opening["number"]), opening["batchId"])
    state.require(opening["batchId"], "openBatch")
    if not now <= opening["closeBy"] <= now + MAX_WAIT:
        raise refuse("ClearingCloseBy", closeBy=opening["closeBy"], time=now)
    accounts.of(opening["currency"])
    participants.require_active(opening["exchange"], Role.EXCHANGE)

    state.records[opening["batchId"]] = Batch(OPEN, close_by=opening["closeBy"], currency=opening["currency"])
    return [_event("BatchOpened", opening, "batchId", "number", "currency", "closeBy", "exchange")]


def owe(state: Batches, participants: Participants, debt: Message, now: int) -> list[Event]:
    """Enter a debt.

    Args:
        debt: the intent Owe, signed by the debtor.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    key, debtor, creditor, amount = debt["debtId"], debt["debtor"], debt["creditor"], debt["amount"]
    require_in_time(debt, now)
    _require_id(debt_id(debtor, creditor, debt["ref"]), key)
    batch = state.require(debt["batchId"], "owe")
    _require_currency(batch, debt["currency"])
    before = state.debts.get(key)
    if before is not None and before.status is DebtStatus.ENTERED:
        raise refuse("ClearingDebtExists", debtId=key)
    if debtor == creditor:
        raise refuse("ClearingSameParty", party=debtor)
    _require_amount(batch, debtor, creditor, amount)
    participants.require_active(debtor)
    participants.require_active(creditor)

    batch.at(debtor).debit += amount
    batch.at(creditor).credit += amount
    batch.at(debtor).debts.append(key)
    batch.at(debtor).owed = True
    batch.legs += 1
    state.debts[key] = Debt(debtor, creditor, amount)
    return [_event("Owed", debt, "batchId", "debtId", "debtor", "creditor", "amount", "ref")]


def clear(
    state: Batches,
    voucher: Message,
    clearing: Message,
    now: int,
    *,
    orders: Orders,
    rights: Rights,
    lineage: Lineage,
    listings: Listings,
    accounts: Accounts,
    terms: FeeTerms,
) -> list[Event]:
    """Settle an order into a batch: the parts that `settlement.rules.settle` would pay become credits.

    Args:
        voucher: the intent Voucher, signed by the order's buyer.
        clearing: the intent Clear, signed by the listing's seller.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    ending = ending_of(orders, voucher, clearing, now, "clear", listings=listings, terms=terms)
    batch = state.require(clearing["batchId"], "clear")
    order, asset = ending.order, ending.listing.asset_id
    _require_currency(batch, order.currency)

    order.status = OrderStatus.SETTLED
    parts = parts_of(lineage, rights, asset, ending.net)
    due = ((part.holder, part.amount) for part in parts)
    credited = [(terms.treasury, ending.fee), *due, (order.buyer, ending.rest)]
    for party, amount in credited:
        if amount:
            batch.at(party).credit += amount
    batch.legs += 1
    return [
        ending.settled,
        *release_budget(rights, asset, voucher["orderId"], order.epsilon_cap - voucher["epsilon"]),
        *(share_paid(voucher["orderId"], part) for part in parts),
        *accounts.of(order.currency).pay_from_escrow(state.account, order.escrow),
        Event(
            "Clearing",
            "Entered",
            {
                "batchId": clearing["batchId"],
                "orderId": voucher["orderId"],
                "parties": [party for party, _ in credited],
                "amounts": [amount for _, amount in credited],
            },
        ),
    ]


def close_batch(state: Batches, participants: Participants, closing: Message, now: int) -> list[Event]:
    """Close a batch to further legs.

    Args:
        closing: the intent CloseBatch, signed by the exchange.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(closing, now)
    batch = state.require(closing["batchId"], "closeBatch")
    if closing["legs"] != batch.legs:
        raise refuse("ClearingLegs", legs=batch.legs, stated=closing["legs"])
    if not now <= closing["payBy"] <= now + MAX_WAIT:
        raise refuse("ClearingPayBy", payBy=closing["payBy"], time=now)
    participants.require_active(closing["exchange"], Role.EXCHANGE)

    return [_close(batch, closing["batchId"], closing["payBy"], closing["exchange"])]


def close_overdue(state: Batches, batch_key: str, now: int) -> list[Event]:
    """Close a batch that the exchange did not close in the time that it stated; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    batch = state.require(batch_key, "closeOverdue")
    _require_overdue(batch, batch_key, now)
    return [_close(batch, batch_key, now + OVERDUE_WAIT, ZERO_ADDRESS)]


def collect(state: Batches, accounts: Accounts, batch_key: str, party: str, total: int) -> list[Event]:
    """Take from `party` what it owes beyond what it is due; anyone may ask.

    Args:
        total: what the party will then have paid in, fen.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    batch = state.require(batch_key, "collect")
    needed = _require_needed(batch, batch_key, party)
    accounts = accounts.of(batch.currency)
    position, balance = batch.at(party), accounts.balance(party)
    if position.collected + needed != total:
        raise refuse("ClearingTotal", total=position.collected + needed, stated=total)
    if balance < needed:
        raise refuse("ClearingShort", party=party, balance=balance, needed=needed)

    position.collected = total
    event = Event("Clearing", "Collected", {"batchId": batch_key, "party": party, "amount": needed})
    return [event, *accounts.move(party, state.account, needed)]


def drop(state: Batches, accounts: Accounts, batch_key: str, debt_key: str, now: int) -> list[Event]:
    """After the time to pay in, drop a debt, the latest of a debtor that cannot pay; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    batch = state.require(batch_key, "drop")
    if now <= batch.pay_by:
        raise refuse("ClearingNotDue", batchId=batch_key, payBy=batch.pay_by)
    debt = state.debts.get(debt_key)
    latest = batch.latest(debt.debtor) if debt else ZERO_DIGEST
    if debt is None or latest != debt_key:
        raise refuse("ClearingNotLatest", latest=latest, debtId=debt_key)
    needed = _require_needed(batch, batch_key, debt.debtor)
    balance = accounts.of(batch.currency).balance(debt.debtor)
    if balance >= needed:
        raise refuse("ClearingSolvent", party=debt.debtor, balance=balance, needed=needed)

    debt.status = DebtStatus.DROPPED
    batch.at(debt.debtor).debts.pop()
    batch.at(debt.debtor).debit -= debt.amount
    batch.at(debt.creditor).credit -= debt.amount
    return [Event("Clearing", "Dropped", {"batchId": batch_key, "debtId": debt_key, "debtor": debt.debtor})]


def confirm_batch(state: Batches, participants: Participants, confirmation: Message, now: int) -> list[Event]:
    """Say that every party is covered, and who is paid what.

    Args:
        confirmation: the intent ConfirmBatch, signed by the exchange.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(confirmation, now)
    batch = state.require(confirmation["batchId"], "confirmBatch")
    _require_covered(batch, confirmation["batchId"])
    participants.require_active(confirmation["exchange"], Role.EXCHANGE)
    return _confirm(batch, confirmation["batchId"], confirmation["payoutsDigest"], confirmation["exchange"])


def confirm_overdue(state: Batches, batch_key: str, now: int) -> list[Event]:
    """Confirm a batch in which every party is covered, in the stead of an exchange whose time is over; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    batch = state.require(batch_key, "confirmOverdue")
    _require_overdue(batch, batch_key, now)
    _require_covered(batch, batch_key)
    return _confirm(batch, batch_key, ZERO_DIGEST, ZERO_ADDRESS)


def pay(state: Batches, accounts: Accounts, batch_key: str, party: str) -> list[Event]:
    """Pay `party` its net; anyone may ask.

    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    batch = state.require(batch_key, "pay")
    position = batch.positions.get(party)
    if position is None or position.paid:
        raise refuse("ClearingNothingToPay", batchId=batch_key, party=party)

    position.paid = True
    if not batch.unpaid:
        batch.status = SETTLED
    event = Event("Clearing", "PaidOut", {"batchId": batch_key, "party": party, "amount": position.net})
    return [event, *_settled(batch, batch_key), *accounts.of(batch.currency).move(state.account, party, position.net)]


def payouts_digest(payouts: Mapping[str, int]) -> str:
    """What a ConfirmBatch says of who is paid what.

    keccak256 over, for each party by ascending address, its 20 bytes and its net as 8 bytes, big-endian.

    Args:
        payouts: address to fen, below 2^64.
    """
    lines = (from_hex(party, 20) + amount.to_bytes(8, "big") for party, amount in sorted(payouts.items()))
    return to_hex(keccak256(b"".join(lines)))


def _close(batch: Batch, batch_key: str, pay_by: int, exchange: str) -> Event:
    batch.status, batch.pay_by = CLOSED, pay_by
    args = {"batchId": batch_key, "legs": batch.legs, "parties": len(batch.positions)}
    return Event("Clearing", "BatchClosed", {**args, "payBy": pay_by, "exchange": exchange})


def _confirm(batch: Batch, batch_key: str, payouts: str, exchange: str) -> list[Event]:
    batch.status = CONFIRMED if batch.positions else SETTLED
    args = {"batchId": batch_key, "payoutsDigest": payouts, "exchange": exchange}
    return [Event("Clearing", "BatchConfirmed", args), *_settled(batch, batch_key)]


def _settled(batch: Batch, batch_key: str) -> list[Event]:
    done = batch.status is SETTLED
    return [Event("Clearing", "BatchSettled", {"batchId": batch_key})] if done else []


def _require_id(expected: str, got: str) -> None:
    if expected != got:
        raise refuse("ClearingIdMismatch", expected=expected, got=got)


def _require_currency(batch: Batch, currency: int) -> None:
    if currency != batch.currency:
        raise refuse("CurrenciesDiffer", expected=batch.currency, got=currency)


def _require_overdue(batch: Batch, batch_key: str, now: int) -> None:
    if now <= batch.close_by:
        raise refuse("ClearingNotOverdue", batchId=batch_key, until=batch.close_by)


def _require_covered(batch: Batch, batch_key: str) -> None:
    if batch.uncovered:
        raise refuse("ClearingUncovered", batchId=batch_key, uncovered=len(batch.uncovered))


def _require_amount(batch: Batch, debtor: str, creditor: str, amount: int) -> None:
    debit = batch.positions.get(debtor, Position()).debit
    credit = batch.positions.get(creditor, Position()).credit
    if not 0 < amount <= MAX_DEBIT - debit or credit > MAX_CREDIT - amount:
        raise refuse("ClearingAmount", amount=amount)


def _require_needed(batch: Batch, batch_key: str, party: str) -> int:
    needed = batch.positions.get(party, Position()).needed
    if needed == 0:
        raise refuse("ClearingCovered", batchId=batch_key, party=party)
    return needed


def _event(name: str, intent: Message, *fields: str) -> Event:
    return Event("Clearing", name, {field: intent[field] for field in fields})
