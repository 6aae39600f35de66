"""Requests to a provider: no redirects, nothing packed, a bounded answer within a bounded time."""

import time
from typing import Any

import httpx

from crypto.canonical import load_json
from crypto.errors import MalformedInput
from marketplace.errors import NotAuthorizedError, PortError
from marketplace.words import Words

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
                raise away(Words("it is packed, which was not asked for", "答复经过压缩，而请求未要求压缩"))
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES or time.monotonic() > end:
                    raise away(
                        Words(
                            f"it is longer than {MAX_ANSWER_BYTES} bytes, or took over {TRY_SECONDS:.0f} s",
                            f"答复超过 {MAX_ANSWER_BYTES} 字节，或用时超过 {TRY_SECONDS:.0f} 秒",
                        )
                    )
    except (httpx.HTTPError, httpx.InvalidURL):
        raise away(Words("the connection failed", "连接失败")) from None
    try:
        found = load_json(bytes(body), max_bytes=MAX_ANSWER_BYTES)
    except MalformedInput:
        raise away(
            Words(f"status {answer.status_code} without JSON", f"返回状态 {answer.status_code}，且无 JSON 内容")
        ) from None
    if not isinstance(found, dict):
        raise away(Words("it is no JSON object", "答复不是 JSON 对象"))
    return answer.status_code, found


def refused(reason: Words, *, expected: object = None, got: object = None) -> NotAuthorizedError:
    """`oidc_refused`; raise it."""
    return NotAuthorizedError(
        "oidc_refused",
        f"this does not sign you in: {reason.en}",
        zh=f"身份提供方登录未通过验证：{reason.zh}",
        rule="access.oidc",
        expected=expected,
        got=got,
        hint="begin again: POST /session/oidc/begin, or `marketplace session login`; if it stays so, ask the operator",
        hint_zh="请重新开始登录；如仍失败，请联系运营方",
    )


def away(what: Words) -> PortError:
    """`oidc_unreachable`; raise it."""
    return PortError(
        "oidc_unreachable",
        f"the identity provider gave no usable answer: {what.en}",
        zh=f"身份提供方未给出可用的答复：{what.zh}",
        hint="try again later, or sign in with your key",
        hint_zh="请稍后重试，或用您的密钥登录",
    )
