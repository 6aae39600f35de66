"""Gateways, and the calls of orders as far as they were handed in.

These rows are the service's own book-keeping; every fact in them is also a signed document and a leaf of the log.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel


class ApiGateway(SQLModel, table=True):
    """Where the gateway of a listing answers; `digest` names the seller's signed document."""

    __tablename__ = "api_gateways"
    listing_id: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    digest: str


class ApiOrder(SQLModel, table=True):
    """What an order's calls come to. `meter` is api.metering.Meter in JSON; `voucher_digest` names the last voucher."""

    __tablename__ = "api_orders"
    order_id: str = Field(primary_key=True)
    meter: dict[str, Any] = Field(sa_type=JSON)
    voucher_digest: str | None = None


class ApiBatch(SQLModel, table=True):
    """One batch of an order's records, from number `first` on."""

    __tablename__ = "api_batches"
    order_id: str = Field(primary_key=True)
    first: int = Field(primary_key=True, sa_type=BigInteger)
    digest: str


class ApiService(SQLModel, table=True):
    """The last service record of an order's period, and the buyer's answer to it."""

    __tablename__ = "api_service"
    order_id: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    record_digest: str
    answer_digest: str | None = None
