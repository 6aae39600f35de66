"""What an ID token has to be before anybody believes its subject.

Fixed here and asked of nobody: the algorithms (all of them signatures by a key pair: "none" and HMAC are not among
them), the clock skew, the sizes. The issuer is compared character by character, and the audience is this client alone:
a token for several is refused, since another of them could have passed it on.

Source: OpenID Connect Core 1.0, 2 and 3.1.3.7; RFC 8725.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from crypto.canonical import load_json
from crypto.errors import MalformedInput
from marketplace.web.openid.fetching import refused
from marketplace.words import Words

# The kinds of key that each algorithm takes; no algorithm takes a secret.
ALGORITHMS: Mapping[str, type[Key]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey}
MAX_TOKEN_CHARACTERS = 16 * 1024
MAX_KEYS, MAX_SUBJECT, MIN_RSA_BITS = 32, 255, 2048
SKEW_SECONDS = 60  # between the provider's clock and ours
MAX_AGE_SECONDS = 600  # since the token was made: it is made while the code is redeemed
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)  # RFC 7515, 4: others are ignored


@dataclass(frozen=True)
class Expected:
    """What the token must say. `nonce` is the one that this sign-in was begun with."""

    issuer: str
    client_id: str
    nonce: str


def key_named(token: str) -> str:
    """The key id in the token's header, "" where it names none. Raises NotAuthorizedError `oidc_refused`."""
    return str(_header(token).get("kid", ""))


def keys_of(answer: Mapping[str, Any]) -> dict[str, Key]:
    """The signing keys of a JWK set by their ids; what is no public key for one of ALGORITHMS is left out.

    A set of one key may leave out its id; it is then found under "".
    """
    listed = answer.get("keys")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    found: dict[str, Key] = {}
    for entry in entries[:MAX_KEYS]:
        key = _public_key(entry)
        if key is not None:
            found[str(entry.get("kid", ""))] = key
    if len(entries) == 1 and found:
        found[""] = next(iter(found.values()))
    return found


def verify(token: str, key: Key, expected: Expected, now: int) -> str:
    """The subject of an ID token.

    Args:
        key: the provider's, of the id that the token names.
        now: unix seconds.
    Raises:
        NotAuthorizedError: `oidc_refused`, saying what is wrong.
    """
    algorithm = str(_header(token).get("alg"))
    if not isinstance(key, ALGORITHMS.get(algorithm, _NoKey)) or key.alg not in (None, algorithm):
        raise refused(
            Words("the ID token's algorithm", "ID 令牌的签名算法不被接受"),
            expected=" ".join(ALGORITHMS),
            got=algorithm[:20],
        )
    try:
        signed = jws.deserialize_compact(token, key, registry=_REGISTRY)
        claims = load_json(signed.payload, max_bytes=MAX_TOKEN_CHARACTERS)
    except (JoseError, MalformedInput, ValueError, TypeError):
        raise refused(Words("the ID token is not signed by the provider", "ID 令牌并非由该身份提供方签名")) from None
    if not isinstance(claims, dict):
        raise refused(Words("the ID token says nothing", "ID 令牌没有内容"))
    return _check(claims, expected, now)


def _check(claims: Mapping[str, Any], expected: Expected, now: int) -> str:
    audience = claims.get("aud")
    if claims.get("iss") != expected.issuer:
        raise refused(
            Words("the ID token's issuer", "ID 令牌的签发方不符"),
            expected=expected.issuer,
            got=str(claims.get("iss"))[:200],
        )
    if audience not in (expected.client_id, [expected.client_id]):
        raise refused(Words("the ID token's audience", "ID 令牌的接收方不符"), expected=expected.client_id)
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise refused(
            Words("the ID token was made for another party", "ID 令牌是为另一方签发的"), expected=expected.client_id
        )
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise refused(Words("the ID token answers another sign-in (nonce)", "ID 令牌对应的是另一次登录（nonce 不符）"))
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isascii():
        raise refused(Words("the ID token names no subject", "ID 令牌未载明用户"))
    return subject


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    expires, issued, begins = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if any(type(moment) is not int for moment in (expires, issued, begins)):
        raise refused(Words("the ID token does not say its times", "ID 令牌未载明时间"))
    assert isinstance(expires, int) and isinstance(issued, int)  # noqa: PT018 - for the type checker
    if expires <= now - SKEW_SECONDS:
        raise refused(Words("the ID token has expired", "ID 令牌已过期"), expected=f"exp > {now}", got=expires)
    if max(issued, begins) > now + SKEW_SECONDS:
        raise refused(
            Words("the ID token is from the future", "ID 令牌的签发时间晚于当前时间"),
            expected=f"iat <= {now}",
            got=issued,
        )
    if issued < now - MAX_AGE_SECONDS:
        raise refused(
            Words("the ID token is old", "ID 令牌签发过久"), expected=f"iat >= {now - MAX_AGE_SECONDS}", got=issued
        )


class _NoKey:
    """What no key is: the kind for an algorithm that is not allowed."""


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise refused(
            Words(
                f"the ID token is longer than {MAX_TOKEN_CHARACTERS} characters, or no token",
                f"ID 令牌超过 {MAX_TOKEN_CHARACTERS} 个字符，或不是令牌",
            )
        )
    try:
        header = dict(jws.extract_compact(token.encode(), registry=_REGISTRY).headers())
    except (JoseError, ValueError, TypeError):
        raise refused(Words("what came is no ID token", "收到的内容不是 ID 令牌")) from None
    if "crit" in header or "b64" in header:
        raise refused(Words("the ID token asks for extensions", "ID 令牌要求使用扩展"))
    return header


def _public_key(entry: Mapping[str, Any]) -> Key | None:
    if entry.get("use", "sig") != "sig" or "d" in entry or "k" in entry:
        return None
    # Six bits a character; the library warns of a shorter modulus and takes it.
    if entry.get("kty") == "RSA" and len(str(entry.get("n"))) < MIN_RSA_BITS / 6:
        return None
    try:
        key = JWKRegistry.import_key(dict(entry))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, tuple(set(ALGORITHMS.values()))) else None
