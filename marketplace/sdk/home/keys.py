"""A participant's keystore file: made once, opened with a password; no key ever leaves this machine."""

import json
from pathlib import Path

from coincurve import PrivateKey

from crypto import bls, canonical, envelope, keystore
from crypto.keystore import Keys
from crypto.multikey import KeyKind, PublicKeyOfKind
from marketplace.documents.identifiers import Kind, identifier
from marketplace.errors import ConfigurationError
from marketplace.sdk.home import files


def load_keys(content: bytes, password: str) -> Keys:
    """The keys in a keystore document (Ethereum V3, JSON).

    Raises:
        crypto.errors.MalformedInput: it is no such document.
        crypto.errors.DecryptionFailed: the password is wrong or the document is damaged.
    """
    return keystore.decrypt(canonical.load_json(content), password)


def create_keystore(path: Path, password: str, work_factor: int = keystore.DEFAULT_WORK_FACTOR) -> Keys:
    """Fresh keys, written to `path` with mode 0600.

    Raises:
        ConfigurationError: there is a keystore already; it is never overwritten.
    """
    if path.exists():
        raise ConfigurationError(
            "keystore_exists",
            f"{path} holds keys already",
            zh=f"{path} 已有密钥",
            hint="use another folder (--home), or move the file away yourself: without it its account is lost",
            hint_zh="请用 --home 指定其他目录，或自行移走该文件；丢失即失去该账户",
        )
    keys = keystore.generate()
    document = keystore.encrypt(keys, password, work_factor)
    files.write_private(path, json.dumps(document, indent=2).encode() + b"\n")
    return keys


def public_facts(keys: Keys) -> dict[str, str]:
    """What others may know: the address with its identifier, and the public keys, "0x" hex and as did:key.

    Returns:
        {"address", "identifier", "recipient": X25519, "certificateKey": Ed25519, "blsKey": BLS12-381 in G1,
        "signingDid": secp256k1, "certificateDid", "recipientDid"}.
    """
    signing = PublicKeyOfKind(KeyKind.SECP256K1, PrivateKey(keys.signing_key).public_key.format())
    certifying = PublicKeyOfKind(KeyKind.ED25519, keys.ed25519.public_key().public_bytes_raw())
    receiving = PublicKeyOfKind(KeyKind.X25519, keys.x25519.public_key().public_bytes_raw())
    return {
        "address": keys.address,
        "identifier": str(identifier(Kind.PARTY, keys.address)),
        "recipient": canonical.to_hex(envelope.public_key(keys.x25519)),
        "certificateKey": canonical.to_hex(keys.ed25519.public_key().public_bytes_raw()),
        "blsKey": canonical.to_hex(bls.public_key(keys.bls_secret)),
        "signingDid": signing.did,
        "certificateDid": certifying.did,
        "recipientDid": receiving.did,
    }
