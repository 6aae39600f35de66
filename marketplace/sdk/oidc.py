"""Signing in with the exchange's OpenID Connect provider, and linking a person's identity there to an account.

A sign-in goes through a browser: `begin` gives the address to open, the browser comes back to a loopback address that
`waiting` listens on (or its address is pasted), and `sign_in` or `prove` ends it. The PKCE verifier never leaves this
process but to end the sign-in, so nobody else can end it, and an answer to another sign-in is refused here already.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from marketplace.errors import InvalidInputError, NotAuthorizedError
from marketplace.participants.identities import challenge_of, link_statement
from marketplace.sdk.client import Client
from marketplace.types import Act

DAY_SECONDS = 86_400
MAX_ADDRESS = 16_384


@dataclass(frozen=True)
class Begun:
    """A sign-in that waits for its browser.

    Args:
        url: to be opened by the person.
        state: that the browser brings back.
        verifier: PKCE's; a secret.
        issuer: the provider.
        redirect_uri: where the browser comes back to.
    """

    url: str
    state: str
    verifier: str
    issuer: str
    redirect_uri: str


def begin(client: Client, redirect_uri: str) -> Begun:
    """Begin a sign-in.

    Raises:
        NotFoundError: `oidc_off`. InvalidInputError: `redirect_uri_unregistered`.
    """
    verifier = secrets.token_urlsafe(48)
    wish = {"redirectUri": redirect_uri, "codeChallenge": challenge_of(verifier)}
    answer = client.post("/session/oidc/begin", wish, signed=False)
    return Begun(str(answer["url"]), str(answer["state"]), verifier, str(answer["issuer"]), redirect_uri)


def ending(begun: Begun, address: str) -> dict[str, Any]:
    """What ends a sign-in, out of the address that the browser came back to.

    Raises:
        NotAuthorizedError: `oidc_denied`: the provider, or the person there, said no.
        InvalidInputError: `redirect_differs`: it is the answer to another sign-in, or none.
    """
    if len(address) > MAX_ADDRESS or address.partition("?")[0] != begun.redirect_uri:
        raise _differs()
    said = parse_qs(urlsplit(address.strip()).query, max_num_fields=20)
    if any(len(values) != 1 for values in said.values()):
        raise _differs()
    if not hmac.compare_digest(said.get("state", [""])[0].encode(), begun.state.encode()):
        raise _differs()
    if "error" in said:
        raise NotAuthorizedError(
            "oidc_denied",
            "the provider did not sign you in",
            zh="身份提供方未予登录",
            rule="access.oidc",
            got=said["error"][0][:100],
            hint="begin again, and agree there",
            hint_zh="请重新开始并在身份提供方处同意",
        )
    if "code" not in said:
        raise _differs()
    found: dict[str, Any] = {"state": begun.state, "code": said["code"][0], "codeVerifier": begun.verifier}
    return found | {"iss": said.get("iss", [None])[0]}


def sign_in(client: Client, begun: Begun, address: str) -> dict[str, Any]:
    """End a sign-in with a session: {"token", "account", "expires_at"}. Raises NotAuthorizedError."""
    found: dict[str, Any] = client.post("/session/oidc", ending(begun, address), signed=False)
    return found


def link(client: Client, begun: Begun, address: str, acts: Act, days: int) -> dict[str, Any]:
    """End a sign-in and link whoever signed in to this client's account, by this client's key.

    Args:
        acts: what its sessions may do; READ at least.
        days: until the link ends.
    """
    identity = client.post("/session/oidc/identity", ending(begun, address), signed=False)["identity"]
    until = client.now() + days * DAY_SECONDS
    body: dict[str, Any] = {"state": begun.state, "codeVerifier": begun.verifier, "identity": identity}
    body |= {"acts": int(acts), "validUntil": until}
    body |= client.sign_message(link_statement(identity, int(acts), until))
    found: dict[str, Any] = client.post("/session/oidc/links", body, signed=False)
    return found


def list_links(client: Client) -> list[dict[str, Any]]:
    """The identities that this client's account has linked."""
    return client.pages("/session/oidc/links")


def unlink(client: Client, identity: str) -> dict[str, Any]:
    """End a link, and every session that it opened."""
    return client.delete(f"/session/oidc/links/{identity}")


def unlink_myself(client: Client) -> dict[str, Any]:
    """End the link that this client's session came from. Raises NotFoundError `identity_unknown`: a key opened it."""
    return client.delete("/session/oidc/link")


def _differs() -> InvalidInputError:
    return InvalidInputError(
        "redirect_differs",
        "this address is not the answer to the sign-in that was begun here",
        zh="该地址不是此处所发起登录的答复",
        hint="begin again, and use the address of the very page that the browser ended on",
        hint_zh="请重新开始，并使用浏览器最后停留页面的完整地址",
    )
