"""Everything on the ledger that has an identifier, by its full id; the event is the one that brought it into being."""

from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Named(ProjectedRow, table=True):
    """One object. `subject` is its address, id or digest, `kind` one of documents.identifiers.Kind (never a series:
    that is its first version), `about` a certificate's asset.

    An identifier is the beginning of `subject`, so it is found by a range of the primary key.
    """

    __tablename__ = "identifiers"
    __table_args__ = READ_MODEL
    subject: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    about: str = ""
