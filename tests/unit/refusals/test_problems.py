"""Every code that can come over HTTP, as a problem document: complete, and in the reader's language."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError

from crypto.errors import CryptoError
from marketplace.app import STATUS, handle_errors, status_of
from marketplace.errors import ConfigurationError
from marketplace.refusals.cryptographic import CRYPTO
from marketplace.refusals.shapes import SHAPES, shape_fault
from marketplace.web.languages import TITLES, preferred
from marketplace.web.problems import HTTP
from marketplace.web.shapes import Problem, Shape
from scripts.documentation.refusals import Row, rows

CHINESE = re.compile("[\u4e00-\u9fff]")


def _filled(row: Row) -> Row:
    """A row of the page as a refusal tells it: with something where the page names a value in braces."""
    texts = ("message", "zh", "rule", "hint", "hint_zh")
    filled: Any = {name: re.sub(r"\{[^{}]*\}", "7", getattr(row, name)) for name in texts}
    return row._replace(**filled)


OVER_HTTP = {row.code: _filled(row) for row in rows() if not issubclass(row.family, ConfigurationError)}
ALWAYS = {name for name, field in Problem.model_fields.items() if field.is_required()} | {"instance", "trace_id"}


class Http:
    """Asks an app in this process."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture(scope="module")
def http() -> Http:
    """A service whose only operation refuses as it is asked to."""
    app = FastAPI()
    handle_errors(app)

    @app.get("/refuse/{code}")
    def refuse(code: str) -> None:
        row = OVER_HTTP[code]
        raise row.family(code, row.message, zh=row.zh, rule=row.rule, hint=row.hint, hint_zh=row.hint_zh)

    @app.get("/crypto/{place}")
    def refuse_by_crypto(place: int) -> None:
        kind: Any = list(CRYPTO)[place]
        raise kind() if kind.__name__ == "DecryptionFailed" else kind("bytes 3 to 7")

    return Http(app)


@pytest.mark.parametrize("row", OVER_HTTP.values(), ids=lambda row: row.code)
def test_every_code_is_told_whole_and_in_the_readers_language(http: Http, row: Row) -> None:
    english = http.get(f"/refuse/{row.code}")
    chinese = http.get(f"/refuse/{row.code}", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"})
    for answer, language in ((english, "en"), (chinese, "zh")):
        problem = answer.json()
        assert answer.status_code == problem["status"] == status_of(row.family("a_code", "m"))
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "accept-language")
        assert problem.keys() >= ALWAYS
        assert all(problem[name] for name in ALWAYS - {"trace_id"})
        assert (problem["code"], problem["type"]) == (row.code, f"urn:marketplace:problem:{row.code}")
        assert (problem["en"], problem["zh"], problem["hint_zh"]) == (row.message, row.zh, row.hint_zh)
    assert (english.json()["detail"], english.json()["hint"]) == (row.message, row.hint)
    assert (chinese.json()["detail"], chinese.json()["hint"]) == (row.zh, row.hint_zh)
    assert CHINESE.search(chinese.json()["title"])


@pytest.mark.parametrize("place", range(len(CRYPTO)))
def test_errors_of_the_core_are_told_whole(http: Http, place: int) -> None:
    kind: type[CryptoError] = list(CRYPTO)[place]
    problem = http.get(f"/crypto/{place}", headers={"accept-language": "zh"}).json()
    assert problem.keys() >= ALWAYS
    assert problem["code"] == CRYPTO[kind].code
    assert problem["detail"].startswith(CRYPTO[kind].zh)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nowhere", "not_found"),
        ("DELETE", "/crypto/1", "method_not_allowed"),
        ("GET", "/crypto/x", "shape_invalid"),
        ("GET", "/crypto/99", "internal_error"),
    ],
)
def test_what_the_framework_refuses_is_told_whole(http: Http, method: str, path: str, code: str) -> None:
    problem = http.request(method, path, headers={"accept-language": "zh"}).json()
    assert problem.keys() >= ALWAYS
    assert problem["code"] == code
    assert all(CHINESE.search(problem[name]) for name in ("title", "detail", "zh", "hint", "hint_zh"))
    assert not any(CHINESE.search(problem[name]) for name in ("en", "hint_en"))


def test_every_status_has_a_chinese_title() -> None:
    assert {int(status) for status in STATUS.values()} | set(HTTP) <= set(TITLES)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-Hans-CN", "zh"),
        ("en-GB, zh;q=0.8", "en"),
        ("en;q=0.3, zh;q=0.8", "zh"),
        ("fr, de;q=0.9", "en"),
        ("fr, zh;q=0.1", "zh"),
        ("*", "en"),
        ("zh;q=x", "en"),
        ("zh;q=0", "en"),
        ("," * 5000 + "zh", "en"),
    ],
)
def test_the_preferred_language(header: str, language: str) -> None:
    assert preferred(header) == language


WRONG: tuple[Any, ...] = (
    None,
    "",
    "x",
    "x" * 100_000,
    -1,
    0,
    2**70,
    1.5,
    float("nan"),
    True,
    [],
    [1] * 99,
    {},
    "\ud800",
)


def _shapes(base: type[BaseModel] = Shape) -> Iterator[type[BaseModel]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _shapes(kind)


@pytest.mark.parametrize("shape", list(_shapes()), ids=lambda shape: f"{shape.__module__}.{shape.__name__}")
def test_every_fault_of_a_shape_has_a_chinese_sentence(shape: type[BaseModel]) -> None:
    names = [field.alias or name for name, field in shape.model_fields.items()]
    for body in ({}, {"no_such_field": 1}, *({name: wrong} for name in names for wrong in WRONG)):
        try:
            shape.model_validate(body)
        except ValidationError as error:
            for fault in error.errors():
                assert fault["type"] in SHAPES, "say it in marketplace/refusals/shapes.py"
                assert (
                    CHINESE.search(shape_fault(fault["type"], fault.get("ctx", {}))) or "null" in SHAPES[fault["type"]]
                )
