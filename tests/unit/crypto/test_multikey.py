"""Keys as multibase text: one spelling each, checked to be keys."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto import bls, credential
from crypto.errors import InvalidKey, MalformedInput
from crypto.multikey import KeyKind, PublicKeyOfKind, parse_did_key, parse_multikey

# did:key method v0.9, section "Test Vectors", and the example of Controlled Identifiers 1.0.
VECTORS = {
    KeyKind.ED25519: ("z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "3b6a27bcceb6a42d62a3a8d02a6f0d73"),
    KeyKind.X25519: ("z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", "2fe57da347cd62431528daac5fbb2907"),
    KeyKind.SECP256K1: ("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", "03874c15c7fda20e539c6e5ba573c139"),
}


@pytest.mark.parametrize("kind", VECTORS)
def test_published_keys_are_read_and_written(kind: KeyKind) -> None:
    text, begin = VECTORS[kind]
    key = parse_multikey(text)
    assert (key.kind, key.multibase) == (kind, text)
    assert key.data.hex().startswith(begin)
    assert parse_did_key(f"did:key:{text}") == key
    assert key.did == f"did:key:{text}"


def test_a_certificate_s_key_has_the_same_text() -> None:
    public = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert PublicKeyOfKind(KeyKind.ED25519, public).did == credential.did_key(public)


def test_a_panel_s_key_has_a_text() -> None:
    key = PublicKeyOfKind(KeyKind.BLS12_381_G1, bls.public_key(bls.secret_key(bytes(range(32)))))
    assert parse_multikey(key.multibase) == key


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_key_of_another_length_is_none(kind: KeyKind) -> None:
    with pytest.raises(InvalidKey):
        PublicKeyOfKind(kind, bytes(31))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "z",
            "6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoo0p",
        ),
        *("z" + "1" * 79, "z" * 500, "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBm", "zé"),
        PublicKeyOfKind(KeyKind.ED25519, bytes(32)).multibase.replace("z6Mk", "z16Mk"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_multikey(text)


def test_what_is_no_point_of_the_curve_is_refused() -> None:
    with pytest.raises(InvalidKey):
        PublicKeyOfKind(KeyKind.SECP256K1, b"\x02" + b"\xff" * 32)


@given(st.binary(min_size=32, max_size=32), st.sampled_from([KeyKind.ED25519, KeyKind.X25519]))
def test_any_key_is_read_as_written(data: bytes, kind: KeyKind) -> None:
    key = PublicKeyOfKind(kind, data)
    assert parse_multikey(key.multibase) == key
