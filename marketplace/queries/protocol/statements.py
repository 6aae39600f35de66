"""Signed statements about one query: a panel node's, the panel's together, the vault's release and its refusal.

Panel statements are BLS signatures over one fixed prefix and the result's digest. The vault signs EIP-712 structures in
the Rights contract's domain, so that no signature is good on another chain or deployment.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from crypto import bls, typed_data
from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from marketplace.documents import (
    Document,
    digest,
    release_message,
    validate_attestation,
    validate_release,
    validate_terms,
)
from marketplace.documents.answers import validate_refusal
from marketplace.errors import VerificationError
from marketplace.intents import Deployment, sign_intent, verify_intent

ATTESTATION_PREFIX = b"marketplace/attestation/v1"
_REFUSAL_FIELDS = (("orderId", "bytes32"), ("queryDigest", "bytes32"), ("refusalDigest", "bytes32"))


def attested_message(result: str) -> bytes:
    """What a panel node signs about the result with this digest."""
    return ATTESTATION_PREFIX + from_hex(result, 32, "result")


def sign_result(result: Mapping[str, Any], node: str, bls_secret: bytes) -> Document:
    """A node's statement that evaluating gave this result document."""
    name = digest(result)
    signature = bls.sign(bls_secret, attested_message(name))
    return {"type": "statement", "version": 1, "result": name, "node": node, "signature": to_hex(signature)}


def check_statement(statement: Mapping[str, Any], bls_public: str) -> None:
    """Check one node's statement against its key.

    Raises:
        VerificationError: `statement_signature`.
    """
    try:
        _check_signed(bls_public, statement["result"], statement["signature"])
    except CryptoError as error:
        raise _false(
            "statement_signature", f"the statement of {statement['node']} does not verify", "陈述签名无效"
        ) from error


def attest(statements: Sequence[Mapping[str, Any]]) -> Document:
    """One attestation out of statements about the same result by different nodes, in the given order.

    Raises:
        VerificationError: `statements_differ`.
    """
    results = {statement["result"] for statement in statements}
    signers = [statement["node"] for statement in statements]
    if len(results) != 1 or len(set(signers)) != len(signers):
        raise _false("statements_differ", "the statements are not about one result by different nodes", "陈述不一致")
    signature = bls.aggregate([from_hex(statement["signature"]) for statement in statements])
    body = {"type": "attestation", "version": 1, "result": results.pop(), "signers": signers}
    return validate_attestation(body | {"signature": to_hex(signature)})


def check_attestation(attestation: Mapping[str, Any], result: str, terms: Mapping[str, Any]) -> None:
    """Check that at least the threshold of the terms' own panel signed the result with this digest.

    Proofs of possession stand in the terms and are verified here, so a rogue key gains nothing.

    Raises:
        VerificationError: `attestation_mismatch`, `attestation_too_few`, `attestation_signature`.
    """
    checked, panel = validate_attestation(attestation), validate_terms(terms)["panel"]
    nodes = {node["address"]: node for node in panel["nodes"]}
    if checked["result"] != result:
        raise _false("attestation_mismatch", "the attestation is about another result", "证明针对其他结果", result)
    strangers = [signer for signer in checked["signers"] if signer not in nodes]
    if strangers or len(checked["signers"]) < panel["threshold"]:
        expected = f"{panel['threshold']} of {', '.join(nodes)}"
        raise _false("attestation_too_few", "too few nodes of the agreed panel signed", "签名的计算节点不足", expected)
    _check_aggregate(checked, [nodes[signer] for signer in checked["signers"]])


def _check_aggregate(attestation: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> None:
    try:
        for node in nodes:
            _check_possession(node["bls"], node["possession"])
        publics = [from_hex(node["bls"]) for node in nodes]
        bls.verify_aggregate(publics, attested_message(attestation["result"]), from_hex(attestation["signature"]))
    except CryptoError as error:
        raise _false("attestation_signature", "the panel's signature does not verify", "计算节点签名无效") from error


@lru_cache(maxsize=1024)
def _check_signed(key: str, result: str, signature: str) -> None:
    # As `_check_possession`: a signature that held once holds for ever.
    bls.verify(from_hex(key), attested_message(result), from_hex(signature))


@lru_cache(maxsize=1024)
def _check_possession(key: str, possession: str) -> None:
    # A proof that held once holds for ever; one that does not hold raises, and is not remembered.
    bls.verify_possession(from_hex(key), from_hex(possession))


def sign_release(release: Mapping[str, Any], deployment: Deployment, private_key: bytes) -> Document:
    """The release document, all fields but `signature` given, with the vault's signature."""
    signature = sign_intent("Release", release_message(release), deployment, private_key)
    return validate_release({**release, "signature": to_hex(signature)})


def check_release(release: Mapping[str, Any], deployment: Deployment, release_key: str) -> None:
    """Check a release against the release key of the manifest.

    Raises:
        VerificationError: `release_signature`.
    """
    try:
        verify_intent("Release", release_message(release), deployment, release_key, from_hex(release["signature"]))
    except CryptoError as error:
        raise _false("release_signature", "the release is not the vault's", "发布签名无效", release_key) from error


def sign_refusal(refusal: Mapping[str, Any], deployment: Deployment, private_key: bytes) -> Document:
    """The refusal document, all fields but `signature` given, with the vault's signature."""
    signature = typed_data.sign(_refusal_digest(refusal, deployment), private_key)
    return validate_refusal({**refusal, "signature": to_hex(signature)})


def check_refusal(refusal: Mapping[str, Any], deployment: Deployment, release_key: str) -> None:
    """Check a refusal against the release key of the manifest.

    Raises:
        VerificationError: `refusal_signature`.
    """
    try:
        typed_data.verify(_refusal_digest(refusal, deployment), release_key, from_hex(refusal["signature"]))
    except CryptoError as error:
        raise _false("refusal_signature", "the refusal is not the vault's", "拒绝签名无效", release_key) from error


def _refusal_digest(refusal: Mapping[str, Any], deployment: Deployment) -> bytes:
    # The signature covers every field but itself, through the digest of the document without it.
    unsigned = {name: value for name, value in refusal.items() if name != "signature"}
    message = {"orderId": refusal["order"], "queryDigest": refusal["query"], "refusalDigest": digest(unsigned)}
    return typed_data.signing_digest(
        deployment.domain("Rights"), typed_data.struct_hash("Refusal", _REFUSAL_FIELDS, message)
    )


def _false(code: str, message: str, zh: str, expected: object = None) -> VerificationError:
    return VerificationError(code, message, zh=zh, rule="queries." + code, expected=expected)
