"""Rows of the read model: what the ledger's events say, one change after another.

Only projections write such rows, and each row remembers the event of its last change, so an auditor can lay row and
event side by side. The JSON form of a row (HTTP answers, `read_model/<table>.jsonl` of a bundle) is the same
everywhere: camelCase names of the columns and `"event": {"block", "logIndex", "intent"}`.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from pydantic.alias_generators import to_camel
from sqlalchemy import BigInteger
from sqlalchemy.orm import InstrumentedAttribute, configure_mappers
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import Field, Session, SQLModel
from sqlmodel.main import SQLModelMetaclass

from marketplace.errors import PortError

_STATE = "_sa_instance_state"
"""The attribute in which SQLAlchemy keeps what it knows of an instance."""


class EventPlace(Protocol):
    """Where an event stands on the ledger (`ledger.tables.LedgerEvent` is one).

    Attributes:
        block: block number.
        block_hash: its hash, "0x" hex.
        log_index: index of the event within the block.
        intent: digest of the signed intent that caused it; empty for what the deployment did.
    """

    block: int
    block_hash: str
    log_index: int
    intent: str


class _Kind(SQLModelMetaclass):
    """Makes rows many times faster: a new row is written whole, so nobody has to be told of each value, and values
    of table rows are not validated in any case.
    """

    def __call__(self, **values: Any) -> Any:
        kind: Any = self
        if not values.keys() <= _columns(kind).keys():
            raise TypeError(f"{self.__name__} has no {', '.join(sorted(values.keys() - _columns(kind).keys()))}")
        row = kind.__new__(kind)
        vars(row).update(_defaults(kind), **values)
        return row


class ProjectedRow(SQLModel, metaclass=_Kind):
    """Base of every read-model table: where the row's last change stands on the ledger."""

    event_block: int = Field(default=0, sa_type=BigInteger)
    event_block_hash: str = ""
    event_log_index: int = 0
    event_intent: str = ""

    if not TYPE_CHECKING:  # or every name would pass for an attribute

        def __getattr__(self, name: str) -> Any:
            # A row is made without SQLAlchemy's state, and gets it when SQLAlchemy asks: of the rows that projections
            # write, never.
            if name != _STATE:
                return super().__getattr__(name)
            manager_of_class(type(self)).setup_instance(self)
            return vars(self)[name]

    def __setattr__(self, name: str, value: Any) -> None:
        # SQLModel sets a column twice, for Pydantic and for SQLAlchemy, at ten times the cost; nothing reads the first.
        # Whoever writes a row that is not SQLAlchemy's writes it whole, and need not be told of each value either.
        held, columns = vars(self), _columns(type(self))
        if name not in columns:
            super().__setattr__(name, value)
        elif _STATE in held:
            columns[name].__set__(self, value)
        else:
            held[name] = value

    def stamp(self, event: EventPlace) -> Self:
        """Remember `event` as the row's last change."""
        place: dict[str, Any] = {
            "event_block": event.block,
            "event_block_hash": event.block_hash,
            "event_log_index": event.log_index,
            "event_intent": event.intent,
        }
        if _STATE in vars(self):
            for name, value in place.items():
                setattr(self, name, value)
        else:
            vars(self).update(place)
        return self

    def as_json(self) -> dict[str, Any]:
        """The row's public form, plain JSON values."""
        values = {to_camel(name): value for name, value in self.model_dump().items() if not name.startswith("event_")}
        place = {"block": self.event_block, "logIndex": self.event_log_index, "intent": self.event_intent or None}
        return {**values, "event": place}


@cache
def _columns(kind: Any) -> dict[str, InstrumentedAttribute[Any]]:
    """The table's columns by name."""
    return {name: getattr(kind, name) for name in kind.model_fields}


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Values of the fields that need none."""
    configure_mappers()  # SQLAlchemy would do so in the constructor that is gone round
    return {name: field.default for name, field in kind.model_fields.items() if not field.is_required()}


Row = TypeVar("Row", bound=ProjectedRow)


def projected(session: Session, table: type[Row], *key: object) -> Row:
    """The row that an event is about.

    Raises:
        PortError: `read_model_gap`: there is none; the ledger and the read model have come apart and must be rebuilt.
    """
    row = session.get(table, key[0] if len(key) == 1 else key)
    if row is None:
        raise PortError(
            "read_model_gap",
            f"an event names a row of {table.__name__} that is not there: {key}",
            retryable=False,
            zh=f"事件所指的 {table.__name__} 行不存在：{key}",
            hint="rebuild the read model from the ledger",
            hint_zh="请从账本重建读模型",
        )
    return row
