"""The key under which a vault encrypts what it keeps for itself."""

from crypto.at_rest import AtRest

_PURPOSE = b"marketplace/vault/storage/v1"


class Cipher(AtRest):
    """Encrypts and decrypts at rest.

    Args:
        seed: the keystore's secret, 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        super().__init__(seed, _PURPOSE)
