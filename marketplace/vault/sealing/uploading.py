"""Bringing a sealed data set to the service."""

from marketplace.documents import Document, all_chunks
from marketplace.errors import NotFoundError
from marketplace.sdk.client import Client
from marketplace.vault.keeping.folder import Dataset
from marketplace.vault.sealing.categories import Progress


def upload_dataset(client: Client, dataset: Dataset, report: Progress, *, again: bool = False) -> None:
    """Upload blobs, then the manifest that names them, so that a manifest is never there without its blobs.

    Blobs that the version before has are there already where its manifest is; `again` uploads them too.
    """
    there = frozenset[str]() if again else _blobs_there(client, dataset.manifest["previous"])
    chunks = [chunk for chunk in all_chunks(dataset.manifest) if chunk["blob"] not in there]
    for done, chunk in enumerate(chunks, 1):
        client.put_blob(dataset.blob(chunk["blob"]))
        report("uploading", done, len(chunks))
    client.put_document(dataset.manifest)


def _blobs_there(client: Client, previous: str | None) -> frozenset[str]:
    try:
        before = client.get_document(previous) if previous else None
    except NotFoundError:
        before = None
    return frozenset(chunk["blob"] for chunk in all_chunks(before)) if before else frozenset()


def sealed_bytes(manifest: Document) -> int:
    """Size of all sealed blobs."""
    return sum(int(chunk["size"]) for chunk in all_chunks(manifest))
