"""Step 9: documents and blobs hash to their names, have their kind's exact shape, and every named one is present."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from crypto.canonical import sha256
from crypto.errors import CryptoError, MalformedInput
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.lines import parse
from marketplace.documents import MAX_DOCUMENT, VALIDATORS
from marketplace.errors import InvalidInputError

DOCUMENTS, BLOBS = "documents/", "blobs/"
MAX_BLOB = 64 << 20
_CREDENTIAL = "VerifiableCredential"
_KEPT = 4096  # parsed documents held in memory: terms and manifests return again and again, a query twice


class Documents:
    """The bundle's documents; each is read and checked once, when it is first asked for or at the end."""

    def __init__(self, bundle: Bundle, report: Report) -> None:
        self._bundle, self._report = bundle, report
        self._cache: OrderedDict[str, dict[str, Any] | None] = OrderedDict()
        self._checked: set[str] = set()
        self._missing: set[tuple[str, str]] = set()

    def get(self, digest: object, kind: str, named_by: str) -> dict[str, Any] | None:
        """The document with this digest, or None with a finding.

        Args:
            digest: "0x" hex.
            kind: the "type" that it must have, or "credential".
            named_by: what names the document, for the finding.
        """
        with self._report.step(9):
            return self._get(digest, kind, named_by)

    def holds(self, digest: object) -> bool:
        """Whether the bundle has a file of that name."""
        return document_name(digest) in self._bundle.names()

    def check_rest(self) -> None:
        """Check every document that nobody asked for."""
        for name in sorted(self._bundle.names()):
            if name.startswith(DOCUMENTS) and name not in self._checked:
                self._read(name)

    def _get(self, digest: object, kind: str, named_by: str) -> dict[str, Any] | None:
        name = document_name(digest)
        if name not in self._bundle.names():
            if (named_by, name) not in self._missing:
                self._missing.add((named_by, name))
                self._report.find("document_missing", named_by, expected=f"{kind} {digest}")
            return None
        if name not in self._cache:
            self._remember(name, self._read(name))
        self._cache.move_to_end(name)
        value = self._cache[name]
        if value is not None and kind_of(value) != kind:
            self._report.find("document_kind", named_by, expected=kind, got=f"{kind_of(value)} {digest}")
            return None
        return value

    def _remember(self, name: str, value: dict[str, Any] | None) -> None:
        self._cache[name] = value
        if len(self._cache) > _KEPT:
            self._cache.popitem(last=False)

    def _read(self, name: str) -> dict[str, Any] | None:
        """The document of that name; its faults are reported once, when it is read for the first time."""
        report = self._report if name not in self._checked else Report()
        self._checked.add(name)
        report.count("documents")
        try:
            content = self._bundle.read(name, MAX_DOCUMENT)
        except MalformedInput as error:
            report.find("file_unreadable", name, got=error)
            return None
        holds = report.same("document_digest", name, name[len(DOCUMENTS) : -len(".json")], sha256(content).hex())
        try:
            value = parse(content)
            _check_shape(value)
        except (CryptoError, InvalidInputError) as error:
            if holds:
                report.find("document_malformed", name, got=error)
            return None
        return dict(value)


def document_name(digest: object) -> str:
    """Where the bundle keeps the document with this digest."""
    return f"{DOCUMENTS}{str(digest)[2:]}.json"


def blob_name(digest: str) -> str:
    """Where the bundle keeps the sealed blob with this digest."""
    return f"{BLOBS}{digest[2:]}"


def kind_of(value: dict[str, Any]) -> str:
    """A document's type; "credential" for a W3C verifiable credential, whose "type" is a list."""
    kind = value.get("type")
    return kind if isinstance(kind, str) else "credential"


def check_blobs(bundle: Bundle, named: Iterable[tuple[str, int, str]], report: Report) -> None:
    """Every blob that a manifest names is there, has its size and hashes to its name; and so does every other blob.

    Args:
        named: digest, size in bytes and the naming manifest of each.
    """
    sizes = {blob_name(digest): (size, manifest) for digest, size, manifest in named}
    for name, (_, manifest) in sizes.items():
        if name not in bundle.names():
            report.find("blob_missing", manifest, expected=name)
    for name in sorted(name for name in bundle.names() if name.startswith(BLOBS)):
        report.count("blobs")
        try:
            content = bundle.read(name, MAX_BLOB)
        except MalformedInput as error:
            report.find("file_unreadable", name, got=error)
            continue
        report.same("blob_digest", name, name[len(BLOBS) :], sha256(content).hex())
        if name in sizes:
            report.same("blob_size", name, sizes[name][0], len(content))


def _check_shape(value: object) -> None:
    if not isinstance(value, dict):
        raise MalformedInput("a document is an object")
    kind = value.get("type")
    if isinstance(kind, str) and kind in VALIDATORS:
        VALIDATORS[kind](value)
    elif not (isinstance(kind, list) and _CREDENTIAL in kind):
        raise MalformedInput(f"no document has the type {str(kind)[:80]!r}")
