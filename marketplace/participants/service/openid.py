"""A sign-in with an OpenID Connect provider is begun, and ended once.

Between beginning and end stand three secrets: the state, which the browser carries; the PKCE verifier, which whoever
began keeps to itself and shows at the end; the nonce, which only this service and the provider know. So a code that is
pushed upon somebody else ends no sign-in of theirs, and one that leaks is of no use.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlmodel import Session, col, delete, update

from marketplace.documents import iso_time
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.participants.identities import challenge_of, identity_of
from marketplace.participants.tables import ProviderSignIn
from marketplace.types import Digest
from marketplace.web.context import Context
from marketplace.web.openid import Provider
from marketplace.web.openid.fetching import refused
from marketplace.words import Words

SIGN_IN_SECONDS = 600  # from beginning to end, while a person types
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Ending:
    """What the browser brought back, and the verifier of whoever began. `issuer`: named beside the code, or None."""

    state: str
    code: str
    verifier: str
    issuer: str | None


def provider_of(here: Context) -> Provider:
    """The operator's provider. Raises NotFoundError `oidc_off`."""
    if here.openid is None:
        raise NotFoundError(
            "oidc_off",
            "this exchange has no OpenID Connect provider",
            zh="本交易所未启用 OpenID Connect 登录",
            hint="sign in with your key; the operator may set MARKETPLACE_OIDC_ISSUER",
            hint_zh="请用您的密钥登录；运营方可设置 MARKETPLACE_OIDC_ISSUER",
        )
    return here.openid


def begin(here: Context, redirect_uri: str, challenge: str) -> dict[str, str]:
    """Begin a sign-in: {"url", "state", "issuer", "expires_at"}; the person opens the url.

    Raises:
        InvalidInputError: `redirect_uri_unregistered`.
        PortError: `oidc_unreachable`.
    """
    provider, now = provider_of(here), here.clock()
    if not is_registered(redirect_uri, here.settings.redirects):
        raise InvalidInputError(
            "redirect_uri_unregistered",
            "nobody is sent back to this address",
            zh="该回调地址未登记",
            rule="access.oidc",
            expected=list(here.settings.redirects),
            got=redirect_uri[:200],
            hint="use a registered address; the operator's setting is MARKETPLACE_OIDC_REDIRECT_URIS",
            hint_zh="请使用已登记的回调地址；运营方设置项为 MARKETPLACE_OIDC_REDIRECT_URIS",
        )
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    url = provider.authorization_url(redirect_uri=redirect_uri, state=state, nonce=nonce, challenge=challenge, now=now)
    row = ProviderSignIn(
        state_hash=_hash(state),
        nonce=nonce,
        challenge=challenge,
        redirect_uri=redirect_uri,
        expires_at=now + SIGN_IN_SECONDS,
    )
    with here.writing() as session:
        session.execute(delete(ProviderSignIn).where(col(ProviderSignIn.expires_at) < now))
        session.add(row)
    return {"url": url, "state": state, "issuer": provider.issuer, "expires_at": iso_time(now + SIGN_IN_SECONDS)}


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Whether people may be sent back to `uri`: compared character by character, but for a port on loopback.

    Source: RFC 8252, 7.3; RFC 9700, 2.1.
    """
    return uri in registered or _portless(uri) in [_portless(known) for known in registered if _portless(known)]


def _portless(uri: str) -> str:
    """A loopback address without its port; "" for any other, or one that is not written in the plainest way."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    name = f"[{host}]" if ":" in host else host
    plain = f"http://{name}{'' if port is None else f':{port}'}{parts.path}"
    return f"http://{name}{parts.path}" if host in LOOPBACK and plain == uri else ""


def prove(here: Context, ending: Ending) -> Digest:
    """End a sign-in, and say whose it was.

    Raises:
        NotAuthorizedError: `oidc_refused`.
        PortError: `oidc_unreachable`: the code is spent, begin again.
    """
    provider, now = provider_of(here), here.clock()
    with here.writing() as session:
        begun = begun_by(session, ending.state, ending.verifier, now)
        place = col(ProviderSignIn.state_hash) == begun.state_hash
        once = update(ProviderSignIn).where(place, col(ProviderSignIn.used).is_(False)).values(used=True)
        # One statement, so two callers cannot both win.
        if session.execute(once).rowcount != 1:  # type: ignore[attr-defined]
            raise refused(Words("this sign-in was ended already", "该次登录已经结束"))
        redirect_uri, nonce = begun.redirect_uri, begun.nonce
    subject = provider.subject(
        ending.code,
        redirect_uri=redirect_uri,
        verifier=ending.verifier,
        nonce=nonce,
        named_issuer=ending.issuer,
        now=now,
    )
    secret = bytes.fromhex(here.settings.exchange_key.get_secret_value())
    return identity_of(secret, provider.issuer, subject)


def begun_by(session: Session, state: str, verifier: str, now: int) -> ProviderSignIn:
    """The sign-in of this state, which whoever shows the verifier began. Raises NotAuthorizedError `oidc_refused`."""
    begun = session.get(ProviderSignIn, _hash(state))
    if begun is None or begun.expires_at < now:
        raise refused(
            Words("no such sign-in was begun here, or its time is over", "本处没有发起过该次登录，或其已超时")
        )
    if not hmac.compare_digest(begun.challenge, challenge_of(verifier)):
        raise refused(Words("somebody else began this sign-in", "该次登录由他人发起"))
    return begun


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
