"""Sealed columns as an evaluation sees them: fetched, checked against the manifest, opened, kept for the next query.

Blobs come from a fetcher; each is checked against its digest before it is opened, and opened chunks are kept, least
recently used ones dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError, LoaderDied, LoaderUnavailable, ParameterError
from crypto.seal.cells import SealedChunk, open_chunk
from crypto.seal.pad_wire import CHUNK, PadChunk, pad_profile, read_chunk
from crypto.seal.parameters import profile
from crypto.seal.products import RowChunk, open_rows
from marketplace.documents import COUNTS, SALT, column_chunks, public_cell_count
from marketplace.errors import PortError, VerificationError

Fetch = Callable[[str], bytes]
"""Bytes of the blob with this digest ("0x" hex)."""
Probe = Callable[[str, str, bytes], None]
"""Gets a parameter set, a digest and the bytes of a blob before SEAL loads them here; raises where it must not."""
Kept = tuple[str, str, str]
"""What a blob was opened as: form or public column, parameter set, digest. A manifest may name one in several roles."""
KEPT_CHUNKS = 256  # about 0.4 MB each
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """How the sealed blobs of one form are laid out. Every function takes the name of the parameter set first.

    Args:
        check: raises CryptoError where it is none that this form may use.
        open: a checked blob, opened; raises CryptoError where it is none.
        rows: of products, how many rows a full chunk holds.
        probed: whether a native library loads the blobs, so that foreign ones are tried elsewhere first.
    """

    check: Callable[[str], object]
    open: Callable[[str, bytes], Any]
    rows: Callable[[str], int] | None
    probed: bool = True


def _check_cells(name: str) -> None:
    if profile(name).plain_prime:
        raise ParameterError(f"{name} has slots and holds no cells")


def _check_products(name: str) -> None:
    if not profile(name).plain_prime:
        raise ParameterError(f"{name} has no slots and multiplies nothing")


LAYOUTS = {
    "cells": Layout(_check_cells, lambda name, data: open_chunk(profile(name), data), None),
    "rows": Layout(
        pad_profile,
        lambda name, data: read_chunk(pad_profile(name), data),
        None,
        probed=False,
    ),
    "products": Layout(
        _check_products, lambda name, data: open_rows(profile(name), data), lambda name: profile(name).degree
    ),
}


@dataclass(frozen=True)
class Share:
    """Some of the chunks of every column and batch: those whose place leaves `rest` when divided by `parts`."""

    rest: int
    parts: int

    def takes(self, place: int) -> bool:
        """Whether the chunk at this place is one of them."""
        return place % self.parts == self.rest

    def before(self, value: int, size: int) -> int:
        """How many values of these chunks, of `size` each, lie before this one."""
        place, within = divmod(value, size)
        whole = max(0, -(-(place - self.rest) // self.parts))
        return whole * size + (within if self.takes(place) else 0)


EVERY_CHUNK = Share(0, 1)


class SealedColumns:
    """Opened chunks of sealed data sets.

    Args:
        fetch: where blobs come from. capacity: how many opened chunks to keep.
        probe: loads foreign blobs somewhere else first (crypto/seal/confined.py); None for one's own.
    """

    def __init__(self, fetch: Fetch, capacity: int = KEPT_CHUNKS, probe: Probe | None = None) -> None:
        self._fetch, self._capacity, self._probe = fetch, capacity, probe
        self._kept: OrderedDict[Kept, Any] = OrderedDict()

    def column(
        self, manifest: Manifest, batch: Manifest, form: int, name: str, share: Share = EVERY_CHUNK
    ) -> list[SealedChunk]:
        """The chunks of one column of one batch in the form at this position, those of the share, in order.

        Raises:
            VerificationError: `blob_altered`, `blob_malformed`, `blob_breaks_loader`, `column_incomplete`.
            PortError: `loader_unavailable`.
        """
        sealed, cells = manifest["forms"][form], public_cell_count(manifest)
        size, chunks = profile(sealed["profile"]).degree, column_chunks(batch, form, name)
        if len(chunks) != -(-cells // size):
            raise _incomplete(name, "value for each cell", cells)
        opened = {place: self._chunk(sealed, item["blob"]) for place, item in enumerate(chunks) if share.takes(place)}
        if any(chunk.count != min(size, cells - place * size) for place, chunk in opened.items()):
            raise _incomplete(name, "value for each cell", cells)
        return list(opened.values())

    def row_chunk(self, manifest: Manifest, batch: Manifest, form: int, name: str, place: int) -> Any:
        """One chunk of a column of a form of rows.

        Raises:
            VerificationError, PortError: as `column`.
        """
        sealed, chunks = manifest["forms"][form], column_chunks(batch, form, name)
        if place >= len(chunks):
            raise _incomplete(name, "value for each row", batch["rows"])
        chunk = self._chunk(sealed, chunks[place]["blob"])
        rows = LAYOUTS[sealed["form"]].rows
        assert rows is not None
        size = rows(sealed["profile"])
        if chunk.count != min(size, batch["rows"] - place * size):
            raise _incomplete(name, "value for each row", batch["rows"])
        return chunk

    def padded_chunk(self, manifest: Manifest, batch: Manifest, form: int, name: str, place: int) -> PadChunk:
        """One chunk of a column of padded rows, on the batch's own sheet.

        Raises:
            VerificationError: as `column`.
        """
        sealed, chunks = manifest["forms"][form], column_chunks(batch, form, name)
        size = public_cell_count(manifest) * sealed["places"]
        if len(chunks) != -(-size // CHUNK):
            raise _incomplete(name, "value for each place", size)
        chunk: PadChunk = self._chunk(sealed, chunks[place]["blob"])
        wanted = (place * CHUNK, min(CHUNK, size - place * CHUNK), self.salt(batch, form))
        if (chunk.start, chunk.count, chunk.salt) != wanted:
            raise _incomplete(name, "value for each place, on one sheet", size)
        return chunk

    def salt(self, batch: Manifest, form: int) -> bytes:
        """The salt of the sheets of a batch's padded rows.

        Raises:
            VerificationError: `blob_altered`.
        """
        (chunk,) = column_chunks(batch, form, SALT)
        name = (SALT, "", chunk["blob"])
        if name not in self._kept:
            data = self._fetch(chunk["blob"])
            _check_digest(chunk["blob"], data)
            self._keep(name, data)
        salt: bytes = self._kept[name]
        return salt

    def counts(self, manifest: Manifest, batch: Manifest, form: int) -> NDArray[np.int64]:
        """Rows of each public cell of a batch, from the unsealed column of a form of rows.

        Raises:
            VerificationError: `blob_altered`, `column_incomplete`.
        """
        (chunk,) = column_chunks(batch, form, COUNTS)
        name = (COUNTS, "", chunk["blob"])
        if name not in self._kept:
            data = self._fetch(chunk["blob"])
            _check_digest(chunk["blob"], data)
            if len(data) != 4 * public_cell_count(manifest):
                raise _incomplete(COUNTS, "number for each public cell", public_cell_count(manifest))
            self._keep(name, np.frombuffer(data, dtype="<u4").astype(np.int64))
        counts: NDArray[np.int64] = self._kept[name]
        if int(counts.sum()) != batch["rows"]:
            raise _incomplete(COUNTS, "place for each row", batch["rows"])
        return counts

    def _chunk(self, sealed: Manifest, blob: str) -> Any:
        name = (sealed["form"], sealed["profile"], blob)
        if name not in self._kept:
            self._keep(name, _open(sealed, blob, self._fetch(blob), self._probe))
        self._kept.move_to_end(name)
        return self._kept[name]

    def _keep(self, name: Kept, opened: Any) -> None:
        self._kept[name] = opened
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


@dataclass(frozen=True)
class Data:
    """The data set that a plan is evaluated on, in one of its forms.

    Args:
        manifest: what was sealed. form: position of the form. columns: where its sealed columns come from.
        share: the chunks that count in this evaluation; the others add to the same numbers elsewhere (pieces.py).
    """

    manifest: Manifest
    form: int
    columns: SealedColumns
    share: Share = EVERY_CHUNK

    @property
    def profile(self) -> str:
        """Name of the form's parameter set."""
        return str(self.manifest["forms"][self.form]["profile"])

    def column(self, name: str) -> list[list[SealedChunk]]:
        """Chunks of a column of cells, batch by batch."""
        batches = self.manifest["batches"]
        return [self.columns.column(self.manifest, batch, self.form, name, self.share) for batch in batches]

    def row_chunk(self, batch: Manifest, name: str, place: int) -> RowChunk:
        """One chunk of a column of rows."""
        chunk: RowChunk = self.columns.row_chunk(self.manifest, batch, self.form, name, place)
        return chunk

    def padded_chunk(self, batch: Manifest, name: str, place: int) -> PadChunk:
        """One chunk of a column of padded rows."""
        return self.columns.padded_chunk(self.manifest, batch, self.form, name, place)

    def counts(self, batch: Manifest) -> NDArray[np.int64]:
        """Rows of each public cell of a batch."""
        return self.columns.counts(self.manifest, batch, self.form)


def _open(sealed: Manifest, blob: str, data: bytes, probe: Probe | None) -> Any:
    _check_digest(blob, data)
    if probe and LAYOUTS[sealed["form"]].probed:
        _load_elsewhere(probe, sealed["profile"], blob, data)
    try:
        return LAYOUTS[sealed["form"]].open(sealed["profile"], data)
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


def _check_digest(blob: str, data: bytes) -> None:
    if sha256(data) != from_hex(blob, 32, "blob"):
        message = f"the bytes fetched for blob {blob} have another digest"
        raise VerificationError(
            "blob_altered", message, zh=f"密文 {blob} 的摘要不符", expected=blob, got=to_hex(sha256(data))
        )


def _incomplete(name: str, what: str, expected: object) -> VerificationError:
    return VerificationError(
        "column_incomplete",
        f"{name} does not hold one {what}",
        zh=f"列 {name} 的单元数或行数与清单不符",
        expected=expected,
    )
