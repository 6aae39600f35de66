"""Envelopes: opened by an independent HPKE written from RFC 9180's text, which itself meets the RFC's vectors."""

import hmac
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import envelope
from crypto.errors import DecryptionFailed, InvalidKey, ParameterError
from tests.unit.crypto.vectors import load

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = envelope.public_key(KEY)
INFO, AAD = b"marketplace/release/v1", b"order 7"


def labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    message = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01"
    return hmac.digest(key, message, "sha256")[:length]


def plain_open(private: bytes, enc: bytes, ciphertext: bytes, info: bytes, aad: bytes) -> bytes:
    """RFC 9180 sections 4.1 (Decap), 5.1 (KeySchedule, base mode) and 5.2 (Open, sequence number 0)."""
    kem, hpke = b"KEM" + bytes([0, 32]), b"HPKE" + bytes([0, 32, 0, 1, 0, 3])
    key = X25519PrivateKey.from_private_bytes(private)
    dh = key.exchange(X25519PublicKey.from_public_bytes(enc))
    kem_context = enc + key.public_key().public_bytes_raw()
    shared = labeled_expand(kem, labeled_extract(kem, b"", b"eae_prk", dh), b"shared_secret", kem_context, 32)
    context = b"\x00" + labeled_extract(hpke, b"", b"psk_id_hash", b"") + labeled_extract(hpke, b"", b"info_hash", info)
    secret = labeled_extract(hpke, shared, b"secret", b"")
    aead_key = labeled_expand(hpke, secret, b"key", context, 32)
    nonce = labeled_expand(hpke, secret, b"base_nonce", context, 12)
    return ChaCha20Poly1305(aead_key).decrypt(nonce, ciphertext, aad)


def test_the_plain_implementation_meets_the_rfcs_vector() -> None:
    vector = load("hpke-x25519-chacha20poly1305")
    setup, first = vector["setup"], vector["encryptions"][0]
    parts = (setup["skRm"], setup["enc"], first["ct"], setup["info"], first["aad"])
    opened = plain_open(*map(bytes.fromhex, parts))
    assert opened.hex() == first["pt"]


def test_our_envelope_is_hpke_with_the_framed_info() -> None:
    sealed = envelope.seal(PUBLIC, b"7.25", info=INFO, aad=AAD)
    assert len(sealed) == envelope.OVERHEAD_BYTES + 4
    framed = len(INFO).to_bytes(4, "big") + INFO + AAD
    assert plain_open(KEY.private_bytes_raw(), sealed[:32], sealed[32:], framed, b"") == b"7.25"


def test_sealed_message_opens_for_its_recipient_only() -> None:
    sealed = envelope.seal(PUBLIC, b"7.25", info=INFO, aad=AAD)
    assert envelope.unseal(KEY, sealed, info=INFO, aad=AAD) == b"7.25"
    with pytest.raises(DecryptionFailed):
        envelope.unseal(X25519PrivateKey.generate(), sealed, info=INFO, aad=AAD)


def test_same_message_seals_differently_each_time() -> None:
    assert envelope.seal(PUBLIC, b"7.25", info=INFO) != envelope.seal(PUBLIC, b"7.25", info=INFO)


@pytest.mark.parametrize(
    ("info", "aad"),
    [
        (INFO, b""),
        (INFO, b"order 8"),
        (b"marketplace/release/v2", AAD),
        (INFO[:-1], INFO[-1:] + AAD),
        (INFO + AAD, b""),
    ],
)
def test_another_context_does_not_open_it(info: bytes, aad: bytes) -> None:
    sealed = envelope.seal(PUBLIC, b"7.25", info=INFO, aad=AAD)
    with pytest.raises(DecryptionFailed, match=r"^the message cannot be opened$"):
        envelope.unseal(KEY, sealed, info=info, aad=aad)


def test_every_changed_byte_and_length_is_refused_alike() -> None:
    sealed = envelope.seal(PUBLIC, b"7.25", info=INFO)
    spoiled = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for message in (*spoiled, b"", sealed[:-1], sealed[:47], sealed + b"\x00", bytes(len(sealed))):
        with pytest.raises(DecryptionFailed, match=r"^the message cannot be opened$"):
            envelope.unseal(KEY, message, info=INFO)


@pytest.mark.parametrize("recipient", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)])
def test_invalid_or_small_order_recipient_is_refused(recipient: bytes) -> None:
    with pytest.raises(InvalidKey):
        envelope.seal(recipient, b"7.25", info=INFO)


def test_lengths_are_capped() -> None:
    calls: list[Callable[[], object]] = [
        lambda: envelope.seal(PUBLIC, bytes(envelope.MAX_MESSAGE_BYTES + 1), info=INFO),
        lambda: envelope.seal(PUBLIC, b"", info=b""),
        lambda: envelope.seal(PUBLIC, b"", info=bytes(envelope.MAX_CONTEXT_BYTES + 1)),
        lambda: envelope.unseal(KEY, bytes(48), info=INFO, aad=bytes(envelope.MAX_CONTEXT_BYTES + 1)),
    ]
    for call in calls:
        with pytest.raises(ParameterError):
            call()
    with pytest.raises(DecryptionFailed):
        envelope.unseal(KEY, bytes(envelope.MAX_MESSAGE_BYTES + 49), info=INFO)
    assert envelope.unseal(KEY, envelope.seal(PUBLIC, b"", info=INFO), info=INFO) == b""
