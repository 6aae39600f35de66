"""Read the bundle's JSON files object by object.

What cannot be read becomes a finding, and reading goes on with the next line.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from crypto import canonical
from crypto.errors import MalformedInput
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.findings import Report


def objects(bundle: Bundle, name: str, report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """As `raw_objects`, without the bytes, and without what cannot be read."""
    for subject, _, value in raw_objects(bundle, name, report):
        if value is not None:
            yield subject, value


def raw_objects(bundle: Bundle, name: str, report: Report) -> Iterator[tuple[str, bytes, dict[str, Any] | None]]:
    """The objects of a .jsonl file each with a subject ("file:line") and its bytes; None for what is no such object.

    A missing or damaged file is a finding, and what follows in it is lost.
    """
    try:
        for number, line in enumerate(bundle.lines(name), 1):
            subject = f"{name}:{number}"
            yield subject, line, _value(line, subject, report)
    except MalformedInput as error:
        report.find("file_unreadable", name, got=error)


def document(bundle: Bundle, name: str, report: Report) -> dict[str, Any]:
    """The object of a .json file, or an empty one with a finding."""
    try:
        content = bundle.read(name, canonical.MAX_BYTES)
    except MalformedInput as error:
        report.find("file_unreadable", name, got=error)
        return {}
    return _value(content, name, report) or {}


def unknown_fields(value: Mapping[str, Any], known: frozenset[str], subject: str, report: Report) -> None:
    """A finding for each field that nobody checks: evidence has no place for what is not evidence."""
    for name in sorted(value.keys() - known):
        report.find("field_unknown", subject, got=name)


def parse(content: bytes) -> Any:
    """The value of canonical JSON, as `canonical.load_canonical` gives it, several times faster for plain ASCII.

    Raises:
        MalformedInput: not canonical JSON.
    """
    canonical.check_nesting(content)
    try:
        value = json.loads(content, parse_int=_small_integer, parse_float=_refuse, parse_constant=_refuse)
        # For ASCII the library's sorted, compact form is RFC 8785's; a repeated key cannot survive being written again.
        if json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("ascii") == content:
            _check_depth(value, 0)
            return value
    except (ValueError, RecursionError):
        pass  # perhaps not ASCII; the full reader decides, and says what is wrong
    return canonical.load_canonical(content, max_bytes=len(content))


def _check_depth(value: Any, depth: int) -> None:
    if depth >= canonical.MAX_DEPTH:
        raise MalformedInput(f"nested deeper than {canonical.MAX_DEPTH}")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            _check_depth(item, depth + 1)


def _small_integer(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > canonical.MAX_INTEGER:
        raise ValueError(text[:40])
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(text[:40])


def _value(content: bytes, subject: str, report: Report) -> dict[str, Any] | None:
    try:
        value = parse(content)
    except MalformedInput:
        value = _tolerate(content, subject, report)
    if value is not None and not isinstance(value, dict):
        report.find("line_unreadable", subject, expected="one JSON object", got=type(value).__name__)
        return None
    return value


def _tolerate(content: bytes, subject: str, report: Report) -> Any:
    """What is JSON in another form is a finding, and is read all the same, so that what it says is judged too."""
    try:
        value = canonical.load_json(content, max_bytes=len(content))
    except MalformedInput as error:
        report.find("line_unreadable", subject, expected="one JSON object", got=error)
        return None
    report.find("line_not_canonical", subject, expected="the one form of RFC 8785")
    return value
