"""Evaluating numbers in the form of ciphertext products.

Batch by batch and chunk by chunk, so that no more than one chunk of each column is in use at a time; chunks without a
row that counts are not even fetched. Which rows a public cell has, the unsealed column of counts says.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from crypto.seal.parameters import profile
from crypto.seal.products import SealedProduct, add_products, evaluate_product
from marketplace.documents import public_cell_count
from marketplace.queries.evaluation.data import Data
from marketplace.queries.planning.forms.products import indicators
from marketplace.queries.planning.forms.reach import Reach, Reaches
from marketplace.queries.planning.numbers import Number
from marketplace.queries.protocol.opening import Sealed
from marketplace.queries.timings import part


def evaluate_products(data: Data, numbers: Sequence[Number], reach: Reaches) -> Iterator[Sealed]:
    """The sealed numbers, in order."""
    for number in numbers:
        yield _number(data, number.parts[0][0], reach(number))


def _number(data: Data, column: str, reach: Reach) -> SealedProduct:
    total = add_products(profile(data.profile), [])
    for batch in data.manifest["batches"]:
        total = _add_batch(data, batch, [column, *indicators(data.manifest, reach)], reach, total)
    return total


def _add_batch(
    data: Data, batch: Mapping[str, Any], names: Sequence[str], reach: Reach, total: SealedProduct
) -> SealedProduct:
    """The total with the rows of one batch. The sum is exact modulo q, so its order and its parts do not matter."""
    chosen = profile(data.profile)
    taken = np.zeros(public_cell_count(data.manifest), dtype=np.bool_)
    taken[reach.index] = True
    mask = np.repeat(taken, data.counts(batch))
    for start in range(0, mask.size, chosen.degree):
        rows = mask[start : start + chosen.degree]
        if rows.any() and data.share.takes(start // chosen.degree):
            with part("opening"):
                measure, *columns = (data.row_chunk(batch, name, start // chosen.degree) for name in names)
            with part("arithmetic"):
                product = evaluate_product(chosen, [measure], [[column] for column in columns], rows)
                total = add_products(chosen, [total, product])
    return total
