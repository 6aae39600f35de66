"""How money enters and how an order ends: SettlementToken.sol, and settle and refund of Orders.sol, in Python."""

from dataclasses import dataclass

from crypto.canonical import to_hex
from marketplace.events import Event
from marketplace.intents import REFUND_GRACE_SECONDS, struct_hash
from marketplace.lineage.rules import Lineage, Part, parts_of
from marketplace.listings.rules import Listing, Listings
from marketplace.orders.rules import STATES, Order, Orders
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.rights.records import Rights
from marketplace.rights.rules import release_budget
from marketplace.settlement.money import MAX_SUPPLY, Accounts, fee_of
from marketplace.types import Role


@dataclass(frozen=True)
class FeeTerms:
    """The exchange's fee: hundredths of a percent of the amount spent, and the address that gets it."""

    treasury: str
    fee_bps: int


def issue(state: Accounts, participants: Participants, payment: Message, now: int) -> list[Event]:
    """Issue money to an active participant.

    Args:
        payment: the intent Issue, signed by the bank.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(payment, now)
    if payment["bank"] == payment["account"]:
        raise refuse("SettlementTokenOwnMatter", bank=payment["bank"])
    if not 1 <= payment["amount"] <= MAX_SUPPLY - (state.issued - state.redeemed):
        raise refuse("SettlementTokenAmount", amount=payment["amount"])
    if payment["ref"] in state.refs:
        raise refuse("SettlementTokenRefUsed", ref=payment["ref"])
    participants.require_active(payment["bank"], Role.BANK)
    participants.require_active(payment["account"])

    state.refs.add(payment["ref"])
    minted = state.mint(payment["account"], payment["amount"])
    args = {name: payment[name] for name in ("account", "amount", "ref", "bank")}
    return [minted, state.told("Issued", args)]


def settle(
    state: Orders,
    voucher: Message,
    closing: Message,
    now: int,
    *,
    rights: Rights,
    lineage: Lineage,
    listings: Listings,
    accounts: Accounts,
    terms: FeeTerms,
) -> list[Event]:
    """Close an order by its last voucher: fee, share holders of this moment, and the rest back to the buyer.

    Args:
        voucher: the intent Voucher, signed by the order's buyer.
        closing: the intent Close, signed by the listing's seller.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    ending = ending_of(state, voucher, closing, now, "settle", listings=listings, terms=terms)
    ending.order.status = STATES["settle"][ending.order.status]
    parts = parts_of(lineage, rights, ending.listing.asset_id, ending.net)
    return _paid_out(ending, parts, rights, accounts, terms.treasury)


def _paid_out(ending: "Ending", parts: list[Part], rights: Rights, accounts: Accounts, treasury: str) -> list[Event]:
    order, key = ending.order, ending.settled.args["orderId"]
    unspent = order.epsilon_cap - ending.settled.args["epsilon"]
    accounts = accounts.of(order.currency)
    return [
        ending.settled,
        *release_budget(rights, ending.listing.asset_id, key, unspent),
        *accounts.pay_from_escrow(treasury, ending.fee),
        *_pay_parts(accounts, parts, key),
        *accounts.pay_from_escrow(order.buyer, ending.rest),
    ]


@dataclass(frozen=True)
class Ending:
    """What the last voucher of an order comes to, in fen: fee + what share holders divide + rest == escrow.

    Args:
        settled: the event that says so.
    """

    order: Order
    listing: Listing
    fee: int
    rest: int
    settled: Event

    @property
    def net(self) -> int:
        """What share holders divide, those of inputs among them."""
        return self.order.escrow - self.rest - self.fee


def ending_of(
    state: Orders, voucher: Message, closing: Message, now: int, verb: str, *, listings: Listings, terms: FeeTerms
) -> Ending:
    """Check how an order ends, before anything changes.

    Args:
        verb: "settle" with a Close, "clear" with a Clear.
    Raises:
        RuleError: as `settle`.
    """
    order = state.require(voucher["orderId"], verb)
    require_in_time(closing, now)
    voucher_hash = to_hex(struct_hash("Voucher", voucher))
    listing = listings.records[order.listing_id]
    require_closing(order, listing.seller, voucher, voucher_hash, closing)
    _require_not_below(state, voucher)
    return _ending(order, listing, voucher, voucher_hash, terms)


def _ending(order: Order, listing: Listing, voucher: Message, voucher_hash: str, terms: FeeTerms) -> Ending:
    fee, rest = fee_of(voucher["amount"], terms.fee_bps), order.escrow - voucher["amount"]
    args = {**voucher, "voucherHash": voucher_hash, "fee": fee, "refund": rest}
    return Ending(order, listing, fee, rest, Event("Orders", "Settled", args))


def refund(state: Orders, accounts: Accounts, order_key: str, now: int) -> list[Event]:
    """When nobody presented a voucher in the time after the term, give the whole escrow back; anyone may ask. The
    privacy budget stays committed.

    Raises:
        RuleError: not in escrow, or that time is not over; the state is then unchanged.
    """
    order = state.require(order_key, "refund")
    until = order.valid_until + REFUND_GRACE_SECONDS
    if now <= until:
        raise refuse("OrdersNotDue", orderId=order_key, validUntil=until)

    return give_back(order, accounts, order_key)


def give_back(order: Order, accounts: Accounts, order_key: str) -> list[Event]:
    """The whole escrow of a funded order goes back, after its term or where its delivery did not come."""
    order.status = STATES["giveBack"][order.status]
    refunded = Event("Orders", "Refunded", {"orderId": order_key, "amount": order.escrow})
    return [refunded, *accounts.of(order.currency).pay_from_escrow(order.buyer, order.escrow)]


def conclude(
    order: Order,
    order_key: str,
    amount: int,
    note_hash: str,
    *,
    rights: Rights,
    lineage: Lineage,
    listings: Listings,
    accounts: Accounts,
    terms: FeeTerms,
) -> list[Event]:
    """An accepted delivery ends a funded order, as a voucher of one call without epsilon would.

    Args:
        amount: what is due, fen, within the escrow.
        note_hash: of the delivery note, in place of the voucher's hash and of its calls' root.
    """
    voucher = {"orderId": order_key, "amount": amount, "epsilon": 0, "calls": 1, "callsRoot": note_hash}
    ending = _ending(order, listings.records[order.listing_id], voucher, note_hash, terms)
    order.status = STATES["conclude"][order.status]
    parts = parts_of(lineage, rights, ending.listing.asset_id, ending.net)
    return _paid_out(ending, parts, rights, accounts, terms.treasury)


def finish(
    state: Orders,
    order_key: str,
    now: int,
    *,
    rights: Rights,
    lineage: Lineage,
    listings: Listings,
    accounts: Accounts,
    terms: FeeTerms,
) -> list[Event]:
    """After the window of a claimed order, settle it by what stands there; anyone may ask.

    Raises:
        RuleError: it is not claimed, or the window has not ended; the state is then unchanged.
    """
    order, window = state.require(order_key, "finish"), state.windows[order_key]
    if now <= window.until:
        raise refuse("OrdersWindowOpen", orderId=order_key, until=window.until)

    voucher = {"orderId": order_key, "amount": window.amount, "epsilon": window.epsilon}
    voucher |= {"calls": window.calls, "callsRoot": window.calls_root}
    ending = _ending(order, listings.records[order.listing_id], voucher, window.voucher_hash, terms)
    order.status = STATES["finish"][order.status]
    parts = parts_of(lineage, rights, ending.listing.asset_id, ending.net)
    return _paid_out(ending, parts, rights, accounts, terms.treasury)


def require_closing(order: Order, seller: str, voucher: Message, voucher_hash: str, closing: Message) -> None:
    """Refuse a closing that is not the seller's about exactly this voucher, or a voucher beyond its order."""
    require_named(voucher, voucher_hash, closing)
    if closing["seller"] != seller:
        raise refuse("OrdersNotSeller", orderId=voucher["orderId"], account=closing["seller"])
    require_within(order, voucher)


def require_named(voucher: Message, voucher_hash: str, said: Message) -> None:
    """Refuse a Close, Clear or Claim that is not about exactly this voucher."""
    if said["orderId"] != voucher["orderId"]:
        raise refuse("OrdersCloseMismatch", expected=voucher["orderId"], got=said["orderId"])
    if said["voucherHash"] != voucher_hash:
        raise refuse("OrdersCloseMismatch", expected=voucher_hash, got=said["voucherHash"])


def _require_not_below(state: Orders, voucher: Message) -> None:
    window = state.windows.get(voucher["orderId"])
    if window is None:
        return
    lower = (voucher["amount"], voucher["calls"]) < (window.amount, window.calls)
    if lower or voucher["epsilon"] < window.epsilon:
        key = voucher["orderId"]
        raise refuse("OrdersBelowClaim", orderId=key, amount=window.amount, epsilon=window.epsilon)


def require_within(order: Order, voucher: Message) -> None:
    """Refuse a voucher that claims more money or more privacy budget than its order has."""
    if voucher["amount"] > order.escrow:
        raise refuse("OrdersAmountOverEscrow", amount=voucher["amount"], escrow=order.escrow)
    if voucher["epsilon"] > order.epsilon_cap:
        raise refuse("OrdersEpsilonOverCap", epsilon=voucher["epsilon"], epsilonCap=order.epsilon_cap)


def share_paid(order_key: str, part: Part) -> Event:
    """What the ledger says of a share holder's part of an order."""
    args = {"orderId": order_key, "holder": part.holder, "assetId": part.asset_id, "amount": part.amount}
    return Event("Orders", "SharePaid", args)


def _pay_parts(accounts: Accounts, parts: list[Part], order_key: str) -> list[Event]:
    return [
        event
        for part in parts
        for event in (share_paid(order_key, part), *accounts.pay_from_escrow(part.holder, part.amount))
    ]
