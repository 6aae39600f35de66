"""The form of ciphertext products, as the planner sees it.

It holds a 0/1 column for each category of the hidden dimension, and of each row a one and its values. So it answers
COUNT, SUM and MEAN over some public cells and some categories, of every public cell the same ones. Where no question
tells categories apart, all of them are taken.

What a number costs depends on how its public cells lie in the rows; that is estimated as if all had the same number of
rows, since the counts stand in a column and not in the manifest. The proof does not depend on it: it is of all rows.
"""

from collections.abc import Sequence

import numpy as np

from crypto.seal.headroom import Headroom
from crypto.seal.headroom_products import prove_product
from crypto.seal.parameters import profile
from marketplace.documents import (
    COUNTS,
    cell_shape,
    column_chunks,
    column_names,
    key_holders,
    public_cell_count,
    row_count,
)
from marketplace.errors import RuleError
from marketplace.queries.planning.forms.reach import (
    NUMBER_MICROSECONDS,
    OPEN_MICROSECONDS_PER_MEGABYTE,
    Claim,
    FormRules,
    Manifest,
    Reach,
    Reaches,
    column_bytes,
)
from marketplace.queries.planning.numbers import Cost, Number
from marketplace.queries.planning.selection import Cells, categories_of_cells, public_cells
from marketplace.queries.planning.sensitivity import row_sensitivity
from marketplace.words import Words

_PRODUCT_MICROSECONDS = 15_000  # of two ciphertexts, with the polynomials of the result
_MASK_MICROSECONDS = 8_000
_ADD_MICROSECONDS = 100
MAX_PRODUCTS = 20_000  # of ciphertexts in one question: five to ten minutes of one core


def hidden_dimension(manifest: Manifest) -> int:
    """Position of the hidden dimension; the form is sealed only where there is one."""
    return next(axis for axis, item in enumerate(manifest["dimensions"]) if item["hidden"])


def indicators(manifest: Manifest, reach: Reach) -> list[str]:
    """Names of the 0/1 columns of the categories that a number takes."""
    name = manifest["dimensions"][hidden_dimension(manifest)]["name"]
    return [f"ind:{name}:{place}" for place in reach.categories]


def product_columns(manifest: Manifest, form: int) -> list[str]:
    """The columns that can be summed up."""
    return [name for name in column_names(manifest, form) if name != COUNTS and not name.startswith("ind:")]


def products_reach(manifest: Manifest, form: int, number: Number) -> Reach:  # noqa: ARG001 - as every form's
    """The public cells and the categories that a number takes.

    Raises:
        RuleError: `dimension_hidden`: it is weighted or a combination, or takes other categories here than there.
    """
    if number.weights is not None or [factor for _, factor in number.parts] != [1]:
        raise _hidden(manifest, "COUNT, SUM or MEAN of one measure, without weights", number.statistic)
    axis = hidden_dimension(manifest)
    name, size = manifest["dimensions"][axis]["name"], cell_shape(manifest)[axis]
    found, place = np.unique(public_cells(manifest, number.cells), return_inverse=True)
    taken = np.zeros((found.size, size), dtype=np.bool_)
    taken[place.reshape(-1), categories_of_cells(manifest, name, number.cells)] = True
    if not (taken == taken[0]).all():
        raise _hidden(manifest, "the same categories wherever the filter looks", "a filter that mixes dimensions")
    return Reach(found, None, tuple(np.flatnonzero(taken[0]).tolist()))


def _hidden(manifest: Manifest, expected: str, got: str) -> RuleError:
    name = manifest["dimensions"][hidden_dimension(manifest)]["name"]
    return RuleError(
        "dimension_hidden",
        f"the form products does not answer this about the hidden dimension {name}",
        zh=f"products 形式不能就此问题区分隐藏维度 {name} 的类别",
        rule="queries.hidden",
        expected=expected,
        got=got,
        hint="ask about one measure at a time; join conditions on hidden and public dimensions by AND",
        hint_zh="请每次只问一个度量，并以 AND 连接隐藏维度与公开维度的条件",
    )


def _prove(manifest: Manifest, form: int, claim: Claim) -> Headroom:
    """Of all rows, and of the number with most categories."""
    rows = row_count(manifest)
    return prove_product(
        profile(manifest["forms"][form]["profile"]),
        rows=rows,
        chunks=sum(_chunks(manifest, form)),
        indicators=max(len(claim.reach(number).categories) for number in claim.numbers),
        total=rows * row_sensitivity(manifest, claim.statistic),
        scale=claim.scale,
        shares=key_holders(manifest),
    )


def _chunks(manifest: Manifest, form: int) -> list[int]:
    """Chunks of a column, in each batch."""
    return [len(column_chunks(batch, form, "rows")) for batch in manifest["batches"]]


def _cost(manifest: Manifest, form: int, numbers: Sequence[Number], reach: Reaches) -> Cost:
    cells = public_cell_count(manifest)
    touched: dict[str, set[int]] = {COUNTS: {0}}
    products = masked = additions = 0
    for number in numbers:
        taken = reach(number)
        names = [number.parts[0][0], *indicators(manifest, taken)]
        for chunks in _chunks(manifest, form):
            places = _expected_chunks(taken.index, cells, chunks)
            products += len(places)
            masked += len(places) if taken.index.size < cells else 0
            additions += len(places) * len(taken.categories)
            for name in names:
                touched.setdefault(name, set()).update(places)
    _check_work(products)
    fetched, operations = column_bytes(manifest, form, touched), products + masked + additions
    spent = products * _PRODUCT_MICROSECONDS + masked * _MASK_MICROSECONDS + additions * _ADD_MICROSECONDS
    spent += len(numbers) * NUMBER_MICROSECONDS + fetched * OPEN_MICROSECONDS_PER_MEGABYTE // 10**6
    values = 2 * products * profile(manifest["forms"][form]["profile"]).degree
    return Cost(values, operations, fetched, spent)


def _check_work(products: int) -> None:
    """One price buys one question, so what it can make panel and vault do is bounded."""
    if products > MAX_PRODUCTS:
        raise RuleError(
            "too_many_products",
            f"the question takes {products} products of ciphertexts; at most {MAX_PRODUCTS}",
            zh=f"该问题需 {products} 次密文相乘；最多 {MAX_PRODUCTS} 次",
            rule="queries.size",
            expected=Words(
                f"numbers times chunks of 8192 rows: at most {MAX_PRODUCTS}",
                f"数值个数乘以 8192 行的分块数至多为 {MAX_PRODUCTS}",
            ),
            got=products,
            hint="group by fewer dimensions, filter, or ask in parts",
            hint_zh="减少分组维度、加筛选条件，或分次提问",
        )


def _expected_chunks(index: Cells, cells: int, chunks: int) -> list[int]:
    """Chunks in which the rows of these public cells would lie, if all cells had as many."""
    edges = np.zeros(chunks + 1, dtype=np.int64)
    np.add.at(edges, index * chunks // cells, 1)
    np.add.at(edges, -(-(index + 1) * chunks // cells), -1)
    return np.flatnonzero(np.cumsum(edges[:-1])).tolist()


PRODUCTS_RULES = FormRules(product_columns, products_reach, _prove, _cost)
