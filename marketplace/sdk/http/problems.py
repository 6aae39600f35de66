"""From a problem+json answer (RFC 9457) back to the error that the service raised."""

from collections.abc import Mapping
from typing import Any

import httpx

from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
)
from marketplace.sdk.http.foreign import parse_json

DETAILS = ("zh", "rule", "rulebook", "expected", "got", "expected_zh", "got_zh", "hint", "hint_zh")
BY_STATUS: Mapping[int, type[MarketplaceError]] = {
    400: InvalidInputError,
    401: NotAuthorizedError,
    403: NotAuthorizedError,
    404: NotFoundError,
    405: InvalidInputError,
    409: RuleError,
    413: InvalidInputError,
    415: InvalidInputError,
    422: InvalidInputError,
    429: PortError,
}


def from_response(response: httpx.Response) -> MarketplaceError:
    """The error that an unsuccessful answer tells of; an answer that is not a problem document becomes a PortError."""
    problem = _problem(response)
    kind = BY_STATUS.get(response.status_code, PortError)
    details = {name: problem[name] for name in DETAILS if problem.get(name) is not None}
    if problem.get("hint_en") is not None:
        details["hint"] = problem["hint_en"]
    return kind(str(problem["code"]), str(problem["detail"]), **details)


def from_refusal(refusal: Mapping[str, Any]) -> MarketplaceError:
    """The rule error of a refusal that was recorded earlier, e.g. by the ledger: {"code", "message", …}."""
    details = {name: refusal[name] for name in DETAILS if refusal.get(name) is not None}
    code = str(refusal.get("code") or "refused")
    return RuleError(code, str(refusal.get("message") or refusal.get("detail") or code), **details)


def _problem(response: httpx.Response) -> dict[str, Any]:
    told = {"detail": f"the service answered {response.status_code}", "zh": f"服务端答复 {response.status_code}"}
    fallback = {"code": f"http_{response.status_code}", **told}
    try:
        problem = parse_json(response.content)
    except ValueError:
        return fallback
    if not isinstance(problem, dict):
        return fallback
    detail = (
        problem.get("en")
        or problem.get("detail")
        or problem.get("message")
        or problem.get("title")
        or fallback["detail"]
    )
    if not isinstance(detail, str):
        detail = str(detail)
    return {**problem, "code": problem.get("code") or fallback["code"], "detail": detail}


def is_session_over(error: MarketplaceError) -> bool:
    """Whether signing in again may help."""
    return error.code in ("session_over", "not_signed_in")
