"""Webhooks: where a participant's own systems are told what happened."""

from collections.abc import Sequence
from typing import Any

from marketplace.sdk.client import Client


def register(client: Client, url: str, types: Sequence[str] = ()) -> dict[str, Any]:
    """Register an endpoint.

    Args:
        types: kinds of events or stages; none for everything.
    Returns:
        {"endpoint", "url", "types", "secret"}; the secret is shown this once.
    """
    found: dict[str, Any] = client.post("/webhooks", {"url": url, "types": list(types)})
    return found


def endpoints(client: Client) -> list[dict[str, Any]]:
    """One's own endpoints, with how many messages wait, were delivered and were given up."""
    found: list[dict[str, Any]] = client.get("/webhooks")["items"]
    return found


def types(client: Client) -> list[str]:
    """Every kind of event that may be sent."""
    found: list[str] = client.get("/webhooks/types", signed=False)["items"]
    return found


def messages(client: Client, endpoint: str, status: str | None = None) -> list[dict[str, Any]]:
    """The newest messages of an endpoint, newest first.

    Args:
        status: "pending", "delivered" or "dead"; None for all.
    """
    found: list[dict[str, Any]] = client.get(f"/webhooks/{endpoint}/messages", status=status)["items"]
    return found


def rotate(client: Client, endpoint: str) -> dict[str, Any]:
    """A new secret, shown this once; the one before signs as well until "oldUntil" (unix seconds)."""
    found: dict[str, Any] = client.post(f"/webhooks/{endpoint}/secret", {})
    return found


def ping(client: Client, endpoint: str) -> dict[str, Any]:
    """Have a message sent that says nothing."""
    found: dict[str, Any] = client.post(f"/webhooks/{endpoint}/ping", {})
    return found


def replay(client: Client, endpoint: str, *, since: int | None = None, message: str | None = None) -> dict[str, Any]:
    """Have messages sent again: one, all made since `since` (unix seconds), or all that were given up."""
    body = {name: value for name, value in (("since", since), ("message", message)) if value is not None}
    found: dict[str, Any] = client.post(f"/webhooks/{endpoint}/replay", body, repeatable=True)
    return found


def remove(client: Client, endpoint: str) -> dict[str, Any]:
    """Remove an endpoint with all that it was to be told."""
    return client.delete(f"/webhooks/{endpoint}")
