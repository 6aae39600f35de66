"""A new version of a sealed data set: a batch appended, corrected or withdrawn.

The new version holds the blobs of all other batches as they are (a second name for the same file), and seals its own
batch under the same key. That is safe because nothing but the key is shared between chunks: each is a fresh symmetric
encryption with its own 64-byte seed and its own error, so chunks of one key say no more together than apart, also when
a corrected batch holds nearly the same values as the one before.

Only the newest version of a series can be changed, so that the versions form one line and every batch gets a block that
no other batch has. The vault's true counts reach back to withdrawn batches: cohorts are compared with every earlier
answer, of whatever version.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from crypto.canonical import canonical_json, digest_json, to_hex
from marketplace.documents import Document, all_chunks, iso_time, series_of, validate_manifest
from marketplace.documents.shapes import NAME
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.queries.cohort.counts import Counts
from marketplace.queries.language.lexicon import choices
from marketplace.vault.keeping.custody import Deposit
from marketplace.vault.keeping.folder import Dataset, VaultFolder, custody_name
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.sealing.batches import SealedBatch, seal_batch
from marketplace.vault.sealing.categories import Progress, list_categories, silent
from marketplace.vault.sealing.dataset import declared_parts
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.schema import Dimension, Schema
from marketplace.vault.sealing.work import Source


def append_batch(
    path: Path,
    schema: Schema,
    folder: VaultFolder,
    base: Dataset,
    batch: str,
    *,
    now: int,
    progress: Progress = silent,
    deposit: Deposit | None = None,
) -> Dataset:
    """The next version of `base`, with the file's rows as one more batch.

    Args:
        schema: as the first version was sealed with; where it lists no categories, the manifest's count.
        batch: name of the new batch. now: unix seconds, for the manifest.
        deposit: of a split key: the custodian, with the half that it lent.
    Raises:
        InvalidInputError: `schema_differs`, `batch_exists`, or as `seal_file`.
        RuleError: `version_not_newest`, `key_is_split`. crypto.errors.InvalidKey: the lent half is another key's.
    """
    NAME(batch, "batch")
    if batch in _names(base):
        message = f"the data set has a batch {batch} already"
        hint, hint_zh = "correct it, or choose another name", "请更正该批次，或改用其他名称"
        more = {"got": batch, "hint": hint, "hint_zh": hint_zh}
        raise InvalidInputError("batch_exists", message, zh=f"已有批次 {batch}", **more)
    source = Source(path, completed(schema, base.manifest), rows_besides(base, batch), progress)
    return _with_batch(source, folder, base, ("append", batch), now=now, deposit=deposit)


def correct_batch(
    path: Path,
    schema: Schema,
    folder: VaultFolder,
    base: Dataset,
    batch: str,
    *,
    now: int,
    progress: Progress = silent,
    deposit: Deposit | None = None,
) -> Dataset:
    """The next version of `base`, with the file's rows in place of those of a batch.

    Raises:
        NotFoundError: `batch_unknown`. InvalidInputError, RuleError: as `append_batch`.
    """
    _require_batch(base, batch)
    source = Source(path, completed(schema, base.manifest), rows_besides(base, batch), progress)
    return _with_batch(source, folder, base, ("correct", batch), now=now, deposit=deposit)


def withdraw_batch(
    folder: VaultFolder, base: Dataset, batch: str, *, now: int, deposit: Deposit | None = None
) -> Dataset:
    """The next version of `base`, without a batch. Nothing is sealed, so of a split key no half need be lent.

    Raises:
        NotFoundError: `batch_unknown`. RuleError: `last_batch`, `version_not_newest`.
    """
    _require_batch(base, batch)
    if len(base.manifest["batches"]) == 1:
        message = f"{batch} is the only batch; a data set without rows cannot be sealed"
        raise RuleError(
            "last_batch",
            message,
            zh=f"{batch} 是唯一批次,不能撤回",
            rule="vault.batches",
            got=batch,
            hint="append or correct the batch instead, or suspend the listing",
            hint_zh="请改为追加或更正该批次，或下架相应挂牌",
        )
    folder.require_newest(base)
    manifest = _next(base, ("withdraw", batch), now, None)
    blocks = tuple(item["block"] for item in manifest["batches"])
    with folder.draft(to_hex(digest_json({"change": "withdraw", "batch": batch, "previous": base.digest}))) as draft:
        return _keep(folder, draft, base, manifest, counts=replace(base.counts, blocks=blocks), deposit=deposit)


def _with_batch(
    source: Source, folder: VaultFolder, base: Dataset, change: tuple[str, str], *, now: int, deposit: Deposit | None
) -> Dataset:
    folder.require_newest(base)
    listed = list_categories(source.path, source.schema, source.progress)
    check_declared(listed, base.manifest)
    source, place = replace(source, schema=listed), (change[1], base.manifest["blocks"])
    with folder.draft(source.job(change=change[0], batch=change[1], previous=base.digest)) as draft:
        sealed = seal_batch(source, base.manifest, place, _keys(base, deposit), draft)
        manifest = _next(base, change, now, sealed.entry)
        counts = _extended(base.counts, sealed, manifest)
        return _keep(folder, draft, base, manifest, counts=counts, deposit=deposit)


def _keys(base: Dataset, deposit: Deposit | None) -> KeyRing:
    """The whole keys, for as long as the sealing takes."""
    if base.ring.is_half and deposit is not None and deposit.lent is not None:
        return base.ring.join(deposit.lent)
    return base.whole_ring


def rows_besides(base: Dataset, batch: str) -> int:
    """Rows of all batches but one."""
    return sum(int(item["rows"]) for item in base.manifest["batches"] if item["name"] != batch)


def _keep(
    folder: VaultFolder, draft: Draft, base: Dataset, manifest: Document, *, counts: Counts, deposit: Deposit | None
) -> Dataset:
    """The draft as the next version under the base's key; of a split one with halves of the next generation."""
    mine = {chunk["blob"] for chunk in all_chunks(base.manifest)}
    for blob in dict.fromkeys(chunk["blob"] for chunk in all_chunks(manifest)):
        if blob in mine:
            draft.share_blob(base.path, blob)
    if deposit is None or not base.ring.is_half:
        return folder.keep(draft, manifest, base.whole_ring, counts)
    ours, theirs = base.ring.zero()
    generation = base.generation + 1
    draft.put_file(custody_name(generation), canonical_json(deposit.package(manifest, generation, theirs)))
    return folder.keep(draft, manifest, base.ring.plus(ours), counts, generation)


def _next(base: Dataset, change: tuple[str, str], now: int, entry: Document | None) -> Document:
    """The manifest that follows the base's, with `entry` in place of the batch of that name."""
    kind, name = change
    batches = [item if item["name"] != name else entry for item in base.manifest["batches"]]
    batches += [entry] if kind == "append" else []
    body = base.manifest | {"series": series_of(base.manifest), "previous": base.digest, "sealedAt": iso_time(now)}
    body |= {"change": {"kind": kind, "batch": name}, "batches": [item for item in batches if item is not None]}
    return validate_manifest(body | {"blocks": base.manifest["blocks"] + (entry is not None)})


def _extended(counts: Counts, sealed: SealedBatch, manifest: Document) -> Counts:
    present = {name: np.append(earlier, sealed.counts[name]) for name, earlier in counts.present.items()}
    return Counts.of(manifest, np.append(counts.rows, sealed.counts["rows"]), present)


def completed(schema: Schema, manifest: Document) -> Schema:
    """The schema with the manifest's categories wherever it lists none: those of an update are the series'."""
    known = {item["name"]: item for item in manifest["dimensions"]}

    def with_categories(item: Dimension) -> Dimension:
        if item.categories is not None or item.name not in known:
            return item
        return replace(item, categories=tuple(known[item.name]["categories"]), ordered=known[item.name]["ordered"])

    return replace(schema, dimensions=tuple(with_categories(item) for item in schema.dimensions))


def check_declared(schema: Schema, manifest: Document) -> None:
    """Check that the schema declares what the data set's does.

    Raises:
        InvalidInputError: `schema_differs`.
    """
    for part, stated in declared_parts(schema).items():
        if stated != manifest[part]:
            raise InvalidInputError(
                "schema_differs",
                f"the schema declares other {part} than the data set's",
                zh=f"数据描述中的 {part} 与数据集不符",
                rule="vault.updates",
                expected=manifest[part],
                got=stated,
                hint="an update keeps what was declared; other declarations make another data set",
                hint_zh="更新须沿用原有声明;声明不同即为另一数据集",
            )


def _require_batch(base: Dataset, batch: str) -> None:
    if batch not in _names(base):
        message = f"the data set has no batch {batch}"
        raise NotFoundError("batch_unknown", message, zh=f"没有批次 {batch}", expected=choices(_names(base)), got=batch)


def _names(base: Dataset) -> list[str]:
    return [item["name"] for item in base.manifest["batches"]]
