"""Identities of an OpenID Connect provider that sign in for an account: how one is named, and what links it. Pure.

A link is made by a key that may ADMINISTER the account: it signs a sign-in message (EIP-4361) whose statement is the
sentence below, so a wallet shows to its owner what it does. A link is no key: it signs nothing, whatever its acts are.
They say what its sessions may change that needs no further signature.
"""

import base64
import hashlib
import hmac

from crypto import timestamps
from crypto.canonical import canonical_json, to_hex
from marketplace.types import Act, Digest, ParticipantStatus

MAX_LINKS = 100  # of an account
MAX_LINK_SECONDS = 366 * 86_400
SERVED = frozenset({ParticipantStatus.ACTIVE, ParticipantStatus.EXITING})  # whoever leaves still winds up
_LABEL = b"marketplace/openid/identity/v1"
_OPENING = "Link the OpenID Connect identity "


def identity_of(secret: bytes, issuer: str, subject: str) -> Digest:
    """The name under which an identity is kept: a keyed hash, so that a copy of the store does not say who it is, not
    even by trying out subjects.

    Args:
        secret: the operator's, 32 bytes; with another one every link is void.
    """
    key = hmac.new(secret, _LABEL, hashlib.sha256).digest()
    return Digest(to_hex(hmac.new(key, canonical_json([issuer, subject]), hashlib.sha256).digest()))


def challenge_of(verifier: str) -> str:
    """What a sign-in is begun with, of the verifier that ends it: PKCE's S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def is_identity(name: str) -> bool:
    """Whether what opened a session is an identity, not the address of a key."""
    return len(name) == len("0x") + 64


def link_statement(identity: str, acts: int, valid_until: int) -> str:
    """What the key signs to link `identity`.

    Args:
        acts: bits of types.Act.
        valid_until: unix seconds, not included.
    """
    names = " ".join(act.name or "" for act in Act if act & acts)
    return f"{_OPENING}{identity} to my account. Permitted: {names}. Until: {timestamps.to_text(valid_until)}."


def is_link_statement(statement: str | None) -> bool:
    """Whether a sign-in message links an identity, and is meant for nothing else."""
    return (statement or "").startswith(_OPENING)
