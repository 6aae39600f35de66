"""Endpoints of participants' systems: registering, rotating secrets, replaying, removing."""

import secrets
from typing import Any

from sqlmodel import Session, col, func, or_, select, update

from crypto.at_rest import AtRest
from marketplace.errors import NotFoundError, RuleError
from marketplace.participants.service import get_participant
from marketplace.participants.tables import Application, IdentityLink
from marketplace.settings import Settings
from marketplace.webhooks import rules
from marketplace.webhooks.service.facts import Fact
from marketplace.webhooks.service.outbox import put
from marketplace.webhooks.service.outbox import remove as remove
from marketplace.webhooks.tables import WebhookEndpoint, WebhookMessage

_PURPOSE = b"marketplace/webhooks/secrets/v1"


def cipher_of(settings: Settings) -> AtRest:
    """What endpoints' secrets are encrypted with in the database."""
    return AtRest(bytes.fromhex(settings.exchange_key.get_secret_value()), _PURPOSE)


def register(
    session: Session, settings: Settings, owner: str, url: str, *, types: list[str], by: str, now: int
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint of `owner`, and its secret, which nobody is shown again.

    Args:
        by: what opened the session that asks, a key or a linked identity.
    Raises:
        InvalidInputError: `webhook_url`, `webhook_type_unknown`.
        NotFoundError: `participant_unknown`: `owner` is no participant and has not applied either.
        RuleError: `webhook_exists`, `webhooks_too_many`.
    """
    rules.check_url(url, loopback=settings.webhook_allow_loopback)
    rules.check_types(types)
    if session.get(Application, owner) is None:
        get_participant(session, owner)
    known = session.exec(select(WebhookEndpoint).where(WebhookEndpoint.owner == owner)).all()
    if any(row.url == url for row in known):
        raise RuleError(
            "webhook_exists",
            f"you have an endpoint {url[:100]} already",
            zh="该网址已登记",
            rule="webhooks.one_endpoint_for_a_url",
            hint="remove it first, or rotate its secret",
            hint_zh="请先移除，或更换其密钥",
        )
    if len(known) >= rules.MAX_ENDPOINTS:
        raise RuleError(
            "webhooks_too_many",
            f"you have {len(known)} endpoints",
            zh=f"您已有 {len(known)} 个通知地址",
            rule="webhooks.endpoints_of_one_participant",
            expected=rules.MAX_ENDPOINTS,
            got=len(known),
            hint="remove one that is not needed",
            hint_zh="请先移除不需要的地址",
        )
    link = session.get(IdentityLink, by)
    name, secret = "we_" + secrets.token_hex(12), rules.new_secret()
    row = WebhookEndpoint(
        endpoint=name,
        owner=owner,
        url=url,
        made_by=by,
        linked_at=link.linked_at if link is not None else 0,
        types=types,
        secret=cipher_of(settings).encrypt(secret, name.encode()),
        created_at=now,
    )
    session.add(row)
    return row, rules.secret_text(secret)


def endpoint_of(session: Session, owner: str, name: str) -> WebhookEndpoint:
    """An endpoint of `owner`. Raises NotFoundError `webhook_unknown`."""
    row = session.get(WebhookEndpoint, name)
    if row is None or row.owner != owner:
        raise NotFoundError("webhook_unknown", f"you have no endpoint {name[:80]}", zh="没有您的该通知地址")
    return row


def endpoints_of(session: Session, owner: str) -> list[dict[str, Any]]:
    """All endpoints of `owner`."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.owner == owner).order_by(WebhookEndpoint.endpoint)
    return [endpoint_json(session, row) for row in session.exec(query).all()]


def endpoint_json(session: Session, row: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint as its owner sees it: never its secret."""
    counting = select(WebhookMessage.status, func.count()).where(WebhookMessage.endpoint == row.endpoint)
    counts = dict(session.exec(counting.group_by(WebhookMessage.status)).all())
    messages = {status: counts.get(status, 0) for status in (rules.PENDING, rules.DELIVERED, rules.DEAD)}
    shown = {"endpoint": row.endpoint, "url": row.url, "types": row.types, "status": row.status}
    times = {"dueAt": row.due_at, "createdAt": row.created_at}
    return {**shown, "madeBy": row.made_by, "failures": row.failures, **times, "messages": messages}


def rotate(session: Session, settings: Settings, row: WebhookEndpoint, now: int) -> dict[str, Any]:
    """A new secret for an endpoint. The one before signs as well for a day, so that no message is lost meanwhile."""
    secret = rules.new_secret()
    row.old_secret, row.old_until = row.secret, now + rules.OVERLAP_SECONDS
    row.secret = cipher_of(settings).encrypt(secret, row.endpoint.encode())
    session.add(row)
    return {"endpoint": row.endpoint, "secret": rules.secret_text(secret), "oldUntil": row.old_until}


def ping(session: Session, row: WebhookEndpoint, source: str, now: int) -> str:
    """Queue a message that says nothing, to try an endpoint; returns its id."""
    fact = Fact(f"ping-{secrets.token_hex(8)}", rules.PING, now, frozenset({row.owner}), {"endpoint": row.endpoint})
    return put(session, row, fact, source, now)


def replay(session: Session, row: WebhookEndpoint, *, since: int | None, message: str | None, now: int) -> int:
    """Send again what was delivered or given up: one message, all since a moment, or all that were given up.

    Args:
        since: unix seconds; messages that were made at or after it. message: the id of one.
        now: unix seconds; patience with these messages begins anew.
    Returns:
        how many will be sent again.
    Raises:
        NotFoundError: `webhook_message_unknown`.
    """
    wanted = col(WebhookMessage.status) == rules.DEAD
    if message is not None:
        wanted = col(WebhookMessage.message) == message
    elif since is not None:
        wanted = or_(col(WebhookMessage.created_at) >= since)
    mine = (col(WebhookMessage.endpoint) == row.endpoint, col(WebhookMessage.status) != rules.PENDING)
    again = {"status": rules.PENDING, "attempts": 0, "problem": "", "finished_at": None, "created_at": now}
    count: int = session.execute(update(WebhookMessage).where(*mine, wanted).values(**again)).rowcount  # type: ignore[attr-defined]
    if message is not None and count == 0:
        raise NotFoundError(
            "webhook_message_unknown",
            f"{message[:80]} is not a message that this endpoint was sent",
            zh="该地址没有此消息，或尚未发送",
        )
    row.status, row.failures, row.due_at = rules.ACTIVE, 0, 0
    session.add(row)
    return count


def message_json(row: WebhookMessage) -> dict[str, Any]:
    """A message as the endpoint's owner sees it."""
    shown = {"message": row.message, "type": row.type, "status": row.status, "attempts": row.attempts}
    times = {"createdAt": row.created_at, "finishedAt": row.finished_at}
    return {**shown, **times, "problem": row.problem, "body": row.body.decode()}
