"""The log as C2SP tlog-tiles serve it, and proofs for those who do not want to build them from tiles."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from marketplace.errors import NotFoundError
from marketplace.evidence import service
from marketplace.web.context import Here
from marketplace.web.shapes import MAX_INTEGER

router = APIRouter(prefix="/log", tags=["log"])

Position = Annotated[int, Query(ge=0, le=MAX_INTEGER)]
_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}, "description": "a signed note"}}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the tile"}
}


@router.get("/checkpoint", response_class=Response, responses=_TEXT)
def get_checkpoint(here: Here) -> Response:
    """The newest signed checkpoint: origin, size, root."""
    with here.reading() as session:
        row = service.latest_checkpoint(session)
    if row is None:
        raise NotFoundError("checkpoint_unknown", "the log has not been signed yet", zh="日志尚未签署检查点")
    return Response(row.note, media_type="text/plain; charset=utf-8", headers={"cache-control": "no-store"})


@router.get("/tile/{path:path}", response_class=Response, responses=_BYTES)
def get_tile(here: Here, path: Annotated[str, Path(max_length=100)]) -> Response:
    """A tile of 1 to 256 hashes, or a bundle of entries."""
    with here.reading() as session:
        body, full = service.tile_bytes(session, f"tile/{path}")
    caching = "public, max-age=31536000, immutable" if full else "no-cache"
    return Response(body, media_type="application/octet-stream", headers={"cache-control": caching})


@router.get("/proofs/inclusion")
def prove_inclusion(here: Here, position: Position, size: Position) -> dict[str, Any]:
    """The proof that entry `position` is in the log of `size` entries (RFC 9162)."""
    with here.reading() as session:
        return service.inclusion(session, position, size)


@router.get("/proofs/consistency")
def prove_consistency(here: Here, first: Position, second: Position) -> dict[str, Any]:
    """The proof that the log of `second` entries extends that of `first` (RFC 9162)."""
    with here.reading() as session:
        return service.consistency(session, first, second)
