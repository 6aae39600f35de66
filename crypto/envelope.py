"""Seal a small message to the holder of one X25519 key: HPKE base mode, single shot.

Rules of this file:
  - Suite DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. An envelope is enc (32 bytes) || ciphertext || tag
    (16 bytes).
  - What the message is about (`info`: purpose and version; `aad`: the very query, order, recipient) is authenticated,
    not carried: the opener must know it. RFC 9180 section 8.1 asks single-shot users to bind all of it through HPKE's
    `info`; so HPKE's info here is length(info) as 4 bytes big-endian || info || aad, and HPKE's own aad is empty.
  - Opening fails with one message, whatever was wrong.

Assumes: gap Diffie-Hellman on Curve25519. Anyone can seal: an envelope says nothing about its sender, so what matters
must be signed inside. There is no forward secrecy against theft of the recipient's key.
Leaks: the length of the message. Cost: about 0.2 ms each way. Source: RFC 9180.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from crypto.errors import DecryptionFailed, InvalidKey, ParameterError

PUBLIC_BYTES = 32
OVERHEAD_BYTES = 48
MAX_MESSAGE_BYTES = 1 << 20
MAX_CONTEXT_BYTES = 1 << 16

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def seal(recipient: bytes, message: bytes, *, info: bytes, aad: bytes = b"") -> bytes:
    """Encrypt `message` to `recipient`.

    Args:
        recipient: X25519 public key, 32 bytes.
        message: at most MAX_MESSAGE_BYTES.
        info: what kind of message this is, e.g. b"marketplace/release/v1"; not empty.
        aad: what this message belongs to; info and aad at most MAX_CONTEXT_BYTES each.
    Returns:
        OVERHEAD_BYTES more than the message; different every time.
    Raises:
        ParameterError: a length is out of range.
        InvalidKey: the recipient's key is not 32 bytes, or a point of small order that would give everyone the key.
    Source: RFC 9180 section 6.1 (SealBase).
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise ParameterError(f"message: expected at most {MAX_MESSAGE_BYTES} bytes, got {len(message)}")
    context = _context(info, aad)
    try:
        return _SUITE.encrypt(message, X25519PublicKey.from_public_bytes(recipient), context)
    except ValueError:
        raise InvalidKey("expected an X25519 public key of 32 bytes and large order") from None


def unseal(key: X25519PrivateKey, envelope: bytes, *, info: bytes, aad: bytes = b"") -> bytes:
    """Decrypt an envelope that was sealed to `key` with the same `info` and `aad`.

    Raises:
        ParameterError: the length of info or aad is out of range.
        DecryptionFailed: sealed to another key or in another context, changed, too short or too long.
    Source: RFC 9180 section 6.1 (OpenBase).
    """
    context = _context(info, aad)
    if not OVERHEAD_BYTES <= len(envelope) <= OVERHEAD_BYTES + MAX_MESSAGE_BYTES:
        raise DecryptionFailed
    try:
        return _SUITE.decrypt(envelope, key, context)
    except (InvalidTag, ValueError):
        raise DecryptionFailed from None


def public_key(key: X25519PrivateKey) -> bytes:
    """The public key that others seal to, 32 bytes."""
    return key.public_key().public_bytes_raw()


def _context(info: bytes, aad: bytes) -> bytes:
    if not 1 <= len(info) <= MAX_CONTEXT_BYTES or len(aad) > MAX_CONTEXT_BYTES:
        raise ParameterError(f"info, aad: expected 1 .. {MAX_CONTEXT_BYTES} and at most {MAX_CONTEXT_BYTES} bytes")
    return len(info).to_bytes(4, "big") + info + aad
