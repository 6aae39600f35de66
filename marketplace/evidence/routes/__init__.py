"""Documents, blobs, the log, the bundle, and what became of intents, over HTTP."""

from fastapi import APIRouter

from marketplace.evidence.routes import bundles, content, logs, operations

router = APIRouter()
for part in (operations, content, logs, bundles):
    router.include_router(part.router)
