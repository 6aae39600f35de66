"""Data assets, titles and revenue shares as the ledger says, with each asset's account of privacy loss; and where each
certificate stands in the status lists, which is the service's own book-keeping and a part of the certificate.
"""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL


class Asset(ProjectedRow, table=True):
    """A registered data set. Epsilon in millionths; left = budget - (committed - released)."""

    __tablename__ = "assets"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    holder: str = Field(index=True)
    manifest_digest: str
    ciphertext_root: str
    claim_digest: str
    level: int
    status: int
    certificate_digest: str
    valid_until: int = Field(sa_type=BigInteger)
    version: int = Field(sa_type=BigInteger)
    share_version: int = Field(sa_type=BigInteger)
    epsilon_budget: int = Field(sa_type=BigInteger)
    epsilon_committed: int = Field(sa_type=BigInteger)
    epsilon_released: int = Field(sa_type=BigInteger)


class Title(ProjectedRow, table=True):
    """A title of types.TitleKind: who holds it, what it covers (bit masks), under which title, what weighs on it.

    `order_id` is zero except for the use of an order, which has its listing's scope. A root has no `parent` (zero), and
    its asset's term. `pledgee` is to whom it is or was last pledged, `permitted` the act last permitted; zero for none.
    `moves` counts changes of its holder.
    """

    __tablename__ = "titles"
    # a holder's titles are read page by page, in the order of their ids
    __table_args__ = (Index("ix_titles_holder", "holder", "title_id"), READ_MODEL)
    title_id: str = Field(primary_key=True)
    asset_id: str = Field(index=True)
    kind: int
    holder: str
    order_id: str
    parent: str = Field(index=True)
    marks: int
    purposes: int = Field(sa_type=BigInteger)
    fields: str
    territories: int = Field(sa_type=BigInteger)
    valid_from: int = Field(sa_type=BigInteger)
    valid_until: int = Field(sa_type=BigInteger)
    terms_digest: str
    pledgee: str
    permitted: str
    moves: int
    version: int = Field(sa_type=BigInteger)


class Share(ProjectedRow, table=True):
    """What `holder` gets of an asset's income, in basis points."""

    __tablename__ = "shares"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    holder: str = Field(primary_key=True)
    bps: int


class ShareEncumbrance(ProjectedRow, table=True):
    """What weighs on `holder`'s share in an asset: `bps` of it are pledged to `pledgee` for the debt of `debt_digest`
    (0: to nobody; the last is kept); `marks` of types.TitleMark say whether the share is seized or under control.
    """

    __tablename__ = "share_encumbrances"
    __table_args__ = READ_MODEL
    asset_id: str = Field(primary_key=True)
    holder: str = Field(primary_key=True)
    pledgee: str
    bps: int
    debt_digest: str
    marks: int
    version: int = Field(sa_type=BigInteger)


class Version(SQLModel, table=True):
    """`asset_id` follows `previous` in the series that began with the asset `series`, as its manifest says.

    The service's own note of documents, so that the next version of an old one is found; whether either is on the
    ledger is for `Asset` to say.
    """

    __tablename__ = "versions"
    asset_id: str = Field(primary_key=True)
    previous: str = Field(index=True)
    series: str = Field(index=True)


class StatusPlace(SQLModel, table=True):
    """The place of a case's certificate in the status lists: drawn at random, kept for ever, never given twice."""

    __tablename__ = "status_places"
    __table_args__ = (Index("ix_status_places_place", "number", "position", unique=True),)
    case_id: str = Field(primary_key=True)
    asset_id: str = Field(index=True)
    number: int
    position: int
