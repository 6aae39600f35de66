"""The HTTP service: every router, the guards around them, and the one table from errors to HTTP status."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

import marketplace.agreements.routes
import marketplace.api.routes
import marketplace.clearing.routes
import marketplace.deliveries.routes
import marketplace.evidence.routes.bundles
import marketplace.evidence.routes.content
import marketplace.evidence.routes.logs
import marketplace.evidence.routes.operations
import marketplace.identifiers.routes
import marketplace.lineage.routes
import marketplace.listings.routes
import marketplace.orders.routes
import marketplace.participants.routes
import marketplace.participants.routes.identities
import marketplace.queries.routes
import marketplace.registrations.routes
import marketplace.rights.routes
import marketplace.rights.routes.shares
import marketplace.rights.routes.titles
import marketplace.settlement.routes.claims
import marketplace.settlement.routes.money
import marketplace.settlement.routes.papers
import marketplace.settlement.routes.redemptions
import marketplace.web.signin
import marketplace.webhooks.routes
from crypto.errors import CryptoError
from marketplace.errors import (
    ConfigurationError,
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.refusals.cryptographic import from_crypto
from marketplace.web import problems
from marketplace.web.context import Context
from marketplace.web.guard import Guard
from marketplace.web.parameters import require_documented
from marketplace.web.principal import NotSignedInError
from marketplace.web.shapes import Problem

STATUS: dict[type[MarketplaceError], HTTPStatus] = {
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    NotSignedInError: HTTPStatus.UNAUTHORIZED,
    NotAuthorizedError: HTTPStatus.FORBIDDEN,
    RuleError: HTTPStatus.CONFLICT,
    PortError: HTTPStatus.SERVICE_UNAVAILABLE,
    VerificationError: HTTPStatus.UNPROCESSABLE_ENTITY,  # what came as evidence does not hold
    ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    MarketplaceError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
ROUTERS: Sequence[APIRouter] = (
    marketplace.web.signin.router,
    marketplace.participants.routes.identities.router,
    marketplace.participants.routes.router,
    marketplace.rights.routes.router,
    marketplace.registrations.routes.router,
    marketplace.rights.routes.titles.router,
    marketplace.rights.routes.shares.router,
    marketplace.lineage.routes.router,
    marketplace.listings.routes.router,
    marketplace.agreements.routes.router,
    marketplace.orders.routes.router,
    marketplace.api.routes.router,
    marketplace.queries.routes.router,
    marketplace.settlement.routes.money.router,
    marketplace.settlement.routes.claims.router,
    marketplace.settlement.routes.papers.router,
    marketplace.settlement.routes.redemptions.router,
    marketplace.clearing.routes.router,
    marketplace.deliveries.routes.router,
    marketplace.identifiers.routes.router,
    marketplace.evidence.routes.operations.router,
    marketplace.evidence.routes.content.router,
    marketplace.evidence.routes.logs.router,
    marketplace.evidence.routes.bundles.router,
    marketplace.webhooks.routes.router,
)
_PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {"description": "the shape is wrong", **_PROBLEM},
    "default": {"description": "a refusal with a stable code", **_PROBLEM},
}


def status_of(error: MarketplaceError) -> HTTPStatus:
    """The HTTP status of an error: its nearest ancestor's in STATUS."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def make_app(context: Context) -> FastAPI:
    """The service as an ASGI app.

    Args:
        context: everything that outlives a request; the caller starts and stops it.
    """
    app = FastAPI(
        title="Trusted data marketplace",
        summary="Rights, sealed queries, settlement, and an audit that trusts nobody.",
        version="0.1.0",
        responses=_RESPONSES,
        dependencies=[Depends(require_documented)],
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would name whatever host the caller claims to have asked
    )
    app.openapi_version = "3.1.0"
    app.state.context = context
    settings = context.settings
    app.add_middleware(Guard, limits=(("/blobs/", settings.max_blob_bytes), ("/", settings.max_body_bytes)))
    for router in ROUTERS:
        app.include_router(router)
    handle_errors(app)
    _describe_problem(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _describe_problem(app: FastAPI) -> None:
    """Put the Problem schema into the document: every operation refers to it, none returns it as a model."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def handle_errors(app: FastAPI) -> None:
    """Answer every error with a problem document."""

    @app.exception_handler(MarketplaceError)
    def refused(request: Request, error: MarketplaceError) -> Response:
        return problems.from_error(request, error, status_of(error))

    @app.exception_handler(CryptoError)
    def refused_by_crypto(request: Request, error: CryptoError) -> Response:
        told = from_crypto(error)
        return problems.from_error(request, told, status_of(told))

    @app.exception_handler(RequestValidationError)
    def misshapen(request: Request, error: RequestValidationError) -> Response:
        return problems.from_shape(request, error)

    @app.exception_handler(HTTPException)
    def refused_by_http(request: Request, error: HTTPException) -> Response:
        return _from_http(app, request, error)

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(IntegrityError)
    def store_busy(request: Request, _: Exception) -> Response:
        error = PortError(
            "storage_busy", "the store could not take this now; the same request may go through", zh="存储繁忙，请重试"
        )
        return problems.from_error(request, error, status_of(error))

    app.add_exception_handler(Exception, problems.from_crash)


def _from_http(app: FastAPI, request: Request, error: HTTPException) -> Response:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(sorted(_methods(app, request)))
    return problems.from_http(request, error, headers)


def _methods(app: FastAPI, request: Request) -> set[str]:
    """Every method that the document has for this path; Starlette alone would name those of the first route only."""
    paths = app.openapi()["paths"]
    found = (item for path, item in paths.items() if compile_path(path)[0].fullmatch(request.url.path))
    return {method.upper() for item in found for method in item}
