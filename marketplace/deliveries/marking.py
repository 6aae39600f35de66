"""Marks in tabular files that tell whose copy it is; docs/security/leakage.md says what they withstand.

A file's terms declare its key columns, which name a row, and its tolerance columns: numbers whose last unit, the
`step`, may be off by one. Each filled cell of a tolerance column is a place of the code (crypto/fingerprint.py); its
number of steps is made even or odd, by adding or taking one at most. A place is named by the row's keys and the column,
so rows and columns may be lost, sorted and mixed with others, and what is left can still be read.
"""

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from crypto import fingerprint
from crypto.canonical import sha256, to_hex
from marketplace.errors import InvalidInputError
from marketplace.words import Words

FEWEST_PLACES = 1_000
MAX_STEPS = 10**15
CHANCE = 1e-6  # that a trace names anybody who had no part in it


@dataclass(frozen=True)
class Copy:
    """The secrets of one delivered copy.

    Args:
        code: the places of the data set, the same for all copies. seed: the copy's own.
    """

    code: fingerprint.Code
    seed: bytes

    @property
    def fingerprint_id(self) -> str:
        """What the delivery note names: a commitment to both secrets, so that no other copy can be named later."""
        return to_hex(sha256(b"marketplace/fingerprint/v1\0" + self.code.secret + self.seed))


def copy_of(secret: bytes, asset: str, order: str, number: int) -> Copy:
    """The copy that `number`, a round of the order, delivers.

    Args:
        secret: the seller's, 32 bytes. asset, order: their ids.
    """
    code = fingerprint.Code(_derive(secret, "code", asset))
    return Copy(code, _derive(secret, "copy", f"{order}/{number}"))


@dataclass(frozen=True)
class Traced:
    """What a leaked file says of one copy: accused where `score` is above `threshold`."""

    score: float
    threshold: float
    places: int

    @property
    def accused(self) -> bool:
        """Whether the copy had a part in it, but for a chance of CHANCE over all copies together."""
        return self.places > 0 and self.score > self.threshold


def mark(content: bytes, declared: Mapping[str, Any], copy: Copy) -> tuple[bytes, int]:
    """The CSV file with the copy's marks, and how many places carry one; rows with the same keys share theirs.

    Args:
        content: CSV in UTF-8 with a header. declared: "keys" and "columns" of the terms' fingerprint.
    Raises:
        InvalidInputError: `delivery_file`: it is no such file, or has fewer than FEWEST_PLACES places.
    """
    names, rows = _table(content)
    _require_columns(names, [*declared["keys"], *(item["name"] for item in declared["columns"])])
    places: set[bytes] = set()
    for row in rows:
        for column in declared["columns"]:
            if row[column["name"]].strip():
                place = _place(row, declared["keys"], column["name"])
                row[column["name"]] = _marked(row[column["name"]], column, copy, place)
                places.add(place)
    if len(places) < FEWEST_PLACES:
        expected = Words(
            f"at least {FEWEST_PLACES} numbers in tolerance columns, of rows with different keys",
            f"容差字段中至少 {FEWEST_PLACES} 个数值，且各行键不同",
        )
        raise _unfit(expected, str(len(places)))
    return _csv(names, rows), len(places)


def trace(content: bytes, declared: Mapping[str, Any], copies: Sequence[Copy]) -> list[Traced]:
    """How much a leaked file speaks against each copy, in their order.

    Args:
        content: what was found: CSV in UTF-8 with a header that still names the key columns.
    Raises:
        InvalidInputError: `delivery_file`: it is no such file.
    """
    names, rows = _table(content)
    _require_columns(names, declared["keys"])
    columns = [item for item in declared["columns"] if item["name"] in names]
    votes: dict[bytes, int] = {}
    for place, bit in _seen(rows, declared["keys"], columns):
        votes[place] = votes.get(place, 0) + (1 if bit else -1)
    seen = [(place, int(vote > 0)) for place, vote in votes.items() if vote]
    limit = fingerprint.threshold(len(seen), CHANCE / max(1, len(copies)))
    return [Traced(copy.code.accuse(copy.seed, seen), limit, len(seen)) for copy in copies]


def _seen(
    rows: Sequence[Mapping[str, str]], keys: Sequence[str], columns: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[bytes, int]]:
    for row in rows:
        for column in columns:
            steps = _steps(row[column["name"]], column["step"])
            if steps is not None:
                yield _place(row, keys, column["name"]), steps & 1


def _marked(text: str, column: Mapping[str, Any], copy: Copy, place: bytes) -> str:
    steps = _steps(text, column["step"])
    if steps is None:
        raise _unfit(
            Words(
                f"a multiple of {column['step']} in the column {column['name']}",
                f"字段 {column['name']} 为 {column['step']} 的倍数",
            ),
            text[:40],
        )
    if steps & 1 != copy.code.bit(copy.seed, place):
        up = steps == 0 or _derive(copy.seed, "side", place.hex())[0] & 1
        steps += 1 if up else -1
    step = Decimal(column["step"])
    return format((steps * step).quantize(step), "f")


def _steps(text: str, step: str) -> int | None:
    """A cell's number of steps; None where it has none."""
    try:
        count = Decimal(text.strip()) / Decimal(step)
        return int(count) if abs(count) <= MAX_STEPS and count == int(count) else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _place(row: Mapping[str, str], keys: Sequence[str], column: str) -> bytes:
    return json.dumps([column, *(row[key].strip() for key in keys)], ensure_ascii=False).encode()


def _table(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names, rows = list(reader.fieldnames or ()), list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unfit(Words("a CSV file in UTF-8 with a header", "带表头的 UTF-8 CSV 文件"), str(error)) from error
    if len(set(names)) != len(names) or any(None in row or None in row.values() for row in rows):
        raise _unfit(
            Words(
                "as many cells in every row as the header has different names", "每行单元数与表头互不相同的名称数相同"
            ),
            "others",
        )
    return names, rows


def _csv(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _require_columns(names: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise _unfit(Words(f"the columns {', '.join(wanted)}", f"字段 {'、'.join(wanted)}"), f"no {', '.join(missing)}")


def _unfit(expected: Words, got: str) -> InvalidInputError:
    return InvalidInputError(
        "delivery_file",
        f"the file cannot be marked or read: expected {expected.en}, got {got}",
        zh=f"文件无法加注或读取指纹：应为{expected.zh}，实为 {got}",
        rule="deliveries.files_carry_marks",
        expected=expected,
        got=got,
        hint="check the file against the columns that the listing's terms declare",
        hint_zh="请对照挂牌条款声明的列检查文件",
    )


def _derive(secret: bytes, label: str, name: str) -> bytes:
    return hmac.new(secret, f"marketplace/{label}/v1/{name}".encode(), hashlib.sha256).digest()
