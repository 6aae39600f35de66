"""Signed statements as they came in, the append-only log, its checkpoints, the anchors of its roots on the
ledger, and notices for the parties."""

from typing import Any

from sqlalchemy import JSON, BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL, RowNumber


class Anchor(ProjectedRow, table=True):
    """A root of the log that stands on the ledger."""

    __tablename__ = "anchors"
    __table_args__ = READ_MODEL
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    root: str
    previous_root: str


class LogEntry(SQLModel, table=True):
    """Entry `position` of the log, counted from zero: canonical JSON."""

    __tablename__ = "log_entries"
    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    leaf: bytes = Field(sa_type=LargeBinary)


class LogNode(SQLModel, table=True):
    """Root of the perfect subtree over entries `position` * 2^level to (`position` + 1) * 2^level, 32 bytes."""

    __tablename__ = "log_nodes"
    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: bytes = Field(sa_type=LargeBinary)


class Checkpoint(SQLModel, table=True):
    """A size and root of the log that the log's key signed, and the Anchor intent that carries the root to the
    ledger."""

    __tablename__ = "checkpoints"
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    root: str
    note: str
    anchor_intent: str
    signed_at: int = Field(sa_type=BigInteger)


class SignedStatement(SQLModel, table=True):
    """A signed intent that others check for themselves later: `name` of marketplace.intents.INTENTS, about `subject`
    (an id)."""

    __tablename__ = "signed_statements"
    name: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    message: dict[str, Any] = Field(sa_type=JSON)
    signature: str


class Notice(SQLModel, table=True):
    """Something that happened and is neither an event of the ledger nor a leaf of the log, for webhooks to tell.

    Attributes:
        parties: addresses of those whom it concerns. data: what they are told; nothing that others may not know.
    """

    __tablename__ = "notices"
    number: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    kind: str
    parties: list[str] = Field(sa_type=JSON)
    data: dict[str, Any] = Field(sa_type=JSON)
    at: int = Field(sa_type=BigInteger)
