"""A small exchange for the client's tests: it answers over httpx's own mock transport and can be told to misbehave."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from crypto import siwe
from crypto.canonical import sha256, to_hex
from crypto.keystore import Keys
from marketplace.intents import CONTRACTS, Deployment
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home

URL = "http://exchange.test"
NOW = 1_790_000_000
ADDRESSES = {name: "0x" + f"{index + 1:02x}" * 20 for index, name in enumerate(CONTRACTS)}
DEPLOYMENT = Deployment(20260, ADDRESSES)
Handler = Callable[[httpx.Request], httpx.Response]


def keys(number: int) -> Keys:
    """Keys that every run has again."""
    return Keys(number.to_bytes(32, "big"))


@dataclass
class Exchange:
    """Profile, sign-in, documents, blobs; further routes are added by a test as (method, path) -> handler."""

    chain_id: int = DEPLOYMENT.chain_id
    log_key: str = "0x" + "07" * 32
    sessions: int = 0
    valid: set[str] = field(default_factory=set)
    store: dict[str, bytes] = field(default_factory=dict)
    routes: dict[tuple[str, str], Handler] = field(default_factory=dict)
    seen: list[httpx.Request] = field(default_factory=list)

    def client(self, who: Keys | None, home: Home | None = None, **options: Any) -> Client:
        """A client of this exchange."""
        http = httpx.Client(transport=httpx.MockTransport(self.answer), base_url=URL)
        options.setdefault("now", lambda: float(NOW))
        return Client(URL, who, home=home, http=http, **options)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Serve one request."""
        self.seen.append(request)
        key = (request.method, request.url.path)
        if key in self.routes:
            return self.routes[key](request)
        if key[1].startswith(("/documents/", "/blobs/")):
            return self._content(request)
        fixed: dict[tuple[str, str], Handler] = {
            ("GET", "/profile"): self._profile,
            ("POST", "/session/nonce"): lambda _: httpx.Response(200, json={"nonce": "a" * 32}),
            ("POST", "/session"): self._session,
        }
        handler = fixed.get(key)
        return handler(request) if handler else problem(404, "not_found")

    def fixed(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer a route with the same JSON always."""
        self.routes[method, path] = lambda _: httpx.Response(status, json=body)

    def _profile(self, _: httpx.Request) -> httpx.Response:
        log = {"origin": "exchange.test/log", "key": self.log_key}
        return httpx.Response(200, json={"chainId": self.chain_id, "contracts": ADDRESSES, "log": log, "feeBps": 250})

    def _session(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        signature = bytes.fromhex(body["signature"][2:])
        siwe.verify(body["message"], signature, domain="exchange.test", nonce="a" * 32, chain_id=self.chain_id, now=NOW)
        self.sessions += 1
        token = f"token-{self.sessions}"
        self.valid.add(token)
        return httpx.Response(200, json={"token": token})

    def _content(self, request: httpx.Request) -> httpx.Response:
        if not self.signed_in(request):
            return problem(401, "session_over")
        name = request.url.path.rsplit("/", 1)[1]
        if request.method == "PUT":
            assert to_hex(sha256(request.content)) == name
            self.store[name] = request.content
            return httpx.Response(201)
        return httpx.Response(200, content=self.store[name]) if name in self.store else problem(404, "document_unknown")

    def signed_in(self, request: httpx.Request) -> bool:
        """Whether the request carries a good token."""
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    """A problem+json answer."""
    body = {
        "type": f"urn:marketplace:problem:{code}",
        "status": status,
        "code": code,
        "detail": f"refused: {code}",
        **more,
    }
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})
