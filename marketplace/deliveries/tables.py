"""Deliveries as the ledger says."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from marketplace.storage.projected import ProjectedRow
from marketplace.storage.types import READ_MODEL
from marketplace.types import ZERO_DIGEST


class DeliveryOffer(ProjectedRow, table=True):
    """On what terms orders of a listing are delivered. `amount` in fen, times in seconds, `marks` are
    types.DeliveryMark."""

    __tablename__ = "delivery_offers"
    __table_args__ = READ_MODEL
    listing_id: str = Field(primary_key=True)
    seller: str
    amount: int = Field(sa_type=BigInteger)
    deliver_within: int = Field(sa_type=BigInteger)
    inspection: int = Field(sa_type=BigInteger)
    correction: int = Field(sa_type=BigInteger)
    corrections: int
    marks: int


class Delivery(ProjectedRow, table=True):
    """The delivery of one order. `status` is types.DeliveryStatus, `due_at` (unix seconds) until when the seller may
    deliver or the buyer object. Of the last of `rounds` deliveries: the note's hash, what it names, whether the buyer
    `acknowledged` it (0 or 1), and the digest of its list of defects."""

    __tablename__ = "deliveries"
    __table_args__ = READ_MODEL
    order_id: str = Field(primary_key=True)
    buyer: str = Field(index=True)
    receive_key: str
    due_at: int = Field(sa_type=BigInteger)
    status: int
    rounds: int = 0
    acknowledged: int = 0
    note_hash: str = ZERO_DIGEST
    ciphertext_digest: str = ZERO_DIGEST
    fingerprint_id: str = ZERO_DIGEST
    plaintext_commitment: str = ZERO_DIGEST
    delivered_at: int = Field(default=0, sa_type=BigInteger)
    defects_digest: str = ZERO_DIGEST
