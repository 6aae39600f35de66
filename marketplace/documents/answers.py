"""Documents that answer a query: the panel's results and attestation, the vault's release or refusal."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents.common import (
    CATEGORY,
    MAX_NUMBERS,
    SIGNATURE,
    SPENT,
    Document,
    checked,
    itself,
)
from marketplace.documents.shapes import (
    ADDRESS,
    DIGEST,
    array,
    document,
    hex_bytes,
    hex_up_to,
    integer,
    matching,
    nullable,
    record,
    text,
)
from marketplace.words import Words

_NUMBER = record({"c0": DIGEST, "c1": nullable(DIGEST)})
"""Residue for the buyer, and the name of what the key's holders need of the number: null where they need nothing."""
_RESULT = document(
    "result",
    {"query": DIGEST, "ciphertextRoot": DIGEST, "plan": DIGEST, "numbers": array(_NUMBER, MAX_NUMBERS, 1)},
)
_STATEMENT = document("statement", {"result": DIGEST, "node": ADDRESS, "signature": hex_bytes(96)})
_ATTESTATION = document(
    "attestation",
    {"result": DIGEST, "signers": array(ADDRESS, 16, 1, itself), "signature": hex_bytes(96)},
)
_GROUP = array(CATEGORY, 16)
_SHARES = document(
    "shares",
    {
        "query": DIGEST,
        "result": DIGEST,
        "released": array(integer(0, MAX_NUMBERS - 1), MAX_NUMBERS, 1, itself),
        "suppressed": array(_GROUP, MAX_NUMBERS),
        "generation": integer(0, 2**32 - 1),
        "sealed": hex_up_to(400_000),
    },
)
_RELEASE = document(
    "release",
    {
        "order": DIGEST,
        "query": DIGEST,
        "result": DIGEST,
        "shares": DIGEST,
        "epsilon": SPENT,
        "spentOrder": SPENT,
        "spentBuyer": SPENT,
        "spentAsset": SPENT,
        "signer": ADDRESS,
        "signature": SIGNATURE,
    },
)
_REFUSAL = document(
    "refusal",
    {
        "order": DIGEST,
        "query": DIGEST,
        "code": matching("[a-z][a-z0-9_]{2,59}", Words("a code in lower_snake_case", "小写加下划线的代码")),
        "rule": matching("[a-z][a-z0-9_.]{0,79}", Words("a rule name", "规则名称")),
        "rulebook": matching("[a-z][a-z0-9_./-]{0,79}", Words("a rulebook with its version", "规则及其版本")),
        "message": record({"en": text(600), "zh": text(600)}),
        "hint": record({"en": text(600), "zh": text(600)}),
        "allowed": text(600, 0),
        "found": text(600, 0),
        "spentOrder": SPENT,
        "leftOrder": SPENT,
        "spentBuyer": SPENT,
        "leftBuyer": nullable(SPENT),
        "spentAsset": SPENT,
        "leftAsset": SPENT,
        "signer": ADDRESS,
        "signature": SIGNATURE,
    },
)


def validate_result(value: object) -> Document:
    """What a panel node computed."""
    return checked(_RESULT, value, "result")


def validate_statement(value: object) -> Document:
    """One node's signature of one result."""
    return checked(_STATEMENT, value, "statement")


def validate_attestation(value: object) -> Document:
    """Aggregated signatures of one result."""
    return checked(_ATTESTATION, value, "attestation")


def validate_shares(value: object) -> Document:
    """Sealed residues."""
    return checked(_SHARES, value, "shares")


def validate_release(value: object) -> Document:
    """A vault's signed release."""
    return checked(_RELEASE, value, "release")


def release_message(release: Mapping[str, Any]) -> dict[str, Any]:
    """The EIP-712 Release message inside a release document."""
    return {
        "orderId": release["order"],
        "queryDigest": release["query"],
        "resultDigest": release["result"],
        "shareDigest": release["shares"],
        "epsilon": release["epsilon"],
        "spentOrder": release["spentOrder"],
        "spentBuyer": release["spentBuyer"],
        "spentAsset": release["spentAsset"],
    }


def validate_refusal(value: object) -> Document:
    """A vault's signed refusal."""
    return checked(_REFUSAL, value, "refusal")
