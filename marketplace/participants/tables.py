"""Who takes part: as the ledger says, and the applications that wait for a registrar."""

from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Participant(ProjectedRow, table=True):
    """A participant on the ledger. `roles` are bits of types.Role, `status` is types.ParticipantStatus."""

    __tablename__ = "participants"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    roles: int = Field(sa_type=BigInteger)
    status: int
    identity_digest: str
    version: int = Field(sa_type=BigInteger)


class Application(SQLModel, table=True):
    """A signed wish to join. It is open until a registrar admits it; a later one of the same account takes its
    place."""

    __tablename__ = "applications"
    account: str = Field(primary_key=True)
    join: dict[str, Any] = Field(sa_type=JSON)
    signature: str
    document_digest: str
    applied_at: int = Field(sa_type=BigInteger)
    admission: str | None = None  # digest of the Admit intent
