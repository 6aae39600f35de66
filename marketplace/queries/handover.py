"""What the service hands to a vault for one query, in one JSON object: {"query", "voucher", "result", "attestation",
"order"}, the last being the order's papers. The vault believes none of it; it checks signatures, ids and digests, and
computes the result anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents import (
    Document,
    validate_attestation,
    validate_query,
    validate_result,
    validate_voucher,
)
from marketplace.documents.shapes import refuse
from marketplace.queries.permission import OrderPapers, papers_document, read_papers

_PARTS = ("query", "voucher", "result", "attestation", "order")


@dataclass(frozen=True)
class VaultTask:
    """One query that waits for its vault."""

    query: Document
    voucher: Document
    result: Document
    attestation: Document
    papers: OrderPapers


def vault_task(task: VaultTask) -> dict[str, Any]:
    """The JSON of a task."""
    parts = {name: getattr(task, name) for name in _PARTS[:-1]}
    return {**parts, "order": papers_document(task.papers)}


def read_vault_task(value: object) -> VaultTask:
    """A task from its JSON; members that a newer service may add are left aside.

    Raises:
        InvalidInputError: a part is missing or has another shape.
    """
    if not isinstance(value, Mapping) or any(name not in value for name in _PARTS):
        raise refuse("task", "an object with " + ", ".join(_PARTS), value)
    return VaultTask(
        validate_query(value["query"]),
        validate_voucher(value["voucher"]),
        validate_result(value["result"]),
        validate_attestation(value["attestation"]),
        read_papers(value["order"]),
    )
