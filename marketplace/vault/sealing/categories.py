"""The categories of every dimension: declared, or listed from the file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from marketplace.documents.shapes import refuse
from marketplace.errors import InvalidInputError
from marketplace.vault.sealing.reading import read_batches
from marketplace.vault.sealing.schema import Dimension, Schema, is_ordered, whole_number
from marketplace.vault.sealing.values import categories_of
from marketplace.words import Words, at_most

MAX_CATEGORIES = 10_000
Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stage is "listing", "reading", "sealing", "placing" or "sealing rows"."""


def silent(stage: str, done: int, total: int) -> None:
    """No progress report."""


def list_categories(path: Path, schema: Schema, progress: Progress = silent) -> Schema:
    """The schema with the categories of every dimension; where they are not declared they are listed from the file.

    Categories are public. Whole numbers are listed in their order, other labels in alphabetical order.

    Raises:
        InvalidInputError: as `read_batches`, `too_many_categories`, or `malformed_document` where running totals are
            to go along a dimension that turns out not to be ordered.
    """
    open_dimensions = [item for item in schema.dimensions if item.categories is None]
    found: dict[str, set[str]] = {item.name: set() for item in open_dimensions}
    batches = read_batches(path, [item.column for item in open_dimensions]) if open_dimensions else ()
    for batch in batches:
        for item in open_dimensions:
            labels = categories_of(batch.table.column(item.column), item, batch.first_row)
            found[item.name].update(labels.distinct[place] for place in np.unique(labels.places))
            _check_count(item, len(found[item.name]))
        progress("listing", batch.done, batch.total)
    dimensions = tuple(_listed(item, found.get(item.name)) for item in schema.dimensions)
    _check_prefix(schema.prefix, dimensions)
    return replace(schema, dimensions=dimensions)


def _listed(item: Dimension, found: set[str] | None) -> Dimension:
    categories = item.categories if found is None else tuple(sorted(found, key=_order))
    assert categories is not None
    return replace(
        item, categories=categories, ordered=is_ordered(categories) if item.ordered is None else item.ordered
    )


def _order(label: str) -> tuple[bool, int, str]:
    number = whole_number(label)
    return number is None, number or 0, label


def _check_prefix(prefix: str | None, dimensions: tuple[Dimension, ...]) -> None:
    for item in dimensions:
        if item.name == prefix and not item.ordered:
            raise refuse(
                "schema.prefix",
                Words("an ordered dimension: whole numbers in ascending order", "有序维度：递增的整数"),
                item.name,
            )


def _check_count(item: Dimension, count: int) -> None:
    if count > MAX_CATEGORIES:
        raise InvalidInputError(
            "too_many_categories",
            f"{item.column} has more than {MAX_CATEGORIES} different labels",
            zh=f"{item.column} 的类别超过 {MAX_CATEGORIES} 个",
            expected=at_most(MAX_CATEGORIES),
            got=count,
            hint="a dimension is a label with few values; declare a number as a measure",
            hint_zh="维度是取值不多的标签；数值请声明为指标",
        )
