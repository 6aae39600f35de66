"""Refusals as problem+json (RFC 9457). Which status a class of error has is not decided here but in `app.py`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError
from marketplace.web.shapes import Problem

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = MEDIA_TYPE


def problem_response(
    request: Request, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> ProblemResponse:
    """A refusal of `request`; members of `more` that say nothing are left out."""
    problem = Problem(
        type=f"urn:marketplace:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        instance=request.url.path,
        trace_id=getattr(request.state, "trace_id", ""),
        **{name: _plain(value) for name, value in more.items()},
    )
    return ProblemResponse(problem.model_dump(exclude_none=True), status, headers=dict(headers or {}))


def from_error(request: Request, error: MarketplaceError, status: int) -> ProblemResponse:
    """The problem that a marketplace error is."""
    details = error.as_dict()
    code, detail = details.pop("code"), details.pop("message")
    headers = {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers = {"www-authenticate": "Bearer"}
    return problem_response(request, status, code, detail, headers, **details)


def from_crypto(request: Request, error: CryptoError, status: int, code: str) -> ProblemResponse:
    """The problem that an error of the cryptographic core is; its messages carry no secrets."""
    return problem_response(request, status, code, str(error) or code.replace("_", " "))


def from_shape(request: Request, error: RequestValidationError) -> ProblemResponse:
    """The problem of a body, path or query that does not have the documented shape. Repeats no value that came."""
    errors = [{"at": list(map(str, e["loc"])), "message": e["msg"], "kind": e["type"]} for e in error.errors()[:20]]
    first = errors[0] if errors else {"at": [], "message": "malformed"}
    return problem_response(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "shape_invalid",
        f"{'.'.join(first['at'])}: {first['message']}",
        zh="请求格式不正确",
        errors=errors,
    )


def from_crash(request: Request, error: Exception) -> ProblemResponse:
    """What a caller learns of our own fault: nothing but the trace id, under which the log has it all."""
    log.error("unexpected error, trace %s", getattr(request.state, "trace_id", ""), exc_info=error)
    return problem_response(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "the service made a mistake; nothing of this request was kept",
        zh="服务内部错误,本次请求未生效",
        hint="quote the trace id to the operator",
        hint_zh="请将 trace_id 告知运营方",
    )


def _plain(value: Any) -> Any:
    """`value` as something that JSON has."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
