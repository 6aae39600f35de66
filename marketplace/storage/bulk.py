"""Many rows in one statement, several times faster than SQLAlchemy writes them: the statement is its text, made once,
and each row is a tuple. Values are those of the columns' types, as always.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table

from marketplace.errors import PortError

Values = Mapping[str, Any]
_Convert = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Collection[Values]) -> None:
    """Insert rows that all have the same columns.

    Args:
        rows: values by column name; what is no column of the first row's is not looked at.
    """
    if not rows:
        return
    columns = tuple(name for name in next(iter(rows)) if name in table.columns)
    _run(connection, table, _insertion(table, columns, connection.dialect), columns, rows)


def update_rows(connection: Connection, table: Table, keys: Sequence[str], rows: Collection[Values]) -> None:
    """Set columns of the rows with these keys.

    Args:
        keys: columns that name a row.
        rows: values by column name, the keys' among them; all of the same columns.

    Raises:
        PortError: `rows_missing`: a row is not there; the transaction must be rolled back.
    """
    if not rows:
        return
    changed = tuple(name for name in next(iter(rows)) if name not in keys)
    statement = _change(table, changed, tuple(keys), connection.dialect)
    _require_all(table, _run(connection, table, statement, (*changed, *keys), rows), len(rows))


def delete_rows(connection: Connection, table: Table, rows: Collection[Values]) -> None:
    """Delete rows.

    Args:
        rows: values by column name, enough to name each row; all of the same columns.

    Raises:
        PortError: as `update_rows`.
    """
    if rows:
        columns = tuple(next(iter(rows)))
        statement = _deletion(table, columns, connection.dialect)
        _require_all(table, _run(connection, table, statement, columns, rows), len(rows))


def _require_all(table: Table, met: int, named: int) -> None:
    if met != named:
        raise PortError(
            "rows_missing",
            f"{table.name} has {met} of the {named} rows that are to change",
            retryable=False,
            zh=f"{table.name} 表中待更改的 {named} 行只有 {met} 行存在",
            expected=named,
            got=met,
            hint="the database was changed by others; restore it from a backup",
            hint_zh="数据库被他人改动；请从备份恢复",
        )


def _run(connection: Connection, table: Table, statement: str, columns: tuple[str, ...], rows: Iterable[Values]) -> int:
    """Returns how many rows were met."""
    converted = _converted(table, columns, connection.dialect)
    values = [[row[name] for name in columns] for row in rows]
    for place, convert in converted:
        for row in values:
            row[place] = convert(row[place])
    return connection.exec_driver_sql(statement, list(map(tuple, values))).rowcount


@lru_cache(maxsize=512)
def _converted(table: Table, columns: tuple[str, ...], dialect: Dialect) -> list[tuple[int, _Convert]]:
    """Place and conversion of the columns whose values the driver does not take as they are."""
    found = ((place, table.columns[name].type) for place, name in enumerate(columns))
    made = ((place, kind.dialect_impl(dialect).bind_processor(dialect)) for place, kind in found)
    return [(place, convert) for place, convert in made if convert is not None]


@lru_cache(maxsize=512)
def _insertion(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    quote = dialect.identifier_preparer
    names = ", ".join(map(quote.quote, columns))
    marks = ", ".join([_mark(dialect)] * len(columns))
    return f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608 - names are our tables'


@lru_cache(maxsize=512)
def _change(table: Table, changed: tuple[str, ...], keys: tuple[str, ...], dialect: Dialect) -> str:
    sets = ", ".join(_equal(changed, dialect))
    where = " AND ".join(_equal(keys, dialect))
    return f"UPDATE {dialect.identifier_preparer.format_table(table)} SET {sets} WHERE {where}"  # noqa: S608


@lru_cache(maxsize=512)
def _deletion(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    where = " AND ".join(_equal(columns, dialect))
    return f"DELETE FROM {dialect.identifier_preparer.format_table(table)} WHERE {where}"  # noqa: S608


def _equal(columns: Sequence[str], dialect: Dialect) -> list[str]:
    return [f"{dialect.identifier_preparer.quote(name)} = {_mark(dialect)}" for name in columns]


def _mark(dialect: Dialect) -> str:
    """How the driver marks a value's place."""
    return "?" if dialect.paramstyle == "qmark" else "%s"
