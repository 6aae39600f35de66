"""Encryption of what a program keeps for itself: AES-256-GCM with a random nonce, bound to the place it belongs to.

Assumes: fewer than 2^32 encryptions under one key. The key is derived from a secret that the caller has anyway, and is
never stored.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import DecryptionFailed, ParameterError

_NONCE = 12


class AtRest:
    """Encrypts and decrypts at rest.

    Args:
        seed: a secret of 32 bytes; a key of its own is derived from it (HKDF-SHA256).
        purpose: names what the key is for; another purpose gives an unrelated key.
    """

    def __init__(self, seed: bytes, purpose: bytes) -> None:
        if len(seed) != 32:
            raise ParameterError(f"seed: expected 32 bytes, got {len(seed)}")
        self._aead = AESGCM(HKDF(SHA256(), 32, None, purpose).derive(seed))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(secret)"

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        """Nonce and ciphertext of `data`; it opens only with the same `context`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._aead.encrypt(nonce, data, context)

    def decrypt(self, sealed: bytes, context: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            DecryptionFailed: altered, truncated, of another key or another context.
        """
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except (InvalidTag, ValueError):
            raise DecryptionFailed from None
