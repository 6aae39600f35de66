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
    exit_at: int = Field(default=0, sa_type=BigInteger)


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


class AccountRing(ProjectedRow, table=True):
    """What is common to the keys of an account that ever changed them: version, last recovery, guardians."""

    __tablename__ = "account_rings"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    version: int = Field(default=0, sa_type=BigInteger)
    since: int = Field(default=0, sa_type=BigInteger)
    generation: int = Field(default=0, sa_type=BigInteger)
    guardians: list[str] = Field(default=[], sa_type=JSON)
    guardians_number: int = 0
    threshold: int = 0
    delay: int = Field(default=0, sa_type=BigInteger)


class AccountKey(ProjectedRow, table=True):
    """A key of an account, and from when to when (unix seconds, the end not included) it signs. `acts` are bits of
    types.Act, `limit_fen` is what it may sign for at most. An account's own address has a row once it has ended."""

    __tablename__ = "account_keys"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    key: str = Field(primary_key=True, index=True)
    acts: int = Field(sa_type=BigInteger)
    limit_fen: int = Field(sa_type=BigInteger)
    valid_from: int = Field(sa_type=BigInteger)
    valid_until: int = Field(sa_type=BigInteger)
    generation: int = Field(sa_type=BigInteger)
    person_digest: str
    granted_by: str  # digest of the intent that gave it its powers; empty for an account's own address


class Recovery(ProjectedRow, table=True):
    """A recovery; `status` is types.RecoveryStatus, `ready_at` the end of its notice or 0."""

    __tablename__ = "recoveries"
    __table_args__ = READ_MODEL
    recovery_id: str = Field(primary_key=True)
    account: str = Field(index=True)
    new_key: str
    status: int
    threshold: int
    delay: int = Field(sa_type=BigInteger)
    guardians: list[str] = Field(sa_type=JSON)
    approved: list[str] = Field(sa_type=JSON)
    ready_at: int = Field(sa_type=BigInteger)
    reason_digest: str
