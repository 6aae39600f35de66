"""A small OpenID Connect provider on loopback, written from the specifications, that can also lie.

It gives codes to whoever comes as the subject of the moment, redeems each once, for its redirect address and with the
PKCE verifier, and signs ID tokens with joserfc. `forge` changes what it says next.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

CLIENT, SECRET = "exchange", "a secret of / the exchange's"
Claims = dict[str, Any]


@dataclass
class OpenIdProvider:
    """What the provider knows, and how it lies.

    Args:
        subject: who is sitting at the browser.
        keys: by key id; those that are published. `signing` is the id of the one that signs.
        claims: changes the claims of the next tokens. header: adds to their headers.
        token: says the next token as a whole, instead of signing one.
        discovery: changes what the provider says of itself.
        answer: replaces the answers under a path: status, headers, body.
        names_issuer: what comes beside the code as `iss`; None for nothing.
    """

    issuer: str = ""
    subject: str = "alice"
    keys: dict[str, Key] = field(default_factory=dict)
    signing: str = ""
    clock: Callable[[], float] = time.time
    claims: Claims = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    token: Callable[[Claims], str] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    names_issuer: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    speaking: threading.Event = field(default_factory=threading.Event)

    def rotate(self, key: Key | None = None, name: str | None = None) -> str:
        """Sign with a fresh key from now on; the ones before stay published. Returns its id."""
        self.signing = name or secrets.token_hex(4)
        self.keys[self.signing] = key or ECKey.generate_key("P-256")
        return self.signing

    def be_honest(self) -> None:
        """Stop lying."""
        self.claims, self.header, self.token, self.discovery, self.answer = {}, {}, None, {}, {}
        self.names_issuer, self.subject = self.issuer, "alice"

    def sign(self, claims: Claims, key: Key | None = None, **header: Any) -> str:
        """An ID token; header fields that are None are left out."""
        chosen = key or self.keys[self.signing]
        names = {"alg": "RS256" if isinstance(chosen, RSAKey) else "ES256", "kid": self.signing, "typ": "JWT"}
        given = {name: value for name, value in (names | header).items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[given["alg"]], strict_check_header=False)
        return jws.serialize_compact(given, json.dumps(claims).encode(), chosen, registry=registry)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Redeem nothing for now: whoever comes with a code waits."""
        self.speaking.clear()
        try:
            yield
        finally:
            self.speaking.set()

    # -- what is asked of it ------------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """Discovery 1.0."""
        said = {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize"}
        said |= {"token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys"}
        return said | {"authorization_response_iss_parameter_supported": True} | self.discovery

    def authorize(self, query: str) -> str:
        """The address that the browser is sent to."""
        asked = {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"].split()[0] == "openid"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "subject": self.subject}
        back = {"code": code, "state": asked["state"]} | ({"iss": self.names_issuer} if self.names_issuer else {})
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint."""
        known = base64.b64encode(f"{CLIENT}:{urlencode({'': SECRET})[1:]}".encode()).decode()
        begun = self.codes.pop(form["code"], None)
        if authorization != f"Basic {known}":
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if begun is None or begun["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if begun["code_challenge"] != challenge.decode() or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        now = int(self.clock())
        claims: Claims = {"iss": self.issuer, "aud": CLIENT, "sub": begun["subject"], "nonce": begun["nonce"]}
        claims |= {"iat": now, "exp": now + 300} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.token(claims) if self.token else self.sign(claims, **self.header)
        return 200, {"access_token": secrets.token_hex(8), "token_type": "Bearer", "id_token": token}

    def published(self) -> dict[str, Any]:
        """The JWK set."""
        return {"keys": [{**key.as_dict(private=False), "kid": name, "use": "sig"} for name, key in self.keys.items()]}


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            provider.asked.append(path)
            if path in provider.answer:
                self._say(*provider.answer[path])
            elif path == "/authorize":
                self._say(302, {"location": provider.authorize(query)}, b"")
            elif path in ("/.well-known/openid-configuration", "/keys"):
                told = provider.published() if path == "/keys" else provider.describe()
                self._say(200, {"content-type": "application/json"}, json.dumps(told).encode())
            else:
                self._say(404, {}, b"")

        def do_POST(self) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            provider.speaking.wait()
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            if path in provider.answer:
                self._say(*provider.answer[path])
                return
            form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
            status, told = provider.redeem(form, self.headers.get("authorization", ""))
            self._say(status, {"content-type": "application/json"}, json.dumps(told).encode())

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Be quiet."""

    return Handler


@contextmanager
def serving(clock: Callable[[], float] = time.time) -> Iterator[OpenIdProvider]:
    """A provider on a free port of 127.0.0.1."""
    provider = OpenIdProvider(clock=clock)
    provider.rotate()
    provider.speaking.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    provider.be_honest()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
