"""Evaluating a plan on sealed columns. No key, no randomness: panel nodes, vault and auditor get the same bytes.

How each form is evaluated is a row of EVALUATORS (see the room forms); where sealed columns come from, see data.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from crypto.seal.confined import confined_loader
from crypto.seal.evaluate import SealedNumber, add_columns, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.parameters import profile
from crypto.seal.products import add_products
from crypto.seal.weights import weigh_cells
from marketplace.documents import Document, ciphertext_root, digest, validate_result
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.queries.evaluation.data import EVERY_CHUNK, LAYOUTS, Data, Fetch, SealedColumns
from marketplace.queries.evaluation.pieces import Piece, cut_plan
from marketplace.queries.evaluation.products import evaluate_products
from marketplace.queries.evaluation.rows import add_padded, evaluate_rows
from marketplace.queries.planning.forms import reaches
from marketplace.queries.planning.forms.reach import Reach, Reaches
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.protocol.opening import Sealed
from marketplace.queries.timings import part

__all__ = [
    "EVALUATORS",
    "OpenColumns",
    "SealedColumns",
    "SpreadColumns",
    "check_data",
    "check_profile",
    "evaluate_piece",
    "evaluate_plan",
    "number_entry",
    "open_here",
    "result_document",
]


class SpreadColumns(SealedColumns, ABC):
    """Sealed columns that others open and evaluate (marketplace/compute); counts are still opened here."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many pieces are evaluated at once."""

    @abstractmethod
    def evaluate(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, Sequence[Sealed]]]:
        """Each piece with its share of each of its numbers, in the order of the pieces.

        Raises:
            VerificationError: as `evaluate_piece`. PortError: whoever evaluates failed.
        """


OpenColumns = Callable[[Path, Fetch, bool], SealedColumns]
"""Opens sealed columns: of a folder in which blob 0xAB… is the file ab…; what gives the checked bytes of a blob and
leaves a sound file there; and whether the blobs are somebody else's, to be loaded in a confined process first."""


def open_here(_folder: Path, fetch: Fetch, foreign: bool) -> SealedColumns:
    """Sealed columns that this process evaluates."""
    return SealedColumns(fetch, probe=confined_loader().check if foreign else None)


def evaluate_plan(manifest: Mapping[str, Any], plan: Plan, columns: SealedColumns) -> Iterator[Sealed]:
    """The sealed number of each entry of the plan, in order, one at a time: each may be half a megabyte.

    Raises:
        VerificationError: a blob is not what the manifest names.
        PortError: whoever evaluates pieces for us failed (marketplace/compute).
    """
    if isinstance(columns, SpreadColumns):
        return _gathered(manifest, plan, columns)
    evaluate = EVALUATORS[manifest["forms"][plan.form]["form"]]
    return evaluate(Data(manifest, plan.form, columns), plan.numbers, reaches(manifest, plan.form))


def evaluate_piece(piece: Piece, columns: SealedColumns) -> Iterator[Sealed]:
    """A piece's share of each of its numbers.

    Raises:
        VerificationError: a blob is not what the manifest names.
    """
    evaluate = EVALUATORS[piece.manifest["forms"][piece.form]["form"]]
    data = Data(piece.manifest, piece.form, columns, piece.share)
    return evaluate(data, piece.numbers, reaches(piece.manifest, piece.form))


def _gathered(manifest: Mapping[str, Any], plan: Plan, columns: SpreadColumns) -> Iterator[Sealed]:
    form = manifest["forms"][plan.form]
    pieces = columns.evaluate(cut_plan(manifest, plan, columns.workers))
    for _, of_same_numbers in groupby(pieces, lambda item: item[0].start):
        totals: Sequence[Sealed] = ()
        for _, found in of_same_numbers:  # added up as they come, so that shares do not pile up
            pairs = zip(totals, found, strict=True) if totals else ((number,) for number in found)
            totals = [SUMS[form["form"]](form["profile"], pair) for pair in pairs]
        yield from totals


def evaluate_cells(data: Data, numbers: Sequence[Number], reach: Reaches) -> Iterator[Sealed]:
    """Batches have the same cells, so their columns are added first; then every column of the combination."""
    with part("opening"):
        opened = {name: data.column(name) for name in dict.fromkeys(name for item in numbers for name, _ in item.parts)}
    for number in numbers:
        with part("arithmetic"):
            done = _cells_number(data.profile, opened, number, _within(data, reach(number)))
        yield done


def _within(data: Data, reach: Reach) -> Reach:
    """The values that lie in the chunks of the share, by their positions in what those chunks make together."""
    if data.share == EVERY_CHUNK:
        return reach
    size, first, last = profile(data.profile).degree, int(reach.index[0]), int(reach.index[-1])
    if reach.weights is None and last - first + 1 == reach.index.size:
        return Reach(np.arange(data.share.before(first, size), data.share.before(last + 1, size)), None)
    chunk, within = np.divmod(reach.index, size)
    taken = chunk % data.share.parts == data.share.rest
    index = chunk[taken] // data.share.parts * size + within[taken]
    return Reach(index, None if reach.weights is None else reach.weights[taken])


def _cells_number(name: str, opened: Mapping[str, Any], number: Number, reach: Reach) -> SealedNumber:
    chosen, found = profile(name), list[SealedNumber]()
    for column, factor in number.parts if reach.index.size else ():
        chunks = add_columns(chosen, opened[column])
        if reach.weights is None and factor == 1:
            found.append(evaluate_sum(chosen, chunks, reach.index))
        else:
            weights = np.ones(reach.index.size, dtype=np.int64) if reach.weights is None else reach.weights
            found.append(evaluate_weighted(chosen, chunks, weigh_cells(chosen, reach.index, factor * weights)))
    return add_numbers(chosen, found)


Evaluate = Callable[[Data, Sequence[Number], Reaches], Iterator[Sealed]]
EVALUATORS: dict[str, Evaluate] = {"cells": evaluate_cells, "rows": evaluate_rows, "products": evaluate_products}
Add = Callable[[str, Sequence[Any]], Sealed]
SUMS: dict[str, Add] = {
    "cells": lambda name, parts: add_numbers(profile(name), parts),
    "rows": add_padded,
    "products": lambda name, parts: add_products(profile(name), parts),
}
"""How the parts of a number from several shares of the chunks add up, the parameter set's name first."""


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
        VerificationError: `sealed_data_differ`. InvalidInputError: `foreign_parameters`.
    """
    check_profile(manifest)
    if query["ciphertextRoot"] != ciphertext_root(manifest):
        raise VerificationError(
            "sealed_data_differ",
            "the query is for other sealed data than the manifest's",
            zh="查询针对的密封数据与清单不符",
            expected=ciphertext_root(manifest),
            got=query["ciphertextRoot"],
        )
