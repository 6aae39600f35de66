"""Small checks that compose into the shape of a JSON document: what is not named is refused, all lengths are capped.

A check is a function (value, path) that returns nothing or raises InvalidInputError with code `malformed_document`.
`path` tells the reader where in the document the fault is, e.g. "manifest.measures[2].low".
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from marketplace.errors import InvalidInputError
from marketplace.words import Words

Check = Callable[[object, str], None]

_SHOWN = 80  # characters of a foreign value that an error repeats
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def refuse(path: str, expected: Words, got: object) -> InvalidInputError:
    """The error for a value at `path` that is not `expected`; a long value is cut."""
    shown = repr(got)
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
    return InvalidInputError(
        "malformed_document",
        f"{path}: expected {expected.en}, got {shown}",
        zh=f"{path}：应为{expected.zh}，实为 {shown}",
        expected=expected,
        got=shown,
    )


def text(longest: int, shortest: int = 1) -> Check:
    """Text of `shortest` to `longest` characters without control characters or surrounding blanks."""

    def check(value: object, path: str) -> None:
        fits = isinstance(value, str) and shortest <= len(value) <= longest
        if not (fits and isinstance(value, str) and value.isprintable() and value == value.strip()):
            raise refuse(
                path,
                Words(
                    f"printable text of {shortest} to {longest} characters",
                    f"{shortest} 至 {longest} 个字符的可打印文本",
                ),
                value,
            )

    return check


def matching(pattern: str, expected: Words) -> Check:
    """Text that matches the whole regular expression `pattern`; `expected` describes it for people."""
    compiled = re.compile(pattern)

    def check(value: object, path: str) -> None:
        if not (isinstance(value, str) and compiled.fullmatch(value)):
            raise refuse(path, expected, value)

    return check


def hex_bytes(length: int) -> Check:
    """ "0x" and exactly `length` bytes in lower-case hex."""
    return matching(
        f"0x[0-9a-f]{{{2 * length}}}",
        Words(f"0x and {2 * length} lower-case hex digits", f"0x 加 {2 * length} 位小写十六进制数字"),
    )


def hex_up_to(length: int) -> Check:
    """ "0x" and 1 to `length` whole bytes in lower-case hex."""
    pattern = re.compile("0x(?:[0-9a-f]{2})+")

    def check(value: object, path: str) -> None:
        if not (isinstance(value, str) and len(value) <= 2 + 2 * length and pattern.fullmatch(value)):
            raise refuse(
                path,
                Words(f"0x and 1 to {length} bytes in lower-case hex", f"0x 加 1 至 {length} 字节的小写十六进制"),
                value,
            )

    return check


DIGEST = hex_bytes(32)
ADDRESS = hex_bytes(20)
SIGNATURE_TEXT = hex_bytes(65)
NAME = matching(
    "[a-z][a-z0-9_]{0,39}",
    Words("a name of 1 to 40 lower-case letters, digits and underscores", "1 至 40 个小写字母、数字与下划线组成的名称"),
)


def integer(low: int, high: int) -> Check:
    """An integer (no boolean, no float) within [low, high]."""

    def check(value: object, path: str) -> None:
        if not (type(value) is int and low <= value <= high):
            raise refuse(path, Words(f"an integer from {low} to {high}", f"{low} 至 {high} 的整数"), value)

    return check


def boolean(value: object, path: str) -> None:
    """True or false."""
    if type(value) is not bool:
        raise refuse(path, Words("true or false", "true 或 false"), value)


def utc_time(value: object, path: str) -> None:
    """A moment as "2026-01-31T08:00:00Z"."""
    fault = refuse(path, Words("a UTC time such as 2026-01-31T08:00:00Z", "UTC 时间，如 2026-01-31T08:00:00Z"), value)
    if not (isinstance(value, str) and _TIME.fullmatch(value)):
        raise fault
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise fault from None


def one_of(values: Collection[object]) -> Check:
    """Exactly one of `values`, type included."""
    allowed = tuple(values)

    def check(value: object, path: str) -> None:
        if not any(type(value) is type(item) and value == item for item in allowed):
            raise refuse(
                path,
                Words("one of " + ", ".join(map(str, allowed)), "下列之一：" + "、".join(map(str, allowed))),
                value,
            )

    return check


def nullable(inner: Check) -> Check:
    """Null, or what `inner` accepts."""

    def check(value: object, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def array(inner: Check, longest: int, shortest: int = 0, key: Callable[[object], object] | None = None) -> Check:
    """A list of `shortest` to `longest` items; with `key`, no two items may have the same key."""

    def check(value: object, path: str) -> None:
        if not (isinstance(value, list) and shortest <= len(value) <= longest):
            raise refuse(
                path, Words(f"a list of {shortest} to {longest} items", f"{shortest} 至 {longest} 项的数组"), value
            )
        for index, item in enumerate(value):
            inner(item, f"{path}[{index}]")
        if key is not None and len({key(item) for item in value}) != len(value):
            raise refuse(path, Words("items that are all different", "互不相同的各项"), value)

    return check


def mapping(inner: Check, longest: int) -> Check:
    """An object with at most `longest` names (see NAME), each value as `inner` accepts."""

    def check(value: object, path: str) -> None:
        if not (isinstance(value, dict) and len(value) <= longest):
            raise refuse(path, Words(f"an object of at most {longest} members", f"至多 {longest} 个成员的对象"), value)
        for name, item in value.items():
            NAME(name, path)
            inner(item, f"{path}.{name}")

    return check


def record(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly these fields, and of `optional` ones those that differ from what their absence means."""
    more = optional or {}

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise refuse(path, Words("an object", "对象"), value)
        if missing := sorted(fields.keys() - value.keys()):
            raise refuse(path, Words(f"the field {missing[0]}", f"字段 {missing[0]}"), sorted(map(str, value))[:20])
        if unknown := sorted(map(str, value.keys() - fields.keys() - more.keys())):
            raise refuse(
                path,
                Words(
                    "no field besides " + ", ".join((*fields, *more)), "仅限下列字段：" + "、".join((*fields, *more))
                ),
                unknown[0],
            )
        for name, inner in fields.items():
            inner(value[name], f"{path}.{name}")
        for name in more.keys() & value.keys():
            more[name](value[name], f"{path}.{name}")

    return check


def document(kind: str, fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A record whose "type" is `kind` and whose "version" is 1, besides `fields`."""
    return record({"type": one_of([kind]), "version": one_of([1]), **fields}, optional)
