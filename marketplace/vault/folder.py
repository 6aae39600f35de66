"""What a vault keeps on disk.

    <vault>/datasets/<manifest digest>/manifest.json    canonical bytes, public
                                       blobs/<digest>   sealed chunks, public
                                       private.bin      sealing key and true counts, AES-256-GCM
    <vault>/ledger.sqlite                               the privacy account (store.py)

A data set appears by one rename and never changes. Its private part is bound to its manifest: it opens under no other.
The versions of one series are data sets of their own; blobs that they share are one file with several names.
"""

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crypto.canonical import from_hex, load_canonical, sha256, to_hex
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import profile as profile_named
from marketplace.documents import Document, all_chunks, canonical, cell_count, digest, series_of, validate_manifest
from marketplace.errors import NotFoundError, RuleError, VerificationError
from marketplace.queries.cohort import Counts
from marketplace.types import Digest
from marketplace.vault.drafts import PREFIX, Draft, open_draft
from marketplace.vault.durable import sync_tree, write_file
from marketplace.vault.secrecy import Cipher


@dataclass(frozen=True)
class Dataset:
    """A sealed data set with its private part. Its repr shows the digest alone."""

    path: Path
    digest: Digest
    manifest: Document
    key: SealingKey
    counts: Counts

    def __repr__(self) -> str:
        return f"Dataset({self.digest})"

    def blob(self, name: str) -> bytes:
        """The blob with this digest.

        Raises:
            NotFoundError: `blob_missing`. VerificationError: `blob_altered`, the bytes on disk have another digest.
        """
        try:
            data = (self.path / "blobs" / from_hex(name, 32, "blob").hex()).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                "blob_missing", f"the vault has no blob {name}", zh=f"数据保险库缺少密文 {name}"
            ) from None
        if sha256(data) != from_hex(name):
            raise VerificationError(
                "blob_altered", f"blob {name} was altered on disk", zh=f"密文 {name} 已被改动", got=name
            )
        return data


@dataclass(frozen=True)
class _Place:
    """Where a data set stands among the versions of its series."""

    series: Digest
    previous: Digest | None


class VaultFolder:
    """A vault's folder.

    Args:
        path: created when absent, readable by its owner alone.
        cipher: for the private parts.
    """

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self.path, self.cipher = path, cipher
        self.datasets.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._places: dict[Digest, _Place] = {}
        self._newest: dict[Digest, Counts] = {}

    @property
    def datasets(self) -> Path:
        """The folder of data sets."""
        return self.path / "datasets"

    def draft(self, job: str) -> AbstractContextManager[Draft]:
        """The draft of a job (see drafts.py), taken up where a killed process left it.

        Raises:
            RuleError: `draft_busy`.
        """
        return open_draft(self.datasets, job, self.cipher)

    def keep(self, draft: Draft, manifest: Document, key: SealingKey, counts: Counts) -> Dataset:
        """Make the draft a data set of this vault."""
        name = digest(manifest)
        draft.finish({chunk["blob"] for chunk in all_chunks(manifest)})
        write_file(draft.path / "manifest.json", canonical(manifest))
        write_file(draft.path / "private.bin", self.cipher.encrypt(_pack(key, counts), _context(name)))
        target = self.datasets / name[2:]
        sync_tree(draft.path)
        draft.path.rename(target)
        sync_tree(self.datasets)
        return Dataset(target, name, manifest, key, counts)

    def names(self) -> list[Digest]:
        """Digests of all manifests in the vault."""
        folders = (item for item in self.datasets.iterdir() if not item.name.startswith(PREFIX))
        return sorted(Digest("0x" + item.name) for item in folders)

    def newest(self, manifest: Document) -> Digest:
        """The last version of the manifest's series in this vault."""
        places = self._all_places()
        followed = {place.previous for place in places.values()}
        series = series_of(manifest)
        return next(name for name, place in places.items() if place.series == series and name not in followed)

    def require_newest(self, dataset: Dataset) -> None:
        """Check that no version follows this one.

        Raises:
            RuleError: `version_not_newest`.
        """
        newest = self.newest(dataset.manifest)
        if newest != dataset.digest:
            raise RuleError(
                "version_not_newest",
                f"{dataset.digest} is not the newest version of its series",
                zh="该清单不是其系列的最新版本",
                rule="vault.updates",
                expected=newest,
                got=dataset.digest,
            )

    def counts(self, dataset: Dataset) -> Counts:
        """The true counts of a data set's atoms, and of all atoms that later versions of its series have."""
        newest = self.newest(dataset.manifest)
        if newest == dataset.digest:
            return dataset.counts
        if newest not in self._newest:
            self._newest = {newest: self.open(newest).counts}
        return replace(self._newest[newest], blocks=dataset.counts.blocks)

    def _all_places(self) -> dict[Digest, "_Place"]:
        for name in self.names():
            if name not in self._places:
                manifest = load_canonical((self.datasets / name[2:] / "manifest.json").read_bytes())
                self._places[name] = _Place(Digest(manifest["series"] or name), manifest["previous"])
        return self._places

    def open(self, name: str) -> Dataset:
        """The data set with this manifest digest.

        Raises:
            NotFoundError: `dataset_unknown`. VerificationError: `manifest_altered`.
            crypto.errors.DecryptionFailed: the private part was altered, or belongs to another key.
        """
        path = self.datasets / from_hex(name, 32, "manifest").hex()
        try:
            data, sealed = (path / "manifest.json").read_bytes(), (path / "private.bin").read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                "dataset_unknown", f"the vault does not hold {name}", zh=f"数据保险库没有 {name}"
            ) from None
        if to_hex(sha256(data)) != name:
            raise VerificationError(
                "manifest_altered", f"manifest {name} was altered on disk", zh="清单已被改动", got=name
            )
        manifest = validate_manifest(load_canonical(data))
        key, counts = _unpack(manifest, self.cipher.decrypt(sealed, _context(name)))
        return Dataset(path, Digest(name), manifest, key, counts)


def _context(name: str) -> bytes:
    return b"vault/dataset/" + name.encode()


def _pack(key: SealingKey, counts: Counts) -> bytes:
    buffer = io.BytesIO()
    arrays = {f"present:{name}": array for name, array in counts.present.items()}
    secret = np.frombuffer(key.to_bytes(), dtype=np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, key=secret, rows=counts.rows, **arrays)
    return buffer.getvalue()


def _unpack(manifest: Document, data: bytes) -> tuple[SealingKey, Counts]:
    names = [*(item["name"] for item in manifest["measures"]), *map("@{}".format, range(len(manifest["joints"])))]
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        key = SealingKey.from_bytes(profile_named(manifest["forms"][0]["profile"]), arrays["key"].tobytes())
        present = {name: arrays[f"present:{name}"] for name in names}
        blocks = tuple(batch["block"] for batch in manifest["batches"])
        return key, Counts(arrays["rows"], present, blocks, cell_count(manifest))
