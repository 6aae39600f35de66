"""Who takes part, as the ledger says; applications that wait; identities that sign in for an account."""

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
    """What is common to the keys of an account that ever changed them: version, guardians."""

    __tablename__ = "account_rings"
    __table_args__ = READ_MODEL
    account: str = Field(primary_key=True)
    version: int = Field(default=0, sa_type=BigInteger)
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


class IdentityLink(SQLModel, table=True):
    """An identity of the OpenID Connect provider that signs in for `account`.

    Attributes:
        identity: participants.identities.identity_of; who it is stands nowhere.
        acts: bits of types.Act that its sessions have.
        valid_until: unix seconds, not included.
        linked_by: the key that linked it; the link lives no longer than that key.
        message, signature: what the key signed (EIP-4361).
    """

    __tablename__ = "identity_links"
    identity: str = Field(primary_key=True)
    account: str = Field(index=True)
    acts: int = Field(sa_type=BigInteger)
    valid_until: int = Field(sa_type=BigInteger)
    linked_by: str
    message: str
    signature: str
    linked_at: int = Field(sa_type=BigInteger)


class ProviderSignIn(SQLModel, table=True):
    """A sign-in with the provider that was begun. Of the state only the SHA-256 is stored.

    Attributes:
        challenge: PKCE's; whoever ends the sign-in shows the verifier of it.
        expires_at: unix seconds.
        used: its code was handed in; a second one is refused.
        identity: who it turned out to be, for a link; "" before.
    """

    __tablename__ = "provider_sign_ins"
    state_hash: str = Field(primary_key=True)
    nonce: str
    challenge: str
    redirect_uri: str
    expires_at: int = Field(sa_type=BigInteger)
    used: bool = False
    identity: str = ""
