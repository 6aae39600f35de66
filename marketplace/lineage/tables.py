"""What the ledger says of products: the inputs that were declared, and the consents that were given."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class LineageDeclaration(ProjectedRow, table=True):
    """What `holder` declared of the product `asset_id`; `agreement_digest` is of its papers."""

    __tablename__ = "lineage_declarations"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    holder: str = Field(index=True)
    agreement_digest: str


class LineageInput(ProjectedRow, table=True):
    """Input number `place` of a product: `bps` of the product's net income are due to it; without a title it needs a
    consent."""

    __tablename__ = "lineage_inputs"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    input_id: str = Field(primary_key=True, index=True)
    place: int
    title_id: str
    bps: int


class LineageConsent(ProjectedRow, table=True):
    """The last consent for an input of a product; `status` is types.ConsentStatus, `valid_until` unix seconds."""

    __tablename__ = "lineage_consents"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    input_id: str = Field(primary_key=True)
    holder: str = Field(index=True)
    title_id: str
    valid_until: int = Field(sa_type=BigInteger)
    status: int
    version: int
