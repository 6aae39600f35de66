"""Of how many assets an order's money, or what is sold, depends: the ledger's worker lends such calls more gas."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from marketplace.lineage.rules import MAX_SIZE
from marketplace.lineage.tables import LineageInput
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order


def product_sizes(session: Session, names: Sequence[str]) -> Mapping[str, int]:
    """Of these ids of orders, listings and assets, those of products that are made of others, each with the most assets
    that a product has."""
    if not names:
        return {}
    product = col(LineageInput.asset_id)
    queries = (
        select(Order.order_id).join(LineageInput, product == col(Order.asset_id)).where(col(Order.order_id).in_(names)),
        select(Listing.listing_id)
        .join(LineageInput, product == col(Listing.asset_id))
        .where(col(Listing.listing_id).in_(names)),
        select(LineageInput.asset_id).where(product.in_(names)),
    )
    return {name: MAX_SIZE for query in queries for name in session.exec(query.distinct())}
