"""Evaluating a plan on sealed columns. No key, no randomness: panel nodes, vault and auditor get the same bytes.

How each form is evaluated is a row of EVALUATORS (see forms.py); where sealed columns come from stands in data.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from crypto.seal.evaluate import SealedNumber, add_columns, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.parameters import profile
from crypto.seal.weights import weigh_cells
from marketplace.documents import Document, ciphertext_root, digest, validate_result
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.queries.data import LAYOUTS, Data, SealedColumns
from marketplace.queries.forms import reaches
from marketplace.queries.numbers import Number, Plan
from marketplace.queries.opening import Sealed
from marketplace.queries.product_sums import evaluate_products
from marketplace.queries.reach import Reach, Reaches
from marketplace.queries.row_sums import evaluate_rows
from marketplace.queries.timings import part

__all__ = [
    "EVALUATORS",
    "SealedColumns",
    "check_data",
    "check_profile",
    "evaluate_plan",
    "number_entry",
    "result_document",
]


def evaluate_plan(manifest: Mapping[str, Any], plan: Plan, columns: SealedColumns) -> Iterator[Sealed]:
    """The sealed number of each entry of the plan, in order, one at a time: each may be half a megabyte.

    Raises:
        VerificationError: a blob is not what the manifest names.
    """
    evaluate = EVALUATORS[manifest["forms"][plan.form]["form"]]
    return evaluate(Data(manifest, plan.form, columns), plan.numbers, reaches(manifest, plan.form))


def evaluate_cells(data: Data, numbers: Sequence[Number], reach: Reaches) -> Iterator[Sealed]:
    """Batches have the same cells, so their columns are added first; then every column of the combination."""
    with part("opening"):
        opened = {name: data.column(name) for name in dict.fromkeys(name for item in numbers for name, _ in item.parts)}
    for number in numbers:
        with part("arithmetic"):
            done = _cells_number(data.profile, opened, number, reach(number))
        yield done


def _cells_number(name: str, opened: Mapping[str, Any], number: Number, reach: Reach) -> SealedNumber:
    chosen, found = profile(name), []
    for column, factor in number.parts:
        chunks = add_columns(chosen, opened[column])
        if reach.weights is None and factor == 1:
            found.append(evaluate_sum(chosen, chunks, reach.index))
        else:
            weights = np.ones(reach.index.size, dtype=np.int64) if reach.weights is None else reach.weights
            found.append(evaluate_weighted(chosen, chunks, weigh_cells(chosen, reach.index, factor * weights)))
    return add_numbers(chosen, found)


Evaluate = Callable[[Data, Sequence[Number], Reaches], Iterator[Sealed]]
EVALUATORS: dict[str, Evaluate] = {"cells": evaluate_cells, "rows": evaluate_rows, "products": evaluate_products}


def number_entry(number: Sealed) -> dict[str, str | None]:
    """What a result document says of one number: the residue for the buyer, and the digest of what the vault needs,
    None where it needs nothing."""
    with part("digests"):
        name = number.request_digest()
        return {"c0": f"0x{number.c0:064x}", "c1": None if name is None else to_hex(name)}


def result_document(query: Mapping[str, Any], plan: Plan, entries: Iterable[Mapping[str, str | None]]) -> Document:
    """The result document of an evaluated query, from the `number_entry` of each number in the plan's order."""
    body = {"type": "result", "version": 1, "query": digest(query), "ciphertextRoot": query["ciphertextRoot"]}
    return validate_result(body | {"plan": plan.digest, "numbers": [dict(entry) for entry in entries]})


def check_profile(manifest: Mapping[str, Any]) -> None:
    """Check that every form of the manifest names a parameter set that is allowed for it.

    Raises:
        InvalidInputError: `foreign_parameters`.
    """
    try:
        for form in manifest["forms"]:
            LAYOUTS[form["form"]].check(form["profile"])
    except CryptoError as error:
        message = f"the data is sealed under foreign parameters: {error}"
        raise InvalidInputError("foreign_parameters", message, zh="密文使用了不允许的参数集") from error


def check_data(manifest: Mapping[str, Any], query: Mapping[str, Any]) -> None:
    """Check that the query is about the sealed data of this manifest.

    Raises:
        VerificationError: `data_mismatch`. InvalidInputError: `foreign_parameters`.
    """
    check_profile(manifest)
    if query["ciphertextRoot"] != ciphertext_root(manifest):
        raise VerificationError(
            "data_mismatch",
            "the query is for other sealed data than the manifest's",
            zh="查询针对的密封数据与清单不符",
            expected=ciphertext_root(manifest),
            got=query["ciphertextRoot"],
        )
