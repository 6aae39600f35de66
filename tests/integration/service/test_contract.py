"""Bounded fuzzing of the whole interface from its own document: no crash, and every answer as described."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as _given
from schemathesis.checks import not_a_server_error

from tests.integration.service.town import Town

EXAMPLES = 4


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_nothing_that_fits_the_document_crashes_the_service(town: Town, http: httpx.Client, method: str) -> None:
    document = http.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document).include(method=method)
    header = {"authorization": town["rival"]._bearer()["authorization"]}
    for found in schema.get_all_operations():
        _fuzz(found.ok(), town.url, header)  # type: ignore[union-attr]


def _fuzz(operation: schemathesis.APIOperation[Any, Any, Any, Any], url: str, header: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @_given(case=operation.as_strategy())
    def run(case: schemathesis.Case[Any]) -> None:
        for name in ("wait", "limit"):
            case.query.pop(name, None) if case.query else None
        response = case.call(base_url=url, headers=header)
        case.validate_response(response, checks=[not_a_server_error])
        if response.status_code >= 400:
            assert response.headers["content-type"][0] == "application/problem+json"

    run()
