"""Agreements as the ledger says, and proposals that only one side has signed."""

from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Agreement(ProjectedRow, table=True):
    """One version of an agreement that both sides signed. `status` is types.AgreementStatus; `previous_id` names the
    version before it, or is ZERO_DIGEST."""

    __tablename__ = "agreements"
    __table_args__ = READ_MODEL
    agreement_id: str = Field(primary_key=True)
    party_a: str = Field(index=True)
    party_b: str = Field(index=True)
    agreement_digest: str
    valid_until: int = Field(sa_type=BigInteger)
    status: int
    version: int = Field(sa_type=BigInteger)
    previous_id: str


class Proposal(SQLModel, table=True):
    """What one side signed and the other has not yet: an agreement, an amendment, or a retirement.

    `digest` is the intent's, `name` and `message` are the intent. `document` is the agreement, None for a retirement;
    it is kept here, and joins the other documents, which auditors read, only when both have signed. `deadline` (unix
    seconds) is until when it may be accepted. `answers` is the proposal that it counters, or "". `state` is "open",
    "countered", "withdrawn", "declined" or "accepted". Signatures are kept from the other side until both are there.
    """

    __tablename__ = "agreement_proposals"
    digest: str = Field(primary_key=True)
    name: str
    agreement_id: str = Field(index=True)
    party_a: str = Field(index=True)
    party_b: str = Field(index=True)
    proposer: str
    message: dict[str, Any] = Field(sa_type=JSON)
    document: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    signature_a: str = ""
    signature_b: str = ""
    answers: str = ""
    state: str
    proposed_at: int = Field(sa_type=BigInteger)
    deadline: int = Field(sa_type=BigInteger)
