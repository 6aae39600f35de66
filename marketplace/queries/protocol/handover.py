"""What the service hands to a vault for one query, in one JSON object: {"query", "voucher", "result", "attestation",
"order"}, the last being the order's papers. The vault believes none of it; it checks signatures, ids and digests, and
computes the result anew.

A custodian is handed the same, and what the vault signed: {"release", "shares"}. It believes the vault no more.

"withheld" lists refusals by the custodian of queries of this order that the vault had released: they never became
answers, so they are no calls, though their epsilon is spent.

"latest" shows the last releases of the series that the same key holder signed, so that one whose account is an old copy
finds out (vault/decisions/recovery.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.documents import (
    Document,
    validate_attestation,
    validate_query,
    validate_refusal,
    validate_release,
    validate_result,
    validate_shares,
    validate_voucher,
)
from marketplace.documents.shapes import array, refuse
from marketplace.participants.proofs import KeyProof, read_proof
from marketplace.queries.permission.papers import OrderPapers, papers_document, read_papers
from marketplace.words import Words

MAX_WITHHELD = 1024
MAX_LATEST = 8
_PARTS = ("query", "voucher", "result", "attestation", "order")


@dataclass(frozen=True)
class VaultTask:
    """One query that waits for its vault."""

    query: Document
    voucher: Document
    result: Document
    attestation: Document
    papers: OrderPapers
    withheld: tuple[Document, ...] = ()
    latest: tuple[Document, ...] = ()
    keys: KeyProof = field(default_factory=KeyProof)


@dataclass(frozen=True)
class CustodianTask(VaultTask):
    """One query that its vault released and that waits for the custodian's share.

    Args:
        release, shares: what the vault signed.
    """

    release: Document = field(default_factory=dict)
    shares: Document = field(default_factory=dict)


def vault_task(task: VaultTask) -> dict[str, Any]:
    """The JSON of a task."""
    parts = {name: getattr(task, name) for name in _PARTS[:-1]}
    return {
        **parts,
        "order": papers_document(task.papers),
        "withheld": list(task.withheld),
        "latest": list(task.latest),
        "keys": task.keys.as_json(),
    }


def custodian_task(task: CustodianTask) -> dict[str, Any]:
    """The JSON of a custodian's task."""
    return {**vault_task(task), "release": task.release, "shares": task.shares}


def read_vault_task(value: object) -> VaultTask:
    """A task from its JSON; members that a newer service may add are left aside.

    Raises:
        InvalidInputError: a part is missing or has another shape.
    """
    return VaultTask(**_read(value, _PARTS))


def read_custodian_task(value: object) -> CustodianTask:
    """As `read_vault_task`, with the vault's release and shares."""
    parts = _read(value, (*_PARTS, "release", "shares"))
    assert isinstance(value, Mapping)
    return CustodianTask(**parts, release=validate_release(value["release"]), shares=validate_shares(value["shares"]))


def _read(value: object, parts: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping) or any(name not in value for name in parts):
        raise refuse(
            "task", Words("an object with " + ", ".join(parts), "含下列成员的对象：" + "、".join(parts)), value
        )
    withheld = value.get("withheld", [])
    array(_refusal, MAX_WITHHELD)(withheld, "task.withheld")
    latest = value.get("latest", [])
    array(_release, MAX_LATEST)(latest, "task.latest")
    return {
        "query": validate_query(value["query"]),
        "voucher": validate_voucher(value["voucher"]),
        "result": validate_result(value["result"]),
        "attestation": validate_attestation(value["attestation"]),
        "papers": read_papers(value["order"]),
        "withheld": tuple(withheld),
        "latest": tuple(latest),
        "keys": read_proof(value["keys"]) if "keys" in value else KeyProof(),
    }


def _refusal(value: object, _path: str) -> None:
    validate_refusal(value)


def _release(value: object, _path: str) -> None:
    validate_release(value)
