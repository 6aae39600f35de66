"""Queries on their way from a signed question to an answer, the panel's tasks and statements, and the panel's keys.

These rows are the service's own book-keeping, not the ledger's; every fact in them is also a signed document and a leaf
of the log.
"""

from sqlalchemy import JSON, BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

ACCEPTED, EVALUATING, ATTESTED, APPROVED = "accepted", "evaluating", "attested", "approved"
RELEASED, REFUSED, FAILED = "released", "refused", "failed"
UNFINISHED = (ACCEPTED, EVALUATING, ATTESTED, APPROVED)


class QueryRow(SQLModel, table=True):
    """One query. Fields that end in `_digest` name documents.

    `series` is that of the data set's versions, which share one privacy account. `position` counts the order's queries
    from one. `amount`, `epsilon` and `calls` are those of its voucher. `leaf` is the position of its last entry in the
    log. After `panel_deadline` (None for queries that were taken
    before there were deadlines) no node's first result counts; `panel_closed` says that whoever was absent is named, or
    that there is nobody to name. `failure` is the code of a failed query. Times are unix seconds.
    """

    __tablename__ = "queries"
    __table_args__ = (Index("ix_queries_panel_closed", "panel_closed", "panel_deadline"),)
    digest: str = Field(primary_key=True)
    order_id: str = Field(index=True)
    asset_id: str = Field(index=True)
    series: str = Field(index=True)
    buyer: str = Field(index=True)
    release_key: str = Field(index=True)
    sequence: int = Field(sa_type=BigInteger)
    state: str = Field(default=ACCEPTED, index=True)
    price: int = Field(sa_type=BigInteger)
    epsilon: int = Field(sa_type=BigInteger)
    epsilon_charged: int | None = Field(default=None, sa_type=BigInteger)
    plan_digest: str
    numbers: int
    terms_digest: str
    manifest_digest: str
    voucher_digest: str
    result_digest: str | None = None
    attestation_digest: str | None = None
    shares_digest: str | None = None
    release_digest: str | None = None
    refusal_digest: str | None = None
    leaf: int = Field(default=0, sa_type=BigInteger)
    vault_lease_until: int = Field(default=0, sa_type=BigInteger)
    panel_deadline: int | None = Field(default=None, sa_type=BigInteger)
    panel_closed: bool = False
    failure: str | None = None
    accepted_at: int = Field(sa_type=BigInteger)
    attested_at: int | None = Field(default=None, sa_type=BigInteger)
    finished_at: int | None = Field(default=None, sa_type=BigInteger)


class AnsweredCalls(SQLModel, table=True):
    """An order's answered queries: how many, the right edge of the tree over their digests (crypto.merkle.Frontier,
    "0x" hex), and the voucher that pays for them. Written where a query is answered, so a voucher costs the same at
    any age of its order."""

    __tablename__ = "answered_calls"
    order_id: str = Field(primary_key=True)
    calls: int = Field(sa_type=BigInteger)
    edge: list[str] = Field(sa_type=JSON)
    voucher_digest: str


class CustodianTask(SQLModel, table=True):
    """What a custodian has to add to a query that its vault has released. It may be taken when `lease_until` has
    passed, and is done when `release_digest` is there, or the query was refused."""

    __tablename__ = "custodian_tasks"
    query: str = Field(primary_key=True)
    custodian: str = Field(index=True)
    lease_until: int = Field(default=0, sa_type=BigInteger)
    approved_at: int = Field(sa_type=BigInteger)
    shares_digest: str | None = None
    release_digest: str | None = None


class PanelTask(SQLModel, table=True):
    """What one node has to evaluate. It may be taken when `lease_until` has passed, and is done when `statement_digest`
    is there."""

    __tablename__ = "panel_tasks"
    query: str = Field(primary_key=True)
    node: str = Field(primary_key=True)
    lease_until: int = Field(default=0, sa_type=BigInteger)
    result_digest: str | None = None
    statement_digest: str | None = None


class PanelFact(SQLModel, table=True):
    """Something held against a node about a query (see protocol/panels.py); `leaf` is the log's entry that says so."""

    __tablename__ = "panel_facts"
    query: str = Field(primary_key=True)
    node: str = Field(primary_key=True, index=True)
    kind: str = Field(primary_key=True)
    leaf: int = Field(sa_type=BigInteger)


class RequestWish(SQLModel, table=True):
    """A key holder that takes the panel's word, and so needs the requests of its queries' results."""

    __tablename__ = "request_wishes"
    holder: str = Field(primary_key=True)


class RequestsDue(SQLModel, table=True):
    """Requests of a result that a node has still to upload; it may be taken when `lease_until` has passed."""

    __tablename__ = "requests_due"
    query: str = Field(primary_key=True)
    lease_until: int = Field(default=0, sa_type=BigInteger)


class UploadedRequest(SQLModel, table=True):
    """One request, kept until its query has an outcome."""

    __tablename__ = "uploaded_requests"
    query: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    body: bytes = Field(sa_type=LargeBinary)


class PanelKey(SQLModel, table=True):
    """A node's BLS12-381 key with its proof of possession."""

    __tablename__ = "panel_keys"
    node: str = Field(primary_key=True)
    bls: str
    possession: str
    published_at: int = Field(sa_type=BigInteger)
