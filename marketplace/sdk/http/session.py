"""Signing in by EIP-4361: the message names the domain that *this* side is talking to, so it is good nowhere else.

A session that somebody opened in another way, with the exchange's OpenID Connect provider, is kept in the home folder
(`SavedSession`) and goes to no other service than the one that gave it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crypto import siwe, timestamps
from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.errors import InvalidInputError, PortError
from marketplace.sdk.home.files import read_json_file, refuse_shared, write_private
from marketplace.sdk.http.foreign import parse_json
from marketplace.sdk.http.transport import Transport

STATEMENT = "Sign in to the trusted data marketplace."
LIFE_SECONDS = 300


@dataclass(frozen=True)
class SavedSession:
    """A session without keys.

    Args:
        url: of the service that gave it.
        token: the bearer token; a secret.
        account: whom it reads for.
        expires_at: RFC 3339.
    """

    url: str
    token: str
    account: str
    expires_at: str

    def save(self, path: Path) -> None:
        """Write it, readable by the owner alone."""
        write_private(path, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, path: Path) -> "SavedSession | None":
        """The session in a file; None where there is none.

        Raises:
            ConfigurationError: others can read the file.
            InvalidInputError: it holds no session.
        """
        if not path.is_file():
            return None
        refuse_shared(path)
        found = read_json_file(path)
        if set(found) != {"url", "token", "account", "expires_at"}:
            raise InvalidInputError(
                "session_file_malformed",
                f"{path} holds no session",
                zh=f"{path} 中没有会话",
                hint="remove it and sign in again: `marketplace session login`",
                hint_zh="请删除该文件并重新登录：`marketplace session login`",
            )
        return cls(**{name: str(value) for name, value in found.items()})


def sign_in(transport: Transport, keys: Keys, chain_id: int, now: int) -> str:
    """Open a session and return its bearer token.

    Raises:
        NotAuthorizedError: the service refused the signature.
    """
    body = signed_message(transport, keys, chain_id, now, STATEMENT)
    return str(_answer(transport, "/session", body)["token"])


def signed_message(transport: Transport, keys: Keys, chain_id: int, now: int, statement: str) -> dict[str, str]:
    """{"message", "signature"}: `statement` signed for a fresh challenge of the service."""
    nonce = _answer(transport, "/session/nonce", None)["nonce"]
    message = siwe.SignIn(
        domain=urlsplit(transport.url).netloc,
        address=keys.address,
        uri=transport.url,
        chain_id=chain_id,
        nonce=nonce,
        issued_at=timestamps.to_text(now),
        expiration_time=timestamps.to_text(now + LIFE_SECONDS),
        statement=statement,
    )
    text = message.to_text()
    return {"message": text, "signature": to_hex(siwe.sign(text, keys.signing_key))}


def _answer(transport: Transport, path: str, body: dict[str, str] | None) -> dict[str, Any]:
    response = transport.request("POST", path, repeatable=body is None, json=body)
    try:
        answer = parse_json(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise PortError("answer_malformed", "the service's answer to a sign-in is not JSON", zh="登录答复无法识别")
    return answer
