"""Requests to a provider: no redirects, nothing packed, a bounded answer within a bounded time."""

import time
from typing import Any

import httpx

from crypto.canonical import load_json
from crypto.errors import MalformedInput
from marketplace.errors import NotAuthorizedError, PortError

MAX_ANSWER_BYTES = 256 * 1024
TRY_SECONDS = 10.0
STEP_SECONDS = 5.0


def make_http() -> httpx.Client:
    """A client for one provider. What the environment says of proxies is not asked."""
    return httpx.Client(
        timeout=STEP_SECONDS,
        follow_redirects=False,
        trust_env=False,
        headers={"accept": "application/json", "accept-encoding": "identity"},
    )


def ask(http: httpx.Client, method: str, url: str, **content: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer.

    Args:
        content: httpx's data, auth.
    Raises:
        PortError: `oidc_unreachable`: no answer in time, a redirect, packed or too long, or no JSON object.
    """
    end = time.monotonic() + TRY_SECONDS
    try:
        with http.stream(method, url, **content) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise away("it is packed, which was not asked for")
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES or time.monotonic() > end:
                    raise away(f"it is longer than {MAX_ANSWER_BYTES} bytes, or took over {TRY_SECONDS:.0f} s")
    except (httpx.HTTPError, httpx.InvalidURL):
        raise away("the connection failed") from None
    try:
        found = load_json(bytes(body), max_bytes=MAX_ANSWER_BYTES)
    except MalformedInput:
        raise away(f"status {answer.status_code} without JSON") from None
    if not isinstance(found, dict):
        raise away("it is no JSON object")
    return answer.status_code, found


def refused(reason: str, *, expected: object = None, got: object = None) -> NotAuthorizedError:
    """`oidc_refused`; raise it."""
    return NotAuthorizedError(
        "oidc_refused",
        f"this does not sign you in: {reason}",
        zh="身份提供方登录未通过验证",
        rule="access.oidc",
        expected=expected,
        got=got,
        hint="begin again: POST /session/oidc/begin, or `marketplace session login`; if it stays so, ask the operator",
        hint_zh="请重新开始登录；如仍失败，请联系运营方",
    )


def away(what: str) -> PortError:
    """`oidc_unreachable`; raise it."""
    return PortError(
        "oidc_unreachable",
        f"the identity provider gave no usable answer: {what}",
        zh="身份提供方未给出可用的答复",
        hint="try again later, or sign in with your key",
        hint_zh="请稍后重试，或用您的密钥登录",
    )
