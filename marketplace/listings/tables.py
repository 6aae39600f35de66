"""Listings as the ledger says. What a listing permits stands in its terms document."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Listing(ProjectedRow, table=True):
    """One product: this part (bit masks) of the seller's title to operate. `price` is for a query, in minor units of
    `currency`; `status` is types.ListingStatus."""

    __tablename__ = "listings"
    __table_args__ = READ_MODEL
    listing_id: str = Field(primary_key=True)
    asset_id: str = Field(index=True)
    title_id: str = Field(index=True)
    seller: str = Field(index=True)
    terms_digest: str
    purposes: int = Field(sa_type=BigInteger)
    fields: str
    territories: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)
    currency: str
    valid_until: int = Field(sa_type=BigInteger)
    status: int
    version: int = Field(sa_type=BigInteger)
