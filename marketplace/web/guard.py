"""The outermost layer: names every request, caps every body and the nesting of JSON, and puts the security headers on
every answer."""

import re
import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto.canonical import check_nesting
from crypto.errors import MalformedInput

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
MAX_DEPTH = 64  # of a JSON body; the documents in it are nested at most 32 deep
_LENGTH = re.compile("[0-9]{1,18}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Guard:
    """ASGI middleware.

    Args:
        limits: (path prefix, bytes), first match wins; the last prefix should be "/".
    """

    def __init__(self, app: ASGIApp, limits: Iterable[tuple[str, int]]) -> None:
        self._app, self._limits = app, tuple(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        state["trace_id"] = trace_id(headers.get("traceparent", ""))
        state["request_id"] = request_id(headers.get("x-request-id", ""), state["trace_id"])
        body = self._capped(scope, headers, receive)
        # The framework parses no body as JSON that does not call itself so.
        if "json" in headers.get("content-type", "json").lower():
            body = _shallow(body)
        await self._app(scope, body, _decorated(send, state))

    def _capped(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        limit = next((cap for prefix, cap in self._limits if scope["path"].startswith(prefix)), 0)
        announced = headers.get("content-length", "0")
        too_long = not _LENGTH.fullmatch(announced) or int(announced) > limit
        seen = 0

        async def capped() -> Message:
            nonlocal seen
            if too_long:
                raise HTTPException(413, f"the body may have at most {limit} bytes")
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"the body may have at most {limit} bytes")
            return message

        return capped


def _shallow(receive: Receive) -> Receive:
    """`receive`, refusing a JSON body that is nested too deep before anybody can have all of it."""
    parts: list[bytes] = []

    async def shallow() -> Message:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            try:
                check_nesting(b"".join(parts), MAX_DEPTH)
            except MalformedInput as error:
                raise HTTPException(400, str(error)) from None
        return message

    return shallow


def trace_id(traceparent: str) -> str:
    """The caller's W3C trace id, or a fresh one where none or a malformed one came."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return match[1] if match and int(match[1], 16) else secrets.token_hex(16)


def request_id(given: str, fallback: str) -> str:
    """The caller's request id if it is short and harmless, else the trace id."""
    return given if _REQUEST_ID.fullmatch(given) else fallback


def _decorated(send: Send, state: dict[str, str]) -> Send:
    async def decorated(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = state["request_id"]
            headers["traceparent"] = f"00-{state['trace_id']}-{secrets.token_hex(8)}-01"
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return decorated
