"""A key holder's shares on their way to one buyer: residues of 32 bytes, sealed by HPKE, bound to query and result."""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto import envelope
from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from marketplace.documents import Document, validate_shares
from marketplace.errors import VerificationError
from marketplace.queries.planning.selection import Group

INFO = b"marketplace/release/v1"
RESIDUE_BYTES = 32


def seal_shares(
    query: str,
    result: str,
    recipient: str,
    residues: Mapping[int, int],
    suppressed: Sequence[Group],
    *,
    generation: int = 0,
) -> Document:
    """The shares document.

    Args:
        query, result: document digests. recipient: X25519 public key of the buyer.
        residues: share of each released number, keyed by its position in the result.
        suppressed: groups that are not released.
        generation: of the half of the key that gave the shares; both holders' must agree. 0 of a key that is whole.
    Raises:
        crypto.errors.InvalidKey: the recipient's key is no usable X25519 key.
    """
    released = sorted(residues)
    payload = b"".join(residues[index].to_bytes(RESIDUE_BYTES, "big") for index in released)
    sealed = envelope.seal(from_hex(recipient), payload, info=INFO, aad=_context(query, result))
    return validate_shares(
        {
            "type": "shares",
            "version": 1,
            "query": query,
            "result": result,
            "released": released,
            "suppressed": [list(group) for group in suppressed],
            "generation": generation,
            "sealed": to_hex(sealed),
        }
    )


def open_shares(shares: Mapping[str, Any], key: X25519PrivateKey) -> dict[int, int]:
    """The residues, keyed by position in the result.

    Raises:
        VerificationError: `shares_unreadable`: sealed to another key, altered, or of another length.
    """
    try:
        context = _context(shares["query"], shares["result"])
        payload = envelope.unseal(key, from_hex(shares["sealed"]), info=INFO, aad=context)
    except CryptoError as error:
        raise _unreadable() from error
    if len(payload) != RESIDUE_BYTES * len(shares["released"]):
        raise _unreadable()
    starts = range(0, len(payload), RESIDUE_BYTES)
    residues = (int.from_bytes(payload[start : start + RESIDUE_BYTES], "big") for start in starts)
    return dict(zip(shares["released"], residues, strict=True))


def _context(query: str, result: str) -> bytes:
    return from_hex(query, 32, "query") + from_hex(result, 32, "result")


def _unreadable() -> VerificationError:
    return VerificationError("shares_unreadable", "the shares cannot be opened", zh="无法打开份额")
