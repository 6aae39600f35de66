"""Step 8: the log is one append-only sequence of leaves, and every root that anybody was ever shown is a root of it.

All leaves are in the bundle, so roots are computed, not proved: a checkpoint or anchor of size n must equal the root
over the first n leaves. That is inclusion of every leaf and consistency between all checkpoints at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crypto.canonical import to_hex
from crypto.errors import CryptoError, MalformedInput
from crypto.merkle import EMPTY_ROOT, Frontier, leaf_hash
from crypto.note import Verifier
from crypto.timestamps import from_text, to_text
from crypto.tlog import Checkpoint, open_checkpoint
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.lines import objects, raw_objects
from marketplace.auditor.readmodel.rows import Row

ENTRIES, LATEST, CHECKPOINTS = "log/entries.jsonl", "log/checkpoint", "log/checkpoints.jsonl"
MAX_NOTE = 64 << 10


def read_checkpoints(bundle: Bundle, log: Verifier, report: Report) -> dict[int, list[tuple[str, bytes]]]:
    """Size to the roots that the log's key signed for it, each with its place; the latest one is among them."""
    found: dict[int, list[tuple[str, bytes]]] = {}
    for subject, value in objects(bundle, CHECKPOINTS, report):
        checkpoint = _open(value.get("note"), log, subject, report)
        report.same("checkpoint_fields", subject, ["note", "size"], sorted(value))
        if checkpoint is not None:
            report.same("checkpoint_fields", f"{subject} size", checkpoint.size, value.get("size"))
            found.setdefault(checkpoint.size, []).append((subject, checkpoint.root))
    latest = _read_latest(bundle, log, report)
    if latest is not None:
        report.same("checkpoint_latest", LATEST, max([latest.size, *found]), latest.size)
        if latest.size not in found:
            report.find("checkpoint_missing", CHECKPOINTS, expected=f"one of {latest.size} leaves, as {LATEST}")
        found.setdefault(latest.size, []).append((LATEST, latest.root))
    return found


def _read_latest(bundle: Bundle, log: Verifier, report: Report) -> Checkpoint | None:
    try:
        note = bundle.read(LATEST, MAX_NOTE).decode("utf-8")
    except (MalformedInput, UnicodeDecodeError) as error:
        report.find("file_unreadable", LATEST, got=error)
        return None
    return _open(note, log, LATEST, report)


def _open(note: object, log: Verifier, subject: str, report: Report) -> Checkpoint | None:
    report.count("checkpoints")
    try:
        if not isinstance(note, str):
            raise MalformedInput("a signed note is text")
        return open_checkpoint(note.encode("utf-8"), log)
    except (CryptoError, UnicodeEncodeError) as error:
        report.find("checkpoint_signature", subject, expected=log.name, got=error)
        return None


class LogReader:
    """Reads the leaves once, in order, and compares roots on the way.

    Args:
        checkpoints: as `read_checkpoints` gives them.
    """

    def __init__(self, checkpoints: Mapping[int, list[tuple[str, bytes]]], report: Report) -> None:
        self._report = report
        self._frontier, self._last, self._good = Frontier(), "", 0
        self._signed = frozenset(checkpoints)
        self._roots = {size: list(roots) for size, roots in checkpoints.items()}

    def expect(self, roots: Iterable[tuple[int, bytes, str]]) -> None:
        """Roots that the log must have had: size, root, and where that was stated."""
        for size, root, place in roots:
            self._roots.setdefault(size, []).append((place, root))

    def expect_anchors(self, anchors: Iterable[Row]) -> None:
        """Rows of the derived table of anchors."""
        for row in anchors:
            self._report.count("anchors")
            if row["size"] not in self._signed:
                self._report.find(
                    "checkpoint_missing", CHECKPOINTS, expected=f"one of {row['size']} leaves, as anchored"
                )
            self.expect([(row["size"], bytes.fromhex(row["root"][2:]), f"anchor of {row['size']} leaves")])

    def leaves(self, bundle: Bundle) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each readable leaf with its position; the roots that are due are compared on the way."""
        self._compare(EMPTY_ROOT)
        for subject, raw, leaf in raw_objects(bundle, ENTRIES, self._report):
            position = self._frontier.size
            self._report.count("leaves")
            self._frontier.append(leaf_hash(raw))
            if self._frontier.size in self._roots:
                self._compare(self._frontier.root())
            if leaf is not None and self._has_form(leaf, subject):
                yield position, leaf
        self._finish()

    def _compare(self, root: bytes) -> None:
        size = self._frontier.size
        for subject, stated in self._roots.pop(size, ()):
            place = f"{subject}: leaves {self._good} to {size - 1}"
            if self._report.same("log_root", place, to_hex(root), to_hex(stated)):
                self._good = size

    def _has_form(self, leaf: dict[str, Any], subject: str) -> bool:
        try:
            moment = from_text(leaf.get("at"), "at")
        except CryptoError as error:
            self._report.find("leaf_malformed", subject, got=error)
            return False
        if not isinstance(leaf.get("type"), str) or to_text(int(moment.timestamp())) != leaf["at"]:
            self._report.find("leaf_malformed", subject, expected="a type, and a time in whole seconds UTC")
            return False
        if leaf["at"] < self._last:
            self._report.find("leaf_time", subject, expected=f">= {self._last}", got=leaf["at"])
        self._last = leaf["at"]
        return True

    def _finish(self) -> None:
        for size, roots in sorted(self._roots.items()):
            for subject, _ in roots:
                self._report.find("log_shorter", subject, expected=f">= {size} leaves", got=self._frontier.size)
        covered, size = max(self._signed, default=0), self._frontier.size
        if covered < size:
            self._report.find("leaf_unsigned", ENTRIES, expected=f"a checkpoint of {size}", got=covered)
