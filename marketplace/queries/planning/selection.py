"""Which cells a filter takes, and how GROUP BY divides them.

Cells are numbered in mixed radix over all dimensions in declared order, the last one fastest.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.documents import Document, cell_count, cell_shape
from marketplace.queries.language.lexicon import dimension, positions

Cells = NDArray[np.int64]
Group = tuple[str, ...]
Manifest = Mapping[str, Any]


def selected_cells(manifest: Manifest, condition: Document | None) -> NDArray[np.bool_]:
    """One boolean for each cell: whether the filter takes it."""
    if condition is None:
        return np.ones(cell_count(manifest), dtype=np.bool_)
    return np.ascontiguousarray(np.broadcast_to(_evaluate(manifest, condition), cell_shape(manifest))).reshape(-1)


def grouped_cells(manifest: Manifest, chosen: NDArray[np.bool_], by: Sequence[str]) -> Iterator[tuple[Group, Cells]]:
    """The groups that have any chosen cell, with their sorted cells; in the order of the categories."""
    names = [item["name"] for item in manifest["dimensions"]]
    shape = cell_shape(manifest)
    indices = np.arange(chosen.size, dtype=np.int64).reshape(shape)
    axes = [names.index(name) for name in by]
    # Grouped axes first, in the query's order; the rest keeps its order, so cells come out sorted after one sort.
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    indices, mask = indices.transpose(axes + rest), chosen.reshape(shape).transpose(axes + rest)
    labels = itertools.product(*(manifest["dimensions"][axis]["categories"] for axis in axes))
    for label, place in zip(labels, np.ndindex(*(shape[axis] for axis in axes)), strict=True):
        cells = np.sort(indices[place][mask[place]].reshape(-1))
        if cells.size:
            yield tuple(label), cells


def categories_of_cells(manifest: Manifest, name: str, cells: Cells) -> NDArray[np.int64]:
    """Position of each cell's category in the list of the dimension `name`."""
    axis = [item["name"] for item in manifest["dimensions"]].index(name)
    shape = cell_shape(manifest)
    stride = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    return cells // stride % shape[axis]


def public_cells(manifest: Manifest, cells: Cells) -> Cells:
    """The public cell that each logical cell belongs to: its number without the digit of the hidden dimension."""
    hidden = [axis for axis, item in enumerate(manifest["dimensions"]) if item["hidden"]]
    if not hidden:
        return cells
    shape, axis = cell_shape(manifest), hidden[0]
    inner = math.prod(shape[axis + 1 :])
    return cells // (inner * shape[axis]) * inner + cells % inner


def _evaluate(manifest: Manifest, condition: Document) -> NDArray[np.bool_]:
    word, inner = next(iter(condition.items()))
    if word == "in":
        return _along(manifest, inner["dimension"], inner["values"])
    if word == "not":
        return ~_evaluate(manifest, inner)
    join = np.logical_and if word == "and" else np.logical_or
    result = _evaluate(manifest, inner[0])
    for item in inner[1:]:
        result = join(result, _evaluate(manifest, item))
    return result


def _along(manifest: Manifest, name: str, values: Sequence[str]) -> NDArray[np.bool_]:
    # Size one along every other dimension: broadcasting keeps a condition on one dimension small.
    names = [item["name"] for item in manifest["dimensions"]]
    taken = np.zeros(len(dimension(manifest, name)["categories"]), dtype=np.bool_)
    taken[positions(manifest, name, values)] = True
    return taken.reshape([taken.size if other == name else 1 for other in names])
