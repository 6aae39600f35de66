"""Orders as the ledger says, from funding to settlement or refund."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Order(ProjectedRow, table=True):
    """One order. Money in minor units of `currency`, epsilon in millionths, `status` is types.OrderStatus.

    `agreement_digest` is of the buyer's acceptance of the terms, `agreement_id` names the agreement of both sides under
    which it was made, or is ZERO_DIGEST. `amount`, `epsilon`, `calls`, `calls_root` and `fee` are what it was settled
    with; `refund` is what went back to the buyer.
    """

    __tablename__ = "orders"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    listing_id: str = Field(index=True)
    asset_id: str = Field(index=True)
    buyer: str = Field(index=True)
    escrow: int = Field(sa_type=BigInteger)
    currency: str
    epsilon_cap: int = Field(sa_type=BigInteger)
    valid_until: int = Field(sa_type=BigInteger)
    agreement_digest: str
    agreement_id: str
    status: int = Field(index=True)  # the service looks for claimed ones again and again
    amount: int = Field(default=0, sa_type=BigInteger)
    epsilon: int = Field(default=0, sa_type=BigInteger)
    calls: int = Field(default=0, sa_type=BigInteger)
    calls_root: str
    fee: int = Field(default=0, sa_type=BigInteger)
    refund: int = Field(default=0, sa_type=BigInteger)


class OrderClaim(ProjectedRow, table=True):
    """What one side of an order claimed, and what was presented against it since; it stays when the order has ended.

    `amount` in minor units of the order's currency, `epsilon` in millionths. `until` (unix seconds): the window for
    higher vouchers.
    """

    __tablename__ = "order_claims"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    claimed_by: str = Field(index=True)
    voucher_hash: str
    amount: int = Field(sa_type=BigInteger)
    epsilon: int = Field(sa_type=BigInteger)
    calls: int = Field(sa_type=BigInteger)
    calls_root: str
    until: int = Field(sa_type=BigInteger)
