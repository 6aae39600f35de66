"""Signed statements as they came in, the append-only log, its checkpoints, and the anchors of its roots on the
ledger."""

from typing import Any

from sqlalchemy import JSON, BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


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
