"""How many assets' holders divide an order's money: the ledger's worker lends such calls more gas."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from marketplace.lineage.rules import MAX_SIZE
from marketplace.lineage.tables import LineageInput
from marketplace.orders.tables import Order


def split_sizes(session: Session, orders: Sequence[str]) -> Mapping[str, int]:
    """Of these orders, those of products that are made of others, each with the most assets that a product has."""
    if not orders:
        return {}
    made = select(Order.order_id).join(LineageInput, col(LineageInput.asset_id) == col(Order.asset_id))
    return dict.fromkeys(session.exec(made.where(col(Order.order_id).in_(orders)).distinct()), MAX_SIZE)
