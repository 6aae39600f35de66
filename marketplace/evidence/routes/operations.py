"""Is the service alive and ready, what is it, and what became of an intent."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlmodel import select

from marketplace.errors import PortError
from marketplace.evidence.inbox import LEDGER
from marketplace.evidence.inbox.citing import decided
from marketplace.evidence.service import profile_json
from marketplace.web.bell import long_poll
from marketplace.web.context import Here, Wait
from marketplace.web.shapes import DigestText

router = APIRouter()


@router.get("/healthz", tags=["operations"])
def check_health() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", tags=["operations"])
def check_readiness(here: Here) -> dict[str, Any]:
    """Store and ledger answer, so that intents will be sealed; and what the service had to leave undone of single
    orders, which keeps nobody else from anything."""
    with here.reading() as session:
        session.exec(select(1)).one()
    problem = here.ledger_problem()
    if problem:
        raise PortError("ledger_not_ready", f"the ledger does not take intents now: {problem}", zh="账本暂不可用")
    return {"status": "ready", "hindrances": here.hindrances()}


@router.get("/profile", tags=["operations"])
def get_profile(here: Here) -> dict[str, Any]:
    """What this market is: chain, contracts, fee, log key, panel keys. Clients pin it on first use."""
    with here.reading() as session:
        return profile_json(session, here.settings)


@router.get("/intents/{digest}", tags=["operations"])
async def get_intent(here: Here, digest: Annotated[DigestText, Path()], wait: Wait) -> dict[str, Any]:
    """What became of an intent: queued, mined or refused; with `wait`, as soon as the ledger has decided."""
    last: dict[str, Any] = {}

    def look() -> dict[str, Any] | None:
        with here.reading() as session:
            status = decided(session, digest)
        last.update(status | status.pop("problem", {}))
        return None if last["status"] == "queued" else last

    return await long_poll(here.bell, [LEDGER], wait, look) or last
