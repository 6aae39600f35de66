"""Endpoints of participants' systems, what they have still to be told, and how far the facts were handed out.

None of it is the ledger's. The facts themselves are rows that their own transactions wrote: events of the ledger,
leaves of the log, notices. They are the outbox; `WebhookCursor` says up to where messages were made of them.
"""

from sqlalchemy import JSON, BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from marketplace.storage.types import RowNumber
from marketplace.webhooks.rules import ACTIVE, PENDING


class WebhookEndpoint(SQLModel, table=True):
    """Where the system of `owner` listens. Times are unix seconds.

    Attributes:
        types: kinds of events or stages; empty for all.
        secret: encrypted; `old_secret`, too, which signs as well until `old_until`.
        failures: tries that failed since the last that went through.
        due_at: not tried before.
        made_by: what opened the session that registered it, a key or a linked identity; it lives no longer than such a
            link. Empty for one from before this was kept.
        linked_at: when that link was made; another link of the same identity is another one. 0 for a key.
        claimed_until: somebody is sending to it; after that time somebody else may.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_owner_url", "owner", "url", unique=True),)
    endpoint: str = Field(primary_key=True)
    owner: str = Field(index=True)
    url: str
    made_by: str = Field(default="", index=True)
    linked_at: int = Field(default=0, sa_type=BigInteger)
    types: list[str] = Field(sa_type=JSON)
    status: str = Field(default=ACTIVE)
    secret: bytes = Field(sa_type=LargeBinary)
    old_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    old_until: int = Field(default=0, sa_type=BigInteger)
    failures: int = 0
    due_at: int = Field(default=0, sa_type=BigInteger)
    claimed_until: int = Field(default=0, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)


class WebhookMessage(SQLModel, table=True):
    """One thing to tell one endpoint; sent in the order of `number`.

    Attributes:
        message: the header `webhook-id`; made of endpoint and fact, so one fact gives one message, however often it is
            looked at.
        body: the exact bytes that are signed and sent.
        problem: why the last try failed; empty where none did.
    """

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_queue", "endpoint", "status", "number"),)
    number: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    message: str = Field(unique=True)
    endpoint: str = Field(foreign_key="webhook_endpoints.endpoint")
    type: str
    body: bytes = Field(sa_type=LargeBinary)
    status: str = Field(default=PENDING)
    attempts: int = 0
    problem: str = ""
    created_at: int = Field(sa_type=BigInteger)
    finished_at: int | None = Field(default=None, sa_type=BigInteger)


class WebhookCursor(SQLModel, table=True):
    """Facts of `source` up to and with (`place`, `part`) were handed out."""

    __tablename__ = "webhook_cursors"
    source: str = Field(primary_key=True)
    place: int = Field(sa_type=BigInteger)
    part: int = Field(default=-1, sa_type=BigInteger)
