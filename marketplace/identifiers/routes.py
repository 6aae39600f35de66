"""The resolver over HTTP: record, page and DID document, by the path or by what the reader accepts."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response

from crypto.canonical import canonical_json, sha256
from marketplace.documents import Document
from marketplace.documents.dids import MEDIA_TYPE
from marketplace.documents.identifiers import Kind
from marketplace.identifiers.service.finding import Found, find
from marketplace.identifiers.service.papers import exchange_document, find_did, object_document
from marketplace.identifiers.service.records import record
from marketplace.identifiers.showing import page
from marketplace.web.context import Context, Here
from marketplace.web.principal import MaybeAccount

router = APIRouter(tags=["identifiers"])

DID_TYPES = (MEDIA_TYPE, "application/did+json", "application/did")
_JSON = "application/json"
_OBJECT = {"schema": {"type": "object"}}
_RECORD: dict[int | str, dict[str, Any]] = {
    200: {"content": {_JSON: _OBJECT, MEDIA_TYPE: _OBJECT}, "description": "the record, or the DID document"},
    304: {"description": "as the reader has it"},
}
_DID: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: _OBJECT}, "description": "the DID document"},
    304: {"description": "as the reader has it"},
}
Text = Annotated[
    str,
    Path(max_length=400, description="identifier, code of a certificate, or the object's address, id or digest"),
]
Did = Annotated[str, Path(max_length=400, description="did:web of this exchange, did:ethr of its ledger, or did:key")]
Accept = Annotated[str, Header()]
Known = Annotated[str, Header(alias="if-none-match")]


@router.get("/identifiers/{text}", response_class=Response, responses=_RECORD)
def resolve_identifier(
    here: Here, account: MaybeAccount, text: Text, accept: Accept = _JSON, known: Known = ""
) -> Response:
    """What an identifier stands for: its record, or with `Accept: application/did+ld+json` its DID document.

    Participants, data, products and certificates are public; an order and its trade voucher are for its parties. What
    is over is still found, and says so.
    """
    kind = _wanted(accept)
    with here.reading() as session:
        found = find(session, text, account)
        told = record(session, found, here.settings.public_url, here.clock())
        body = told if kind == _JSON else object_document(session, here.settings, told, here.clock())
    return _answer(body, kind, known, found)


@router.get("/identifiers/{text}/page", response_class=Response, responses=_RECORD)
def show_identifier(here: Here, account: MaybeAccount, text: Text, known: Known = "") -> Response:
    """The record as a page shows it: labelled lines and links, in English and Chinese."""
    with here.reading() as session:
        found = find(session, text, account)
        told = record(session, found, here.settings.public_url, here.clock())
    return _answer(page(told), _JSON, known, found)


@router.get("/.well-known/did.json", response_class=Response, responses=_DID)
def get_exchange_did(here: Here, known: Known = "") -> Response:
    """The exchange's DID document (did:web): the keys of log, exchange and registrars, and where its services are."""
    with here.reading() as session:
        body = exchange_document(session, here.settings, here.clock())
    return _answer(body, MEDIA_TYPE, known)


@router.get("/did/{text}/did.json", response_class=Response, responses=_DID)
def get_object_did(here: Here, account: MaybeAccount, text: Text, known: Known = "") -> Response:
    """The DID document of did:web:<this exchange>:did:<identifier>."""
    with here.reading() as session:
        found = find(session, text, account)
        body = _document(here, session, found)
    return _answer(body, MEDIA_TYPE, known, found)


@router.get("/did/{did}", response_class=Response, responses=_DID)
def resolve_did(
    here: Here, account: MaybeAccount, did: Did, accept: Accept = MEDIA_TYPE, known: Known = ""
) -> Response:
    """The DID document of a DID: did:web of this exchange, did:ethr of its participants, any did:key."""
    kind = _wanted(accept, MEDIA_TYPE)
    with here.reading() as session:
        named = find_did(session, here.settings, did, account, here.clock())
        body = _document(here, session, named) if isinstance(named, Found) else named
    return _answer(body, kind, known, named if isinstance(named, Found) else None)


def _document(here: Context, session: Any, found: Found) -> Document:
    told = record(session, found, here.settings.public_url, here.clock())
    return object_document(session, here.settings, told, here.clock())


def _wanted(accept: str, otherwise: str = _JSON) -> str:
    """The first type of the header that we have; weights are not compared."""
    asked = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((kind for kind in asked if kind in DID_TYPES or kind == _JSON), otherwise)


def _answer(body: Document, kind: str, known: str, found: Found | None = None) -> Response:
    """The answer, to be asked for again each time: what it says of standing may have changed.

    An order's is for its reader's own cache; the same address says different things to different types and readers.
    """
    content = canonical_json(body)
    tag = f'"{sha256(content).hex()}"'
    private = found is not None and found.name.kind in (Kind.ORDER, Kind.TRADE)
    caching = "private, no-cache" if private else "public, no-cache"
    headers = {"etag": tag, "cache-control": caching, "vary": "accept, authorization"}
    if known == "*" or tag in [part.strip().removeprefix("W/") for part in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
