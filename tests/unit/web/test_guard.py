"""The outermost layer against bodies that are meant to end the process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from marketplace.web.guard import MAX_DEPTH, Guard

JSON = "application/json"


class Echo(BaseModel):
    """A body with a free part."""

    value: object


@pytest.fixture(autouse=True)
def _high_limit() -> Iterator[None]:
    """As in the running service: web3's dependencies raise the limit so far that Python no longer guards the stack."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(limit)


def echo_app() -> FastAPI:
    app = FastAPI()

    @app.post("/echo")
    def echo(body: Echo) -> int:
        return len(str(body.value))

    app.add_middleware(Guard, limits=(("/", 1 << 20),))
    return app


def post(body: bytes | AsyncIterator[bytes], kind: str = JSON, **headers: str) -> httpx.Response:
    """Send a body to the app."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(echo_app()), base_url="http://here") as client:
            return await client.post("/echo", content=body, headers={"content-type": kind, **headers})

    return asyncio.run(send())


def nested(depth: int) -> bytes:
    return b'{"value":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("kind", [JSON, "Application/Vnd.Any+JSON; charset=utf-8"])
def test_a_deeply_nested_body_is_refused_before_it_is_parsed(kind: str) -> None:
    assert post(nested(MAX_DEPTH), kind).status_code == 200
    for body in (nested(MAX_DEPTH + 1), nested(300_000), b"[" * 500_000):
        assert post(body, kind).status_code == 400


def test_brackets_cannot_hide_in_another_encoding() -> None:
    # U+2200 has the byte of a quotation mark: whoever reads bytes would take what follows it for text.
    body = ('{"a":"\u2200","value":' + "[" * 100_000).encode("utf-16-le")
    assert post(body).status_code == 400


def test_brackets_within_text_are_text() -> None:
    assert post(b'{"value":"' + b"[" * 10_000 + b'\\"["}').json() == 10_002


def test_a_body_in_pieces_is_seen_whole() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"value":'
        for _ in range(100):
            yield b"[" * 1000

    assert post(pieces()).status_code == 400


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b""])
def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    async def sent() -> AsyncIterator[bytes]:
        yield b'{"value":1}'

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(echo_app()), base_url="http://here") as client:
            headers = [(b"content-type", JSON.encode()), (b"content-length", length)]
            return await client.send(httpx.Request("POST", "http://here/echo", content=sent(), headers=headers))

    assert asyncio.run(send()).status_code == 413
