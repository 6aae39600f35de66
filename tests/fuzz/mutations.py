"""Mutations that keep enough structure for the readers behind the first check to be reached.

Each takes the artefact and a source of randomness, so that Hypothesis (which shrinks) and the coverage-guided runner
(which learns) share them.
"""

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

JSON_TARGETS = frozenset(
    {
        "document",
        "task",
        "panel",
        "vault",
        "custodian",
        "custody",
        "answer",
        "profile",
        "problem",
        "chain",
        "credential",
        "schema",
    }
)
_NUMBERS = (0, 1, -1, 2, 4096, 2**31, 2**32, 2**53 - 1, -(2**53 - 1), 2**53, 2**64, 10**40)
_TEXTS = (
    *("", " ", "0x", "0x" + "00" * 32, "0x" + "ff" * 20, "\x00", "é", "𝒳" * 9, "a" * 5000, "null", "-1", "../.."),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "delay", "origin", "COUNT", "\ud800"),
)
_BYTES = (
    *(b"", b"\x00", b"\xff" * 8, b"\x7f", b"\n", b"[" * 40, b"{" * 40, b'"', b"\\u", b"\xed\xa0\x80", b"0" * 30),
    *(b"\xf8" + b"\xff" * 8, b"\x28\xb5\x2f\xfd", b"PK\x05\x06", b"\xe2\x80\x94 ", b"\n\n"),
)
_WORDS = (
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP BY",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "AS",
        "CASE",
        "WHEN",
        "END",
        "IS NULL",
    ),
    *(
        "HAVING",
        "ORDER BY",
        "LIMIT 1",
        "JOIN t",
        "UNION",
        "WITH a AS",
        "DISTINCT",
        "OVER ()",
        "EXISTS",
        "CAST(",
        "::int",
    ),
    *("COUNT(*)", "COUNT()", "SUM(", "AVG(", "OLS(", "RIDGE(", "SCORE(", "WSUM(", "WMEAN(", "CORR(", "COVAR_POP("),
    *("HISTOGRAM(", "APPROX_QUANTILE(", "CONTINGENCY(", "VAR_POP(", "STDDEV(", "lambda =>", "x ->", "{", "}", "[", "]"),
    *(
        "(",
        ")",
        ",",
        ".",
        ";",
        "*",
        "=",
        "<>",
        "<",
        ">=",
        "+",
        "-",
        "/",
        "||",
        "'",
        '"',
        "`",
        "--",
        "/*",
        "*/",
        "@",
        ":a",
    ),
    *("delay", "fare", "origin", "carrier", "month", "'JFK'", "'1'", "2", "1e9", "0.5", "1e999", ".5", "0x1F", "1_000"),
    *(
        "NULL",
        "TRUE",
        "DATE '2020-01-01'",
        "INTERVAL '1' DAY",
        "ARRAY",
        "STRUCT",
        "MAP",
        "t.delay",
        "a.b.c.d",
        "é",
        "\u202e",
    ),
)


def mutate(name: str, data: bytes, random: Random) -> bytes:
    """One to four changes of `data` in the form of the target `name`."""
    change: Callable[[bytes, Random], bytes] = _bytes
    if name in JSON_TARGETS and random.random() < 0.8:
        change = _json
    elif name == "sql" and random.random() < 0.8:
        change = _sql
    for _ in range(random.randint(1, 4)):
        data = change(data, random)
    return data


def _bytes(data: bytes, random: Random) -> bytes:
    """Flip, cut, insert, repeat, or overwrite at one place."""
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice((1, 2, 4, 8, 32, 200)))
    piece = data[start:end]
    kind = random.randrange(6)
    if kind == 0 and piece:
        return data[:start] + bytes((piece[0] ^ 1 << random.randrange(8),)) + data[start + 1 :]
    if kind == 1:
        return data[:start] + data[end:]
    if kind == 2:
        return data[:start] + piece * random.choice((2, 3, 40)) + data[end:]
    if kind == 3:
        return data[:start]
    inserted = random.choice((*_BYTES, random.randbytes(random.choice((1, 4, 8)))))
    return data[:start] + inserted + data[start if kind == 4 else end :]


def _json(data: bytes, random: Random) -> bytes:
    """Change one value of a JSON text; what is no JSON any more is changed as bytes."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _bytes(data, random)
    holder = [value]
    places = _places(holder)
    container, key = places[random.randrange(len(places))]
    kind = random.randrange(6)
    if kind == 0 and isinstance(container, dict):
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[random.choice((*map(str, container), "x", "", "type"))] = container[key]
    elif kind == 2 and isinstance(container, list):
        container.extend([container[key]] * random.choice((1, 2, 70)))
    else:
        container[key] = _other(container[key], places, random)
    return json.dumps(holder[0] if holder else None, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _other(value: Any, places: list[tuple[Any, Any]], random: Random) -> Any:
    kind = random.randrange(6)
    if kind == 0:
        return random.choice(_NUMBERS)
    if kind == 1:
        return random.choice(_TEXTS)
    if kind == 2 and isinstance(value, str) and value:
        return _bytes(value.encode("utf-8", "surrogatepass"), random).decode("utf-8", "replace")
    if kind == 3 and isinstance(value, int):
        return value + random.choice((1, -1)) if not isinstance(value, bool) else 1
    if kind == 4:
        container, key = places[random.randrange(len(places))]
        return json.loads(json.dumps(container[key]))
    return random.choice((None, True, False, [], {}, [value], {"in": value}, [[[[value]]]], -0.5, math.inf, math.nan))


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting: list[Any] = [root]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return found


def _sql(data: bytes, random: Random) -> bytes:
    """Insert, drop, repeat or replace one word."""
    words = data.decode("utf-8", "replace").replace("(", "( ").replace(",", " , ").replace(")", " )").split(" ")
    place = random.randrange(len(words) or 1)
    kind = random.randrange(4)
    if kind == 0:
        words.insert(place, random.choice(_WORDS))
    elif kind == 1:
        del words[place : place + random.choice((1, 2))]
    elif kind == 2:
        words[place : place + 1] = words[place : place + 1] * random.choice((2, 10, 100))
    else:
        words[place : place + 1] = [random.choice(_WORDS)]
    return " ".join(words).encode("utf-8", "replace")
