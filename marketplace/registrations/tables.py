"""Registration cases, their acts and the register as the ledger says; and the certificates' codes, which the service
gives out.
"""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class RegistrationCase(ProjectedRow, table=True):
    """One case; states, kinds and procedures as in records.py, times in unix seconds, 0 where there is none.

    `accepted_at` is 0 where silence accepted; `paused_at` since when its clock stands still for a supplement or an
    objection.
    """

    __tablename__ = "registration_cases"
    __table_args__ = READ_MODEL
    case_id: str = Field(primary_key=True)
    asset_id: str = Field(index=True)
    applicant: str = Field(index=True)
    counterparty: str
    objector: str
    kind: int
    procedure: int
    state: int = Field(index=True)
    form_digest: str
    non_publication_digest: str
    deposit_digest: str
    rulebook_digest: str
    filed_at: int = Field(sa_type=BigInteger)
    accepted_at: int = Field(sa_type=BigInteger)
    stated_at: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    decide_by: int = Field(sa_type=BigInteger)
    paused_at: int = Field(sa_type=BigInteger)
    notice_end: int = Field(sa_type=BigInteger)
    deposited_at: int = Field(sa_type=BigInteger)
    extended: int
    version: int = Field(sa_type=BigInteger)


class RegistrationAct(ProjectedRow, table=True):
    """One step of a case. `version` is the case's after it; `step` 0 is the filing. Unsigned steps have no actor and
    no times.
    """

    __tablename__ = "registration_acts"
    __table_args__ = READ_MODEL
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    step: int
    state: int
    actor: str = Field(index=True)
    evidence_digest: str
    stated_at: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    decide_by: int = Field(sa_type=BigInteger)


class RegisterEntry(ProjectedRow, table=True):
    """What the register says of an asset; `code` as text, "" before the first certificate. `disputes`: marks that
    are on, `upheld` of them by objections that were found to be right.

    `certified_case` is the case that the present certificate ended, `form_digest` the form that says what is
    registered (a renewal leaves it), `share_version` and `moves` how often shares and first titles had moved when the
    certificate was given.
    """

    __tablename__ = "register_entries"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    holder: str = Field(index=True)
    valid_until: int = Field(sa_type=BigInteger)
    disputes: int
    upheld: int
    latest_case: str
    certificate_digest: str
    code: str = Field(index=True)
    certified_case: str
    form_digest: str
    share_version: int = Field(sa_type=BigInteger)
    moves: int


class RulebookInForce(ProjectedRow, table=True):
    """The rulebook that a case filed now has to name; one row, of "registration"."""

    __tablename__ = "rulebook_in_force"
    __table_args__ = READ_MODEL
    subject: str = Field(primary_key=True)
    rulebook_digest: str


class CertificateCode(SQLModel, table=True):
    """The code that was given out for a case's certificate: the service's own note, kept for ever, never given
    twice.
    """

    __tablename__ = "certificate_codes"
    case_id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    month: str = Field(index=True)
