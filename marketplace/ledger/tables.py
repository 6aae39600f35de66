"""The journal. What is in these rows is the truth; the embedded node is a cache of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary
from sqlmodel import Field, Session, SQLModel, select

from marketplace.storage.types import PackedJson, RowNumber, UtcDateTime

DIGEST = 66  # characters of "0x" and 32 bytes in hex
ADDRESS = 42
_GIVEN = {"autoincrement": False}  # a key that we number ourselves


class LedgerIntent(SQLModel, table=True):
    """One verb that somebody asked of the ledger; states are named after facts.

    `queued`: committed with the business row. `planned`: in a signed, committed transaction. `mined`: its effect stands
    in a block. `refused`: its contract refused it in a block; `code` says why.

    Attributes:
        by: address of the participant whose statement it is.
        code: stable code of a refusal.
        reason: what the contract returned when it refused, "0x" hex.
        attempts: transactions that failed as a whole with this intent aboard.
        nonce: the transaction it is in.
        call_index: its place among that transaction's calls.
    """

    __tablename__ = "ledger_intent"

    sequence: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    digest: str = Field(unique=True, max_length=DIGEST)
    contract: str = Field(max_length=40)
    verb: str = Field(max_length=40)
    calldata: bytes = Field(sa_type=LargeBinary)
    by: str = Field(max_length=ADDRESS)
    status: str = Field(default="queued", max_length=10, index=True)
    code: str | None = Field(default=None, max_length=80)
    reason: str | None = None
    attempts: int = 0
    nonce: int | None = Field(default=None, foreign_key="ledger_transaction.nonce", sa_type=BigInteger, index=True)
    call_index: int | None = None
    block: int | None = Field(default=None, sa_type=BigInteger)
    transaction_index: int | None = None
    queued_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LedgerTransaction(SQLModel, table=True):
    """A signed transaction. A nonce exists only as a row of this table, so no gap can form.

    Attributes:
        contract: the receiver, or the contract that it creates.
        block: the block that is planned to hold it, or that was found to; None while an outer network has it.
    """

    __tablename__ = "ledger_transaction"

    nonce: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    hash: str = Field(unique=True, max_length=DIGEST)
    contract: str = Field(max_length=40)
    raw: bytes = Field(sa_type=LargeBinary)
    block: int | None = Field(default=None, sa_type=BigInteger, index=True)
    transaction_index: int | None = None


class LedgerBlock(SQLModel, table=True):
    """A block: planned (no hash yet) or sealed. The first row is the block before the contracts were deployed.

    Attributes:
        timestamp: unix seconds; as planned, before the node has seen it.
        header: the fields that the hash covers, named and encoded as JSON-RPC returns them.
        receipts: as JSON-RPC returns them.
    """

    __tablename__ = "ledger_block"

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    timestamp: int = Field(sa_type=BigInteger)
    hash: str | None = Field(default=None, max_length=DIGEST)
    header: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    receipts: list[dict[str, Any]] | None = Field(default=None, sa_type=PackedJson)


class LedgerEvent(SQLModel, table=True):
    """An event of one of our contracts, decoded.

    Attributes:
        block: block number.
        log_index: index of the event within its block.
        timestamp: the block's, unix seconds.
        args: by name; integers are ints, bytes and addresses "0x" lower-case hex, arrays lists.
        intent: digest of the signed intent that caused it, "0x" hex; empty for what the deployment did.
        about: id of the title or asset, or the account, that it is about, as `about_of` says, so that an object's
            events are found without reading everybody's; empty for others.
    """

    __tablename__ = "ledger_event"
    __table_args__ = (Index("ix_ledger_event_about", "about", "name"),)

    block: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="ledger_block.number", sa_column_kwargs=_GIVEN)
    log_index: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    block_hash: str = Field(max_length=DIGEST)
    timestamp: int = Field(sa_type=BigInteger)
    tx_hash: str = Field(max_length=DIGEST)
    contract: str = Field(max_length=40)
    name: str = Field(max_length=40, index=True)
    args: dict[str, Any] = Field(sa_type=JSON)
    intent: str = Field(default="", max_length=DIGEST)
    about: str = Field(default="", max_length=DIGEST)


def time_of(session: Session, block: int) -> int | None:
    """A block's time, unix seconds; None where there is none. Its receipts, which are long, stay where they are."""
    return session.exec(select(LedgerBlock.timestamp).where(LedgerBlock.number == block)).first()


def about_of(contract: str, args: Mapping[str, Any]) -> str:
    """What an event is about: of Keys the account; else the title that its arguments name, the asset, or nothing."""
    if contract == "Keys":
        return str(args.get("account", ""))
    return str(args.get("titleId") or args.get("assetId") or "")


class LedgerMeta(SQLModel, table=True):
    """Facts about this ledger: its profile, and whose turn it is to write."""

    __tablename__ = "ledger_meta"

    key: str = Field(primary_key=True, max_length=40)
    value: dict[str, Any] = Field(sa_type=JSON)


BLOCKS, TRANSACTIONS, INTENTS, EVENTS = (
    SQLModel.metadata.tables[f"ledger_{name}"] for name in ("block", "transaction", "intent", "event")
)
