"""Signing in with a key (EIP-4361): a challenge, the signed message, a bearer token."""

import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from crypto import siwe
from crypto.canonical import from_hex
from crypto.errors import CryptoError
from crypto.timestamps import from_text
from marketplace.documents import iso_time
from marketplace.errors import NotAuthorizedError
from marketplace.participants.identities import is_link_statement
from marketplace.refusals.reasons import reason_of
from marketplace.storage.sessions import close_session, make_nonce, open_session, use_nonce
from marketplace.types import Act
from marketplace.web.context import Context, Here
from marketplace.web.principal import Account, Credentials
from marketplace.web.shapes import Shape, SignatureText
from marketplace.words import Words

router = APIRouter(prefix="/session", tags=["session"])
CLOCK_SECONDS = 60
"""How far a signer's clock may be ahead of the service's."""
_NONCE = re.compile(r"^Nonce: ([0-9a-f]{32})$", re.MULTILINE)


class Challenge(Shape):
    """What the message to sign must say."""

    model_config = ConfigDict(validate_by_name=True)

    nonce: str
    domain: str
    uri: str
    chain_id: int
    expires_at: str


class SignInBody(Shape):
    """The EIP-4361 text exactly as it was signed, and its EIP-191 signature."""

    message: str
    signature: SignatureText


@router.post("/nonce")
def make_sign_in_challenge(here: Here) -> Challenge:
    """A fresh challenge, good once and for a few minutes."""
    now = here.clock()
    with here.writing() as session:
        row = make_nonce(session, now, here.settings.nonce_seconds)
        return Challenge(
            nonce=row.nonce,
            domain=here.settings.sign_in_domain,
            uri=here.settings.public_url,
            chain_id=here.deployment.chain_id,
            expires_at=iso_time(row.expires_at),
        )


@router.post("")
def sign_in(here: Here, body: SignInBody) -> dict[str, str]:
    """Prove to hold a key; anybody who has one may, participant or not. A key of an account reads for that account, as
    long as it is live and permitted to read. What the account may do is asked of the ledger each time, and what needs
    no further signature of the key's acts (web/principal.py)."""
    message, now = verified(here, body), here.clock()
    if is_link_statement(message.statement):
        raise _refused(
            Words("it links an identity, and is meant for nothing else", "该声明仅用于绑定身份，不得用于登录")
        )
    key = message.address
    with here.writing() as session:
        account = here.account_for(session, key, now, Act.READ)
        if account is None:
            raise _refused(
                Words("this key has ended, or may not read for its account", "该密钥已失效，或无权为其账户读取")
            )
        token, expires_at = open_session(session, account, key, now, here.settings.session_seconds)
    return {"token": token, "account": account, "expires_at": iso_time(expires_at)}


@router.delete("", status_code=204, response_class=Response)
def sign_out(here: Here, account: Account, credentials: Credentials) -> None:  # noqa: ARG001 - a session has to be open
    """End this session."""
    assert credentials is not None
    with here.writing() as session:
        close_session(session, credentials.credentials)


def verified(here: Context, body: SignInBody) -> siwe.SignIn:
    """What a key signed, for this service and a challenge of its own that is used up now.

    Raises:
        NotAuthorizedError: `sign_in_refused`.
    """
    match = _NONCE.search(body.message)
    nonce, now = match[1] if match else "", here.clock()
    try:
        message = siwe.verify(
            body.message,
            from_hex(body.signature, 65, "signature"),
            domain=here.settings.sign_in_domain,
            nonce=nonce,
            chain_id=here.deployment.chain_id,
            now=now,
        )
    except CryptoError as error:
        raise _refused(reason_of(error)) from error
    _check_origin(here, message)
    _check_age(here, message, now)
    # The nonce is used up only by a message that verifies, so a stranger cannot burn somebody else's challenge.
    with here.writing() as session:
        if not use_nonce(session, nonce, now):
            raise _refused(
                Words(
                    "the nonce was not given out here, was used, or ran out", "登录随机数并非本处发出、已使用或已过期"
                )
            )
    return message


def _check_origin(here: Context, message: siwe.SignIn) -> None:
    """Refuse a message that was signed for another service than this one, whatever domain it names."""
    url = here.settings.public_url
    if message.scheme is not None and message.scheme.lower() != urlsplit(url).scheme:
        raise _refused(Words(f"the origin is of {message.scheme}, not of this service", "来源协议并非本服务所用"))
    if _origin_of(message.uri) != _origin_of(url):
        raise _refused(Words(f"the URI {message.uri} is not of this service", f"URI {message.uri} 不属于本服务"))


def _origin_of(uri: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of a URI, as RFC 6454 compares them; None where it has none."""
    try:
        parts = urlsplit(uri)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _check_age(here: Context, message: siwe.SignIn, now: int) -> None:
    """Refuse a message from before its challenge could have been given out, or from the future."""
    issued = from_text(message.issued_at).timestamp()
    if not now - here.settings.nonce_seconds <= issued <= now + CLOCK_SECONDS:
        raise _refused(
            Words(
                f"Issued At is {message.issued_at}, and it is {iso_time(now)} here: check your clock",
                f"签发时间为 {message.issued_at}，本处时间为 {iso_time(now)}，请核对时钟",
            )
        )


def _refused(reason: Words) -> NotAuthorizedError:
    return NotAuthorizedError(
        "sign_in_refused",
        f"this does not sign you in: {reason.en}",
        zh=f"登录未通过验证：{reason.zh}",
        hint="ask for a new challenge with POST /session/nonce and sign it as it is",
        hint_zh="请重新获取登录随机数并签名",
        rule="access.signed_in",
    )
