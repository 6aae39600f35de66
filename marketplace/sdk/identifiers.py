"""Resolving an identifier, and checking that the answer is about what was asked.

Checked: the identifier's own checksum; that the object's full id follows from the record's facts and begins with the
identifier; that titles are those of the documents that the id commits to; that DID documents hold the keys that ledger
and pin name. The service's word alone: standing, its times, and which versions there are; the auditor derives them from
the ledger.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from crypto.canonical import from_hex
from crypto.errors import CryptoError
from crypto.multikey import KeyKind, PublicKeyOfKind, parse_did_key
from marketplace.documents import Document, ids
from marketplace.documents.dids import (
    AccountKeys,
    account_document,
    did_ethr,
    key_document,
    malformed_did,
    method_of,
    parse_did_ethr,
)
from marketplace.documents.identifiers import Kind, is_certificate_code, is_hex_id, parse_identifier
from marketplace.errors import VerificationError
from marketplace.identifiers.signing import keys_in
from marketplace.sdk import certificates
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.words import Words

Facts = Mapping[str, Any]
RULE = "identifiers.answer_is_about_what_was_asked"
NAMED_BY = {"holder": "holder", "seller": "seller", "buyer": "buyer", "data": "assetId", "product": "listingId"}
"""Relation of a link to the fact that it has to agree with."""

_SUBJECT: dict[Kind, Callable[[Facts], str]] = {
    Kind.PARTY: lambda facts: str(facts["account"]),
    Kind.DATA: lambda facts: ids.asset_id(facts["registrant"], facts["manifestDigest"]),
    Kind.SERIES: lambda facts: ids.asset_id(facts["registrant"], facts["manifestDigest"]),
    Kind.PRODUCT: lambda facts: ids.listing_id(facts["seller"], facts["assetId"], facts["termsDigest"]),
    Kind.CERTIFICATE: lambda facts: str(facts["certificateDigest"]),
    Kind.ORDER: lambda facts: ids.order_id(facts["buyer"], facts["listingId"], facts["agreementDigest"]),
    Kind.TRADE: lambda facts: ids.trade_id(facts["orderId"]),
}


def resolve(client: Client, text: str) -> Document:
    """The record of an object, checked.

    Args:
        text: an identifier, a certificate's 15-character code, or an address, id or digest as "0x" hex.
    Raises:
        InvalidInputError: `malformed_identifier`; nothing is sent then.
        NotFoundError: `unknown_identifier`.
        VerificationError: the answer is about something else, or does not hang together.
    """
    asked = text if is_hex_id(text) or is_certificate_code(text) else str(parse_identifier(text))
    record: Document = client.get(f"/identifiers/{asked}")
    try:
        _check(client, record, asked)
    except (CryptoError, KeyError, TypeError, ValueError) as error:
        raise _malformed(error) from error
    return record


def resolve_did(client: Client, text: str) -> Document:
    """The DID document of a DID, or of an object by its identifier or id; checked.

    Raises:
        InvalidInputError: `malformed_did`, `malformed_identifier`, `did_method_unsupported`.
        NotFoundError: `unknown_identifier`.
        VerificationError: the document is not what key, ledger or pin say.
    """
    if not text.startswith("did:"):
        return _object_document(client, resolve(client, text))
    method = method_of(text)
    if method == "key":
        return _of_key(text)
    if method == "web" and ":did:" in text:
        record = resolve(client, text.rpartition(":")[2])
        expect(record["did"], text, "did_differs", RULE)
        return _object_document(client, record)
    found: Document = client.get(f"/did/{quote(text, safe=':')}")
    expect(found.get("id"), text, "did_differs", RULE)
    if method == "ethr":
        chain, address = parse_did_ethr(text)
        expect(chain, client.deployment.chain_id, "did_differs", RULE)
        own = account_document(text, chain, _keys_of(client, address))
        expect(found, own, "did_document_differs", "identifiers.keys_of_the_account")
    else:
        _check_log_key(client, found)
    return found


def _check(client: Client, record: Document, asked: str) -> None:
    name, facts = parse_identifier(record["identifier"]), record["facts"]
    if is_certificate_code(asked):
        expect(_code_of(client, record), asked, "identifier_differs", RULE)
    else:
        expect(record["subject" if is_hex_id(asked) else "identifier"], asked, "identifier_differs", RULE)
    expect(record["kind"], name.kind.value, "identifier_differs", RULE)
    expect(record["subject"], _SUBJECT[name.kind](facts), "identifier_differs", RULE)
    expect(name.names(record["subject"]), True, "identifier_differs", RULE)
    expect(record["did"].rpartition(":")[2], str(name), "did_differs", RULE)
    for link in record["links"]:
        linked = parse_identifier(link["identifier"])
        expect(linked.names(link["subject"]), True, "link_differs", RULE)
        expect(link["subject"], facts.get(NAMED_BY.get(link["rel"]), link["subject"]), "link_differs", RULE)
    for item in record["inputs"]:
        expect(parse_identifier(item["identifier"]).names(item["assetId"]), True, "link_differs", RULE)
    _check_title(client, name.kind, record)


def _code_of(client: Client, record: Document) -> object:
    """The code that the certificate of a record itself states; None of what is no certificate."""
    if record["kind"] != Kind.CERTIFICATE:
        return None
    return client.get_document(record["subject"])["credentialSubject"]["registrationCode"]


def _check_title(client: Client, kind: Kind, record: Document) -> None:
    """The title is the document's that the id commits to; a series bears its newest version's, an order its
    product's."""
    rule, facts = "identifiers.title_is_the_document_s", record["facts"]
    if kind is Kind.PARTY:
        return
    if kind in (Kind.SERIES, Kind.ORDER, Kind.TRADE):
        wanted = "newest" if kind is Kind.SERIES else "product"
        (link,) = [item for item in record["links"] if item["rel"] == wanted]
        expect(record["title"], resolve(client, link["identifier"])["title"], "title_differs", rule)
        return
    if kind is Kind.CERTIFICATE:
        found = client.get(f"/rights/assets/{facts['assetId']}", signed=False)
        earlier = {item["certificateDigest"] for item in (found["registration"] or {}).get("superseded", ())}
        confirmed = record["subject"] in {found["certificateDigest"], *earlier}
        expect(confirmed, True, "certificate_not_confirmed", "rights.certificate_is_confirmed")
        paper = client.get(f"/documents/{record['subject']}", signed=False)
        expect(certificates.digest(paper), record["subject"], "certificate_not_confirmed", RULE)
        asset = ids.asset_id(facts["registrant"], facts["manifestDigest"])
        expect(facts["assetId"], asset, "identifier_differs", RULE)
    document = client.get_document(facts["termsDigest" if kind is Kind.PRODUCT else "manifestDigest"])
    expect(record["title"], document["title"], "title_differs", rule)


def _object_document(client: Client, record: Document) -> Document:
    """A participant's document names what signs for its account; another object's, the party that may change it."""
    found: Document = client.get(f"/did/{record['identifier']}/did.json")
    rule, chain = "identifiers.did_document_follows_from_the_record", client.deployment.chain_id
    expect(found.get("id"), record["did"], "did_differs", RULE)
    if record["kind"] == Kind.PARTY:
        shown = [item for item in found.get("verificationMethod", []) if "blockchainAccountId" in item]
        own = _keys_of(client, record["subject"]).methods(record["did"], chain)
        expect(shown, own, "did_document_differs", rule)
        return found
    party = record["facts"].get("seller") or record["facts"].get("buyer") or record["facts"].get("holder")
    exchange = record["did"].partition(":did:")[0]
    wanted = exchange if record["kind"] == Kind.CERTIFICATE else did_ethr(chain, str(party))
    expect(found.get("controller"), wanted, "did_document_differs", rule)
    expect(found.get("verificationMethod"), None, "did_document_differs", rule)
    return found


def _keys_of(client: Client, account: str) -> AccountKeys:
    """What signs for an account now, from the signed changes of its keys."""
    return keys_in(book_of(client, account), account, client.now())


def _of_key(did: str) -> Document:
    """Made here: nobody has to be asked what a key is."""
    try:
        return key_document(parse_did_key(did))
    except CryptoError as error:
        raise malformed_did(did, Words(f"did:key:z… ({error})", "did:key:z…")) from None


def _check_log_key(client: Client, found: Document) -> None:
    pinned = PublicKeyOfKind(KeyKind.ED25519, from_hex(client.profile.pin.log_key, 32)).multibase
    keys = {method["id"]: method.get("publicKeyMultibase") for method in found.get("verificationMethod", [])}
    expect(keys.get(f"{found['id']}#log"), pinned, "did_document_differs", "identifiers.log_key_is_the_pinned_one")


def _malformed(error: Exception) -> VerificationError:
    return VerificationError(
        "record_malformed",
        f"the service's record does not have the form of one: {type(error).__name__}",
        zh="服务端返回的解析记录格式不合规",
        rule=RULE,
        hint="do not rely on it; keep it and tell the operator",
        hint_zh="请勿采信;保留该答复并告知运营方",
    )
