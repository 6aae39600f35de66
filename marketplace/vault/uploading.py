"""Bringing a sealed data set to the service."""

from marketplace.documents import Document, all_chunks
from marketplace.sdk.client import Client
from marketplace.vault.categories import Progress
from marketplace.vault.folder import Dataset


def upload_dataset(client: Client, dataset: Dataset, report: Progress) -> None:
    """Upload every blob, then the manifest that names them, so that a manifest is never there without its blobs."""
    chunks = list(all_chunks(dataset.manifest))
    for done, chunk in enumerate(chunks, 1):
        client.put_blob(dataset.blob(chunk["blob"]))
        report("uploading", done, len(chunks))
    client.put_document(dataset.manifest)


def sealed_bytes(manifest: Document) -> int:
    """Size of all sealed blobs."""
    return sum(int(chunk["size"]) for chunk in all_chunks(manifest))
