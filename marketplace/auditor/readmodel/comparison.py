"""Step 6, second half: the bundle's rows are exactly the derived ones."""

from collections.abc import Mapping
from typing import Any

from marketplace.auditor.bundle import Bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.lines import objects
from marketplace.auditor.readmodel.rows import KEYS, Key, Row, Tables


def file_of(table: str) -> str:
    """Where the bundle keeps a table."""
    return f"read_model/{table}.jsonl"


def check_read_model(bundle: Bundle, derived: Tables, report: Report) -> None:
    """Name every row that is missing, extra or changed, by table, key and field."""
    for table, rows in derived.rows.items():
        stated = _read(bundle, table, report)
        for key, row in rows.items():
            _compare(_name(table, key), row, stated.pop(key, None), report)
        for key in stated:
            report.find("row_extra", _name(table, key), expected="no such row")


def _read(bundle: Bundle, table: str, report: Report) -> dict[Key, Row]:
    stated: dict[Key, Row] = {}
    for subject, row in objects(bundle, file_of(table), report):
        report.count("rows")
        key = tuple(row.get(name) for name in KEYS[table])
        if not all(isinstance(part, str | int) for part in key):
            report.find("row_extra", subject, expected=f"a key of {', '.join(KEYS[table])}")
        elif key in stated:
            report.find("row_twice", _name(table, key), got=subject)
        else:
            stated[key] = row
    return stated


def _compare(name: str, expected: Row, got: Row | None, report: Report) -> None:
    if got is None:
        report.find("row_missing", name, expected=expected)
        return
    for field in sorted(expected.keys() | got.keys()):
        report.same("row_field", f"{name}.{field}", expected.get(field), _plain(got.get(field)))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _name(table: str, key: Key) -> str:
    return f"{table}[{', '.join(map(str, key))}]"
