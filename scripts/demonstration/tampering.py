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

from crypto.canonical import canonical_json
from scripts.demonstration.cast import Cast
from scripts.demonstration.narration import Narrator

SHOWN = 18  # characters of a value
Change = Callable[[bytes], bytes]


def falsify_everything(say: Narrator, cast: Cast, bundle: Path, trust: Path) -> bool:
    """Falsify four things; return whether the auditor named each for what it is, and an unchanged copy passed."""
    say.step("Four things are falsified, one at a time", "篡改与发现")
    changed = cast["auditor"].home / "changed.zip"

    def rewrite(member: str, change: Change) -> Callable[[], None]:
        return lambda: _rewrite(bundle, changed, member, change)

    cases: tuple[tuple[str, str, Callable[[], None]], ...] = (
        (
            "a row in the operator's database: an order's fee",
            "row_field",
            lambda: _from_changed_database(cast, changed),
        ),
        ("a leaf of the log", "log_root", rewrite("log/entries.jsonl", _other_word)),
        ("one bit of a ciphertext", "blob_digest", rewrite("blobs/", _flip_last_bit)),
        ("an amount in the bundle: one fen more", "row_field", rewrite("read_model/payouts.jsonl", _one_fen_more)),
    )
    found = []
    for what, code, falsify in cases:
        falsify()
        say.line(what)
        found.append(_report(say, code, cast["auditor"].audit(str(changed), trust)))
    _rewrite(bundle, changed, "profile.json", bytes)
    copy = cast["auditor"].audit(str(changed), trust)["verdict"]
    say.line(f"a copy repacked in the same way, with nothing changed: {copy}")
    return all(found) and copy == "passed"


def _report(say: Narrator, code: str, verdict: dict[str, Any]) -> bool:
    named = next((finding for finding in verdict["findings"] if finding["code"] == code), None)
    if named is None:
        say.line("NOT FOUND", "bold red")
        return False
    say.line(f"→ found in step {named['step']}: {code}: {named['message']}", "yellow")
    say.line(f"  {named['subject']}: expected {_start(named['expected'])}, got {_start(named['got'])}", "dim")
    return True


def _start(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _from_changed_database(cast: Cast, target: Path) -> None:
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
            new.writestr(name, change(content) if name == chosen else content)


def _other_word(content: bytes) -> bytes:
    return content.replace(b"released", b"relaesed", 1)


def _flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _one_fen_more(content: bytes) -> bytes:
    lines = [json.loads(line) for line in io.BytesIO(content)]
    lines[0]["amount"] += 1
    return b"".join(canonical_json(line) + b"\n" for line in lines)
