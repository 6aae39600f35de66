"""Certificates: W3C Verifiable Credentials 2.0 with a Data Integrity proof, cryptosuite eddsa-jcs-2022.

Rules of this file:
  - A credential is a JSON document with canonical form (crypto/canonical.py: integers only); the proof signs
    SHA-256(canonical proof options) || SHA-256(canonical document without proof), in that order.
  - `@context` is a list of URLs that starts with the VC 2.0 one; inline contexts are refused, none is ever fetched.
  - Verification takes the key that the caller trusts for the issuer and the time that matters; it looks nothing up.
  - did:key is for Ed25519 only, in its one multibase spelling.

Assumes: Ed25519 (RFC 8032). What the fields mean, and whether the credential was revoked, is for the caller.
Source: VC Data Model 2.0; VC Data Integrity 1.0 section 4; Data Integrity EdDSA Cryptosuites 1.0 section 3.3; did:key.
"""

from collections.abc import Mapping
from typing import Any

import base58
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto import timestamps
from crypto.canonical import canonical_json, sha256
from crypto.errors import InvalidKey, InvalidSignature, MalformedInput, ParameterError

CONTEXT = "https://www.w3.org/ns/credentials/v2"
CRYPTOSUITE = "eddsa-jcs-2022"
MAX_CONTEXTS = 16

_MULTICODEC_ED25519 = b"\xed\x01"
_PROOF_FIELDS = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "@context", "proofValue"}


def did_key(public: bytes) -> str:
    """The did:key of an Ed25519 public key of 32 bytes, "did:key:z6Mk…".

    Raises:
        InvalidKey: not 32 bytes.
    """
    return f"did:key:{encode_multikey(public)}"


def public_of_did_key(did: str) -> bytes:
    """The Ed25519 public key of a did:key, 32 bytes; a fragment (a verification method) must repeat the key.

    Raises:
        MalformedInput: not a did:key of an Ed25519 key.
    """
    identifier, hash_sign, fragment = did.removeprefix("did:key:").partition("#")
    if not did.startswith("did:key:") or (hash_sign and fragment != identifier):
        raise MalformedInput("expected did:key:z6Mk… of an Ed25519 key")
    return decode_multikey(identifier)


def encode_multikey(public: bytes) -> str:
    """publicKeyMultibase of an Ed25519 public key of 32 bytes, "z6Mk…".

    Raises:
        InvalidKey: not 32 bytes.
    Source: Controlled Identifiers 1.0 section 2.2.2 (Multikey).
    """
    if len(public) != 32:
        raise InvalidKey(f"expected an Ed25519 public key of 32 bytes, got {len(public)}")
    return _to_multibase(_MULTICODEC_ED25519 + public)


def decode_multikey(text: str) -> bytes:
    """The 32 bytes of an Ed25519 publicKeyMultibase.

    Raises:
        MalformedInput: another base, codec or length, or another spelling.
    """
    data = _from_multibase(text, 34, "key")
    if data[:2] != _MULTICODEC_ED25519:
        raise MalformedInput("key: expected the multicodec of Ed25519")
    return data[2:]


def issue(document: Mapping[str, Any], key: Ed25519PrivateKey, *, created: int, method: str = "") -> dict[str, Any]:
    """Sign a credential.

    Args:
        document: the credential without proof.
        key: the issuer's key.
        created: unix seconds.
        method: URL of the verification method; the did:key of `key` when empty.
    Returns:
        A copy of the document with its `proof`.
    Raises:
        ParameterError: the document has a proof, an inline context, no VerifiableCredential type or no issuer, or no
            canonical form.
    Source: Data Integrity EdDSA Cryptosuites 1.0 section 3.3.1 (Create Proof).
    """
    if "proof" in document:
        raise ParameterError("document: it has a proof already")
    try:
        _check_document(document)
    except MalformedInput as error:
        raise ParameterError(str(error)) from None
    did = did_key(key.public_key().public_bytes_raw())
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": timestamps.to_text(created),
        "verificationMethod": method or f"{did}#{did.removeprefix('did:key:')}",
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    }
    return {**document, "proof": {**options, "proofValue": _to_multibase(key.sign(_hash_data(options, document)))}}


def verify(credential: Mapping[str, Any], public: bytes, *, now: int) -> dict[str, Any]:
    """Check a credential against the issuer's key and return it without its proof.

    Args:
        credential: parsed JSON.
        public: the Ed25519 key, 32 bytes, that the caller trusts for this issuer.
        now: unix seconds at which it has to be valid.
    Raises:
        MalformedInput: not a VC 2.0 document with one eddsa-jcs-2022 proof for assertionMethod over its own contexts.
        InvalidKey: the key is not 32 bytes.
        InvalidSignature: signed by another key, changed, naming another did:key, or outside validFrom .. validUntil.
    Source: Data Integrity EdDSA Cryptosuites 1.0 section 3.3.2 (Verify Proof); numbers are its steps.
    """
    if len(public) != 32:
        raise InvalidKey(f"expected an Ed25519 public key of 32 bytes, got {len(public)}")
    document = {name: value for name, value in credential.items() if name != "proof"}  # 1
    _check_document(document)
    options = _proof_options(credential)  # 2
    signature = _from_multibase(credential["proof"].get("proofValue"), 64, "proofValue")  # 3
    if options["@context"] != document["@context"]:  # 4
        raise MalformedInput("proof: its contexts are not those of the document")
    try:
        data = _hash_data(options, document)  # 5, 6, 7
    except ParameterError as error:
        raise MalformedInput(str(error)) from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)  # 8
    except (WrongSignature, ValueError):
        raise InvalidSignature("the credential was not signed by this key, or it was changed") from None
    method = options["verificationMethod"]
    if method.startswith("did:key:") and public_of_did_key(method) != public:
        raise InvalidSignature("verificationMethod: the proof names another key")
    _check_validity(document, now)
    return document


def _hash_data(options: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    return sha256(canonical_json(dict(options))) + sha256(canonical_json(dict(document)))


def _check_document(document: Mapping[str, Any]) -> None:
    contexts, types, issuer = document.get("@context"), document.get("type"), document.get("issuer")
    if not isinstance(contexts, list) or not 1 <= len(contexts) <= MAX_CONTEXTS or contexts[0] != CONTEXT:
        raise MalformedInput(f"@context: expected a list that starts with {CONTEXT}")
    if not all(isinstance(context, str) for context in contexts):
        raise MalformedInput("@context: expected URLs only, not inline contexts")
    if not isinstance(types, list) or "VerifiableCredential" not in types:
        raise MalformedInput("type: expected a list with VerifiableCredential")
    if not isinstance(issuer.get("id") if isinstance(issuer, Mapping) else issuer, str):
        raise MalformedInput("issuer: expected a URL, or an object with one as id")


def _proof_options(credential: Mapping[str, Any]) -> dict[str, Any]:
    proof = credential.get("proof")
    if not isinstance(proof, Mapping) or set(proof) != _PROOF_FIELDS:
        raise MalformedInput(f"proof: expected one object with {sorted(_PROOF_FIELDS)}")
    expected = {"type": "DataIntegrityProof", "cryptosuite": CRYPTOSUITE, "proofPurpose": "assertionMethod"}
    for name, value in expected.items():
        if proof[name] != value:
            raise MalformedInput(f"proof: expected {name} {value}")
    if not isinstance(proof["verificationMethod"], str):
        raise MalformedInput("proof: expected verificationMethod to be a URL")
    timestamps.from_text(proof["created"], "created")
    return {name: value for name, value in proof.items() if name != "proofValue"}


def _check_validity(document: Mapping[str, Any], now: int) -> None:
    if "validFrom" in document and now < timestamps.from_text(document["validFrom"], "validFrom").timestamp():
        raise InvalidSignature(f"the credential is not valid before {document['validFrom']}")
    if "validUntil" in document and now > timestamps.from_text(document["validUntil"], "validUntil").timestamp():
        raise InvalidSignature(f"the credential is not valid after {document['validUntil']}")


def _to_multibase(data: bytes) -> str:
    return "z" + base58.b58encode(data).decode("ascii")


def _from_multibase(text: object, size: int, name: str) -> bytes:
    # The length is bounded first, because decoding costs the square of it.
    if isinstance(text, str) and text.isascii() and text[:1] == "z" and len(text) <= 2 * size:
        try:
            data = base58.b58decode(text[1:])
        except ValueError:
            data = b""
        if len(data) == size and _to_multibase(data) == text:
            return data
    raise MalformedInput(f"{name}: expected base58-btc multibase of {size} bytes")
