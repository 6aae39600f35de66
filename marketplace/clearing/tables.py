"""Clearing as the ledger says: batches, who is due and owes what in them, debts, and orders that went through them."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class ClearingBatch(ProjectedRow, table=True):
    """One batch, all in `currency`. `status` is types.BatchStatus; `close_by` and `pay_by` unix seconds; `legs` counts
    orders and debts;
    `confirmed_by` is the exchange, or nobody: before the confirmation, or where somebody else went on in its stead."""

    __tablename__ = "clearing_batches"
    __table_args__ = READ_MODEL
    batch_id: str = Field(primary_key=True)
    exchange: str
    number: int = Field(sa_type=BigInteger)
    currency: str
    status: int
    legs: int = Field(sa_type=BigInteger)
    close_by: int = Field(sa_type=BigInteger)
    pay_by: int = Field(sa_type=BigInteger)
    confirmed_by: str
    payouts_digest: str


class ClearingPosition(ProjectedRow, table=True):
    """What `party` is due, owes and has paid in, in minor units of the batch's currency; `paid` is 1 once it got
    its net."""

    __tablename__ = "clearing_positions"
    __table_args__ = READ_MODEL
    batch_id: str = Field(primary_key=True)
    party: str = Field(primary_key=True, index=True)
    credit: int = Field(sa_type=BigInteger)
    debit: int = Field(sa_type=BigInteger)
    collected: int = Field(sa_type=BigInteger)
    paid: int


class ClearingDebt(ProjectedRow, table=True):
    """One debt, in minor units of `currency`, its batch's. `place` is the number of the leg in its batch; `status` is
    types.DebtStatus."""

    __tablename__ = "clearing_debts"
    __table_args__ = READ_MODEL
    debt_id: str = Field(primary_key=True)
    batch_id: str = Field(index=True)
    debtor: str = Field(index=True)
    creditor: str = Field(index=True)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    ref: str
    place: int = Field(sa_type=BigInteger)
    status: int


class ClearedOrder(ProjectedRow, table=True):
    """An order whose parts are paid by a batch."""

    __tablename__ = "cleared_orders"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    batch_id: str = Field(index=True)
