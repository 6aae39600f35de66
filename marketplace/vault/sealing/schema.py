"""The supplier's declaration of a data set: which columns are dimensions, which are measures, and within which bounds.

    minimumCohort = 100
    missing = ["", "NA"]            # texts of a measure that mean "no value", besides nulls; these by default
    prefix = "month"                # seal running totals along this ordered dimension: a range of it costs two cells
    forms = ["cells"]               # how the data are sealed; this by default; "products" for a hidden dimension
    [rows]                          # for the form "rows": sealed row by row
    perCell = 4096                  # places for the rows of every public cell in a batch; unused ones are sealed zeros
    bits = 64                       # of a sealed value; 40 or 24 where every total stays below 2^39 or 2^23
    [title]
    en = "Flights from New York, 2013"
    zh = "2013 年纽约出港航班"
    [[dimensions]]
    name = "origin"
    categories = ["EWR", "JFK", "LGA"]   # leave out to have them listed from the data: they will be public
    [[measures]]
    name = "arr_delay"
    unit = "minute"
    scale = 0                       # decimals kept: a value is an integer times 10^-scale
    low = -100                      # bounds in units of 10^-scale; the privacy noise is as wide as they are
    high = 1500
    bins = [0, 15, 60]              # inner edges of a histogram, in the same units: a bin holds edge <= x < next edge
    [[joints]]
    measures = ["arr_delay", "distance"]   # cross products over the rows where all are present: covariance, regression
    [privacy]
    measure = "pure"                # how privacy loss adds up; or "zcdp" with delta = "1e-9"

`column` names the file's column where it differs from `name`. `ordered` says whether BETWEEN makes sense; by default it
does where all categories are whole numbers in ascending order. `hidden = true` keeps one dimension out of the public
cells; the form "products" seals a 0/1 column for each of its categories, so that questions can tell them apart. Bounds
are declared, never taken from the data: bounds that follow the data would tell its extremes. The same goes for the
edges of bins.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.documents.common import BILINGUAL, BOUND, CATEGORY, COHORT, FORMS, itself, part
from marketplace.documents.manifest import (
    BINS,
    JOINTS,
    PLACES,
    check_dimensions,
    check_forms,
    check_joint,
    check_measure,
    privacy_measure,
)
from marketplace.documents.shapes import NAME, Check, array, boolean, integer, one_of, refuse, text
from marketplace.errors import InvalidInputError
from marketplace.sdk.http.foreign import parse_json
from marketplace.words import Words

DEFAULT_COHORT = 100
DEFAULT_MISSING = ("", "NA")
PAD_BITS = (64, 40, 24)
_MAX_SCHEMA = 1 << 20
_WHOLE = re.compile("-?[0-9]{1,18}")


@dataclass(frozen=True)
class Dimension:
    """A public label of rows. `categories` is None until they are listed from the data."""

    name: str
    column: str
    categories: tuple[str, ...] | None
    ordered: bool | None
    hidden: bool


@dataclass(frozen=True)
class Measure:
    """A sealed quantity: integers in units of 10^-scale within [low, high]."""

    name: str
    column: str
    unit: str
    scale: int
    low: int
    high: int
    bins: tuple[int, ...]

    @property
    def largest(self) -> int:
        """The largest magnitude of a value."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Schema:
    """A declared data set."""

    title: Mapping[str, str]
    minimum_cohort: int
    missing: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    joints: tuple[tuple[str, ...], ...]
    forms: tuple[str, ...]
    prefix: str | None
    privacy: Mapping[str, str]
    places: int | None = None
    pad_bits: int = PAD_BITS[0]

    @property
    def columns(self) -> list[str]:
        """Columns of the file that are read."""
        return list(dict.fromkeys([item.column for item in self.dimensions] + [item.column for item in self.measures]))


def load_schema(path: Path) -> Schema:
    """Read a declaration from a .toml or .json file.

    Raises:
        InvalidInputError: `malformed_schema` when it is neither, `malformed_document` when its shape is wrong.
    """
    if path.stat().st_size > _MAX_SCHEMA:
        raise InvalidInputError("malformed_schema", f"{path.name} is too large", zh=f"{path.name} 过大")
    data = path.read_bytes()
    try:
        value = parse_json(data) if path.suffix == ".json" else tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            "malformed_schema",
            f"{path.name}: {error}",
            zh=f"无法读取 {path.name}",
            expected=Words("TOML or JSON", "TOML 或 JSON"),
        ) from error
    return parse_schema(value)


def parse_schema(value: object) -> Schema:
    """A declaration from plain values.

    Raises:
        InvalidInputError: `malformed_document` with the path of the fault.
    """
    _fields(value, "schema", {"title": BILINGUAL, "dimensions": _DIMENSIONS, "measures": _MEASURES}, _OPTIONS)
    assert isinstance(value, Mapping)
    schema = Schema(
        dict(value["title"]),
        int(value.get("minimumCohort", DEFAULT_COHORT)),
        tuple(value.get("missing", DEFAULT_MISSING)),
        tuple(_dimension(item) for item in value["dimensions"]),
        tuple(_measure(item) for item in value["measures"]),
        tuple(tuple(item["measures"]) for item in value.get("joints", ())),
        tuple(value.get("forms", ("cells",))),
        value.get("prefix"),
        dict(value.get("privacy", {"measure": "pure"})),
        value.get("rows", {}).get("perCell"),
        value.get("rows", {}).get("bits", PAD_BITS[0]),
    )
    _check_parts(schema)
    return schema


def _check_parts(schema: Schema) -> None:
    names = [item.name for item in schema.dimensions] + [item.name for item in schema.measures]
    if len(set(names)) != len(names):
        raise refuse("schema", Words("names that are all different", "互不相同的名称"), names)
    for measure in schema.measures:
        check_measure(f"schema.measures.{measure.name}", measure.low, measure.high, list(measure.bins))
    JOINTS([list(joint) for joint in schema.joints], "schema.joints")
    for joint in schema.joints:
        check_joint("schema.joints", list(joint), [measure.name for measure in schema.measures])
    # Whether a dimension whose categories are yet to be listed is ordered shows when they are.
    kinds = [(item.name, item.ordered is not False, item.hidden) for item in schema.dimensions]
    check_dimensions("schema", kinds, schema.prefix)
    check_forms(schema.forms, kinds, schema.prefix)
    if ("rows" in schema.forms) != (schema.places is not None):
        raise refuse(
            "schema.rows",
            Words('the table rows exactly with the form "rows"', '仅当密封形式含 "rows" 时须有 rows 表'),
            schema.places,
        )


def is_ordered(categories: tuple[str, ...]) -> bool:
    """Whether all categories are whole numbers in ascending order."""
    numbers = [whole_number(item) for item in categories]
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) and known == sorted(known)


def whole_number(label: str) -> int | None:
    """The number that a label is, None for one that is none, or is too long to be meant as one."""
    return int(label) if _WHOLE.fullmatch(label) else None


def _dimension(item: Mapping[str, Any]) -> Dimension:
    categories = tuple(item["categories"]) if "categories" in item else None
    return Dimension(
        item["name"], item.get("column", item["name"]), categories, item.get("ordered"), item.get("hidden", False)
    )


def _measure(item: Mapping[str, Any]) -> Measure:
    named = {name: item[name] for name in ("name", "unit", "scale", "low", "high")}
    return Measure(column=item.get("column", item["name"]), bins=tuple(item.get("bins", ())), **named)


def _fields(value: object, path: str, needed: Mapping[str, Check], optional: Mapping[str, Check]) -> None:
    if not isinstance(value, Mapping):
        raise refuse(path, Words("a table", "表"), value)
    for name in needed:
        if name not in value:
            raise refuse(path, Words(f"the field {name}", f"字段 {name}"), sorted(value))
    for name, item in value.items():
        check = needed.get(name) or optional.get(name)
        if check is None:
            raise refuse(
                path,
                Words(
                    "no field besides " + ", ".join([*needed, *optional]),
                    "仅限下列字段：" + "、".join([*needed, *optional]),
                ),
                name,
            )
        check(item, f"{path}.{name}")


def _dimension_shape(value: object, path: str) -> None:
    _fields(value, path, {"name": NAME}, _DIMENSION_OPTIONS)


def _measure_shape(value: object, path: str) -> None:
    bound = integer(-BOUND, BOUND)
    needed = {"name": NAME, "unit": text(40), "scale": integer(0, 9), "low": bound, "high": bound}
    _fields(value, path, needed, {"column": text(200), "bins": BINS})


def _joint_shape(value: object, path: str) -> None:
    _fields(value, path, {"measures": array(NAME, 16, 2)}, {})


def _rows_shape(value: object, path: str) -> None:
    _fields(value, path, {"perCell": PLACES}, {"bits": one_of(PAD_BITS)})


_DIMENSION_OPTIONS: dict[str, Check] = {
    "column": text(200),
    "categories": array(CATEGORY, 10_000, 1, itself),
    "ordered": boolean,
    "hidden": boolean,
}
_DIMENSIONS = array(_dimension_shape, 16, 1, part("name"))
_MEASURES = array(_measure_shape, 64, 0, part("name"))
_OPTIONS: dict[str, Check] = {
    "minimumCohort": COHORT,
    "missing": array(text(40, 0), 16),
    "joints": array(_joint_shape, 16),
    "forms": array(one_of(FORMS), 3, 1, itself),
    "prefix": NAME,
    "rows": _rows_shape,
    "privacy": privacy_measure,
}
