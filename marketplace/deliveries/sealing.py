"""A file sealed to its buyer: HPKE, piece by piece, each bound to order, round and place.

What is sealed is a salt of 32 bytes and the file. The delivery note names the digest of the ciphertext and a commitment
to salt and file, so the buyer can show later what it was given, and nobody can guess the file from the ledger.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto import envelope
from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import DecryptionFailed
from marketplace.errors import InvalidInputError, VerificationError

INFO = b"marketplace/delivery/v1"
SALT_BYTES = 32
MAX_FILE_BYTES = 16 << 20
_PIECE = envelope.MAX_MESSAGE_BYTES
_SEALED_PIECE = _PIECE + envelope.OVERHEAD_BYTES


def seal_file(content: bytes, recipient: str, order: str, number: int) -> tuple[bytes, str]:
    """The ciphertext of a file, and the commitment to it, "0x" hex.

    Args:
        recipient: the buyer's X25519 key, "0x" hex. order: its id. number: which delivery of the order, from 1.
    Raises:
        InvalidInputError: `delivery_too_large`. crypto.errors.InvalidKey: the key is no usable one.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInputError(
            "delivery_too_large",
            f"a file has at most {MAX_FILE_BYTES} bytes",
            zh=f"文件不得超过 {MAX_FILE_BYTES} 字节",
            rule="deliveries.files_are_bounded",
            expected=MAX_FILE_BYTES,
            got=len(content),
            hint="deliver it in parts, under several orders",
            hint_zh="请分多个订单交付",
        )
    payload = secrets.token_bytes(SALT_BYTES) + content
    pieces = [payload[start : start + _PIECE] for start in range(0, len(payload), _PIECE)]
    sealed = [
        envelope.seal(from_hex(recipient, 32), piece, info=INFO, aad=_context(order, number, index, len(pieces)))
        for index, piece in enumerate(pieces)
    ]
    return b"".join(sealed), commitment(payload)


def open_file(blob: bytes, key: X25519PrivateKey, order: str, number: int, committed: str) -> bytes:
    """The file of a delivery.

    Args:
        committed: the commitment of the delivery note.
    Raises:
        VerificationError: `delivery_unreadable`: it is not sealed to this key for this delivery, or is not the file
            that the note names.
    """
    pieces = [blob[start : start + _SEALED_PIECE] for start in range(0, len(blob), _SEALED_PIECE)]
    try:
        payload = b"".join(
            envelope.unseal(key, piece, info=INFO, aad=_context(order, number, index, len(pieces)))
            for index, piece in enumerate(pieces)
        )
    except DecryptionFailed as error:
        raise _unreadable("sealed to this key for this delivery", "another envelope") from error
    if len(payload) < SALT_BYTES or commitment(payload) != committed:
        raise _unreadable(committed, commitment(payload))
    return payload[SALT_BYTES:]


def commitment(payload: bytes) -> str:
    """What the note names: SHA-256 over the salt and the file, "0x" hex."""
    return to_hex(sha256(b"marketplace/delivery/plaintext/v1\0" + payload))


def _context(order: str, number: int, index: int, count: int) -> bytes:
    return from_hex(order, 32) + bytes([number]) + index.to_bytes(4, "big") + count.to_bytes(4, "big")


def _unreadable(expected: str, got: str) -> VerificationError:
    return VerificationError(
        "delivery_unreadable",
        "what was delivered is not the file that the seller's note names",
        zh="交付物与卖方交付单所载文件不符",
        rule="deliveries.the_file_is_the_notes",
        expected=expected,
        got=got,
        hint="object to the delivery: marketplace deliveries object",
        hint_zh="请对该交付提出异议",
    )
