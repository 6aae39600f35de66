"""The manifest: what was sealed."""

import math
from collections.abc import Mapping
from typing import Any

from crypto.canonical import to_hex
from crypto.merkle import root
from marketplace.documents.common import (
    BILINGUAL,
    BOUND,
    CATEGORY,
    COHORT,
    LAYOUTS,
    MAX_CELLS,
    Document,
    checked,
    itself,
    part,
)
from marketplace.documents.shapes import (
    ADDRESS,
    DIGEST,
    NAME,
    array,
    boolean,
    document,
    integer,
    mapping,
    matching,
    one_of,
    record,
    refuse,
    text,
    utc_time,
)
from marketplace.types import Digest

_DIMENSION = record({"name": NAME, "ordered": boolean, "categories": array(CATEGORY, 10_000, 1, itself)})
_MEASURE = record(
    {
        "name": NAME,
        "unit": text(40),
        "scale": integer(0, 9),
        "low": integer(-BOUND, BOUND),
        "high": integer(-BOUND, BOUND),
    }
)
_COLUMN = record(
    {
        "name": matching(
            "rows|(n|sum|sumsq):[a-z][a-z0-9_]{0,39}", "rows, n:<measure>, sum:<measure> or sumsq:<measure>"
        ),
        "chunks": array(record({"blob": DIGEST, "size": integer(1, 1 << 24)}), 4096, 1),
    }
)
_MANIFEST = document(
    "manifest",
    {
        "title": BILINGUAL,
        "holder": ADDRESS,
        "layout": one_of(LAYOUTS),
        "profile": text(60),
        "dimensions": array(_DIMENSION, 16, 1, part("name")),
        "measures": array(_MEASURE, 64, 0, part("name")),
        "rows": integer(0, 2**40),
        "missing": mapping(integer(0, 2**40), 64),
        "columns": array(_COLUMN, 256, 1, part("name")),
        "minimumCohort": COHORT,
        "releaseKey": ADDRESS,
        "sealedAt": utc_time,
    },
)


def cell_count(manifest: Mapping[str, Any]) -> int:
    """Number of cells: the product of the sizes of all category lists."""
    return math.prod(len(dimension["categories"]) for dimension in manifest["dimensions"])


def column_names(manifest: Mapping[str, Any]) -> list[str]:
    """The columns a cells layout must have, in order: rows, then n, sum and sumsq of every measure."""
    names = [measure["name"] for measure in manifest["measures"]]
    return ["rows", *(f"{part}:{name}" for name in names for part in ("n", "sum", "sumsq"))]


def blob_digests(manifest: Mapping[str, Any]) -> list[bytes]:
    """Digests of all sealed blobs in manifest order: the leaves of the ciphertext root."""
    return [bytes.fromhex(chunk["blob"][2:]) for column in manifest["columns"] for chunk in column["chunks"]]


def ciphertext_root(manifest: Mapping[str, Any]) -> Digest:
    """RFC 6962 root over the blob digests, as "0x" hex; stands on the ledger."""
    return Digest(to_hex(root(blob_digests(manifest))))


def validate_manifest(value: object) -> Document:
    """A sealed data set's description, with its parts in agreement."""
    manifest = checked(_MANIFEST, value, "manifest")
    names = [measure["name"] for measure in manifest["measures"]]
    dimensions = [dimension["name"] for dimension in manifest["dimensions"]]
    if set(names) & set(dimensions):
        raise refuse("manifest.measures", "names that no dimension has", sorted(set(names) & set(dimensions)))
    if cell_count(manifest) > MAX_CELLS:
        raise refuse("manifest.dimensions", f"at most {MAX_CELLS} cells", cell_count(manifest))
    if [column["name"] for column in manifest["columns"]] != column_names(manifest):
        raise refuse("manifest.columns", ", ".join(column_names(manifest)), [c["name"] for c in manifest["columns"]])
    if len({len(column["chunks"]) for column in manifest["columns"]}) != 1:
        raise refuse("manifest.columns", "the same number of chunks in every column", "different numbers")
    if sorted(manifest["missing"]) != sorted(names):
        raise refuse("manifest.missing", "one count for each measure", sorted(manifest["missing"]))
    for measure in manifest["measures"]:
        if measure["low"] > measure["high"]:
            raise refuse(f"manifest.measures.{measure['name']}", "low <= high", (measure["low"], measure["high"]))
    return manifest
