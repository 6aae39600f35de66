"""Showing events to projectors, fast: each row is read once and written once, however many events change it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy import inspect
from sqlalchemy.orm import Mapper
from sqlmodel import Session, select

from marketplace.ledger.tables import LedgerEvent

Projector = Callable[[Session, LedgerEvent], None]
Projectors = Mapping[str, Sequence[Projector]]

CHUNK = 5_000  # events between two writes
FETCHED = 500  # rows in one question


class ProjectionSession(Session):
    """A session that knows the rows it was given or has read, so that `get` neither writes nor asks the database twice.

    A plain session forgets rows that nobody holds, and must write pending ones before every read. `get` here also
    sees rows that were added or deleted and not written yet. Statements other than `get` write first, as always.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known: dict[tuple[type[Any], tuple[Any, ...]], Any] = {}

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As `Session.get`."""
        key = (entity, ident if isinstance(ident, tuple) else (ident,))
        if key not in self._known:
            with self.no_autoflush:
                self._known[key] = super().get(entity, ident, **options)
        return self._known[key]

    def add(self, instance: object, _warn: bool = True) -> None:
        """As `Session.add`."""
        key = _key(instance)
        if self._known.get(key) is not instance:
            super().add(instance, _warn=_warn)
            self._known[key] = instance

    def delete(self, instance: object) -> None:
        """As `Session.delete`, and written at once: of a row that were made again before that, SQLAlchemy would write
        only what was changed since it was made (`ProjectedRow` keeps no record of what it was made with)."""
        if instance in self.new:
            self.flush()
        super().delete(instance)
        self.flush()
        self._known[_key(instance)] = None

    def fetch(self, entity: Any, idents: Collection[Any]) -> None:
        """Read the rows of `entity` with these one-column keys at once, and remember also which are not there."""
        (name,) = _key_names(entity)
        wanted = [ident for ident in idents if (entity, (ident,)) not in self._known]
        self._known |= {(entity, (ident,)): None for ident in wanted}
        for start in range(0, len(wanted), FETCHED):
            query = select(entity).where(getattr(entity, name).in_(wanted[start : start + FETCHED]))
            self._known |= {(entity, (getattr(row, name),)): row for row in self.exec(query)}

    def write(self) -> None:
        """Write what is pending and forget what is known."""
        self.flush()
        self._known.clear()


def project(session: ProjectionSession, events: Iterable[LedgerEvent], projectors: Projectors) -> int:
    """Show each event to its projectors; returns how many events there were."""
    count, rest = 0, iter(events)
    while chunk := list(islice(rest, CHUNK)):
        _fetch_named(session, chunk)
        for event in chunk:
            for projector in projectors.get(event.name, ()):
                projector(session, event)
        session.write()
        count += len(chunk)
    return count


def _fetch_named(session: ProjectionSession, events: Sequence[LedgerEvent]) -> None:
    """An argument called like the one-column key of a read-model table (orderId, order_id) names a row of it."""
    for entity, argument in _named_tables():
        session.fetch(entity, {event.args[argument] for event in events if argument in event.args})


@cache
def _named_tables() -> list[tuple[type[Any], str]]:
    mappers: Iterable[Mapper[Any]] = LedgerEvent._sa_registry.mappers
    marked: list[Any] = [mapper.class_ for mapper in mappers if mapper.class_.__table__.info.get("read_model")]
    named: list[tuple[Any, tuple[str, ...]]] = [(kind, _key_names(kind)) for kind in marked]
    return [(kind, to_camel(names[0])) for kind, names in named if len(names) == 1]


def make_event(row: Mapping[str, Any]) -> LedgerEvent:
    """An event of complete column values, without the cost of checking them; attached to no session."""
    event: LedgerEvent = _EVENTS.new_instance()
    event.__dict__.update(row)
    return event


_EVENTS = inspect(LedgerEvent).class_manager


def _key(instance: object) -> tuple[type[Any], tuple[Any, ...]]:
    kind: Any = type(instance)
    return kind, tuple([getattr(instance, name) for name in _key_names(kind)])


@cache
def _key_names(kind: Any) -> tuple[str, ...]:
    mapper: Mapper[Any] = inspect(kind)
    return tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
