"""Evaluating a plan on sealed columns. No key, no randomness: panel nodes, vault and auditor get the same bytes.

Blobs come from a fetcher; each is checked against its digest before it is opened, and opened chunks are kept for the
next query, least recently used ones dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError
from crypto.seal.cells import SealedChunk, open_chunk
from crypto.seal.evaluate import SealedNumber, evaluate_sum
from crypto.seal.parameters import Profile, profile
from marketplace.documents import (
    Document,
    cell_shape,
    ciphertext_root,
    column_chunks,
    digest,
    public_cell_count,
    public_shape,
    validate_result,
)
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.queries.plan import Cells, Plan
from marketplace.queries.timings import part

Fetch = Callable[[str], bytes]
"""Bytes of the blob with this digest ("0x" hex)."""
KEPT_CHUNKS = 256  # about 0.4 MB each


class SealedColumns:
    """Opened chunks of sealed data sets.

    Args:
        fetch: where blobs come from. capacity: how many opened chunks to keep.
    """

    def __init__(self, fetch: Fetch, capacity: int = KEPT_CHUNKS) -> None:
        self._fetch, self._capacity = fetch, capacity
        self._kept: OrderedDict[str, SealedChunk] = OrderedDict()

    def column(self, manifest: Mapping[str, Any], batch: Mapping[str, Any], form: int, name: str) -> list[SealedChunk]:
        """The chunks of one column of one batch in the form at this position, in order.

        Raises:
            VerificationError: `blob_altered`, `blob_malformed`, `column_incomplete`.
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
            self._kept[blob] = _open(profile_name, blob, self._fetch(blob))
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        self._kept.move_to_end(blob)
        return self._kept[blob]


def evaluate_plan(manifest: Mapping[str, Any], plan: Plan, columns: SealedColumns) -> Iterator[SealedNumber]:
    """The sealed number of each entry of the plan, in order, one at a time: each is 0.2 MB.

    Raises:
        VerificationError: a blob is not what the manifest names.
    """
    chosen = profile(manifest["forms"][0]["profile"])
    with part("opening"):
        chunks = {
            name: [columns.column(manifest, batch, 0, name) for batch in manifest["batches"]] for name in plan.columns
        }
    return (_evaluate(manifest, chosen, chunks[number.column], number.cells) for number in plan.numbers)


def _evaluate(
    manifest: Mapping[str, Any], chosen: Profile, batches: list[list[SealedChunk]], cells: Cells
) -> SealedNumber:
    with part("arithmetic"):
        added, taken = _signed_cells(manifest, _public_cells(manifest, cells))
        plus = [evaluate_sum(chosen, chunks, added) for chunks in batches]
        minus = [evaluate_sum(chosen, chunks, taken) for chunks in batches if taken.size]
        return _total(chosen, plus, minus)


def _public_cells(manifest: Mapping[str, Any], cells: Cells) -> Cells:
    """The public cells that some logical cells make up; cells of this form do not tell a hidden dimension apart."""
    chosen = np.zeros(cell_shape(manifest), dtype=np.bool_)
    chosen.reshape(-1)[cells] = True
    hidden = tuple(axis for axis, item in enumerate(manifest["dimensions"]) if item["hidden"])
    some, whole = chosen.any(axis=hidden), chosen.all(axis=hidden)
    if not np.array_equal(some, whole):
        raise RuleError(
            "dimension_hidden",
            "the data are not sealed in a form that tells the hidden dimension apart",
            zh="数据的密封形式不能区分隐藏维度",
            rule="queries.hidden",
        )
    return np.flatnonzero(whole)


def _signed_cells(manifest: Mapping[str, Any], cells: Cells) -> tuple[Cells, Cells]:
    """The sealed values to add and those to take away: of running totals, a range takes its end less its start."""
    prefix = manifest["forms"][0]["prefix"]
    if prefix is None:
        return cells, cells[:0]
    axis = [item["name"] for item in manifest["dimensions"] if not item["hidden"]].index(prefix)
    chosen = np.zeros(public_cell_count(manifest), dtype=np.int64)
    chosen[cells] = 1
    weights = -np.diff(chosen.reshape(public_shape(manifest)), axis=axis, append=0).reshape(-1)
    return np.flatnonzero(weights == 1), np.flatnonzero(weights == -1)


def _total(chosen: Profile, plus: list[SealedNumber], minus: list[SealedNumber]) -> SealedNumber:
    if len(plus) == 1 and not minus:
        return plus[0]
    primes = np.array(chosen.data_primes, dtype=np.uint64)[:, None]
    c0, c1 = sum(item.c0 for item in plus), plus[0].c1
    for item in plus[1:]:
        c1 = (c1 + item.c1) % primes
    for item in minus:
        c0, c1 = c0 - item.c0, (c1 + (primes - item.c1)) % primes
    return SealedNumber(chosen, c0 % chosen.modulus, c1)


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


def _open(profile_name: str, blob: str, data: bytes) -> SealedChunk:
    if sha256(data) != from_hex(blob, 32, "blob"):
        message = f"the bytes fetched for blob {blob} have another digest"
        raise VerificationError(
            "blob_altered", message, zh=f"密文 {blob} 的摘要不符", expected=blob, got=to_hex(sha256(data))
        )
    try:
        return open_chunk(profile(profile_name), data)
    except CryptoError as error:
        message = f"blob {blob} is not a sealed chunk: {error}"
        raise VerificationError("blob_malformed", message, zh=f"密文 {blob} 格式无效", got=str(error)) from error
