"""Money as the ledger says: who has how much of the settlement token, who was paid what for which order, and what banks
issued and redeemed."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Balance(ProjectedRow, table=True):
    """Minor units of `currency` (ISO 4217 code) held by `account`, which may be the escrow contract itself."""

    __tablename__ = "balances"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    balance: int = Field(sa_type=BigInteger)


class AccountMovement(ProjectedRow, table=True):
    """Minor units of `currency` that came to `account`, or went (negative), by the Transfer at (`block`, `log_index`),
    `at` unix seconds: an
    account's own movements are found without reading everybody's."""

    __tablename__ = "account_movements"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    block: int = Field(primary_key=True, sa_type=BigInteger)
    log_index: int = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    currency: str
    amount: int = Field(sa_type=BigInteger)


class Payout(ProjectedRow, table=True):
    """What `holder` got of order `order_id` at its settlement, in minor units of the order's currency, through its
    share of `asset_id`: the asset that was ordered, or an input of it, which may be in its tree more than once."""

    __tablename__ = "payouts"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    asset_id: str = Field(primary_key=True)
    holder: str = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)


class Issue(ProjectedRow, table=True):
    """Money that `bank` issued to `account` for the payment `ref`, in minor units of `currency`, at `issued_at` (unix
    seconds)."""

    __tablename__ = "issues"
    __table_args__ = READ_MODEL
    ref: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    account: str = Field(index=True)
    amount: int = Field(sa_type=BigInteger)
    bank: str = Field(index=True)
    issued_at: int = Field(sa_type=BigInteger)


class Redemption(ProjectedRow, table=True):
    """Money that `account` wants back at `bank`, in minor units of `currency`; `status` is types.RedemptionStatus,
    times are unix seconds.

    `ref` names the bank's payment once it is paid, `reason_digest` why it was rejected; zero otherwise.
    """

    __tablename__ = "redemptions"
    __table_args__ = READ_MODEL
    redemption_id: str = Field(primary_key=True)
    account: str = Field(index=True)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    payout_digest: str
    bank: str = Field(index=True)
    pay_by: int = Field(sa_type=BigInteger)
    status: int
    ref: str = Field(index=True)
    reason_digest: str
    requested_at: int = Field(sa_type=BigInteger)
    ended_at: int = Field(default=0, sa_type=BigInteger)
