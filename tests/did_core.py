"""DID Core 1.0's rules for a document, as far as a document by itself can break them."""

import re
from typing import Any

from crypto.multikey import parse_multikey

DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}|:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
CAIP10 = re.compile(r"eip155:[1-9][0-9]{0,31}:0x[0-9a-fA-F]{40}")
RELATIONSHIPS = ("authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation")
MEMBERS = {"@context", "id", "controller", "alsoKnownAs", "verificationMethod", "service", *RELATIONSHIPS}
CONTEXT_OF = {
    "Multikey": "https://w3id.org/security/multikey/v1",
    "EcdsaSecp256k1RecoveryMethod2020": "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
}


def check(document: dict[str, Any]) -> None:
    """Fail where `document` is no conforming DID document (sections 5.1 to 5.4, 6.3.1)."""
    assert set(document) <= MEMBERS
    assert document["@context"][0] == "https://www.w3.org/ns/did/v1"
    did = document["id"]
    assert DID.fullmatch(did)
    assert DID.fullmatch(document.get("controller", did))
    assert all(isinstance(uri, str) and ":" in uri for uri in document.get("alsoKnownAs", []))
    methods = document.get("verificationMethod", [])
    for method in methods:
        _check_method(method, did)
        assert CONTEXT_OF[method["type"]] in document["@context"]
    ids = [item["id"] for item in (*methods, *document.get("service", []))]
    assert len(ids) == len(set(ids))
    for relationship in RELATIONSHIPS:
        assert set(document.get(relationship, [])) <= {method["id"] for method in methods}
        assert document.get(relationship) != []
    for service in document.get("service", []):
        assert set(service) == {"id", "type", "serviceEndpoint"}
        assert service["id"].startswith(f"{did}#")
        assert re.fullmatch(r"https?://\S+", service["serviceEndpoint"])


def _check_method(method: dict[str, Any], did: str) -> None:
    assert re.fullmatch(re.escape(did) + r"#[A-Za-z0-9._-]+", method["id"])
    assert DID.fullmatch(method["controller"])
    if method["type"] == "Multikey":
        assert set(method) == {"id", "type", "controller", "publicKeyMultibase"}
        parse_multikey(method["publicKeyMultibase"])
    else:
        assert set(method) == {"id", "type", "controller", "blockchainAccountId"}
        assert CAIP10.fullmatch(method["blockchainAccountId"])
