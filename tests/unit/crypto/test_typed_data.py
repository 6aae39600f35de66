"""EIP-712: the published example, refusals by field, and signatures that only their maker can make."""

from typing import Any

import pytest

from crypto import typed_data
from crypto.canonical import keccak256
from crypto.errors import InvalidKey, InvalidSignature, ParameterError

KEY = bytes(range(1, 33))
ADDRESS = typed_data.address_of(KEY)
DIGEST = keccak256(b"a statement")


def hash_one(kind: str, value: Any) -> bytes:
    return typed_data.struct_hash("Thing", [("field", kind)], {"field": value})


def test_domain_of_the_eips_example_has_the_published_separator() -> None:
    separator = typed_data.domain_separator("Ether Mail", "1", 1, "0x" + "cc" * 20)
    assert separator.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"


def test_addresses_of_the_eips_example_keys() -> None:
    assert typed_data.address_of(keccak256(b"cow")) == "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826"


def test_digest_and_signature_of_the_eips_example() -> None:
    """The Mail example nests Person, so its struct hash is the EIP's; its signer is the key keccak256("cow")."""
    domain = bytes.fromhex("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
    mail = bytes.fromhex("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e")
    digest = typed_data.signing_digest(domain, mail)
    assert digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    signature = typed_data.sign(digest, keccak256(b"cow"))
    assert signature[:32].hex() == "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
    assert signature[32:64].hex() == "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
    assert signature[64] == 28


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bytes32", "0x" + "AB" * 32),
        ("bytes32", "0x" + "ab" * 31),
        ("bytes32", b"\x00" * 32),
        ("address", "0x" + "ab" * 21),
        ("address", "0x" + " " * 2 + "ab" * 19 + "  "),
        ("address", None),
        ("bool", 1),
        ("bool", "true"),
        ("uint8", 256),
        ("uint8", -1),
        ("uint64", 1 << 64),
        ("uint256", 1 << 256),
        ("uint64", True),
        ("uint64", "1"),
        ("uint64", 1.0),
        ("bytes", "0xabc"),
        ("bytes", b"abc"),
        ("string", b"abc"),
        ("string", "\ud800"),
        ("address[]", "0x" + "ab" * 20),
        ("uint16[]", [1] * (typed_data.MAX_ITEMS + 1)),
        ("uint16[]", {1, 2}),
        ("int8", 1),
        ("uint7", 1),
        ("uint264", 1),
        ("uint08", 1),
        ("uint", 1),
        ("bytes31", "0x"),
        ("address[3]", []),
        ("uint16[][]", []),
        ("Person", {}),
    ],
)
def test_value_or_type_outside_the_rules_is_refused_by_field(kind: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=r"^field"):
        hash_one(kind, value)


def test_array_item_is_refused_by_its_index() -> None:
    with pytest.raises(ParameterError, match=r"^field\[1\]: "):
        hash_one("uint16[]", [1, 65536])


@pytest.mark.parametrize("message", [{}, {"other": 1}, {"field": 1, "other": 1}])
def test_message_must_have_exactly_the_fields(message: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"^Thing: missing fields"):
        typed_data.struct_hash("Thing", [("field", "uint8")], message)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Thing(uint8 a)", [("field", "uint8")]),
        ("", [("field", "uint8")]),
        ("Thing", [("a,uint8 b", "uint8")]),
        ("Thing", [("a", "uint8"), ("a", "uint8")]),
    ],
)
def test_names_cannot_smuggle_type_text(name: str, fields: list[tuple[str, str]]) -> None:
    with pytest.raises(ParameterError, match="identifiers"):
        typed_data.struct_hash(name, fields, {field: 1 for field, _ in fields})


def test_empty_array_differs_from_array_of_zero() -> None:
    assert hash_one("uint16[]", []) != hash_one("uint16[]", [0])


def test_signature_verifies_for_its_signer_only() -> None:
    signature = typed_data.sign(DIGEST, KEY)
    typed_data.verify(DIGEST, ADDRESS, signature)
    with pytest.raises(InvalidSignature, match="expected a signature by 0x0000"):
        typed_data.verify(DIGEST, "0x" + "00" * 20, signature)
    with pytest.raises(InvalidSignature):
        typed_data.verify(keccak256(b"another"), ADDRESS, signature)


def test_malleable_twin_of_a_signature_is_refused() -> None:
    signature = typed_data.sign(DIGEST, KEY)
    twin_s = typed_data.GROUP_ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + twin_s.to_bytes(32, "big") + bytes([55 - signature[64]])
    with pytest.raises(InvalidSignature, match="lower half"):
        typed_data.recover(DIGEST, twin)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 37])
def test_other_values_of_v_are_refused(v: int) -> None:
    with pytest.raises(InvalidSignature, match="27 or 28"):
        typed_data.recover(DIGEST, typed_data.sign(DIGEST, KEY)[:64] + bytes([v]))


def test_out_of_range_or_pointless_r_is_refused() -> None:
    s = (1).to_bytes(32, "big")
    for r in (0, typed_data.GROUP_ORDER, 2**256 - 1, 5):  # x = 5 is on no point of secp256k1
        with pytest.raises(InvalidSignature):
            typed_data.recover(DIGEST, r.to_bytes(32, "big") + s + b"\x1b")


@pytest.mark.parametrize("length", [0, 64, 66])
def test_other_lengths_of_signature_are_refused(length: int) -> None:
    with pytest.raises(InvalidSignature):
        typed_data.recover(DIGEST, b"\x01" * length)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), b"\xff" * 32, b"\x01" * 31, b"\x01" * 33])
def test_invalid_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidKey):
        typed_data.sign(DIGEST, key)


def test_hashes_and_addresses_of_another_length_are_refused() -> None:
    signature = typed_data.sign(DIGEST, KEY)
    with pytest.raises(ParameterError):
        typed_data.sign(DIGEST[:31], KEY)
    with pytest.raises(ParameterError):
        typed_data.recover(DIGEST[:31], signature)
    with pytest.raises(ParameterError):
        typed_data.signing_digest(DIGEST, b"")
    with pytest.raises(ParameterError, match=r"^address: "):
        typed_data.verify(DIGEST, ADDRESS.upper(), signature)
