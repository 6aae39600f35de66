"""Refusals as problem+json (RFC 9457). Which status a class of error has is not decided here but in `app.py`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from marketplace.errors import InvalidInputError, MarketplaceError
from marketplace.refusals.shapes import shape_fault
from marketplace.web.languages import CHINESE, ENGLISH, TITLES, preferred
from marketplace.web.shapes import Problem

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = MEDIA_TYPE


def from_error(
    request: Request, error: MarketplaceError, status: int, headers: Mapping[str, str] | None = None, **more: Any
) -> ProblemResponse:
    """The problem that a marketplace error is; title, detail and hint in the reader's language.

    Args:
        status: of HTTP. more: members besides those of every refusal.
    """
    chinese = preferred(request.headers.get("accept-language", "")) == CHINESE
    details = error.as_dict()
    code, english = details.pop("code"), details.pop("message")
    problem = Problem(
        type=f"urn:marketplace:problem:{code}",
        title=TITLES.get(status, "未通过") if chinese else HTTPStatus(status).phrase,
        status=status,
        detail=error.zh if chinese else english,
        code=code,
        instance=request.url.path,
        trace_id=getattr(request.state, "trace_id", ""),
        en=english,
        hint_en=error.hint,
        **{name: _plain(value) for name, value in (details | more).items()}
        | {"hint": error.hint_zh if chinese else error.hint},
    )
    told = {"content-language": CHINESE if chinese else ENGLISH, "vary": "accept-language", **_HEADERS.get(status, {})}
    return ProblemResponse(problem.model_dump(exclude_none=True), status, headers=told | dict(headers or {}))


_HEADERS: dict[int, dict[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"retry-after": "1"},
    HTTPStatus.UNAUTHORIZED: {"www-authenticate": "Bearer"},
}


class _Refused(NamedTuple):
    """A refusal of the web framework."""

    code: str
    zh: str
    rule: str
    hint: str
    hint_zh: str


HTTP: dict[int, _Refused] = {
    400: _Refused(
        "body_unreadable",
        "请求内容无法读取",
        "requests.readable",
        "send JSON in UTF-8, nested at most 64 deep",
        "请提交 UTF-8 编码、嵌套不超过 64 层的 JSON",
    ),
    404: _Refused(
        "not_found",
        "没有该地址",
        "requests.known_address",
        "GET /openapi.json lists every address",
        "全部地址见 GET /openapi.json",
    ),
    405: _Refused(
        "method_not_allowed",
        "该地址不支持此方法",
        "requests.known_method",
        "use a method that the header Allow names",
        "请使用 Allow 标头所列方法",
    ),
    413: _Refused(
        "body_too_large",
        "请求内容超过上限",
        "requests.size",
        "send less at a time",
        "请减少单次提交的内容",
    ),
}
OTHER = _Refused(
    "http_refused",
    "请求未被接受",
    "requests.well_formed",
    "compare it with GET /openapi.json",
    "请对照 GET /openapi.json",
)


def from_http(request: Request, error: HTTPException, headers: Mapping[str, str]) -> ProblemResponse:
    """The problem that a refusal of the web framework is."""
    told = HTTP.get(error.status_code, OTHER)
    more = {"rule": told.rule, "hint": told.hint, "hint_zh": told.hint_zh}
    refused = InvalidInputError(told.code, str(error.detail), zh=told.zh, **more)
    return from_error(request, refused, error.status_code, headers)


def from_shape(request: Request, error: RequestValidationError) -> ProblemResponse:
    """The problem of a body, path or query that does not have the documented shape. Repeats no value that came."""
    found = error.errors()[:20]
    places = [list(map(str, e["loc"])) for e in found] or [[]]
    faults = [shape_fault(e["type"], e.get("ctx", {})) for e in found] or ["内容不符合要求"]
    words = [e["msg"] for e in found] or ["malformed"]
    refused = InvalidInputError(
        "shape_invalid",
        f"{'.'.join(places[0])}: {words[0]}",
        zh=f"请求格式不正确：{'.'.join(places[0])}：{faults[0]}",
        rule="requests.documented_shape",
        hint="send what GET /openapi.json documents for this operation",
        hint_zh="请按 GET /openapi.json 中该操作的格式提交",
    )
    errors = [
        {"at": at, "message": en, "zh": zh, "kind": e["type"]}
        for at, en, zh, e in zip(places, words, faults, found, strict=False)
    ]
    return from_error(request, refused, HTTPStatus.UNPROCESSABLE_ENTITY, errors=errors)


def from_crash(request: Request, error: Exception) -> ProblemResponse:
    """What a caller learns of our own fault: nothing but the trace id, under which the log has it all."""
    log.error("unexpected error, trace %s", getattr(request.state, "trace_id", ""), exc_info=error)
    told = MarketplaceError(
        "internal_error",
        "the service made a mistake; nothing of this request was kept",
        zh="服务内部错误，本次请求未生效",
        hint="quote the trace id to the operator",
        hint_zh="请将 trace_id 告知运营方",
    )
    return from_error(request, told, HTTPStatus.INTERNAL_SERVER_ERROR)


def _plain(value: Any) -> Any:
    """`value` as something that JSON has."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
