"""What a manifest says in numbers: its cells, its columns in their fixed order, its blobs.

A cell is one combination of categories, numbered in mixed radix over the dimensions in declared order, the last one
fastest. A LOGICAL cell combines all dimensions, a PUBLIC cell those that are not hidden. Every batch of a form has the
same columns. In the cells form a column holds one value for each public cell, in the others one for each row, sorted by
public cell. In the products form the column "counts" says, unsealed, how many rows each public cell has; in the rows
form every public cell has the same number of places (the form's `places`), and a place without a row holds 0. Names of
columns:

    rows, n:<measure>, sum:<measure>, sumsq:<measure>     rows; present values, their sum, their sum of squares;
                                                          in a form of rows, those of one row: "rows" is 1 for each
    bin:<measure>:<i>                                     values in bin i of the measure
    n@<j>, sum@<j>:<measure>, cross@<j>:<a>:<b>           over the rows where every measure of joint j is present
    ind:<dimension>:<i>                                   1 for each row of category i of the hidden dimension, else 0
    counts                                                rows of each public cell, 32-bit little-endian, public
    salt                                                  of the sheets that pad the form's rows, 16 bytes, public
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

from crypto.canonical import to_hex
from crypto.merkle import root
from marketplace.documents.common import digest
from marketplace.types import Digest

Manifest = Mapping[str, Any]
COUNTS, SALT = "counts", "salt"
"""The columns that are not sealed: of products, and of padded rows."""
UNSEALED = (COUNTS, SALT)


def cell_shape(manifest: Manifest) -> tuple[int, ...]:
    """Number of categories of each dimension."""
    return tuple(len(item["categories"]) for item in manifest["dimensions"])


def public_shape(manifest: Manifest) -> tuple[int, ...]:
    """Number of categories of each dimension that is not hidden."""
    return tuple(len(item["categories"]) for item in manifest["dimensions"] if not item["hidden"])


def cell_count(manifest: Manifest) -> int:
    """Number of logical cells: the product of the sizes of all category lists."""
    return math.prod(cell_shape(manifest))


def public_cell_count(manifest: Manifest) -> int:
    """Number of public cells: as `cell_count`, without hidden dimensions."""
    return math.prod(public_shape(manifest))


def row_count(manifest: Manifest) -> int:
    """Rows of all batches."""
    return sum(int(batch["rows"]) for batch in manifest["batches"])


def missing_counts(manifest: Manifest) -> dict[str, int]:
    """For each measure, how many rows of all batches have no value."""
    names = [measure["name"] for measure in manifest["measures"]]
    return {name: sum(int(batch["missing"][name]) for batch in manifest["batches"]) for name in names}


def column_names(manifest: Manifest, form: int = 0) -> list[str]:
    """The columns that every batch has in the form at this position, in order."""
    return _COLUMNS[manifest["forms"][form]["form"]](manifest)


def _cells_columns(manifest: Manifest) -> list[str]:
    names = ["rows"]
    for measure in manifest["measures"]:
        names += [f"{part}:{measure['name']}" for part in ("n", "sum", "sumsq")]
        names += [f"bin:{measure['name']}:{index}" for index in range(bin_count(measure))]
    for index, joint in enumerate(manifest["joints"]):
        names += [f"n@{index}", *(f"sum@{index}:{name}" for name in joint)]
        pairs = itertools.combinations_with_replacement(joint, 2)
        names += [f"cross@{index}:{first}:{second}" for first, second in pairs]
    return names


def _rows_columns(manifest: Manifest) -> list[str]:
    names = [measure["name"] for measure in manifest["measures"]]
    columns = [SALT, "rows", *(f"{part}:{name}" for name in names for part in ("n", "sum", "sumsq"))]
    for index, joint in enumerate(manifest["joints"]):
        columns += [f"n@{index}", *(f"sum@{index}:{name}" for name in joint)]
    return columns


def _products_columns(manifest: Manifest) -> list[str]:
    names = [measure["name"] for measure in manifest["measures"]]
    hidden = [item for item in manifest["dimensions"] if item["hidden"]]
    indicators = [f"ind:{item['name']}:{index}" for item in hidden for index in range(len(item["categories"]))]
    return [COUNTS, "rows", *(f"{part}:{name}" for name in names for part in ("n", "sum")), *indicators]


_COLUMNS = {"cells": _cells_columns, "rows": _rows_columns, "products": _products_columns}


def bin_count(measure: Manifest) -> int:
    """Number of bins of a measure; none where it declares no edges."""
    return len(measure["bins"]) + 1 if measure["bins"] else 0


def column_chunks(batch: Manifest, form: int, name: str) -> list[dict[str, Any]]:
    """The chunks of one column of a batch, in order."""
    found = next(item for item in batch["columns"] if item["form"] == form and item["name"] == name)
    return cast(list[dict[str, Any]], found["chunks"])


def all_chunks(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Every chunk in manifest order: batch by batch, column by column."""
    for batch in manifest["batches"]:
        for column in batch["columns"]:
            yield from column["chunks"]


def blob_digests(manifest: Manifest) -> list[bytes]:
    """Digests of all sealed blobs in manifest order: the leaves of the ciphertext root."""
    return [bytes.fromhex(chunk["blob"][2:]) for chunk in all_chunks(manifest)]


def ciphertext_root(manifest: Manifest) -> Digest:
    """RFC 6962 root over the blob digests, as "0x" hex; stands on the ledger."""
    return Digest(to_hex(root(blob_digests(manifest))))


def series_of(manifest: Manifest) -> Digest:
    """The series that a manifest belongs to: the digest of its first manifest. Budget and cohorts are the series'."""
    return Digest(manifest["series"] or digest(manifest))
