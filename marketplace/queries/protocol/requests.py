"""A number's request on its way from a panel node to a key holder that takes the panel's word for it.

A request is named by its SHA-256, which stands in the attested result as the number's "c1" (null where the key's
holders need nothing of the number). So whoever carries it can
withhold it, but not change it; and what it is of is as true as the panel's attestation.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crypto.canonical import from_hex, sha256
from crypto.errors import CryptoError
from marketplace.errors import VerificationError
from marketplace.queries.planning.numbers import Plan
from marketplace.queries.protocol.opening import Sealed, opener

Requests = Callable[[str, str], bytes]
"""Bytes of the request with a digest, of the query with a digest: (query, request)."""


def attested_numbers(
    manifest: Mapping[str, Any], plan: Plan, result: Mapping[str, Any], requests: Requests
) -> Iterator[Sealed]:
    """The sealed numbers of an attested result, in the plan's order. Nothing is evaluated.

    Raises:
        VerificationError: `result_mismatch`, the result has another number of numbers than the plan;
            `request_altered`, what came is not what the panel attested.
    """
    if len(result["numbers"]) != len(plan.numbers):
        message = "the result is not of this query and plan"
        raise VerificationError("result_mismatch", message, zh="结果与查询计划不符", rule="queries.attested")
    read, profile = opener(manifest, plan.form).read, manifest["forms"][plan.form]["profile"]
    for entry in result["numbers"]:
        name = entry["c1"]
        data = b"" if name is None else requests(result["query"], name)
        try:
            if name is not None and sha256(data) != from_hex(name, 32, "c1"):
                raise _altered(name)
            yield read(profile, int(entry["c0"], 16), data)
        except CryptoError as error:
            raise _altered(name) from error


def _altered(name: str | None) -> VerificationError:
    message = "a request is not the one that the panel attested"
    return VerificationError(
        "request_altered", message, zh="收到的请求与计算节点所证明的不符", rule="queries.attested", expected=name
    )
