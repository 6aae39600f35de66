"""Documents and sealed blobs by digest."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from crypto.canonical import from_hex, load_canonical, sha256, to_hex
from marketplace import documents
from marketplace.errors import InvalidInputError
from marketplace.participants.service import oversees, require_role
from marketplace.storage.documents import store_document, visible_body
from marketplace.types import Role
from marketplace.web.context import Context, Here
from marketplace.web.principal import MaybeAccount, Uploader
from marketplace.web.shapes import DigestText

router = APIRouter(tags=["documents"])

PUBLIC = ("manifest", "claim", "terms")
"""Kinds that anybody may upload and read. All other kinds come in with the act that they belong to."""

_JSON_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_BLOB_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_BLOB_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the bytes"}
}
_FOR_EVER = "public, max-age=31536000, immutable"
Name = Annotated[DigestText, Path()]


@router.put("/documents/{digest}", status_code=201, openapi_extra=_JSON_BODY)
async def put_document(here: Here, account: Uploader, digest: Name, request: Request) -> dict[str, str]:
    """Upload a public document (manifest, claim or terms) in canonical form under its SHA-256; again is harmless."""
    await run_in_threadpool(_require, here, account, Role.SUPPLIER | Role.REGISTRAR | Role.EXCHANGE)
    return await run_in_threadpool(_store, here, digest, await request.body())


@router.get("/documents/{digest}")
def get_document(here: Here, account: MaybeAccount, digest: Name) -> Response:
    """A document in canonical form: public ones for anybody, others for their parties and for overseers."""
    with here.reading() as session:
        body = visible_body(session, digest, account, sees_all=oversees(session, account))
    return _answer(body, digest, "application/json", "private, max-age=3600")


@router.put("/blobs/{digest}", status_code=201, openapi_extra=_BLOB_BODY)
async def put_blob(here: Here, account: Uploader, digest: Name, request: Request) -> dict[str, str]:
    """Upload a sealed blob under its SHA-256; for suppliers. Again is harmless."""
    await run_in_threadpool(_require, here, account, Role.SUPPLIER)
    await run_in_threadpool(_store_blob, here, digest, await request.body())
    return {"digest": digest}


@router.get("/blobs/{digest}", response_class=Response, responses=_BLOB_ANSWER)
def get_blob(here: Here, digest: Name) -> Response:
    """A sealed blob. Ciphertext is for everybody: that is what lets anybody compute a result again."""
    return _answer(here.blobs.get(digest), digest, "application/octet-stream", _FOR_EVER)


def _require(here: Context, account: str, roles: Role) -> None:
    """Before the body is read: a stranger must not fill the memory with what will be refused."""
    with here.reading() as session:
        require_role(session, account, roles)


def _store(here: Context, digest: str, body: bytes) -> dict[str, str]:
    document = load_canonical(body)
    _check_name(body, digest)
    documents.validate(document)
    if document["type"] not in PUBLIC:
        raise InvalidInputError(
            "document_not_uploaded",
            f"a {document['type']} is not uploaded by itself; it comes with the act that it belongs to",
            zh="该类文档须随相应操作一并提交",
            expected=", ".join(PUBLIC),
            got=document["type"],
        )
    with here.writing() as session:
        store_document(session, document, now=here.clock(), public=True)
    return {"digest": digest}


def _store_blob(here: Context, digest: str, body: bytes) -> None:
    _check_name(body, digest)
    here.blobs.put(body)


def _check_name(body: bytes, digest: str) -> None:
    found = to_hex(sha256(body))
    if found != digest:
        raise InvalidInputError(
            "digest_mismatch",
            "the body has another digest than its path",
            zh="内容与摘要不符",
            expected=digest,
            got=found,
        )


def _answer(body: bytes, digest: str, media_type: str, caching: str) -> Response:
    encoded = base64.b64encode(from_hex(digest, 32)).decode()
    headers = {"content-digest": f"sha-256=:{encoded}:", "etag": f'"{digest}"', "cache-control": caching}
    return Response(body, media_type=media_type, headers=headers)
