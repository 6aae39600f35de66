"""Webhooks over HTTP: each participant sees and changes its own endpoints alone."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlmodel import col, select

from marketplace.web.context import Here
from marketplace.web.principal import Account, Administrator, SessionKey
from marketplace.web.shapes import Count, Shape
from marketplace.webhooks import rules, service
from marketplace.webhooks.tables import WebhookMessage

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
EndpointId = Annotated[str, Path(pattern="^we_[0-9a-f]{24}$", examples=["we_" + "5f" * 12])]
Status = Literal["pending", "delivered", "dead"]


class EndpointBody(Shape):
    """Where to send what."""

    url: str = Field(min_length=1, max_length=rules.MAX_URL, examples=["https://example.org/hooks/marketplace"])
    types: list[Annotated[str, Field(max_length=80)]] = Field(
        default_factory=list, max_length=rules.MAX_TYPES, description="kinds of events, or stages; empty for all"
    )


class ReplayBody(Shape):
    """Which messages: one, all made since a moment, or (neither given) all that were given up."""

    since: Count | None = Field(default=None, description="unix seconds")
    message: Annotated[str, Field(pattern="^msg_[0-9a-f]{32}$")] | None = None


@router.post("", status_code=201)
def register_webhook(here: Here, account: Administrator, key: SessionKey, body: EndpointBody) -> dict[str, Any]:
    """Register an endpoint. The secret in the answer is shown this once."""
    with here.writing() as session:
        row, secret = service.register(
            session, here.settings, account, body.url, types=body.types, by=key, now=here.clock()
        )
        return {"endpoint": row.endpoint, "url": row.url, "types": row.types, "secret": secret}


@router.get("")
def list_webhooks(here: Here, account: Account) -> dict[str, Any]:
    """Your endpoints."""
    with here.reading() as session:
        return {"items": service.endpoints_of(session, account)}


@router.get("/types")
def list_webhook_types() -> dict[str, Any]:
    """Every kind of event that may be sent."""
    return {"items": list(rules.known_types())}


@router.get("/{endpoint}")
def get_webhook(here: Here, account: Account, endpoint: EndpointId) -> dict[str, Any]:
    """One of your endpoints."""
    with here.reading() as session:
        return service.endpoint_json(session, service.endpoint_of(session, account, endpoint))


@router.delete("/{endpoint}")
def remove_webhook(here: Here, account: Administrator, endpoint: EndpointId) -> dict[str, Any]:
    """Remove an endpoint with all that it was to be told."""
    with here.writing() as session:
        service.remove(session, service.endpoint_of(session, account, endpoint))
        return {"endpoint": endpoint, "status": "removed"}


@router.post("/{endpoint}/secret")
def rotate_webhook_secret(here: Here, account: Administrator, endpoint: EndpointId) -> dict[str, Any]:
    """A new secret, shown this once. The one before signs as well until `oldUntil`."""
    with here.writing() as session:
        row = service.endpoint_of(session, account, endpoint)
        return service.rotate(session, here.settings, row, here.clock())


@router.post("/{endpoint}/ping", status_code=202)
def ping_webhook(here: Here, account: Administrator, endpoint: EndpointId) -> dict[str, Any]:
    """Send a message that says nothing, to try an endpoint."""
    with here.writing() as session:
        row = service.endpoint_of(session, account, endpoint)
        return {"message": service.ping(session, row, here.settings.public_url, here.clock())}


@router.post("/{endpoint}/replay", status_code=202)
def replay_webhook(here: Here, account: Administrator, endpoint: EndpointId, body: ReplayBody) -> dict[str, Any]:
    """Send again what was delivered or given up; under the same ids as before."""
    with here.writing() as session:
        row = service.endpoint_of(session, account, endpoint)
        count = service.replay(session, row, since=body.since, message=body.message, now=here.clock())
        return {"endpoint": endpoint, "messages": count}


@router.get("/{endpoint}/messages")
def list_webhook_messages(
    here: Here,
    account: Account,
    endpoint: EndpointId,
    status: Annotated[Status | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> dict[str, Any]:
    """The newest messages of an endpoint, newest first."""
    with here.reading() as session:
        row = service.endpoint_of(session, account, endpoint)
        query = select(WebhookMessage).where(WebhookMessage.endpoint == row.endpoint)
        if status is not None:
            query = query.where(WebhookMessage.status == status)
        found = session.exec(query.order_by(col(WebhookMessage.number).desc()).limit(limit)).all()
        return {"items": [service.message_json(item) for item in found]}
