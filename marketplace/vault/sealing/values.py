"""One column of one batch, checked and turned into integers. Nothing is rounded, clamped or guessed.

A fault is an InvalidInputError that names the data row (the first is 1), the column, what was expected and what came.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketplace.errors import InvalidInputError
from marketplace.queries.language.lexicon import choices
from marketplace.vault.sealing.schema import Dimension, Measure
from marketplace.words import Words

Present = NDArray[np.bool_]
_DIGITS = 38  # of a 128-bit decimal


@dataclass(frozen=True)
class Labels:
    """The labels of a dimension: the different ones as text, and for each row which one it has.

    A missing label is the category "". Labels are few and rows many, so whatever costs is done on the former.
    """

    distinct: tuple[str, ...]
    places: NDArray[np.int64]


def categories_of(column: pa.Array, dimension: Dimension, first_row: int) -> Labels:
    """The labels of a dimension, one for each row.

    Raises:
        InvalidInputError: `wrong_type`.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        _fail("wrong_type", first_row, dimension.column, Words("text or whole numbers", "文本或整数"), str(kind))
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    distinct = [label or "" for label in pc.cast(encoded.dictionary, pa.string()).to_pylist()]
    places = pc.fill_null(pc.cast(encoded.indices, pa.int64()), len(distinct)).to_numpy(zero_copy_only=False)
    return Labels((*distinct, ""), places)


def positions_of(labels: Labels, dimension: Dimension, first_row: int) -> NDArray[np.int64]:
    """Position of each label in the dimension's category list.

    Raises:
        InvalidInputError: `unknown_category`.
    """
    assert dimension.categories is not None
    known = {category: position for position, category in enumerate(dimension.categories)}
    table = np.array([known.get(label, -1) for label in labels.distinct], dtype=np.int64)
    positions: NDArray[np.int64] = table[labels.places]
    if positions.size and int(positions.min()) < 0:
        row = int(np.argmin(positions))
        got = labels.distinct[labels.places[row]]
        _fail(
            "unknown_category",
            first_row + row,
            dimension.column,
            Words.alike(choices(dimension.categories)),
            got or "–",
        )
    return positions


def without_missing(column: pa.Array, missing: Sequence[str]) -> pa.Array:
    """A measure's column with null in place of the texts that mean "no value"."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    found = pc.is_in(column, value_set=pa.array(list(missing), column.type))
    return pc.if_else(found, pa.scalar(None, column.type), column)


def integers_of(column: pa.Array, measure: Measure, first_row: int) -> tuple[NDArray[np.int64], Present]:
    """The values of a measure in units of 10^-scale, and which rows have one; a missing row's integer is 0.

    Raises:
        InvalidInputError: `wrong_type`, `not_finite`, `too_many_decimals`, `out_of_bounds`.
    """
    present = ~column.is_null().to_numpy(zero_copy_only=False)
    convert = _converter(column.type, measure, first_row)
    values = np.where(present, convert(column, measure, first_row), 0)
    outside = np.flatnonzero(present & ((values < measure.low) | (values > measure.high)))
    if outside.size:
        row = int(outside[0])
        _out_of_bounds(measure, first_row + row, column[row].as_py())
    return values.astype(np.int64), present


Converter = Callable[[pa.Array, Measure, int], NDArray[Any]]


def _converter(kind: pa.DataType, measure: Measure, first_row: int) -> Converter:
    types = pa.types
    if types.is_floating(kind):
        return _from_floats
    if types.is_signed_integer(kind) and not measure.scale:
        return _from_integers
    if types.is_integer(kind) or types.is_decimal(kind) or types.is_string(kind) or types.is_large_string(kind):
        return _from_decimals
    if types.is_null(kind):
        return lambda column, *_: np.zeros(len(column), dtype=np.int64)
    return _fail("wrong_type", first_row, measure.column, Words("numbers", "数字"), str(kind))


def _from_integers(column: pa.Array, *_: object) -> NDArray[Any]:
    values: NDArray[np.int64] = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return values


def _from_floats(column: pa.Array, measure: Measure, first_row: int) -> NDArray[Any]:
    numbers = pc.fill_null(pc.cast(column, pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    faults = np.flatnonzero(~np.isfinite(numbers))
    if faults.size:
        row = int(faults[0])
        _fail("not_finite", first_row + row, measure.column, Words("a finite number", "有限数值"), str(numbers[row]))
    scaled = numbers * 10.0**measure.scale
    whole = np.rint(scaled)
    # A decimal such as 0.1 is not exact in binary: what is within a few units of the last place of a multiple counts.
    faults = np.flatnonzero(np.abs(scaled - whole) > 4 * np.spacing(np.abs(scaled) + 1))
    if faults.size:
        row = int(faults[0])
        _too_many_decimals(measure, first_row + row, numbers[row])
    faults = np.flatnonzero((whole < measure.low) | (whole > measure.high))
    faults = faults[column.is_valid().to_numpy(zero_copy_only=False)[faults]]
    if faults.size:
        row = int(faults[0])
        _out_of_bounds(measure, first_row + row, numbers[row])
    return np.where(np.abs(whole) < 2.0**62, whole, 0).astype(np.int64)


def _from_decimals(column: pa.Array, measure: Measure, first_row: int) -> NDArray[Any]:
    kind = pa.decimal128(_DIGITS, measure.scale)
    try:
        exact = pc.cast(column, kind)
    except pa.ArrowInvalid:
        _explain(column, measure, first_row)
    # The two 64-bit halves of each unscaled integer; the high one must be the sign of the low one.
    start, length = 2 * exact.offset, 2 * len(exact)
    words = np.frombuffer(exact.buffers()[1], dtype=np.int64)[start : start + length].reshape(-1, 2)
    wide = np.flatnonzero((words[:, 1] != words[:, 0] >> 63) & exact.is_valid().to_numpy(zero_copy_only=False))
    if wide.size:
        row = int(wide[0])
        _out_of_bounds(measure, first_row + row, column[row].as_py())
    return words[:, 0]


def _explain(column: pa.Array, measure: Measure, first_row: int) -> NoReturn:
    """Find the row that could not be converted; slow, and only for the error."""
    for index, value in enumerate(column.to_pylist()):
        if value is not None:
            _check_decimal(value, measure, first_row + index)
    wanted = Words(f"numbers with at most {measure.scale} decimals", f"至多 {measure.scale} 位小数的数字")
    _fail("wrong_type", first_row, measure.column, wanted, "…")


def _check_decimal(value: object, measure: Measure, row: int) -> None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        _fail("wrong_type", row, measure.column, Words("a number", "数字"), value)
    if not number.is_finite():
        _fail("not_finite", row, measure.column, Words("a finite number", "有限数值"), value)
    if number.adjusted() > _DIGITS - measure.scale - 2:
        _out_of_bounds(measure, row, value)
    if number.normalize().as_tuple().exponent < -measure.scale:  # type: ignore[operator]
        _too_many_decimals(measure, row, value)
    if str(value) != str(value).strip():
        _fail("wrong_type", row, measure.column, Words("a number without blanks around it", "前后无空格的数字"), value)


def _too_many_decimals(measure: Measure, row: int, got: object) -> NoReturn:
    _fail(
        "too_many_decimals",
        row,
        measure.column,
        Words(f"at most {measure.scale} decimals", f"至多 {measure.scale} 位小数"),
        got,
    )


def _out_of_bounds(measure: Measure, row: int, got: object) -> NoReturn:
    unit = Decimal(1).scaleb(-measure.scale)
    low, high = measure.low * unit, measure.high * unit
    _fail(
        "out_of_bounds", row, measure.column, Words(f"a value from {low} to {high}", f"{low} 至 {high} 之间的值"), got
    )


def _fail(code: str, row: int, column: str, expected: Words, got: object) -> NoReturn:
    shown = str(got)[:80]
    raise InvalidInputError(
        code,
        f"row {row}, column {column}: expected {expected.en}, got {shown}",
        zh=f"第 {row} 行，{column} 列：应为{expected.zh}，实为 {shown}",
        rule="vault.quality",
        expected=expected,
        got=shown,
        hint="correct the row, or widen the declaration in the schema; nothing was sealed",
        hint_zh="请更正该行或放宽声明;尚未密封任何数据",
    )
