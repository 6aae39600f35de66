"""The evidence bundle over HTTP."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from marketplace.evidence import service
from marketplace.evidence.bundle import stream_bundle
from marketplace.participants.service import require_role
from marketplace.rights import issuing
from marketplace.types import OVERSEERS
from marketplace.web.context import Here
from marketplace.web.principal import Account

router = APIRouter(prefix="/evidence", tags=["evidence"])
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/zip": {}},
        "description": "the bundle; see marketplace/evidence/bundle.py for its layout",
    }
}


@router.get("/bundle", response_class=StreamingResponse, responses=_ZIP)
def get_evidence_bundle(here: Here, account: Account) -> StreamingResponse:
    """Everything that an auditor needs, of one moment; for registrars, auditors and the exchange, because it holds
    query texts and vouchers."""
    with here.reading() as session:
        require_role(session, account, OVERSEERS)
        profile = service.profile_json(session, here.settings)
    headers = {"content-disposition": 'attachment; filename="evidence.zip"'}
    return StreamingResponse(
        stream_bundle(
            here.engine,
            here.blobs,
            profile,
            service.signer_of(here.settings).sign,
            lambda session: issuing.every_list(session, here.settings, here.clock()),
        ),
        media_type="application/zip",
        headers=headers,
    )
