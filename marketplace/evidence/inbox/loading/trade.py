"""Orders, listings, deliveries, redemptions and clearing, out of the read model into the rules' own state."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from marketplace.clearing.rules import Batch as BatchState
from marketplace.clearing.rules import Debt as DebtState
from marketplace.clearing.rules import Position
from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.currencies import currency_of, number_of
from marketplace.deliveries.rules import Delivery as DeliveryState
from marketplace.deliveries.rules import Offer
from marketplace.deliveries.tables import Delivery, DeliveryOffer
from marketplace.listings.rules import Listing as ListingState
from marketplace.listings.tables import Listing
from marketplace.orders.rules import Order as OrderState
from marketplace.orders.rules import Window
from marketplace.orders.tables import Order, OrderClaim
from marketplace.replay import LedgerState
from marketplace.settlement.redemptions import Redemption as RedemptionState
from marketplace.settlement.tables import Issue, Redemption
from marketplace.types import (
    ZERO_DIGEST,
    BatchStatus,
    DebtStatus,
    DeliveryStatus,
    ListingStatus,
    OrderStatus,
    RedemptionStatus,
)


def load_orders(session: Session, state: LedgerState, names: set[str]) -> Sequence[Order]:
    """Load orders with their windows; returns their rows."""
    rows = session.exec(select(Order).where(col(Order.order_id).in_(names))).all()
    for row in rows:
        state.orders.records[row.order_id] = OrderState(
            row.buyer,
            row.listing_id,
            row.escrow,
            currency_of(row.currency).number,
            row.epsilon_cap,
            row.valid_until,
            OrderStatus(row.status),
        )
    for claim in session.exec(select(OrderClaim).where(col(OrderClaim.order_id).in_(names))):
        state.orders.windows[claim.order_id] = Window(
            claim.voucher_hash, claim.amount, claim.epsilon, claim.calls, claim.calls_root, claim.until
        )
    return rows


def load_redemptions(session: Session, state: LedgerState, names: set[str]) -> set[str]:
    """Load redemptions, and which payments were used; returns the accounts that they touch."""
    accounts = {token.accounts.locked for token in state.tokens.values()}
    for row in session.exec(select(Redemption).where(col(Redemption.redemption_id).in_(names))):
        accounts |= {row.account, row.bank}
        state.tokens[currency_of(row.currency).contract].redemptions.records[row.redemption_id] = RedemptionState(
            row.account, row.bank, row.amount, row.pay_by, RedemptionStatus(row.status)
        )
    used = select(col(Issue.currency), col(Issue.ref)).where(col(Issue.ref).in_(names))
    paid = select(col(Redemption.currency), col(Redemption.ref))
    paid = paid.where(col(Redemption.ref).in_(names - {ZERO_DIGEST}))  # zero: not paid yet
    for currency, ref in [*session.exec(used), *session.exec(paid)]:
        state.tokens[currency_of(currency).contract].accounts.refs.add(ref)
    return accounts


def load_listings(session: Session, state: LedgerState, names: set[str]) -> Sequence[Listing]:
    """Load listings; returns their rows."""
    rows = session.exec(select(Listing).where(col(Listing.listing_id).in_(names))).all()
    for row in rows:
        state.listings.records[row.listing_id] = listing_state(row)
    return rows


def listing_state(row: Listing) -> ListingState:
    """A listing as the rules have it."""
    return ListingState(
        row.seller,
        row.asset_id,
        row.title_id,
        row.price,
        number_of(row.currency),
        row.valid_until,
        row.purposes,
        row.fields,
        row.territories,
        ListingStatus(row.status),
        row.version,
    )


def load_deliveries(session: Session, state: LedgerState, orders: set[str], listings: set[str]) -> None:
    """Load offers of delivery and deliveries."""
    for offer in session.exec(select(DeliveryOffer).where(col(DeliveryOffer.listing_id).in_(listings))):
        state.deliveries.offers[offer.listing_id] = Offer.of(offer.as_json())
    for row in session.exec(select(Delivery).where(col(Delivery.order_id).in_(orders))):
        state.deliveries.records[row.order_id] = DeliveryState(
            row.due_at, DeliveryStatus(row.status), row.rounds, bool(row.acknowledged), row.note_hash
        )


def load_clearing(session: Session, state: LedgerState, names: set[str], parties: set[str] | None) -> None:
    """Batches with the positions of `parties`, or of everybody, and the named debts; what stands under a debt is asked
    by nobody who signs."""
    for row in session.exec(select(ClearingBatch).where(col(ClearingBatch.batch_id).in_(names))):
        query = select(ClearingPosition).where(ClearingPosition.batch_id == row.batch_id)
        query = query if parties is None else query.where(col(ClearingPosition.party).in_(parties))
        positions = session.exec(query)
        state.batches.records[row.batch_id] = BatchState(
            BatchStatus(row.status),
            row.legs,
            row.pay_by,
            row.close_by,
            {
                place.party: Position(place.credit, place.debit, place.collected, bool(place.paid))
                for place in positions
            },
            currency_of(row.currency).number,
        )
    for debt in session.exec(select(ClearingDebt).where(col(ClearingDebt.debt_id).in_(names))):
        state.batches.debts[debt.debt_id] = DebtState(debt.debtor, debt.creditor, debt.amount, DebtStatus(debt.status))
