"""From a file of rows to a sealed data set in the vault: all or nothing.

The file is read in batches and only cell statistics are kept, so memory is bounded. Everything is written into a
temporary folder that is renamed into place as the last act; whatever fails before leaves the vault as it was.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from crypto.seal.columns import seal_column
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import profile as profile_named
from marketplace.documents import Document, column_names, iso_time, public_shape, validate_manifest
from marketplace.documents.shapes import refuse
from marketplace.errors import InvalidInputError
from marketplace.queries.cohort import Counts
from marketplace.vault.folder import Dataset, Draft, VaultFolder
from marketplace.vault.reading import read_batches
from marketplace.vault.schema import Dimension, Schema, is_ordered, whole_number
from marketplace.vault.statistics import CellStatistics
from marketplace.vault.totals import Integers
from marketplace.vault.values import categories_of

PROFILE = "bfv-8192-cells-1"
FIRST_BATCH = "first"
MAX_CATEGORIES = 10_000
Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stage is "listing", "reading" or "sealing"."""


def _silent(stage: str, done: int, total: int) -> None:
    """No progress report."""


def seal_file(
    path: Path,
    schema: Schema,
    folder: VaultFolder,
    *,
    holder: str,
    release_key: str,
    now: int,
    progress: Progress = _silent,
) -> Dataset:
    """Seal a CSV or Parquet file.

    Args:
        path: the file. schema: what its columns are. folder: the vault to seal into.
        holder: address of the participant who will register the data.
        release_key: address whose signature the vault puts on releases.
        now: unix seconds, for the manifest.
        progress: told how far each stage is.
    Raises:
        InvalidInputError: the file or a row of it is not as declared; nothing was written.
    """
    listed = list_categories(path, schema, progress)
    _check_prefix(listed)
    statistics = CellStatistics(listed, profile_named(PROFILE))
    for batch in read_batches(path, listed.columns):
        statistics.add(batch)
        progress("reading", batch.done, batch.total)
    if not statistics.rows:
        raise InvalidInputError("no_rows", f"{path.name} has no rows", zh=f"{path.name} 没有数据行")
    with folder.draft() as draft:
        frame = _frame(statistics, holder, release_key, now)
        manifest, key = _seal_columns(frame, statistics, draft, progress)
        return folder.keep(draft, manifest, key, _true_counts(statistics))


def list_categories(path: Path, schema: Schema, progress: Progress = _silent) -> Schema:
    """The schema with the categories of every dimension; where they are not declared they are listed from the file.

    Categories are public. Whole numbers are listed in their order, other labels in alphabetical order.

    Raises:
        InvalidInputError: as `read_batches`, or `too_many_categories`.
    """
    open_dimensions = [item for item in schema.dimensions if item.categories is None]
    found: dict[str, set[str]] = {item.name: set() for item in open_dimensions}
    batches = read_batches(path, [item.column for item in open_dimensions]) if open_dimensions else ()
    for batch in batches:
        for item in open_dimensions:
            labels = categories_of(batch.table.column(item.column), item, batch.first_row)
            found[item.name].update(pc.unique(labels).to_pylist())
            _check_count(item, len(found[item.name]))
        progress("listing", batch.done, batch.total)
    return replace(schema, dimensions=tuple(_listed(item, found.get(item.name)) for item in schema.dimensions))


def _listed(item: Dimension, found: set[str] | None) -> Dimension:
    categories = item.categories if found is None else tuple(sorted(found, key=_order))
    assert categories is not None
    return replace(
        item, categories=categories, ordered=is_ordered(categories) if item.ordered is None else item.ordered
    )


def _order(label: str) -> tuple[bool, int, str]:
    number = whole_number(label)
    return number is None, number or 0, label


def _check_prefix(schema: Schema) -> None:
    for item in schema.dimensions:
        if item.name == schema.prefix and not item.ordered:
            raise refuse("schema.prefix", "an ordered dimension: whole numbers in ascending order", item.name)


def _check_count(item: Dimension, count: int) -> None:
    if count > MAX_CATEGORIES:
        raise InvalidInputError(
            "too_many_categories",
            f"{item.column} has more than {MAX_CATEGORIES} different labels",
            zh=f"{item.column} 的类别超过 {MAX_CATEGORIES} 个",
            expected=f"at most {MAX_CATEGORIES}",
            got=count,
            hint="a dimension is a label with few values; declare a number as a measure",
            hint_zh="维度是取值不多的标签；数值请声明为指标",
        )


def _true_counts(statistics: CellStatistics) -> Counts:
    present = {name: counts for name, counts in statistics.counts.items() if name != "rows"}
    return Counts(statistics.counts["rows"], present, (0,), statistics.logical)


def _seal_columns(
    manifest: Document, statistics: CellStatistics, draft: Draft, progress: Progress
) -> tuple[Document, SealingKey]:
    key = SealingKey.generate(profile_named(PROFILE))
    names, (form,) = column_names(manifest), manifest["forms"]
    for done, name in enumerate(names, start=1):
        values = _running(manifest, form["prefix"], statistics.columns[name])
        blobs = [draft.put_blob(blob) for blob in seal_column(key, values)]
        manifest["batches"][-1]["columns"].append({"form": 0, "name": name, "chunks": blobs})
        progress("sealing", done, len(names))
    return validate_manifest(manifest), key


def _running(manifest: Document, prefix: str | None, values: Integers) -> Integers:
    """The values, or their running totals along the dimension `prefix`."""
    if prefix is None:
        return values
    names = [item["name"] for item in manifest["dimensions"] if not item["hidden"]]
    return np.cumsum(values.reshape(public_shape(manifest)), axis=names.index(prefix)).reshape(-1)


def _frame(statistics: CellStatistics, holder: str, release_key: str, now: int) -> Document:
    schema = statistics.schema
    return {
        "type": "manifest",
        "version": 1,
        "title": dict(schema.title),
        "holder": holder,
        "series": None,
        "previous": None,
        "change": {"kind": "first", "batch": FIRST_BATCH},
        "privacy": dict(schema.privacy),
        "dimensions": [
            {
                "name": item.name,
                "ordered": bool(item.ordered),
                "hidden": item.hidden,
                "categories": list(item.categories or ()),
            }
            for item in schema.dimensions
        ],
        "measures": [
            {
                "name": item.name,
                "unit": item.unit,
                "scale": item.scale,
                "low": item.low,
                "high": item.high,
                "bins": list(item.bins),
            }
            for item in schema.measures
        ],
        "joints": [list(joint) for joint in schema.joints],
        "forms": [{"form": name, "profile": PROFILE, "prefix": schema.prefix} for name in schema.forms],
        "blocks": 1,
        "batches": [
            {
                "name": FIRST_BATCH,
                "block": 0,
                "rows": statistics.rows,
                "missing": statistics.missing(),
                "columns": [],
            }
        ],
        "minimumCohort": schema.minimum_cohort,
        "releaseKey": release_key,
        "custodian": None,
        "sealedAt": iso_time(now),
    }
