"""What a vault keeps on disk.

    <vault>/datasets/<manifest digest>/manifest.json    canonical bytes, public
                                       blobs/<digest>   sealed chunks, public
                                       private.bin      sealing keys and true counts, AES-256-GCM
                                       custody-n.json   of a split key: the other half, sealed to its custodian
    <vault>/ledger.sqlite                               the privacy account (store.py)

A data set appears by one rename and never changes, but for the half of a split key, which a refresh replaces. Its
private part is bound to its manifest: it opens under no other. Where the manifest names a custodian the vault holds one
half of every key; the whole ones existed only while it sealed, in memory.
The versions of one series are data sets of their own; blobs that they share are one file with several names.
"""

import io
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import from_hex, load_canonical, sha256, to_hex
from marketplace.documents import Document, all_chunks, canonical, digest, series_of, validate_manifest
from marketplace.errors import NotFoundError, RuleError, VerificationError
from marketplace.queries.cohort import released_sets
from marketplace.queries.cohort.counts import Counts, Released
from marketplace.queries.planning.plan import Plan
from marketplace.queries.planning.selection import Group
from marketplace.sdk.home.files import write_private
from marketplace.types import Digest
from marketplace.vault.keeping.durable import sync_tree, write_file
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.drafts import PREFIX, Draft, open_draft


@dataclass(frozen=True)
class Dataset:
    """A sealed data set with its private part. Its repr shows the digest alone."""

    path: Path
    digest: Digest
    manifest: Document
    ring: KeyRing
    counts: Counts
    generation: int = 0

    def __repr__(self) -> str:
        return f"Dataset({self.digest})"

    @property
    def custody_file(self) -> Path:
        """The newest file for the custodian: sealed to its key, of no use to anybody else."""
        return self.path / custody_name(self.generation)

    @property
    def whole_ring(self) -> KeyRing:
        """The keys themselves, which sealing needs.

        Raises:
            RuleError: `key_is_split`: this vault and a custodian hold one half each.
        """
        if not self.ring.is_half:
            return self.ring
        raise RuleError(
            "key_is_split",
            "the sealing key is split between vault and custodian; nothing more can be sealed under it",
            zh="密封密钥已分存于金库与托管方,无法再用其密封数据",
            rule="vault.split",
            hint="have the custodian lend its half (marketplace custodian lend), or seal all rows again (vault reseal)",
            hint_zh="请托管方出借其半密钥(marketplace custodian lend),或重新密封全部数据(vault reseal)",
        )

    @property
    def blobs(self) -> Path:
        """The folder of sealed chunks: blob 0xAB… is the file ab…."""
        return self.path / "blobs"

    def blob(self, name: str) -> bytes:
        """The blob with this digest.

        Raises:
            NotFoundError: `blob_not_here`. VerificationError: `blob_altered`, the bytes on disk have another digest.
        """
        try:
            data = (self.blobs / from_hex(name, 32, "blob").hex()).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                "blob_not_here", f"the vault has no blob {name}", zh=f"数据保险库缺少密文 {name}"
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
    release_key: str


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

    def keep(self, draft: Draft, manifest: Document, ring: KeyRing, counts: Counts, generation: int = 0) -> Dataset:
        """Make the draft a data set of this vault."""
        name = digest(manifest)
        draft.finish({chunk["blob"] for chunk in all_chunks(manifest)})
        write_file(draft.path / "manifest.json", canonical(manifest))
        write_file(draft.path / "private.bin", self._private(name, ring, counts, generation))
        target = self.datasets / name[2:]
        sync_tree(draft.path)
        draft.path.rename(target)
        sync_tree(self.datasets)
        return Dataset(target, name, manifest, ring, counts, generation)

    def replace_half(self, dataset: Dataset, half: KeyRing, package: bytes) -> Dataset:
        """Put another half of the key in place of the data set's; the one before is gone when this returns.

        Args:
            package: the file that moves the custodian's half by as much.
        """
        generation = dataset.generation + 1
        write_private(dataset.path / custody_name(generation), package)
        sealed = self._private(dataset.digest, half, dataset.counts, generation)
        write_private(dataset.path / "private.bin", sealed)
        return replace(dataset, ring=half, generation=generation)

    def _private(self, name: Digest, ring: KeyRing, counts: Counts, generation: int = 0) -> bytes:
        return self.cipher.encrypt(_pack(ring, counts, generation), _context(name))

    def stamp(self, name: str) -> int:
        """When the private part of a data set was last written, in nanoseconds; 0 where there is none."""
        path = self.datasets / from_hex(name, 32, "manifest").hex() / "private.bin"
        return path.stat().st_mtime_ns if path.is_file() else 0

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

    def release_keys(self, series: str) -> set[str]:
        """Addresses that sign releases, or did, of the versions of a series in this vault."""
        return {place.release_key for place in self._all_places().values() if place.series == series}

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
                hint="start from the newest version of the series",
                hint_zh="请从该系列的最新版本开始",
            )

    def counts(self, dataset: Dataset) -> Counts:
        """The true counts of a data set's atoms, and of all atoms that later versions of its series have."""
        newest = self.newest(dataset.manifest)
        if newest == dataset.digest:
            return dataset.counts
        if newest not in self._newest:
            self._newest = {newest: self.open(newest).counts}
        return replace(self._newest[newest], blocks=dataset.counts.blocks)

    def sets_of(self, manifest: Document, plan: Plan, groups: Collection[Group]) -> Collection[Released]:
        """The cell sets that releasing these groups of a plan on one of this vault's data sets told of."""
        return released_sets(plan, self.counts(self.open(digest(manifest))), list(groups))

    def _all_places(self) -> dict[Digest, "_Place"]:
        for name in self.names():
            if name not in self._places:
                manifest = load_canonical((self.datasets / name[2:] / "manifest.json").read_bytes())
                self._places[name] = _Place(
                    Digest(manifest["series"] or name), manifest["previous"], manifest["releaseKey"]
                )
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
        ring, counts, generation = _unpack(manifest, self.cipher.decrypt(sealed, _context(name)))
        return Dataset(path, Digest(name), manifest, ring, counts, generation)


def custody_name(generation: int) -> str:
    """Name of the file for the custodian."""
    return f"custody-{generation}.json"


def _context(name: str) -> bytes:
    return b"vault/dataset/" + name.encode()


def _pack(ring: KeyRing, counts: Counts, generation: int) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, NDArray[Any]] = {f"present:{name}": array for name, array in counts.present.items()}
    secret = np.frombuffer(ring.to_bytes(), dtype=np.uint8)
    arrays |= {"key": secret, "rows": counts.rows, "generation": np.array(generation)}
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(manifest: Document, data: bytes) -> tuple[KeyRing, Counts, int]:
    read = KeyRing.reader(manifest["forms"], half=manifest["custodian"] is not None)
    names = [*(item["name"] for item in manifest["measures"]), *map("@{}".format, range(len(manifest["joints"])))]
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        ring = read(arrays["key"].tobytes())
        present = {name: arrays[f"present:{name}"] for name in names}
        counts = Counts.of(manifest, arrays["rows"], present)
        return ring, counts, int(arrays["generation"])
