"""A participant's keys: one secret seed of 32 bytes, kept in a standard Ethereum keystore document.

Rules of this file:
  - The seed itself is the secp256k1 key, so any wallet can import the document; the Ed25519, X25519 and BLS keys are
    derived from it by HKDF-SHA256, each under its own label, and there is nothing else to back up.
  - A document's numbers come from outside: they are bounded before the key derivation runs.
  - Nothing secret is in a repr or an error; a wrong password and a damaged document look the same.

Assumes: scrypt, AES-128-CTR with a Keccak MAC (the format's choice), HKDF-SHA256. Leaks: whoever has the document can
try passwords, at the cost of its work factor; Python cannot erase a key from memory.
Source: Web3 Secret Storage Definition, version 3; RFC 5869; RFC 7914.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn
from uuid import uuid4

from Crypto.Protocol.KDF import scrypt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from crypto import bls
from crypto.canonical import keccak256
from crypto.errors import DecryptionFailed, InvalidKey, MalformedInput, ParameterError
from crypto.typed_data import address_of

SEED_BYTES = 32
DEFAULT_WORK_FACTOR = 18
MIN_WORK_FACTOR, MAX_WORK_FACTOR = 12, 20
MAX_PASSWORD_BYTES = 1024

# Bounds on a foreign document: about four times the default work, so at most 1 GiB (128 bytes times n * r).
_MAX_N, _MAX_R, _MAX_P = 1 << 20, 16, 16
_MAX_WORK = 1 << 23  # n * r * p
_MAX_ROUNDS = 2_000_000  # PBKDF2
_HEX = re.compile(r"(?:[0-9a-f]{2}){1,64}", re.ASCII)


@dataclass(frozen=True)
class Keys:
    """All keys of one participant.

    Args:
        seed: 32 bytes, the secp256k1 key; secret.
    Raises:
        InvalidKey: the seed is not 32 bytes, or no secp256k1 key.
    Assumes: one seed for four schemes is safe because HKDF outputs under distinct labels are independent.
    """

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise InvalidKey(f"expected a seed of {SEED_BYTES} bytes, got {len(self.seed)}")
        address_of(self.seed)

    def __repr__(self) -> str:
        return f"Keys(address={self.address!r})"

    @cached_property
    def address(self) -> str:
        """Ledger address, "0x" and 40 lower-case hex digits."""
        return address_of(self.seed)

    @property
    def signing_key(self) -> bytes:
        """secp256k1 key of 32 bytes that signs intents."""
        return self.seed

    @cached_property
    def ed25519(self) -> Ed25519PrivateKey:
        """Key that signs credentials and checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._derive("ed25519"))

    @cached_property
    def x25519(self) -> X25519PrivateKey:
        """Key that opens envelopes."""
        return X25519PrivateKey.from_private_bytes(self._derive("x25519"))

    @cached_property
    def bls_secret(self) -> bytes:
        """BLS12-381 secret of 32 bytes that attests results."""
        return bls.secret_key(self._derive("bls12-381"))

    @cached_property
    def fingerprint_secret(self) -> bytes:
        """Secret of 32 bytes from which the marks of delivered files follow."""
        return self._derive("fingerprint")

    def _derive(self, label: str) -> bytes:
        return HKDF(SHA256(), 32, None, f"marketplace/keys/v1/{label}".encode()).derive(self.seed)


def generate() -> Keys:
    """Fresh keys from the system's random source."""
    while True:
        try:
            return Keys(secrets.token_bytes(SEED_BYTES))
        except InvalidKey:  # 2^-128: zero, or not below the group order
            continue


def encrypt(keys: Keys, password: str, work_factor: int = DEFAULT_WORK_FACTOR) -> dict[str, Any]:
    """The keystore document (version 3, scrypt) that `decrypt` and any Ethereum wallet open with `password`.

    Args:
        password: 1 .. MAX_PASSWORD_BYTES bytes of UTF-8; taken as it is, without Unicode normalisation.
        work_factor: log2 of scrypt's n, MIN_WORK_FACTOR .. MAX_WORK_FACTOR; r = 8, p = 1.
    Raises:
        ParameterError: password or work factor outside that.
    Cost: at the default 256 MiB and about a second.
    """
    if not MIN_WORK_FACTOR <= work_factor <= MAX_WORK_FACTOR:
        raise ParameterError(f"work_factor: expected {MIN_WORK_FACTOR} .. {MAX_WORK_FACTOR}, got {work_factor}")
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    derived = _scrypt(_password(password), salt, 1 << work_factor, 8, 1)
    ciphertext = _aes_ctr(derived[:16], iv, keys.seed)
    return {
        "version": 3,
        "id": str(uuid4()),
        "address": keys.address[2:],
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": 1 << work_factor, "r": 8, "p": 1, "salt": salt.hex()},
            "mac": keccak256(derived[16:] + ciphertext).hex(),
        },
    }


def decrypt(document: Mapping[str, Any], password: str) -> Keys:
    """Open a keystore document, ours or another wallet's.

    Args:
        document: parsed JSON, version 3, scrypt or PBKDF2-HMAC-SHA256.
        password: as for `encrypt`.
    Raises:
        ParameterError: the password is empty or too long.
        MalformedInput: not such a document, its key derivation asks for too much memory or work, or it names another
            address than its key has.
        DecryptionFailed: wrong password or damaged content.
    """
    secret = _password(password)
    if not isinstance(document, Mapping) or document.get("version") != 3:
        _malformed("version")
    crypto = _section(document, "crypto")
    if crypto.get("cipher") != "aes-128-ctr":
        _malformed("cipher")
    iv = _hex(_section(crypto, "cipherparams"), "iv", 16)
    ciphertext, mac = _hex(crypto, "ciphertext", SEED_BYTES), _hex(crypto, "mac", 32)
    derived = _derive_key(crypto.get("kdf"), _section(crypto, "kdfparams"), secret)
    if not hmac.compare_digest(keccak256(derived[16:] + ciphertext), mac):
        raise DecryptionFailed
    try:
        keys = Keys(_aes_ctr(derived[:16], iv, ciphertext))
    except InvalidKey:
        raise DecryptionFailed from None
    if str(document.get("address", keys.address)).lower().removeprefix("0x") != keys.address[2:]:
        _malformed("address")
    return keys


def _derive_key(kdf: Any, parameters: Mapping[str, Any], password: bytes) -> bytes:
    salt = _hex(parameters, "salt")
    _integer(parameters, "dklen", 32, 32)
    if kdf == "scrypt":
        n, r, p = (_integer(parameters, name, 1, top) for name, top in (("n", _MAX_N), ("r", _MAX_R), ("p", _MAX_P)))
        if n < 2 or n & (n - 1) or n * r * p > _MAX_WORK:
            _malformed("kdfparams")
        return _scrypt(password, salt, n, r, p)
    if kdf != "pbkdf2" or parameters.get("prf") != "hmac-sha256":
        _malformed("kdf")
    return PBKDF2HMAC(SHA256(), 32, salt, _integer(parameters, "c", 1, _MAX_ROUNDS)).derive(password)


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    # pycryptodome's, because OpenSSL refuses the parameters of the format's own example (n = 2^18 with r = 1).
    return scrypt(password, salt, 32, n, r, p)  # type: ignore[arg-type, return-value]


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES128(key), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _password(password: str) -> bytes:
    encoded = password.encode("utf-8")
    if not 1 <= len(encoded) <= MAX_PASSWORD_BYTES:
        raise ParameterError(f"password: expected 1 .. {MAX_PASSWORD_BYTES} bytes")
    return encoded


def _malformed(name: str) -> NoReturn:
    raise MalformedInput(f"keystore document: {name} is missing, unknown or out of range")


def _section(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = parent.get(name)
    return section if isinstance(section, Mapping) else _malformed(name)


def _integer(parent: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = parent.get(name)
    return value if type(value) is int and low <= value <= high else _malformed(name)


def _hex(parent: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = parent.get(name)
    if not isinstance(text, str) or not _HEX.fullmatch(text) or size not in (None, len(text) // 2):
        _malformed(name)
    return bytes.fromhex(text)
