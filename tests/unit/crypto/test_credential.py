"""Credentials: the specification's example at each of its steps, and every way to change one."""

import copy
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import credential, timestamps
from crypto.canonical import canonical_json, sha256
from crypto.errors import InvalidKey, InvalidSignature, MalformedInput, ParameterError
from tests.unit.crypto.vectors import load

VECTOR = load("eddsa-jcs-2022")
PUBLIC = credential.decode_multikey(VECTOR["keyPair"]["publicKeyMultibase"])
KEY = Ed25519PrivateKey.from_private_bytes(base58.b58decode(VECTOR["keyPair"]["privateKeyMultibase"][1:])[2:])
NOW = 1_790_000_000
CERTIFICATE: dict[str, Any] = {
    "@context": [credential.CONTEXT, "https://exchange.example/contexts/registration/v1"],
    "type": ["VerifiableCredential", "DataAssetRegistrationCertificate"],
    "issuer": {"id": "did:web:exchange.example", "name": "数据交易所"},
    "validFrom": timestamps.to_text(NOW),
    "validUntil": timestamps.to_text(NOW + 86_400),
    "credentialSubject": {"id": "urn:asset:0x00", "level": 3},
}
SIGNED = credential.issue(CERTIFICATE, KEY, created=NOW)


def changed(path: str, value: Any) -> dict[str, Any]:
    """SIGNED with the value at a dotted path replaced, or removed if None."""
    document = copy.deepcopy(SIGNED)
    *parents, last = path.split(".")
    section = document
    for parent in parents:
        section = section[parent]
    if value is None:
        del section[last]
    else:
        section[last] = value
    return document


def test_steps_of_the_specifications_example() -> None:
    assert canonical_json(VECTOR["unsigned"]).decode() == VECTOR["canonicalDocument"]
    assert sha256(VECTOR["canonicalDocument"].encode()).hex() == VECTOR["documentHash"]
    assert sha256(VECTOR["canonicalProofConfig"].encode()).hex() == VECTOR["proofConfigHash"]


def test_the_specifications_example_is_issued_byte_for_byte() -> None:
    created = int(timestamps.from_text(VECTOR["signed"]["proof"]["created"]).timestamp())
    signed = credential.issue(VECTOR["unsigned"], KEY, created=created)
    assert signed == VECTOR["signed"]
    assert base58.b58decode(signed["proof"]["proofValue"][1:]).hex() == VECTOR["signatureHex"]


def test_the_specifications_example_verifies() -> None:
    assert credential.verify(VECTOR["signed"], PUBLIC, now=NOW) == VECTOR["unsigned"]


def test_did_key_names_its_key() -> None:
    did = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    assert credential.did_key(PUBLIC) == did
    assert credential.public_of_did_key(did) == PUBLIC
    assert credential.public_of_did_key(f"{did}#{did.removeprefix('did:key:')}") == PUBLIC


def test_own_certificate_verifies_within_its_time_only() -> None:
    for now in (NOW, NOW + 86_400):
        assert credential.verify(SIGNED, PUBLIC, now=now) == CERTIFICATE
    for now in (NOW - 1, NOW + 86_401):
        with pytest.raises(InvalidSignature, match="not valid"):
            credential.verify(SIGNED, PUBLIC, now=now)


def test_another_verification_method_than_a_did_key_is_left_to_the_caller() -> None:
    signed = credential.issue(CERTIFICATE, KEY, created=NOW, method="did:web:exchange.example#registrar")
    assert credential.verify(signed, PUBLIC, now=NOW) == CERTIFICATE


def test_another_key_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        credential.verify(SIGNED, Ed25519PrivateKey.generate().public_key().public_bytes_raw(), now=NOW)
    with pytest.raises(InvalidKey):
        credential.verify(SIGNED, PUBLIC[:31], now=NOW)


def test_proof_that_names_another_did_key_is_refused_though_it_verifies() -> None:
    other = credential.did_key(bytes(32))
    signed = credential.issue(CERTIFICATE, KEY, created=NOW, method=other)
    with pytest.raises(InvalidSignature, match="names another key"):
        credential.verify(signed, PUBLIC, now=NOW)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("credentialSubject.level", 4),
        ("credentialSubject.id", "urn:asset:0x01"),
        ("credentialSubject.extra", True),
        ("validUntil", timestamps.to_text(NOW + 10**6)),
        ("validUntil", None),
        ("issuer.id", "did:web:evil.example"),
        ("type", ["VerifiableCredential"]),
        ("proof.created", timestamps.to_text(NOW + 1)),
        ("proof.verificationMethod", "did:web:evil.example#key"),
        ("proof.proofValue", "z" + base58.b58encode(b"\x01" * 64).decode()),
    ],
)
def test_every_change_is_an_invalid_signature(path: str, value: Any) -> None:
    with pytest.raises(InvalidSignature):
        credential.verify(changed(path, value), PUBLIC, now=NOW)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("proof", None),
        ("proof", []),
        ("proof.proofValue", None),
        ("proof.proofValue", 7),
        ("proof.proofValue", "u" + SIGNED["proof"]["proofValue"][1:]),
        ("proof.proofValue", SIGNED["proof"]["proofValue"] + " "),
        ("proof.proofValue", SIGNED["proof"]["proofValue"][:-3]),
        ("proof.proofValue", "z" + "1" * 100_000),
        ("proof.proofValue", "z0OIl"),
        ("proof.cryptosuite", "eddsa-rdfc-2022"),
        ("proof.type", "Ed25519Signature2020"),
        ("proof.proofPurpose", "authentication"),
        ("proof.created", "yesterday"),
        ("proof.created", None),
        ("proof.verificationMethod", 7),
        ("proof.verificationMethod", None),
        ("proof.expires", timestamps.to_text(NOW)),
        ("proof.@context", [credential.CONTEXT]),
        ("@context", [credential.CONTEXT]),
        ("@context", credential.CONTEXT),
        ("@context", []),
        ("@context", [credential.CONTEXT, {"level": "https://evil.example"}]),
        ("@context", ["https://www.w3.org/2018/credentials/v1"]),
        ("@context", [credential.CONTEXT] * 17),
        ("type", "VerifiableCredential"),
        ("type", ["Other"]),
        ("issuer", None),
        ("issuer", {"name": "no id"}),
        ("credentialSubject.level", 3.5),
        ("credentialSubject.level", 2**53),
    ],
)
def test_what_is_no_such_credential_is_malformed(path: str, value: Any) -> None:
    with pytest.raises(MalformedInput):
        credential.verify(changed(path, value), PUBLIC, now=NOW)


def test_malformed_validity_is_refused_even_when_signed() -> None:
    signed = credential.issue({**CERTIFICATE, "validUntil": "2026-12-31"}, KEY, created=NOW)
    with pytest.raises(MalformedInput, match="validUntil"):
        credential.verify(signed, PUBLIC, now=NOW)


@pytest.mark.parametrize(
    "document",
    [SIGNED, {}, {**CERTIFICATE, "@context": [{}]}, {**CERTIFICATE, "credentialSubject": {"share": 0.5}}],
    ids=["signed already", "empty", "inline context", "float"],
)
def test_what_would_not_verify_is_not_issued(document: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        credential.issue(document, KEY, created=NOW)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:key:",
        "did:web:exchange.example",
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ",
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#",
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#other",
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2 ",
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        "did:key:did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    ],
)
def test_other_did_keys_are_refused(did: str) -> None:
    with pytest.raises(MalformedInput):
        credential.public_of_did_key(did)


def test_multikey_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidKey):
        credential.did_key(bytes(31))
