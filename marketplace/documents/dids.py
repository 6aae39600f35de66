"""Decentralised identifiers and their documents (DID Core 1.0): what ledger and market say, in W3C's form.

did:web   the exchange, and under it every object: did:web:<host>:did:<identifier>
did:ethr  a participant's address on this ledger: did:ethr:0x<chain id>:<address>. The ledger has no ERC-1056 registry
          but a contract of its own for keys (docs/decisions/0028-account-is-not-key.md): the document lists what signs
          for the account now. Without any change of keys that is the method's default document.
did:key   any Ed25519, X25519 or secp256k1 key by itself; nothing is looked up.

Source: DID Core 1.0 section 5; did:web; did:key v0.9; ethr-did-resolver's method specification, "Read (Resolve)".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from crypto.multikey import KeyKind, PublicKeyOfKind
from crypto.siwe import checksum_address
from marketplace.documents.common import Document
from marketplace.errors import InvalidInputError
from marketplace.words import Words

CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
RECOVERY_CONTEXT = "https://w3id.org/security/suites/secp256k1recovery-2020/v2"
MEDIA_TYPE = "application/did+ld+json"
SIGNING = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
_ETHR = re.compile(r"did:ethr:(0x[0-9a-f]{1,16}):(0x[0-9a-fA-F]{40})")
_ANY = re.compile(r"did:([a-z0-9]+):(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}|:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
MAX_DID = 300


def did_web(public_url: str, *path: str) -> str:
    """The did:web of the service at `public_url`, or of what is at `path` below it; a port is percent-encoded."""
    return ":".join(["did:web", quote(urlsplit(public_url).netloc, safe=""), *path])


def did_ethr(chain_id: int, address: str) -> str:
    """The did:ethr of an address ("0x" lower-case hex) on a chain."""
    return f"did:ethr:{hex(chain_id)}:{address}"


def parse_did_ethr(did: str) -> tuple[int, str]:
    """Chain id and lower-case address of a did:ethr. Raises InvalidInputError `malformed_did`."""
    match = _ETHR.fullmatch(did)
    if match is None:
        raise malformed_did(
            did, Words("did:ethr:0x<chain id>:0x<40 hex digits>", "did:ethr:0x<链编号>:0x<40 位十六进制>")
        )
    return int(match[1], 16), match[2].lower()


def method_of(did: str) -> str:
    """The method of a DID, e.g. "web". Raises InvalidInputError `malformed_did` (DID Core 1.0 section 3.1)."""
    match = _ANY.fullmatch(did) if len(did) <= MAX_DID else None
    if match is None:
        raise malformed_did(did, Words("did:<method>:<id>", "did:<方法>:<标识>"))
    return match[1]


def key_document(key: PublicKeyOfKind) -> Document:
    """The document of a key's did:key: signing keys for all signing relationships, X25519 for key agreement."""
    method = multikey_method(key.did, key.multibase, key)
    uses = ("keyAgreement",) if key.kind is KeyKind.X25519 else SIGNING
    return document(key.did, [method], {use: [method["id"]] for use in uses})


@dataclass(frozen=True)
class AccountKeys:
    """What signs for an account now: addresses of keys.

    Args:
        account: the account.
        listed: every key of it that has not ended.
        asserting: those that may sign something besides a sign-in.
        reading: those that sign in. governing: those that may change its keys.
    """

    account: str
    listed: Sequence[str]
    asserting: Sequence[str]
    reading: Sequence[str]
    governing: Sequence[str]

    def methods(self, did: str, chain_id: int) -> list[Document]:
        """One verification method for each key: "controller" for the account's own address, as did:ethr calls it, and
        "key-<address>" for every other."""
        return [account_method(did, self._name(key), chain_id, key) for key in self.listed]

    def uses(self, did: str) -> dict[str, list[str]]:
        """Who signs in, asserts and invokes. A person's key of limited powers asserts, and invokes nothing;
        one that only reads does not assert either: what it signed is no word of the account."""
        named = {
            "authentication": self.reading,
            "assertionMethod": self.asserting,
            "capabilityInvocation": self.governing,
        }
        return {use: [f"{did}#{self._name(key)}" for key in keys] for use, keys in named.items()}

    def _name(self, key: str) -> str:
        return "controller" if key == self.account else f"key-{key}"


def account_document(did: str, chain_id: int, keys: AccountKeys) -> Document:
    """The document of a did:ethr: what signs for the address signs in and asserts for it. With the address itself as
    its one key it is the method's default document."""
    uses = keys.uses(did)
    return document(did, keys.methods(did, chain_id), {use: uses[use] for use in SIGNING[:2]})


def multikey_method(did: str, fragment: str, key: PublicKeyOfKind) -> Document:
    """A verification method that is a key."""
    return {
        "id": f"{did}#{fragment}",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.multibase,
    }


def account_method(did: str, fragment: str, chain_id: int, address: str, controller: str = "") -> Document:
    """A verification method that is the key behind an address: a signature recovers to it (CAIP-10 account id)."""
    return {
        "id": f"{did}#{fragment}",
        "type": "EcdsaSecp256k1RecoveryMethod2020",
        "controller": controller or did,
        "blockchainAccountId": f"eip155:{chain_id}:{checksum_address(address)}",
    }


def document(
    did: str,
    methods: Sequence[Mapping[str, Any]] = (),
    uses: Mapping[str, Sequence[str]] | None = None,
    *,
    services: Sequence[Mapping[str, Any]] = (),
    controller: str = "",
    also: Sequence[str] = (),
) -> Document:
    """A DID document, without members that say nothing.

    Args:
        uses: verification relationship to ids of `methods`.
        services: {"id", "type", "serviceEndpoint"}.
        controller: DID of who may change the subject, where it is another.
        also: other identifiers of the subject.
    """
    types = {method["type"] for method in methods}
    contexts = [CONTEXT, *([MULTIKEY_CONTEXT] if "Multikey" in types else [])]
    contexts += [RECOVERY_CONTEXT] if "EcdsaSecp256k1RecoveryMethod2020" in types else []
    members: Document = {"@context": contexts, "id": did, "controller": controller, "alsoKnownAs": list(also)}
    members |= {"verificationMethod": [dict(method) for method in methods]}
    members |= {name: list(ids) for name, ids in (uses or {}).items()}
    members |= {"service": [dict(service) for service in services]}
    return {name: value for name, value in members.items() if value}


def malformed_did(did: str, expected: Words) -> InvalidInputError:
    """The error for text that is no DID, or none of this method."""
    return InvalidInputError(
        "malformed_did",
        f"this is no DID of the form {expected.en}",
        zh=f"不是符合 {expected.zh} 形式的分布式标识",
        rule="identifiers.did_form",
        expected=expected,
        got=did[:100],
        hint="copy it again; a port in a did:web is written %3A, and percent signs in a path as %25",
        hint_zh="请重新复制;did:web 中的端口写作 %3A,置于网址路径时百分号写作 %25",
    )
