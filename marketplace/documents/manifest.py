"""The manifest: what was sealed, in which forms, and in which batches.

An update is a new manifest of the same series: it names its predecessor and the one batch that it changes. A batch has
a block of its own, a number that no other batch of the series ever has, so that what was released of one version can be
told apart from what is released of the next; a corrected batch is a new block.

`custodian` is null where the vault holds the sealing key; else it is the address of the process that holds the other
half of it, whose share every answer needs too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from marketplace.documents.columns import COUNTS, SALT, UNSEALED, cell_count, column_names, public_cell_count
from marketplace.documents.common import (
    BILINGUAL,
    BOUND,
    CATEGORY,
    COHORT,
    FORMS,
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
    nullable,
    one_of,
    record,
    refuse,
    text,
    utc_time,
)
from marketplace.errors import InvalidInputError
from marketplace.words import Words

CHANGES = ("first", "append", "correct", "withdraw", "reseal")
MAX_BATCHES = 4096
SALT_BYTES = 16
MAX_PLACES = 1 << 28  # chunks of a column times values of a chunk
BINS = array(integer(-BOUND, BOUND), 255)
JOINTS = array(array(NAME, 16, 2, itself), 16, 0, lambda joint: frozenset(cast(list[str], joint)))
PREFIX = nullable(NAME)

_COUNT = integer(0, 2**40)
_DIMENSION = record(
    {"name": NAME, "ordered": boolean, "hidden": boolean, "categories": array(CATEGORY, 10_000, 1, itself)}
)
_MEASURE = record(
    {
        "name": NAME,
        "unit": text(40),
        "scale": integer(0, 9),
        "low": integer(-BOUND, BOUND),
        "high": integer(-BOUND, BOUND),
        "bins": BINS,
    }
)
_COLUMN = record(
    {
        "form": integer(0, len(FORMS) - 1),
        "name": text(140),
        "chunks": array(record({"blob": DIGEST, "size": integer(1, 1 << 24)}), 4096, 1),
    }
)
_BATCH = record(
    {
        "name": NAME,
        "block": integer(0, 2**32 - 1),
        "rows": _COUNT,
        "missing": mapping(_COUNT, 64),
        "columns": array(_COLUMN, 8192, 1),
    }
)
_PURE = record({"measure": one_of(["pure"])})
_ZCDP = record(
    {
        "measure": one_of(["zcdp"]),
        "delta": matching("1e-[1-9][0-9]?", Words("a power of ten such as 1e-9", "十的幂，如 1e-9")),
    }
)


def privacy_measure(value: object, path: str) -> None:
    """How privacy loss is measured and added up: {"measure": "pure"} or {"measure": "zcdp", "delta": "1e-9"}."""
    (_ZCDP if isinstance(value, dict) and value.get("measure") == "zcdp" else _PURE)(value, path)


_FORM = {"form": one_of(FORMS), "profile": text(60)}
PLACES = integer(1, 1 << 24)
_FORMS = {"cells": {"prefix": PREFIX}, "rows": {"places": PLACES}}


def form_record(value: object, path: str) -> None:
    """One form of sealing: its name and parameter set; of cells also the dimension of running totals, or null; of rows
    how many places every public cell has for them in each batch."""
    own = _FORMS.get(str(value.get("form")), {}) if isinstance(value, dict) else {}
    record({**_FORM, **own})(value, path)


_MANIFEST = document(
    "manifest",
    {
        "title": BILINGUAL,
        "holder": ADDRESS,
        "series": nullable(DIGEST),
        "previous": nullable(DIGEST),
        "change": record({"kind": one_of(CHANGES), "batch": nullable(NAME)}),
        "privacy": privacy_measure,
        "dimensions": array(_DIMENSION, 16, 1, part("name")),
        "measures": array(_MEASURE, 64, 0, part("name")),
        "joints": JOINTS,
        "forms": array(form_record, 3, 1, part("form")),
        "blocks": integer(1, 2**32),
        "batches": array(_BATCH, MAX_BATCHES, 1, part("name")),
        "minimumCohort": COHORT,
        "releaseKey": ADDRESS,
        "custodian": nullable(ADDRESS),
        "sealedAt": utc_time,
    },
)


def validate_manifest(value: object) -> Document:
    """A sealed data set's description, with its parts in agreement."""
    manifest = checked(_MANIFEST, value, "manifest")
    names = [measure["name"] for measure in manifest["measures"]]
    _check_dimensions(manifest, names)
    for measure in manifest["measures"]:
        check_measure(f"manifest.measures.{measure['name']}", measure["low"], measure["high"], measure["bins"])
    for joint in manifest["joints"]:
        check_joint("manifest.joints", joint, names)
    _check_change(manifest)
    _check_batches(manifest, names)
    if manifest["custodian"] == manifest["releaseKey"]:
        raise refuse(
            "manifest.custodian",
            Words("another key than the release key, or null", "不同于发布密钥的密钥，或 null"),
            manifest["custodian"],
        )
    return manifest


def key_holders(manifest: Mapping[str, Any]) -> int:
    """How many parties hold the sealing key: the vault alone, or vault and custodian with one half each."""
    return 1 if manifest["custodian"] is None else 2


def check_measure(path: str, low: int, high: int, bins: list[int]) -> None:
    """Bounds in order; the inner edges of bins strictly ascending, each with room for a value on both sides."""
    if low > high:
        raise refuse(path, Words.alike("low <= high"), (low, high))
    if bins != sorted(set(bins)):
        raise refuse(f"{path}.bins", Words("strictly ascending edges", "严格递增的分界点"), bins)
    if bins and not low < bins[0] <= bins[-1] <= high:
        raise refuse(
            f"{path}.bins",
            Words(f"edges above {low} and at most {high}", f"大于 {low} 且不大于 {high} 的分界点"),
            (bins[0], bins[-1]),
        )


def check_joint(path: str, joint: list[str], measures: list[str]) -> None:
    """A joint names measures."""
    if unknown := [name for name in joint if name not in measures]:
        raise refuse(path, Words("measures: " + ", ".join(measures), "指标：" + "、".join(measures)), unknown[0])


def check_dimensions(path: str, dimensions: list[tuple[str, bool, bool]], prefix: str | None) -> None:
    """At most one hidden dimension, at least one that is not; running totals go along an ordered public one.

    Args:
        dimensions: (name, ordered, hidden) of each.
    """
    hidden = [name for name, _, is_hidden in dimensions if is_hidden]
    if len(hidden) > 1 or len(hidden) == len(dimensions):
        raise refuse(
            f"{path}.dimensions",
            Words("at most one hidden dimension, and one that is not", "至多一个隐藏维度，且至少一个非隐藏维度"),
            hidden,
        )
    ordered = [name for name, is_ordered, is_hidden in dimensions if is_ordered and not is_hidden]
    if prefix is not None and prefix not in ordered:
        raise refuse(f"{path}.prefix", Words("an ordered dimension that is not hidden", "非隐藏的有序维度"), prefix)


def check_places(path: str, cells: int, places: int) -> None:
    """No more places for rows in all public cells than a column has room for."""
    if cells * places > MAX_PLACES:
        raise refuse(
            path,
            Words(f"at most {MAX_PLACES} places in all public cells", f"全部公开单元至多 {MAX_PLACES} 个位置"),
            f"{cells} x {places}",
        )


def check_forms(forms: Sequence[str], dimensions: Sequence[tuple[str, bool, bool]], prefix: str | None) -> None:
    """Forms that these dimensions allow: indicators want a hidden dimension, running totals want cells.

    Args:
        forms: their names. dimensions: (name, ordered, hidden) of each. prefix: dimension of running totals.
    Raises:
        InvalidInputError: `forms_impossible`.
    """
    if "products" in forms and not any(hidden for _, _, hidden in dimensions):
        raise _impossible(forms, Words("a hidden dimension for the form products", "products 形式须有一个隐藏维度"))
    if prefix is not None and "cells" not in forms:
        raise _impossible(
            forms, Words(f"the form cells for running totals along {prefix}", f"沿 {prefix} 累计须有 cells 形式")
        )


def _impossible(forms: Sequence[str], expected: Words) -> InvalidInputError:
    return InvalidInputError(
        "forms_impossible",
        f"the data cannot be sealed in these forms: expected {expected.en}",
        zh=f"无法以这些形式密封：{expected.zh}",
        rule="manifest.forms",
        expected=expected,
        got=", ".join(forms),
        hint="declare hidden = true for one dimension, or leave the form out",
        hint_zh="请将一个维度声明为 hidden = true，或去掉该形式",
    )


def _check_dimensions(manifest: Document, measures: list[str]) -> None:
    dimensions = [(item["name"], item["ordered"], item["hidden"]) for item in manifest["dimensions"]]
    if shared := sorted(set(measures) & {name for name, _, _ in dimensions}):
        raise refuse("manifest.measures", Words("names that no dimension has", "不与维度重名的名称"), shared)
    if cell_count(manifest) > MAX_CELLS:
        raise refuse(
            "manifest.dimensions", Words(f"at most {MAX_CELLS} cells", f"至多 {MAX_CELLS} 个单元"), cell_count(manifest)
        )
    for form in manifest["forms"]:
        check_dimensions("manifest", dimensions, form.get("prefix"))
        check_places("manifest.forms.places", public_cell_count(manifest), form.get("places", 1))
    check_forms([form["form"] for form in manifest["forms"]], dimensions, None)


def _check_change(manifest: Document) -> None:
    kind, batch = manifest["change"]["kind"], manifest["change"]["batch"]
    is_first = kind == "first"
    if (manifest["series"] is None, manifest["previous"] is None) != (is_first, is_first):
        raise refuse(
            "manifest.previous",
            Words("series and previous exactly in a later version", "仅后续版本须有 series 与 previous"),
            manifest["previous"],
        )
    if is_first and len(manifest["batches"]) != 1:
        raise refuse(
            "manifest.batches", Words("one batch in a first version", "首个版本仅有一个批次"), len(manifest["batches"])
        )
    if (batch is None) != (kind == "reseal"):
        raise refuse("manifest.change.batch", Words("the batch that changes", "所变更的批次"), batch)
    names = [item["name"] for item in manifest["batches"]]
    if batch is not None and (batch in names) != (kind != "withdraw"):
        raise refuse(
            "manifest.change.batch",
            Words("a batch that is there unless it was withdrawn", "存在的批次（已撤回的除外）"),
            batch,
        )


def _check_batches(manifest: Document, measures: list[str]) -> None:
    blocks = [batch["block"] for batch in manifest["batches"]]
    if len(set(blocks)) != len(blocks) or max(blocks) >= manifest["blocks"]:
        raise refuse(
            "manifest.blocks",
            Words("batches with blocks of their own, below blocks", "各批次的块互不相同且在块数之内"),
            blocks,
        )
    forms = range(len(manifest["forms"]))
    expected = [(form, name) for form in forms for name in column_names(manifest, form)]
    for batch in manifest["batches"]:
        path = f"manifest.batches.{batch['name']}"
        found = [(column["form"], column["name"]) for column in batch["columns"]]
        if found != expected:
            raise refuse(
                f"{path}.columns", Words.alike(", ".join(name for _, name in expected)), [name for _, name in found]
            )
        if sorted(batch["missing"]) != sorted(measures):
            raise refuse(
                f"{path}.missing", Words("one count for each measure", "每项指标一个计数"), sorted(batch["missing"])
            )
        for form in forms:
            columns = [item for item in batch["columns"] if item["form"] == form and item["name"] not in UNSEALED]
            _check_chunks(f"{path}.columns", columns)
        _check_unsealed(path, batch, {COUNTS: 4 * public_cell_count(manifest), SALT: SALT_BYTES})


def _check_unsealed(path: str, batch: Document, sizes: Mapping[str, int]) -> None:
    for column in batch["columns"]:
        name, found = column["name"], [chunk["size"] for chunk in column["chunks"]]
        if name in sizes and found != [sizes[name]]:
            raise refuse(
                f"{path}.columns.{name}",
                Words(f"one chunk of {sizes[name]} bytes", f"一个 {sizes[name]} 字节的分片"),
                found,
            )


def _check_chunks(path: str, columns: list[dict[str, Any]]) -> None:
    if len({len(column["chunks"]) for column in columns}) != 1:
        raise refuse(path, Words("the same number of chunks in every column", "各列的分片数相同"), "different numbers")
