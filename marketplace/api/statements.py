"""Documents that one side of an order signs for the other, and for auditors: signed and checked here, pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from marketplace.documents import Document
from marketplace.documents.api import unsigned_digest
from marketplace.errors import RuleError, VerificationError
from marketplace.intents import Deployment, recover_intent, sign_intent
from marketplace.participants.keybook import KeyBook


@dataclass(frozen=True)
class Kind:
    """Who signs a kind of document, and what it is about: names of its fields."""

    intent: str
    signer: str
    subject: str


_SELLERS, _BUYERS = Kind("SellerStatement", "seller", "order"), Kind("BuyerStatement", "buyer", "order")
KINDS = {
    "gateway": Kind("SellerStatement", "seller", "listing"),
    "call_record": _SELLERS,
    "service_record": _SELLERS,
    "credential_request": _BUYERS,
    "call": _BUYERS,
    "service_answer": _BUYERS,
}


CREDENTIAL_INFO = b"marketplace/credential/v1"


def credential_context(order: str, key: str, expires: int) -> bytes:
    """What a sealed credential is bound to: its order, the key that may use it, and its end."""
    return from_hex(order, 32) + from_hex(key, 20) + expires.to_bytes(8, "big")


def message_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The intent that stands for a document."""
    return {"subject": document[KINDS[document["type"]].subject], "documentDigest": unsigned_digest(document)}


def sign(document: Mapping[str, Any], deployment: Deployment, private_key: bytes) -> Document:
    """The document, all fields but `signature` given, with its signature."""
    name = KINDS[document["type"]].intent
    signature = sign_intent(name, message_of(document), deployment, private_key)
    return {**document, "signature": to_hex(signature)}


def key_of(document: Mapping[str, Any], deployment: Deployment) -> str:
    """The key that signed a document, whomever it signs for. Raises VerificationError `call_statement_signature`."""
    try:
        signature = from_hex(document["signature"], 65)
        return recover_intent(KINDS[document["type"]].intent, message_of(document), deployment, signature)
    except CryptoError as error:
        raise _unsigned(document) from error


def check(document: Mapping[str, Any], book: KeyBook, at: int, *, grace: int = 0, early: int = 0) -> str:
    """Check that a key of the party that the document names signed it, and might at `at`; returns that key.

    Args:
        at: unix seconds. grace, early: as of `KeyBook.require`.
    Raises:
        VerificationError: `call_statement_signature`. RuleError: `act_not_permitted`.
    """
    kind = KINDS[document["type"]]
    try:
        signature = from_hex(document["signature"], 65)
        return book.require(
            kind.intent, message_of(document), document[kind.signer], signature, at, grace=grace, early=early
        )
    except CryptoError as error:
        raise _unsigned(document) from error
    except RuleError as error:
        if error.code != "intent_signature_invalid":
            raise
        raise _unsigned(document) from error


def _unsigned(document: Mapping[str, Any]) -> VerificationError:
    kind = KINDS[document["type"]]
    return VerificationError(
        "call_statement_signature",
        f"no living key of its {kind.signer} signed this {document['type']} for this market",
        zh="该文件未由所载一方的有效密钥为本市场签署",
        rule="api.statements_are_signed",
        expected=document[kind.signer],
    )
