"""Sealing the same rows again under a new key: rotation of the sealing key, of the release key, or of the custodian.

The new version belongs to the same series, so it has no fresh budget and no fresh answers to difference. Its batches
have the names, blocks and counts they had; the vault compares the true counts cell by cell, so that other rows cannot
slip in. The old version's ciphertext and manifest stay as they are: answers that were given of it can still be checked.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from crypto.canonical import digest_json, to_hex
from marketplace.documents import Document, iso_time, series_of, validate_manifest
from marketplace.errors import InvalidInputError
from marketplace.vault.keeping.custody import Deposit
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.sealing.batches import SealedBatch, seal_batch
from marketplace.vault.sealing.categories import Progress, list_categories, silent
from marketplace.vault.sealing.dataset import keep, ring_of
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.schema import Schema
from marketplace.vault.sealing.updates import check_declared, completed, rows_besides
from marketplace.vault.sealing.work import Source
from marketplace.words import Words


def reseal(
    sources: Mapping[str, Path],
    schema: Schema,
    folder: VaultFolder,
    base: Dataset,
    *,
    release_key: str,
    deposit: Deposit | None,
    now: int,
    progress: Progress = silent,
) -> Dataset:
    """The next version of `base`: the same rows under fresh keys.

    Args:
        sources: for each batch of the base, the file with its rows.
        schema: as the first version was sealed with; where it lists no categories, the manifest's count.
        release_key: address that signs releases of the new version.
        deposit: who will hold half of the new key; None where the vault holds it all.
        now: unix seconds, for the manifest.
    Raises:
        InvalidInputError: `batches_differ`, `rows_differ`, `schema_differs`, or as `seal_file`.
        RuleError: `version_not_newest`.
    """
    folder.require_newest(base)
    _check_batches(sources, base)
    frame = base.manifest | {"series": series_of(base.manifest), "previous": base.digest, "sealedAt": iso_time(now)}
    frame |= {"change": {"kind": "reseal", "batch": None}, "releaseKey": release_key}
    frame |= {"custodian": deposit.address if deposit else None, "batches": []}
    job = {name: frame[name] for name in ("previous", "releaseKey", "custodian")}
    with folder.draft(to_hex(digest_json(job))) as draft:
        ring = ring_of(draft, frame["forms"], deposit)
        for batch in base.manifest["batches"]:
            name = batch["name"]
            source = Source(sources[name], completed(schema, base.manifest), rows_besides(base, name), progress)
            sealed = _seal_batch(source, folder, base, batch, ring=ring, draft=draft)
            frame["batches"].append(sealed.entry)
        manifest = validate_manifest(frame)
        return keep(folder, draft, manifest, ring, counts=base.counts, deposit=deposit)


def _seal_batch(
    source: Source, folder: VaultFolder, base: Dataset, batch: Document, *, ring: KeyRing, draft: Draft
) -> SealedBatch:
    """One batch, in a draft of its own whose blobs the data set's draft then takes over."""
    listed = list_categories(source.path, source.schema, source.progress)
    check_declared(listed, base.manifest)
    source = replace(source, schema=listed)
    with folder.draft(source.job(change="reseal", batch=batch["name"], previous=base.digest)) as part:
        part.forget_chunks()  # they may be under the key of a run that failed
        sealed = seal_batch(source, base.manifest, (batch["name"], batch["block"]), ring, part)
        _check_rows(base, sealed, batch)
        for column in sealed.entry["columns"]:
            for chunk in column["chunks"]:
                draft.share_blob(part.path, chunk["blob"])
        shutil.rmtree(part.path)
    return sealed


def _check_batches(sources: Mapping[str, Path], base: Dataset) -> None:
    names = [batch["name"] for batch in base.manifest["batches"]]
    if sorted(sources) != sorted(names):
        raise InvalidInputError(
            "batches_differ",
            "every batch of the data set needs its file, and no other",
            zh="须为每个批次各提供一个文件",
            rule="vault.reseal",
            expected=", ".join(names),
            got=", ".join(sources),
        )


def _check_rows(base: Dataset, sealed: SealedBatch, batch: Document) -> None:
    """The rows are those of the batch, as far as the vault can tell: every count of every cell is the same."""
    start = batch["block"] * base.counts.cells
    place = slice(start, start + base.counts.cells)
    kept = {"rows": base.counts.rows, **base.counts.present}
    differing = [name for name, counts in kept.items() if not np.array_equal(counts[place], sealed.counts[name])]
    if differing or sealed.entry["rows"] != batch["rows"]:
        raise InvalidInputError(
            "rows_differ",
            f"the file holds other rows than batch {batch['name']} was sealed from",
            zh=f"文件中的数据行与批次 {batch['name']} 不同",
            rule="vault.reseal",
            expected=Words(
                f"{batch['rows']} rows with the same counts in every cell", f"{batch['rows']} 行，且各单元计数相同"
            ),
            got=Words(f"{sealed.entry['rows']} rows", f"{sealed.entry['rows']} 行"),
            hint="other rows make a new batch: marketplace vault correct",
            hint_zh="数据行有变动时请更正批次:marketplace vault correct",
        )
