"""Public keys as multibase text that names its own kind (Multikey), and the did:key of such a key.

Rules of this file:
  - One text for a key: base58-btc ("z"), the multicodec prefix of its kind, the key in its shortest standard form.
  - A key is checked to be one (length, and a point of the curve where that can be told cheaply) before it is written
    or handed on.

Assumes nothing: no secret ever comes here.
Source: Controlled Identifiers 1.0 section 2.2.2 (Multikey); the multicodec table; did:key method v0.9 section 3.1.
"""

from dataclasses import dataclass
from enum import StrEnum

import base58
from coincurve import PublicKey

from crypto.errors import InvalidKey, MalformedInput


class KeyKind(StrEnum):
    """Kinds of keys; all that a participant or the exchange has."""

    ED25519 = "ed25519"
    X25519 = "x25519"
    SECP256K1 = "secp256k1"
    BLS12_381_G1 = "bls12-381-g1"


# kind: (unsigned varint of its multicodec, bytes of the key)
_CODECS = {
    KeyKind.ED25519: (b"\xed\x01", 32),
    KeyKind.X25519: (b"\xec\x01", 32),
    KeyKind.SECP256K1: (b"\xe7\x01", 33),
    KeyKind.BLS12_381_G1: (b"\xea\x01", 48),
}
_LONGEST = 80  # characters; decoding costs the square of them


@dataclass(frozen=True)
class PublicKeyOfKind:
    """A public key.

    Args:
        kind: what it is for.
        data: 32 bytes for ed25519 and x25519, 33 (compressed) for secp256k1, 48 (compressed) for bls12-381-g1.
    Raises:
        InvalidKey: another length, or no point of secp256k1.
    """

    kind: KeyKind
    data: bytes

    def __post_init__(self) -> None:
        size = _CODECS[self.kind][1]
        if len(self.data) != size:
            raise InvalidKey(f"expected a {self.kind} public key of {size} bytes, got {len(self.data)}")
        if self.kind is KeyKind.SECP256K1:
            try:
                PublicKey(self.data)
            except ValueError:
                raise InvalidKey("not a point of secp256k1") from None

    @property
    def multibase(self) -> str:
        """publicKeyMultibase, "z…"."""
        return "z" + base58.b58encode(_CODECS[self.kind][0] + self.data).decode("ascii")

    @property
    def did(self) -> str:
        """Its did:key."""
        return f"did:key:{self.multibase}"


def parse_multikey(text: str) -> PublicKeyOfKind:
    """The key that a publicKeyMultibase is.

    Raises:
        MalformedInput: another base or kind, another spelling, or no key.
    """
    if not (text.isascii() and text[:1] == "z" and len(text) <= _LONGEST):
        raise MalformedInput("expected base58-btc multibase of a public key")
    try:
        data = base58.b58decode(text[1:])
        kind = next((kind for kind, (codec, _) in _CODECS.items() if data[:2] == codec), None)
        if kind is None:
            raise MalformedInput(f"expected a key of one of these kinds: {', '.join(KeyKind)}")
        key = PublicKeyOfKind(kind, data[2:])
    except (ValueError, InvalidKey) as error:
        raise MalformedInput(f"not a public key: {error}") from None
    if key.multibase != text:
        raise MalformedInput("not the shortest spelling of this key")
    return key


def parse_did_key(did: str) -> PublicKeyOfKind:
    """The key that a did:key is. Raises MalformedInput as `parse_multikey`, or where it is no did:key."""
    if not did.startswith("did:key:"):
        raise MalformedInput("expected did:key:z…")
    return parse_multikey(did.removeprefix("did:key:"))
