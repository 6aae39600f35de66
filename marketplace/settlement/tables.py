"""Money as the ledger says: who has how much of the settlement token, and who was paid what for which order."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Balance(ProjectedRow, table=True):
    """Fen of the settlement token held by `account`, which may be the escrow contract itself."""

    __tablename__ = "balances"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    balance: int = Field(sa_type=BigInteger)


class Payout(ProjectedRow, table=True):
    """What `holder` got of order `order_id` at its settlement, in fen."""

    __tablename__ = "payouts"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    holder: str = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)
