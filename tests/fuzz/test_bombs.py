"""Small inputs made to become large: each is refused, or read, within a stated multiple of its own size.

Memory is what Python's allocator gave out at the most, so the numbers are the same on every machine. Time is bounded by
sizes and counts that are checked before a parser runs; a reader that still takes for ever meets the suite's time limit.
The recursion limit is as high as some dependencies put it, so that a reader that recurses without a cap of its own ends
the test process.
"""

import io
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

import pytest

from tests.fuzz.targets import TARGETS, run

MIB = 1 << 20
SQL = "SELECT COUNT(*) FROM t WHERE "
MOST_SQL = 10_000


def _filled(start: str, piece: str, end: str = "") -> bytes:
    """SQL text of nearly as many characters as are read at all."""
    return (start + piece * ((MOST_SQL - len(start) - len(end)) // len(piece)) + end).encode()


def _many_members() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(5_000):
            archive.writestr(f"documents/{number}", b"")
    return held.getvalue()


def _dense_member() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger/headers.jsonl", bytes(64 * MIB))
    return held.getvalue()


def _rlp_list(payload: bytes) -> bytes:
    size = len(payload).to_bytes(4, "big").lstrip(b"\0")
    return bytes((0xF7 + len(size),)) + size + payload


# What it is, the target, the input, the most memory in bytes that reading may take.
BOMBS: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "brackets": ("json", lambda: b"[" * MIB, 4 * MIB),
    "brackets and members": ("json", lambda: b'{"a":[' * (MIB // 6), 4 * MIB),
    "brackets in a text": ("json", lambda: b'"' + b"[" * (MIB - 2) + b'"', 16 * MIB),
    "brackets in UTF-16": ("json", lambda: ("[" * (MIB // 2)).encode("utf-16"), 4 * MIB),
    "a number of a million digits": ("json", lambda: b"9" * MIB, 8 * MIB),
    "a fraction of a million digits": ("json", lambda: b"0." + b"9" * (MIB - 2), 8 * MIB),
    "one key many times": ("json", lambda: b"{" + b'"a":1,' * 10_000 + b'"a":1}', 8 * MIB),
    "many empty lists": ("json", lambda: b"[" + b"[]," * 10_000 + b"[]]", 8 * MIB),
    "longer than is read": ("json", lambda: b" " * (2 * MIB), 4 * MIB),
    "a text of backslashes": ("json", lambda: b'"' + b"\\" * (MIB - 1), 8 * MIB),
    "a list of all small items": ("document", lambda: b'{"type":[' + b"0," * 20_000 + b"0]}", 8 * MIB),
    "parentheses": ("sql", lambda: _filled(SQL, "("), 32 * MIB),
    "balanced parentheses": ("sql", lambda: _filled(SQL + "(" * 4_900, ")"), 32 * MIB),
    "a long list": ("sql", lambda: _filled(SQL + "origin IN (", "'JFK',", "'JFK')"), 64 * MIB),
    "many conditions": ("sql", lambda: _filled(SQL + "month = 1", " AND month = 1"), 64 * MIB),
    "many negations": ("sql", lambda: _filled(SQL, "NOT ", "month = 1"), 64 * MIB),
    "many signs": ("sql", lambda: _filled(SQL + "month = ", "- ", "1"), 64 * MIB),
    "many joins": ("sql", lambda: _filled("SELECT COUNT(*) FROM t", " JOIN t"), 32 * MIB),
    "many calls": ("sql", lambda: _filled("SELECT ", "DATE(", "1"), 32 * MIB),
    "many cases": ("sql", lambda: _filled("SELECT ", "CASE WHEN ", "1"), 32 * MIB),
    "many casts": ("sql", lambda: _filled("SELECT delay", "::int", " FROM t"), 64 * MIB),
    "many comments": ("sql", lambda: _filled("SELECT ", "/*", "COUNT(*) FROM t"), 32 * MIB),
    "many selects": ("sql", lambda: _filled("", "SELECT 1; "), 64 * MIB),
    "many dots": ("sql", lambda: _filled("SELECT a", ".a", " FROM t"), 64 * MIB),
    "wide letters": ("sql", lambda: _filled("SELECT ", "𝒳", " FROM t"), 32 * MIB),
    "longer text than is read": ("sql", lambda: b"SELECT " + b"1," * MIB, 16 * MIB),
    "lists in RLP": ("rlp", lambda: _rlp_list(b"\xc0" * (MIB - 5)), 4 * MIB),
    "deep lists in RLP": ("rlp", lambda: b"\xc1" * 10_000 + b"\xc0", 1 * MIB),
    "a length beyond memory": ("rlp", lambda: b"\xbf" + b"\x7f" * 8 + b"a", 1 * MIB),
    "line feeds": ("note", lambda: b"\n" * (1 << 18), 16 * MIB),
    "a longer note than is read": ("note", lambda: b"a" * (1 << 22), 32 * MIB),
    "escapes in a sign-in": ("signin", lambda: b"https://" + b"%41" * 2_700 + b" wants you to sign in", 4 * MIB),
    "slashes in a sign-in": (
        "signin",
        lambda: TARGETS["signin"].seeds()[0].replace(b"/sign-in", b"/" * 7_000),
        4 * MIB,
    ),
    "many members": ("bundle", _many_members, 32 * MIB),
    "a dense member": ("bundle", _dense_member, 4 * MIB),
}


@pytest.fixture(autouse=True)
def _recursion_as_dependencies_leave_it() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize("name", BOMBS)
def test_memory_stays_within_the_stated_bound(name: str) -> None:
    target, make, most = BOMBS[name]
    data = make()
    run(target, TARGETS[target].seeds()[0])  # what is loaded or made once does not count
    tracemalloc.start()
    try:
        run(target, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak >> 20} MiB for {len(data)} bytes"
