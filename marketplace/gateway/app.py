"""The gateway over HTTP. Refusals are problem documents as the service's; those that pass say when, by Retry-After."""

from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from crypto.errors import CryptoError
from marketplace.documents.api import MAX_CALLS
from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.gateway.desk import Desk
from marketplace.gateway.limits import LaterError
from marketplace.refusals.cryptographic import from_crypto
from marketplace.web import problems
from marketplace.web.guard import Guard
from marketplace.web.shapes import DigestText, Document, Shape

MAX_BODY_BYTES = 1 << 16
STATUS: dict[type[MarketplaceError], int] = {
    InvalidInputError: 422,
    VerificationError: 422,
    NotFoundError: 404,
    NotAuthorizedError: 403,
    RuleError: 409,
    PortError: 503,
    MarketplaceError: 500,
}


class CredentialBody(Shape):
    """A credential_request, signed by the order's buyer."""

    request: Document


class CallBody(Shape):
    """A call, and the voucher for all calls before it; null before the first."""

    call: Document
    voucher: Document | None = None


class ReceiptBody(Shape):
    """The voucher for all calls so far."""

    voucher: Document


def make_gateway(desk: Desk) -> FastAPI:
    """The gateway as an ASGI app. It speaks plain HTTP: outside loopback, TLS stands before it."""
    app = FastAPI(title="Gateway", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, limits=(("/", MAX_BODY_BYTES),))

    @app.get("/health")
    def check_health() -> dict[str, str]:
        return {"listing": desk.standings.listing}

    @app.post("/credentials", status_code=201)
    def issue_credential(body: CredentialBody) -> dict[str, Any]:
        return desk.issue(body.request)

    @app.post("/calls")
    def answer_call(body: CallBody, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        return desk.answer(_token(authorization), body.call, body.voucher)

    @app.post("/receipts")
    def receive_voucher(body: ReceiptBody, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        return desk.receive(_token(authorization), body.voucher)

    @app.get("/orders/{order}/records")
    def list_records(
        order: Annotated[DigestText, Path()],
        first: Annotated[int, Query(ge=1, le=MAX_CALLS)] = 1,
        authorization: Annotated[str, Header()] = "",
    ) -> dict[str, Any]:
        return {"records": desk.records(_token(authorization), order, first)}

    _handle_errors(app)
    return app


def _token(header: str) -> str:
    return header.removeprefix("Bearer ").strip()


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(LaterError)
    def later(request: Request, error: LaterError) -> Response:
        return problems.from_error(request, error.refusal, 429, {"retry-after": str(error.seconds)})

    @app.exception_handler(MarketplaceError)
    def refused(request: Request, error: MarketplaceError) -> Response:
        return problems.from_error(request, error, _status(error))

    @app.exception_handler(CryptoError)
    def refused_by_crypto(request: Request, error: CryptoError) -> Response:
        told = from_crypto(error)
        return problems.from_error(request, told, _status(told))

    @app.exception_handler(RequestValidationError)
    def misshapen(request: Request, error: RequestValidationError) -> Response:
        return problems.from_shape(request, error)

    app.add_exception_handler(Exception, problems.from_crash)


def _status(error: MarketplaceError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
