"""A query parameter that an operation does not have is refused: who misspells a filter must not be answered with
everything.
"""

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute


async def require_documented(request: Request) -> None:
    """Refuse a query parameter that the operation does not document.

    Raises:
        RequestValidationError: `shape_invalid` to the caller, naming each.
    """
    if not request.query_params:
        return
    known = _documented(request.scope["route"])
    if unknown := [name for name in request.query_params if name not in known]:
        raise RequestValidationError(
            [
                {"type": "extra_forbidden", "loc": ("query", name), "msg": "there is no such parameter", "input": None}
                for name in unknown
            ]
        )


def _documented(route: APIRoute) -> frozenset[str]:
    """The names of a route's query parameters, those of what it depends on included."""
    found = get_flat_params(route.dependant)
    return frozenset(field.alias for field in found if isinstance(field.field_info, params.Query))
