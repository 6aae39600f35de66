"""Showing events to projectors, fast: each row is read once and written once, however many events change it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast

from pydantic.alias_generators import to_camel
from sqlalchemy import Select, Table, bindparam, inspect, select, tuple_
from sqlalchemy.orm import Mapper
from sqlmodel import Session

from marketplace.ledger.tables import LedgerEvent
from marketplace.storage.bulk import delete_rows, insert_rows, update_rows
from marketplace.storage.projected import ProjectedRow

Projector = Callable[[Session, LedgerEvent], None]
Projectors = Mapping[str, Sequence[Projector]]

CHUNK = 5_000  # events between two writes
FETCHED = 500  # rows in one question


class ProjectionSession(Session):
    """A session that writes rows of the read model itself: each is read once and written once, whatever happens to it.

    Rows of other tables are the plain session's. `get` sees rows that were added, changed or deleted and not written
    yet; statements write first, as always, and so does a commit.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known: dict[_Key, ProjectedRow | None] = {}
        self._ours: dict[int, ProjectedRow] = {}  # by id: rows that are known, so that nobody has to ask for their keys
        self._stored: dict[_Key, list[Any]] = {}  # what the database has of the rows that are known
        self._named: _Named = {}

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As `Session.get`."""
        if not issubclass(entity, ProjectedRow):
            return super().get(entity, ident, **options)
        key = (entity, ident if isinstance(ident, tuple) else (ident,))
        if key not in self._known:
            self._read(entity, key[1])
        return self._known[key]

    def add(self, instance: object, _warn: bool = True) -> None:
        """As `Session.add`."""
        if id(instance) in self._ours:
            return
        if isinstance(instance, ProjectedRow):
            self._know(instance)
        else:
            super().add(instance, _warn=_warn)

    def delete(self, instance: object) -> None:
        """As `Session.delete`."""
        if isinstance(instance, ProjectedRow):
            self._known[_key(instance)] = None
            self._ours.pop(id(instance), None)
        else:
            super().delete(instance)

    def exec(self, *args: Any, **options: Any) -> Any:
        """As `Session.exec`."""
        self._write_on()
        return super().exec(*args, **options)

    def execute(self, *args: Any, **options: Any) -> Any:
        """As `Session.execute`."""
        self._write_on()
        return super().execute(*args, **options)

    def commit(self) -> None:
        """As `Session.commit`."""
        self._write()
        super().commit()

    def expect(self, named: "_Named") -> None:
        """Say which rows may be asked for: those of a table with such a key are read at once, when the first is.

        Args:
            named: keys by the names of the event arguments that spell them (orderId, of a table with the key order_id).
        """
        self._named = dict(named)

    def write(self) -> None:
        """Write what is pending and forget what is known."""
        self._write()
        self.flush()
        self._known.clear()
        self._ours.clear()
        self._stored.clear()
        self._named.clear()

    def _know(self, row: ProjectedRow) -> "_Key":
        key = _key(row)
        self._known[key] = self._ours[id(row)] = row
        return key

    def _read(self, entity: type[ProjectedRow], key: tuple[Any, ...]) -> None:
        """Make a row known, or that there is none; with it those that were expected."""
        form, wanted = _form(entity), {key}
        expected = self._named.get(form.arguments, set())
        if key in expected:
            wanted |= {name for name in expected if (entity, name) not in self._known}
        self._known |= dict.fromkeys((entity, name) for name in wanted)
        names = list(wanted)
        for start in range(0, len(names), FETCHED):
            for values in self.connection().execute(form.query(names[start : start + FETCHED])):
                row = form.row(values)
                self._stored[self._know(row)] = list(values)

    def _write(self) -> None:
        """Write what is pending."""
        inserted: dict[_Form, list[dict[str, Any]]] = {}
        updated: dict[tuple[_Form, tuple[str, ...]], list[dict[str, Any]]] = {}
        deleted: dict[_Form, list[dict[str, Any]]] = {}
        for key, row in self._known.items():
            form, before = _form(key[0]), self._stored.get(key)
            if row is None:
                if before is not None:
                    deleted.setdefault(form, []).append(dict(zip(form.keys, key[1], strict=True)))
                continue
            values = vars(row)
            if before is None:
                inserted.setdefault(form, []).append(values)
            elif changed := form.changes(values, before):
                updated.setdefault((form, changed), []).append({name: values[name] for name in (*changed, *form.keys)})
        if not (inserted or updated or deleted):
            return
        connection = self.connection()
        for form, rows in deleted.items():
            delete_rows(connection, form.table, rows)
        for form, rows in inserted.items():
            insert_rows(connection, form.table, rows)
        for (form, _), rows in updated.items():
            update_rows(connection, form.table, form.keys, rows)

    def _write_on(self) -> None:
        """Write what is pending, and go on with what is known."""
        if self._known:
            self._write()
            self._stored = {key: _form(key[0]).values(vars(row)) for key, row in self._known.items() if row is not None}


class _Form:
    """How a read-model class and its table fit: an attribute is called like its column."""

    def __init__(self, entity: type[ProjectedRow]) -> None:
        mapper: Mapper[Any] = inspect(entity)
        assert isinstance(mapper.local_table, Table)
        self.table = mapper.local_table
        self.columns = tuple(self.table.columns.keys())
        self.keys = tuple(column.key for column in self.table.primary_key)
        self.arguments = tuple(map(to_camel, self.keys))
        self._entity = entity
        keys = [self.table.columns[name] for name in self.keys]
        within = keys[0] if len(keys) == 1 else tuple_(*keys)
        self._query = select(self.table).where(within.in_(bindparam("names", expanding=True)))

    def query(self, names: Sequence[tuple[Any, ...]]) -> Select[Any]:
        """The rows with these keys."""
        return self._query.params(names=[name[0] for name in names] if len(self.keys) == 1 else list(names))

    def row(self, values: Iterable[Any]) -> ProjectedRow:
        """An instance that belongs to no session."""
        made: ProjectedRow = self._entity.__new__(self._entity)
        vars(made).update(zip(self.columns, values, strict=True))
        return made

    def values(self, held: Mapping[str, Any]) -> list[Any]:
        """A row's values in the order of the columns."""
        return [held[name] for name in self.columns]

    def changes(self, held: Mapping[str, Any], before: Sequence[Any]) -> tuple[str, ...]:
        """The columns that are not what they were."""
        return tuple([name for name, was in zip(self.columns, before, strict=True) if held[name] != was])


_Key = tuple[type[ProjectedRow], tuple[Any, ...]]
_Named = dict[tuple[str, ...], set[tuple[Any, ...]]]
_form = cache(_Form)


def _key(row: ProjectedRow) -> _Key:
    kind, values = type(row), vars(row)
    return kind, tuple([values[name] for name in _form(kind).keys])


def project(session: ProjectionSession, events: Iterable[LedgerEvent], projectors: Projectors) -> int:
    """Show each event to its projectors; returns how many events there were."""
    count, rest = 0, iter(events)
    while chunk := list(islice(rest, CHUNK)):
        session.expect(_named(chunk))
        for event in chunk:
            for projector in projectors.get(event.name, ()):
                projector(session, event)
        session.write()
        count += len(chunk)
    return count


def _named(events: Sequence[LedgerEvent]) -> _Named:
    """The keys of read-model tables that the events' arguments spell, by the names of those arguments."""
    named: _Named = defaultdict(set)
    for event in events:
        args = event.args
        for key in _keys_among(tuple(args)):
            named[key].add(tuple([args[name] for name in key]))
    return named


@cache
def _keys_among(arguments: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The keys of read-model tables that are among an event's arguments."""
    mappers: Iterable[Mapper[Any]] = LedgerEvent._sa_registry.mappers
    keys = {_form(mapper.class_).arguments for mapper in mappers if issubclass(mapper.class_, ProjectedRow)}
    return [key for key in sorted(keys) if set(key) <= set(arguments)]


def make_event(row: Mapping[str, Any]) -> LedgerEvent:
    """What projectors read an event from: its column values, complete, as plain attributes. Asking a table's class for
    them takes six times as long, and they are asked for again and again.
    """
    return cast("LedgerEvent", SimpleNamespace(**row))
