"""Encryption of what the vault keeps for itself: AES-256-GCM with a random nonce, bound to the place it belongs to.

Assumes: fewer than 2^32 encryptions under one key. The key is derived from the keystore's seed and is never stored.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import DecryptionFailed, ParameterError

_INFO = b"marketplace/vault/storage/v1"
_NONCE = 12


class Cipher:
    """Encrypts and decrypts at rest.

    Args:
        seed: the keystore's secret, 32 bytes; a key of its own is derived from it.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise ParameterError(f"seed: expected 32 bytes, got {len(seed)}")
        self._aead = AESGCM(HKDF(SHA256(), 32, None, _INFO).derive(seed))

    def __repr__(self) -> str:
        return "Cipher(secret)"

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
