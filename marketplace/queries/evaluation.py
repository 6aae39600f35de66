"""Evaluating a plan on sealed columns. No key, no randomness: panel nodes, vault and auditor get the same bytes.

Blobs come from a fetcher; each is checked against its digest before it is opened, and opened chunks are kept for the
next query, least recently used ones dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError, LoaderDied, LoaderUnavailable
from crypto.seal.cells import SealedChunk, open_chunk
from crypto.seal.evaluate import SealedNumber, add_columns, add_numbers, evaluate_sum, evaluate_weighted
from crypto.seal.parameters import Profile, profile
from crypto.seal.weights import weigh_cells
from marketplace.documents import (
    Document,
    ciphertext_root,
    column_chunks,
    digest,
    public_cell_count,
    validate_result,
)
from marketplace.errors import InvalidInputError, PortError, VerificationError
from marketplace.queries.forms import Reach, Reaches, reaches
from marketplace.queries.numbers import Number, Plan
from marketplace.queries.timings import part

Fetch = Callable[[str], bytes]
"""Bytes of the blob with this digest ("0x" hex)."""
Probe = Callable[[str, str, bytes], None]
"""Gets a parameter set, a digest and the bytes of a blob before SEAL loads them here; raises where it must not."""
KEPT_CHUNKS = 256  # about 0.4 MB each


class SealedColumns:
    """Opened chunks of sealed data sets.

    Args:
        fetch: where blobs come from. capacity: how many opened chunks to keep.
        probe: loads foreign blobs somewhere else first (crypto/seal/confined.py); None for one's own.
    """

    def __init__(self, fetch: Fetch, capacity: int = KEPT_CHUNKS, probe: Probe | None = None) -> None:
        self._fetch, self._capacity, self._probe = fetch, capacity, probe
        self._kept: OrderedDict[str, SealedChunk] = OrderedDict()

    def column(self, manifest: Mapping[str, Any], batch: Mapping[str, Any], form: int, name: str) -> list[SealedChunk]:
        """The chunks of one column of one batch in the form at this position, in order.

        Raises:
            VerificationError: `blob_altered`, `blob_malformed`, `blob_breaks_loader`, `column_incomplete`.
            PortError: `loader_unavailable`.
        """
        profile_name = manifest["forms"][form]["profile"]
        chunks = [self._chunk(profile_name, item["blob"]) for item in column_chunks(batch, form, name)]
        if sum(chunk.count for chunk in chunks) != public_cell_count(manifest):
            raise VerificationError(
                "column_incomplete",
                f"{name} does not hold one value for each cell",
                zh=f"列 {name} 的单元数与清单不符",
                expected=public_cell_count(manifest),
            )
        return chunks

    def _chunk(self, profile_name: str, blob: str) -> SealedChunk:
        if blob not in self._kept:
            self._kept[blob] = _open(profile_name, blob, self._fetch(blob), self._probe)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        self._kept.move_to_end(blob)
        return self._kept[blob]


def evaluate_plan(manifest: Mapping[str, Any], plan: Plan, columns: SealedColumns) -> Iterator[SealedNumber]:
    """The sealed number of each entry of the plan, in order, one at a time: each is 0.2 MB.

    Raises:
        VerificationError: a blob is not what the manifest names.
    """
    evaluate = EVALUATORS[manifest["forms"][plan.form]["form"]]
    with part("opening"):
        named = dict.fromkeys(column for number in plan.numbers for column, _ in number.parts)
        opened = {
            name: [columns.column(manifest, batch, plan.form, name) for batch in manifest["batches"]] for name in named
        }
    reach = reaches(manifest, plan.form)
    chosen = profile(manifest["forms"][plan.form]["profile"])
    return (_evaluated(evaluate, chosen, opened, number, reach) for number in plan.numbers)


Opened = Mapping[str, list[list[SealedChunk]]]
"""Chunks of each column, batch by batch."""


def _evaluated(evaluate: "Evaluate", chosen: Profile, opened: Opened, number: Number, reaches: Reaches) -> SealedNumber:
    with part("arithmetic"):
        return evaluate(chosen, opened, number, reaches(number))


def _evaluate_cells(chosen: Profile, opened: Opened, number: Number, reach: Reach) -> SealedNumber:
    """Batches have the same cells, so their columns are added first; then every column of the combination."""
    found = []
    for column, factor in number.parts:
        chunks = add_columns(chosen, opened[column])
        if reach.weights is None and factor == 1:
            found.append(evaluate_sum(chosen, chunks, reach.index))
        else:
            weights = np.ones(reach.index.size, dtype=np.int64) if reach.weights is None else reach.weights
            found.append(evaluate_weighted(chosen, chunks, weigh_cells(chosen, reach.index, factor * weights)))
    return add_numbers(chosen, found)


Evaluate = Callable[[Profile, Opened, Number, Reach], SealedNumber]
EVALUATORS: dict[str, Evaluate] = {"cells": _evaluate_cells}
"""How each form is evaluated (see forms.py)."""


def number_entry(number: SealedNumber) -> dict[str, str]:
    """What a result document says of one number: the residue for the buyer, and the digest of what the vault needs."""
    with part("digests"):
        return {"c0": f"0x{number.c0:064x}", "c1": to_hex(number.c1_digest())}


def result_document(query: Mapping[str, Any], plan: Plan, entries: Iterable[Mapping[str, str]]) -> Document:
    """The result document of an evaluated query, from the `number_entry` of each number in the plan's order."""
    body = {"type": "result", "version": 1, "query": digest(query), "ciphertextRoot": query["ciphertextRoot"]}
    return validate_result(body | {"plan": plan.digest, "numbers": [dict(entry) for entry in entries]})


def check_profile(manifest: Mapping[str, Any]) -> None:
    """Check that every form of the manifest names a parameter set that is allowed.

    Raises:
        InvalidInputError: `foreign_parameters`.
    """
    try:
        for form in manifest["forms"]:
            profile(form["profile"])
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


def _open(profile_name: str, blob: str, data: bytes, probe: Probe | None) -> SealedChunk:
    if sha256(data) != from_hex(blob, 32, "blob"):
        message = f"the bytes fetched for blob {blob} have another digest"
        raise VerificationError(
            "blob_altered", message, zh=f"密文 {blob} 的摘要不符", expected=blob, got=to_hex(sha256(data))
        )
    if probe:
        _load_elsewhere(probe, profile_name, blob, data)
    try:
        return open_chunk(profile(profile_name), data)
    except CryptoError as error:
        message = f"blob {blob} is not a sealed chunk: {error}"
        raise VerificationError("blob_malformed", message, zh=f"密文 {blob} 格式无效", got=str(error)) from error


def _load_elsewhere(probe: Probe, profile_name: str, blob: str, data: bytes) -> None:
    try:
        probe(profile_name, blob, data)
    except LoaderDied as error:
        message = f"blob {blob} is refused: {error}"
        raise VerificationError(
            "blob_breaks_loader",
            message,
            zh=f"密文 {blob} 使隔离的加载进程崩溃,已拒绝",
            rule="queries.confined_loading",
            got=str(error),
            hint="tell the supplier and the operator; the blob was loaded in no other process",
            hint_zh="请告知供方与运营方;该密文未在其他进程中加载",
        ) from error
    except LoaderUnavailable as error:
        message = f"no blob can be loaded: {error}"
        raise PortError("loader_unavailable", message, zh="隔离的加载进程无法启动") from error
