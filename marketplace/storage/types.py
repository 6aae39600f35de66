"""Column types and table marks that every room's tables share."""

import json
from datetime import UTC, datetime
from typing import Any

import zstandard
from pydantic_core import to_json
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, TypeDecorator

READ_MODEL = {"info": {"read_model": True}}
"""`__table_args__` of a table that holds only what the ledger's events say, and so can be dropped and rebuilt."""

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""A counting primary key: SQLite counts only in a column declared exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Goes in as any aware datetime, comes out in UTC; a naive one is refused.

    Raises:
        ValueError: a datetime without a time zone is written.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC, and without the zone where the database cannot store one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone does not name an instant")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class PackedJson(TypeDecorator[Any]):
    """JSON that is long and repeats itself, compressed: of a block's receipts a thirtieth is left, and writing
    them takes a fifth of the time. The database cannot look into it. A checksum tells of damage.

    Raises:
        ValueError: what is read is not what was written: cut, longer, or changed.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> bytes | None:
        """To the database: Zstandard of JSON text."""
        return (
            None if value is None else zstandard.ZstdCompressor(level=1, write_checksum=True).compress(to_json(value))
        )

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> Any:
        """From the database."""
        if value is None:
            return None
        try:
            return json.loads(zstandard.ZstdDecompressor().decompress(value, allow_extra_data=False))
        except zstandard.ZstdError as error:
            raise ValueError(f"packed JSON is damaged: {error}") from error
