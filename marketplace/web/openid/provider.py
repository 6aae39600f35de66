"""One provider: where its endpoints are, which keys it signs with, and whose code a code is.

What it says about itself is believed because it is fetched from the issuer over TLS, and only as far as it names that
very issuer. Keys are kept for ten minutes, so one that the provider withdrew is soon gone; a key id that nobody knows
has them fetched again, but not more often than every ten seconds, or a forger could have us call it all day.

Whoever is signing in here is nobody yet, and each waits in one of the service's few threads for as long as the provider
takes. So only a handful talk with it at a time, and others are sent away at once: the rest of the service goes on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc.jwk import Key

from marketplace.web.openid.fetching import ask, away, make_http, refused
from marketplace.web.openid.tokens import Expected, key_named, keys_of, verify
from marketplace.words import Words

KEYS_SECONDS, REFETCH_SECONDS, DISCOVERY_SECONDS = 600, 10, 3600
OK = 200
MAX_TALKS = 8  # at a time; the service has forty threads
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Endpoints:
    """Where a provider is asked what; `names_issuer`: it always puts its issuer beside a code (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    names_issuer: bool


class Provider:
    """The provider that the operator has chosen.

    Args:
        issuer: its identifier, compared character by character.
        client_id: ours, with it.
        client_secret: empty for a client without one; PKCE is used either way.
        http: a ready client; made here when None.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str = "", http: httpx.Client | None = None) -> None:
        self.issuer, self.client_id = issuer, client_id
        self._secret, self._http = client_secret, http or make_http()
        self._lock, self._talks = threading.Lock(), threading.BoundedSemaphore(MAX_TALKS)
        self._endpoints: Endpoints | None = None
        self._keys: dict[str, Key] = {}
        self._fetched_at = self._discovered_at = 0

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str, now: int) -> str:
        """Where the person signs in.

        Args:
            challenge: the S256 challenge of PKCE.
        Raises:
            PortError: `oidc_unreachable`.
        """
        question = {
            "response_type": "code",
            "client_id": self.client_id,
            "scope": "openid",
            "redirect_uri": redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with self._talking():
            target = self._discovered(now).authorization
        return target + ("&" if urlsplit(target).query else "?") + urlencode(question)

    def subject(
        self, code: str, *, redirect_uri: str, verifier: str, nonce: str, named_issuer: str | None, now: int
    ) -> str:
        """Redeem a code, and say whose it is: the provider's name for the person, which is never given to another.

        Args:
            named_issuer: what came beside the code as `iss`; None where nothing did.
        Raises:
            NotAuthorizedError: `oidc_refused`.
            PortError: `oidc_unreachable`.
        """
        with self._talking():
            endpoints = self._discovered(now)
            if named_issuer != self.issuer and (named_issuer is not None or endpoints.names_issuer):
                raise refused(
                    Words("the code is another provider's", "授权码来自另一身份提供方"),
                    expected=self.issuer,
                    got=(named_issuer or "")[:200],
                )
            wish = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
            wish["code_verifier"] = verifier
            status, answer = ask(self._http, "POST", endpoints.token, **self._as_client(wish))
            token = answer.get("id_token")
            if status != OK or not isinstance(token, str):
                raise refused(
                    Words("the provider did not take the code", "身份提供方不接受该授权码"),
                    got=str(answer.get("error", status))[:100],
                )
            key = self._key(key_named(token), now)
        return verify(token, key, Expected(self.issuer, self.client_id, nonce), now)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """One of MAX_TALKS. Raises PortError `oidc_unreachable` where there is none left."""
        if not self._talks.acquire(blocking=False):
            raise away(
                Words(f"{MAX_TALKS} sign-ins are waiting for it already", f"已有 {MAX_TALKS} 次登录在等待其答复")
            )
        try:
            yield
        finally:
            self._talks.release()

    def _as_client(self, wish: dict[str, str]) -> dict[str, Any]:
        """RFC 6749, 2.3.1: with a secret by HTTP Basic, whose two parts are form-encoded; else by name alone."""
        if not self._secret:
            return {"data": {**wish, "client_id": self.client_id}}
        return {"data": wish, "auth": (quote_plus(self.client_id), quote_plus(self._secret))}

    def _key(self, name: str, now: int) -> Key:
        endpoints = self._discovered(now)
        with self._lock:
            age = now - self._fetched_at
            if age > KEYS_SECONDS or (name not in self._keys and age >= REFETCH_SECONDS):
                status, answer = ask(self._http, "GET", endpoints.keys)
                if status != OK:
                    raise away(Words(f"status {status} for its keys", f"查询其密钥时返回状态 {status}"))
                self._keys, self._fetched_at = keys_of(answer), now
            if name not in self._keys:
                raise refused(
                    Words(
                        "the ID token names a key that the provider does not have", "ID 令牌所指密钥不属于该身份提供方"
                    ),
                    got=name[:100],
                )
            return self._keys[name]

    def _discovered(self, now: int) -> Endpoints:
        with self._lock:
            if self._endpoints is None or now - self._discovered_at > DISCOVERY_SECONDS:
                status, answer = ask(self._http, "GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if status != OK or answer.get("issuer") != self.issuer:
                    raise away(
                        Words(
                            "what it says of itself does not name the issuer that was asked",
                            "其自述信息未载明所询问的签发方",
                        )
                    )
                places = [_checked(answer.get(name), self.issuer) for name in ENDPOINTS]
                named = answer.get("authorization_response_iss_parameter_supported") is True
                self._endpoints, self._discovered_at = Endpoints(places[0], places[1], places[2], named), now
            return self._endpoints


def _checked(url: object, issuer: str) -> str:
    """An endpoint that codes and secrets may be sent to: https, or as plain as the issuer itself."""
    parts = urlsplit(url) if isinstance(url, str) else None
    schemes = {"https", urlsplit(issuer).scheme}
    if parts is None or parts.scheme not in schemes or not parts.hostname or parts.fragment or parts.username:
        raise away(Words("it names an endpoint that is none", "其所列端点无效"))
    if parts.scheme == "http" and parts.hostname != urlsplit(issuer).hostname:
        raise away(Words("it names an endpoint without TLS on another host", "其所列端点位于其他主机且未使用 TLS"))
    return parts.geturl()
