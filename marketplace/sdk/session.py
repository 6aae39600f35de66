"""Signing in by EIP-4361: the message names the domain that *this* side is talking to, so it is good nowhere else."""

from typing import Any
from urllib.parse import urlsplit

from crypto import siwe, timestamps
from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.errors import PortError
from marketplace.sdk.foreign import parse_json
from marketplace.sdk.transport import Transport

STATEMENT = "Sign in to the trusted data marketplace."
LIFE_SECONDS = 300


def sign_in(transport: Transport, keys: Keys, chain_id: int, now: int) -> str:
    """Open a session and return its bearer token.

    Raises:
        NotAuthorizedError: the service refused the signature.
    """
    nonce = _answer(transport, "/session/nonce", None)["nonce"]
    message = siwe.SignIn(
        domain=urlsplit(transport.url).netloc,
        address=keys.address,
        uri=transport.url,
        chain_id=chain_id,
        nonce=nonce,
        issued_at=timestamps.to_text(now),
        expiration_time=timestamps.to_text(now + LIFE_SECONDS),
        statement=STATEMENT,
    )
    text = message.to_text()
    body = {"message": text, "signature": to_hex(siwe.sign(text, keys.signing_key))}
    return str(_answer(transport, "/session", body)["token"])


def _answer(transport: Transport, path: str, body: dict[str, str] | None) -> dict[str, Any]:
    response = transport.request("POST", path, repeatable=body is None, json=body)
    try:
        answer = parse_json(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise PortError("answer_malformed", "the service's answer to a sign-in is not JSON", zh="登录答复无法识别")
    return answer
