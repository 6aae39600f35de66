"""The last act: four things are falsified, one at a time, and the auditor names each.

A row of the operator's database, a leaf of the log, a bit of a ciphertext, an amount in the bundle.
"""

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.demonstration.cast import Cast
from scripts.demonstration.narration import Narrator

Change = Callable[[str, bytes], bytes]


def falsify_everything(say: Narrator, cast: Cast, bundle: Path, trust: Path) -> bool:
    """Falsify four things; return whether the auditor found and named every one."""
    say.step("Four things are falsified, one at a time", "篡改与发现")
    changed = cast["auditor"].home / "changed.zip"
    cases: tuple[tuple[str, Callable[[], None]], ...] = (
        ("a row in the operator's database: an order's fee", lambda: _fetch_from_changed_database(cast, changed)),
        ("a leaf of the log", lambda: _rewrite(bundle, changed, "log/entries.jsonl", _other_word)),
        ("one bit of a ciphertext", lambda: _rewrite(bundle, changed, "blobs/", _flip_last_bit)),
        (
            "an amount in the bundle: one fen more",
            lambda: _rewrite(bundle, changed, "read_model/payouts.jsonl", _one_fen_more),
        ),
    )
    found = []
    for what, falsify in cases:
        falsify()
        found.append(_report(say, what, cast["auditor"].audit(str(changed), trust)))
    return all(found)


def _report(say: Narrator, what: str, verdict: dict[str, Any]) -> bool:
    say.line(what)
    if verdict["verdict"] == "passed":
        say.line("NOT FOUND", "bold red")
        return False
    first = verdict["findings"][0]
    say.line(f"→ found in step {first['step']}: {first['code']}: {first['message']}", "yellow")
    return True


def _fetch_from_changed_database(cast: Cast, target: Path) -> None:
    """The operator edits its own database, hands out a bundle, and puts the row back."""
    database = cast["exchange"].home / "data" / "marketplace.db"
    _execute(database, "UPDATE orders SET fee = fee + 1")
    try:
        cast["auditor"].call("evidence", "bundle", str(target))
    finally:
        _execute(database, "UPDATE orders SET fee = fee - 1")


def _execute(database: Path, statement: str) -> None:
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute(statement)


def _rewrite(source: Path, target: Path, member: str, change: Change) -> None:
    """Copy a zip, changing the first member whose name begins with `member`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = next(name for name in sorted(old.namelist()) if name.startswith(member))
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(name, content) if name == chosen else content)


def _other_word(_name: str, content: bytes) -> bytes:
    return content.replace(b"released", b"relaesed", 1)


def _flip_last_bit(_name: str, content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _one_fen_more(_name: str, content: bytes) -> bytes:
    lines = [json.loads(line) for line in io.BytesIO(content)]
    lines[0]["amount"] += 1
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
