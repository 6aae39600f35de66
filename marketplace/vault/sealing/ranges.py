"""Proof from the declared bounds alone, before rows are read, that no sealed value or total leaves its form's range.

A form is a row of RANGES.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crypto.seal.pad_wire import PadProfile, pad_profile
from crypto.seal.parameters import Profile, profile
from marketplace.errors import InvalidInputError
from marketplace.vault.sealing.schema import Measure
from marketplace.words import Words

Forms = Sequence[Mapping[str, Any]]
"""The forms of a manifest."""


def check_ranges(forms: Forms, measures: Sequence[Measure], rows: int) -> None:
    """Check that so many rows within the bounds of these measures fit every form.

    Raises:
        InvalidInputError: `bounds_too_wide`, `too_many_rows`.
    """
    for form in forms:
        RANGES[form["form"]](form["profile"], measures, rows)


def _cells(name: str, measures: Sequence[Measure], rows: int) -> None:
    """Squares are the widest columns: a count, a sum or a cross product is never above the larger square."""
    chosen = profile(name)
    for measure in measures:
        largest = max(measure.largest, 1)
        _check_total(chosen, measure, rows, rows * largest * largest, "rows x bound^2")


def _rows(name: str, measures: Sequence[Measure], rows: int) -> None:  # noqa: ARG001 - whether a total fits, a question shows
    """Only single values have to fit: of a question whose total could wrap, the planner makes no plan."""
    for measure in measures:
        _check_total(pad_profile(name), measure, 1, measure.largest**2, "bound^2")


def _products(name: str, measures: Sequence[Measure], rows: int) -> None:
    """A sum over all rows is the widest number; of each row only the value is sealed."""
    chosen = profile(name)
    if rows > chosen.max_cells:
        raise InvalidInputError(
            "too_many_rows",
            f"{rows} rows are too many for the form products",
            zh=f"{rows} 行超出 products 形式的上限",
            rule="vault.range",
            expected=Words(
                f"at most {chosen.max_cells} rows in all batches", f"全部批次合计至多 {chosen.max_cells} 行"
            ),
            got=rows,
            hint="seal fewer rows, or make the hidden dimension public",
            hint_zh="减少行数，或将隐藏维度改为公开",
        )
    for measure in measures:
        _check_total(chosen, measure, rows, rows * measure.largest, "rows x bound")


def _check_total(chosen: Profile | PadProfile, measure: Measure, rows: int, total: int, what: str) -> None:
    if total < chosen.half:
        return
    raise InvalidInputError(
        "bounds_too_wide",
        f"{rows} rows within the bounds of {measure.name} could exceed the sealed form",
        zh=f"按 {measure.name} 的声明界限,{rows} 行可能超出密文可表示范围",
        rule="vault.range",
        expected=f"{what} below {chosen.half}",
        got=total,
        hint="declare narrower bounds, or fewer decimals",
        hint_zh="收窄界限或减少小数位",
    )


RANGES: dict[str, Callable[[str, Sequence[Measure], int], None]] = {
    "cells": _cells,
    "rows": _rows,
    "products": _products,
}
