"""DID documents of this exchange: its own, and one for every object that has an identifier."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, select

from crypto.canonical import from_hex
from crypto.errors import MalformedInput
from crypto.multikey import KeyKind, PublicKeyOfKind, parse_did_key
from marketplace.documents import Document
from marketplace.documents.dids import (
    AccountKeys,
    account_document,
    account_method,
    did_ethr,
    did_web,
    document,
    key_document,
    malformed_did,
    method_of,
    multikey_method,
    parse_did_ethr,
)
from marketplace.documents.identifiers import Kind
from marketplace.errors import InvalidInputError
from marketplace.evidence.service import exchange_of, signer_of
from marketplace.identifiers.service.finding import Found, find, find_subject, unknown
from marketplace.identifiers.signing import keys_in
from marketplace.ledger.profile import ledger_profile
from marketplace.participants.service.proving import book_of
from marketplace.participants.tables import Participant
from marketplace.queries.tables import PanelKey
from marketplace.settings import Settings
from marketplace.types import Act, ParticipantStatus, Role
from marketplace.words import Words

ENDPOINTS = {  # fragment: (type, path)
    "identifiers": ("IdentifierResolver", "/identifiers/"),
    "catalogue": ("CatalogService", "/listings"),
    "register": ("RightsRegister", "/rights/assets"),
    "log": ("TransparencyLog", "/log/"),
    "profile": ("MarketplaceProfile", "/profile"),
}
CONTROLLERS = {
    Kind.DATA: "holder",
    Kind.SERIES: "holder",
    Kind.PRODUCT: "seller",
    Kind.ORDER: "buyer",
    Kind.TRADE: "buyer",
}
"""Who of a record's links may change the object."""


def exchange_document(session: Session, settings: Settings, now: int) -> Document:
    """The exchange's own document: the log's key and its own, every active registrar's, and where its services are.

    The log's key asserts (it signs checkpoints); the exchange's asserts and invokes (it anchors roots on the ledger);
    registrars assert (they admit, confirm and issue certificates), each controlled by itself, with the keys that may do
    so for it at `now` (unix seconds).
    """
    did, chain = did_web(settings.public_url), settings.chain_id
    log = PublicKeyOfKind(KeyKind.ED25519, signer_of(settings).verifier.public)
    methods = [multikey_method(did, "log", log), account_method(did, "exchange", chain, exchange_of(settings))]
    for account in _registrars(session):
        book = book_of(session, ledger_profile(session).deployment, account)
        for key in book.keys_at(account, now, Act.REGISTRY):
            methods.append(account_method(did, f"registrar-{key}", chain, key, did_ethr(chain, account)))
    own = [f"{did}#exchange"]
    uses = {"assertionMethod": [method["id"] for method in methods], "authentication": own, "capabilityInvocation": own}
    services = [
        {"id": f"{did}#{name}-service", "type": kind, "serviceEndpoint": _url(settings, path)}
        for name, (kind, path) in ENDPOINTS.items()
    ]
    return document(did, methods, uses, services=services)


def object_document(session: Session, settings: Settings, record: Document, now: int) -> Document:
    """The document of the object that `record` is about, under the exchange's did:web.

    A participant's has the keys that sign for its account at `now` (unix seconds), and a panel node's BLS key; it is
    also known by its did:ethr. Other objects have no keys: whoever holds or sells them controls them.
    """
    did = record["did"]
    services = [
        {
            "id": f"{did}#record",
            "type": "IdentifierRecord",
            "serviceEndpoint": _url(settings, f"/identifiers/{record['identifier']}"),
        }
    ]
    if record["kind"] != Kind.PARTY:
        relation = CONTROLLERS.get(Kind(record["kind"]))
        parties = [link["subject"] for link in record["links"] if link["rel"] == relation]
        controller = did_ethr(settings.chain_id, parties[0]) if parties else did_web(settings.public_url)
        return document(did, services=services, controller=controller)
    methods, uses = _keys_of(session, settings, did, record["subject"], now)
    also = [did_ethr(settings.chain_id, record["subject"])]
    return document(did, methods, uses, services=services, also=also)


def find_did(session: Session, settings: Settings, did: str, account: str | None, now: int) -> Document | Found:
    """What a DID names here: a document, or the object whose document is asked for.

    Args:
        now: unix seconds.
    Raises:
        InvalidInputError: `malformed_did`, `malformed_identifier`, or `did_method_unsupported`.
        NotFoundError: `unknown_identifier`: of another exchange or chain, or nothing of theirs.
    """
    method = method_of(did)
    if method == "key":
        return _of_key(did)
    if method == "ethr":
        chain, address = parse_did_ethr(did)
        if chain != settings.chain_id or find_subject(session, Kind.PARTY, address) is None:
            raise unknown(did)
        return account_document(did, chain, _account_keys(session, address, now))
    if method == "web":
        own = did_web(settings.public_url)
        if did == own:
            return exchange_document(session, settings, now)
        if not did.startswith(f"{own}:did:"):
            raise unknown(did)
        return find(session, did.removeprefix(f"{own}:did:"), account)
    raise InvalidInputError(
        "did_method_unsupported",
        f"did:{method} is not resolved here",
        zh=f"本机构不解析 did:{method}",
        rule="identifiers.did_methods",
        expected=Words("did:web, did:ethr or did:key", "did:web、did:ethr 或 did:key"),
        got=method,
    )


_KEYS = Words(
    f"did:key of {KeyKind.ED25519}, {KeyKind.X25519} or {KeyKind.SECP256K1}",
    f"{KeyKind.ED25519}、{KeyKind.X25519} 或 {KeyKind.SECP256K1} 的 did:key",
)


def _of_key(did: str) -> Document:
    try:
        key = parse_did_key(did)
    except MalformedInput as error:
        raise malformed_did(did, Words(f"did:key:z… ({error})", "did:key:z…")) from None
    if key.kind is KeyKind.BLS12_381_G1:
        raise malformed_did(did, _KEYS)
    return key_document(key)


def _registrars(session: Session) -> Iterator[str]:
    active = select(Participant).where(Participant.status == int(ParticipantStatus.ACTIVE))
    active = active.where(col(Participant.roles).bitwise_and(int(Role.REGISTRAR)) != 0)
    return iter([row.account for row in session.exec(active.order_by(col(Participant.account)))])


def _account_keys(session: Session, account: str, now: int) -> AccountKeys:
    return keys_in(book_of(session, ledger_profile(session).deployment, account), account, now)


def _keys_of(
    session: Session, settings: Settings, did: str, account: str, now: int
) -> tuple[list[Document], dict[str, Any]]:
    """A suspended participant keeps its keys for what it signed before, and may act with none of them."""
    keys = _account_keys(session, account, now)
    methods, uses = keys.methods(did, settings.chain_id), keys.uses(did)
    own = len(methods)
    node = session.get(PanelKey, account)
    if node is not None:
        methods.append(multikey_method(did, "panel", PublicKeyOfKind(KeyKind.BLS12_381_G1, from_hex(node.bls, 48))))
    person = session.get(Participant, account)
    acts = person is not None and person.status == ParticipantStatus.ACTIVE
    uses["assertionMethod"] += [method["id"] for method in methods[own:]]
    return methods, uses if acts else {}


def _url(settings: Settings, path: str) -> str:
    return settings.public_url.rstrip("/") + path
