"""From a file of rows to a sealed data set in the vault: all or nothing.

The file is read in batches and only cell statistics are kept, so memory is bounded. Everything is written into a draft
(drafts.py) that is renamed into place as the last act. A fault of the file leaves the vault as it was; after a kill the
same call goes on where it was.
"""

from pathlib import Path

from crypto.canonical import canonical_json
from marketplace.documents import Document, iso_time, validate_manifest
from marketplace.documents.shapes import NAME
from marketplace.queries.cohort.counts import Counts
from marketplace.vault.keeping.custody import Deposit
from marketplace.vault.keeping.folder import Dataset, VaultFolder, custody_name
from marketplace.vault.keeping.ring import KEY_KINDS, Forms, KeyRing
from marketplace.vault.sealing.batches import seal_batch
from marketplace.vault.sealing.categories import Progress, list_categories, silent
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.schema import Schema
from marketplace.vault.sealing.work import Source

FIRST_BATCH = "first"


def seal_file(
    path: Path,
    schema: Schema,
    folder: VaultFolder,
    *,
    holder: str,
    release_key: str,
    now: int,
    batch: str = FIRST_BATCH,
    deposit: Deposit | None = None,
    progress: Progress = silent,
) -> Dataset:
    """Seal a CSV or Parquet file as the first version of a data set.

    Args:
        path: the file. schema: what its columns are. folder: the vault to seal into.
        holder: address of the participant who will register the data.
        release_key: address whose signature the vault puts on releases.
        now: unix seconds, for the manifest.
        batch: name of the batch that the file becomes.
        deposit: who will hold half of the key; None where the vault holds it all. The whole key is forgotten then, and
            the other half is written for the custodian alone to open (Dataset.custody_file).
        progress: told how far each stage is.
    Raises:
        InvalidInputError: the file or a row of it is not as declared; nothing was written.
    """
    NAME(batch, "batch")
    listed = list_categories(path, schema, progress)
    frame: Document = {"type": "manifest", "version": 1, "title": dict(schema.title), "holder": holder, "series": None}
    frame |= {"previous": None, "change": {"kind": "first", "batch": batch}, **declared_parts(listed), "blocks": 1}
    frame |= {
        "minimumCohort": schema.minimum_cohort,
        "releaseKey": release_key,
        "custodian": deposit.address if deposit else None,
    }
    frame |= {"sealedAt": iso_time(now)}
    source = Source(path, listed, 0, progress)
    facts = {name: str(frame[name]) for name in ("holder", "releaseKey", "custodian")}
    with folder.draft(source.job(change="first", batch=batch, **facts)) as draft:
        ring = ring_of(draft, frame["forms"], deposit)
        sealed = seal_batch(source, frame, (batch, 0), ring, draft)
        manifest = validate_manifest(frame | {"batches": [sealed.entry]})
        present = {name: counts for name, counts in sealed.counts.items() if name != "rows"}
        counts = Counts.of(manifest, sealed.counts["rows"], present)
        return keep(folder, draft, manifest, ring, counts=counts, deposit=deposit)


def keep(
    folder: VaultFolder, draft: Draft, manifest: Document, ring: KeyRing, *, counts: Counts, deposit: Deposit | None
) -> Dataset:
    """Make the draft a data set: with the whole keys, or with one half of each and a file that holds the other."""
    if deposit is None:
        return folder.keep(draft, manifest, ring, counts)
    mine, theirs = ring.split()
    draft.put_file(custody_name(0), canonical_json(deposit.package(manifest, 0, theirs)))
    return folder.keep(draft, manifest, mine, counts)


def ring_of(draft: Draft, forms: Forms, deposit: Deposit | None) -> KeyRing:
    """The keys of a new series. They are made once, however often its sealing is taken up; but a key that will be split
    is never written down whole, so that after a kill the chunks are sealed again under another one."""
    if deposit is not None:
        draft.forget_chunks()
        return KeyRing.generate(forms)
    read, kept = KeyRing.reader(forms, half=False), draft.load("key")
    if kept is not None:
        return read(kept)
    ring = KeyRing.generate(forms)
    draft.save("key", ring.to_bytes())
    return ring


def declared_parts(schema: Schema) -> Document:
    """What a manifest takes from a schema whose categories are listed, and what no update may change."""
    dimensions = [
        {
            "name": item.name,
            "ordered": bool(item.ordered),
            "hidden": item.hidden,
            "categories": list(item.categories or ()),
        }
        for item in schema.dimensions
    ]
    names = ("name", "unit", "scale", "low", "high")
    measures = [{name: getattr(item, name) for name in names} | {"bins": list(item.bins)} for item in schema.measures]
    return {
        "privacy": dict(schema.privacy),
        "dimensions": dimensions,
        "measures": measures,
        "joints": [list(joint) for joint in schema.joints],
        "forms": [_form(name, schema) for name in schema.forms],
    }


def _form(name: str, schema: Schema) -> Document:
    own: dict[str, Document] = {
        "cells": {"prefix": schema.prefix},
        "rows": {"profile": f"pads-{schema.pad_bits}-1", "places": schema.places},
    }
    return {"form": name, "profile": KEY_KINDS[name].profile} | own.get(name, {})
