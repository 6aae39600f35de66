"""A sealed file opens for its buyer, for its order and round alone, and is the one that the note names."""

from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto import envelope
from crypto.canonical import to_hex
from marketplace.deliveries.sealing import MAX_FILE_BYTES, open_file, seal_file
from marketplace.errors import InvalidInputError, VerificationError

KEY = X25519PrivateKey.from_private_bytes(b"k" * 32)
RECIPIENT, ORDER = to_hex(envelope.public_key(KEY)), "0x" + "5f" * 32
CONTENT = Random(3).randbytes(2_500_000)


def test_a_file_of_several_pieces_comes_back() -> None:
    sealed, committed = seal_file(CONTENT, RECIPIENT, ORDER, 1)
    assert len(sealed) == len(CONTENT) + 32 + 3 * envelope.OVERHEAD_BYTES
    assert open_file(sealed, KEY, ORDER, 1, committed) == CONTENT
    assert CONTENT[:64] not in sealed


def test_two_sealings_of_a_file_have_nothing_in_common() -> None:
    (one, first), (two, second) = (seal_file(b"small", RECIPIENT, ORDER, 1) for _ in range(2))
    assert one != two
    assert first != second


@pytest.mark.parametrize(
    ("order", "number", "key"),
    [("0x" + "60" * 32, 1, KEY), (ORDER, 2, KEY), (ORDER, 1, X25519PrivateKey.from_private_bytes(b"x" * 32))],
)
def test_it_is_for_one_order_one_round_and_one_key(order: str, number: int, key: X25519PrivateKey) -> None:
    sealed, committed = seal_file(CONTENT, RECIPIENT, ORDER, 1)
    with pytest.raises(VerificationError, match="not the file"):
        open_file(sealed, key, order, number, committed)


def test_pieces_cannot_be_swapped_cut_or_changed() -> None:
    sealed, committed = seal_file(CONTENT, RECIPIENT, ORDER, 1)
    piece = envelope.MAX_MESSAGE_BYTES + envelope.OVERHEAD_BYTES
    swapped = sealed[piece : 2 * piece] + sealed[:piece] + sealed[2 * piece :]
    for other in (swapped, sealed[:piece], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b""):
        with pytest.raises(VerificationError, match="not the file"):
            open_file(other, KEY, ORDER, 1, committed)


def test_another_file_than_the_note_names_is_refused() -> None:
    sealed, _ = seal_file(CONTENT, RECIPIENT, ORDER, 1)
    with pytest.raises(VerificationError, match="not the file"):
        open_file(sealed, KEY, ORDER, 1, "0x" + "00" * 32)


def test_a_file_is_bounded() -> None:
    with pytest.raises(InvalidInputError, match="at most"):
        seal_file(bytes(MAX_FILE_BYTES + 1), RECIPIENT, ORDER, 1)
