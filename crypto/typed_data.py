"""EIP-712 typed data: hash a flat structure, sign the digest with secp256k1, verify and recover.

Rules of this file:
  - Flat structures only: bytes32, address, bool, uintN, bytes, string, and arrays of these. No nested structures.
  - Values have one form each: bytes32, address and bytes are "0x" and lower-case hex text, uintN is int, bool is bool,
    arrays are list or tuple. Anything else is refused by the field's name, never converted.
  - A message has exactly the fields of its type.
  - Signatures are 65 bytes r || s || v with v 27 or 28 and s in the lower half of the group order, as OpenZeppelin's
    ECDSA library demands, so that nobody but the signer can turn one valid signature into another.

Bytes out are those of eth-account (a property test compares them); only the speed differs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import coincurve

from crypto.canonical import from_hex, keccak256
from crypto.errors import InvalidKey, InvalidSignature, ParameterError
from crypto.recovery import address_of_key, recover_address

Fields = Sequence[tuple[str, str]]
Encoder = Callable[[str, Any], bytes]

SIGNATURE_BYTES = 65
MAX_ITEMS = 1024
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # SEC 2, secp256k1
_ZERO, _ORDER, _HALF_ORDER = (number.to_bytes(32, "big") for number in (0, GROUP_ORDER, GROUP_ORDER // 2))

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_UINT = re.compile(r"uint([1-9][0-9]{0,2})")
_DOMAIN_FIELDS = (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"))


@lru_cache(maxsize=256)
def domain_separator(name: str, version: str, chain_id: int, verifying_contract: str) -> bytes:
    """hashStruct of the EIP712Domain with these four fields, 32 bytes.

    Args:
        chain_id: EIP-155 chain id, 0 <= chain_id < 2^256.
        verifying_contract: address, "0x" and 40 lower-case hex digits.
    Raises:
        ParameterError: a value is outside its type; the message names the field.
    Source: EIP-712, "Definition of domainSeparator".
    Cost: about 40 us, once for each domain.
    """
    message = {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying_contract}
    return struct_hash("EIP712Domain", _DOMAIN_FIELDS, message)


def struct_hash(name: str, fields: Fields, message: Mapping[str, Any]) -> bytes:
    """hashStruct: keccak256(typeHash || encoded fields), 32 bytes.

    Args:
        name: the structure's name, an identifier.
        fields: (name, Solidity type) in order.
        message: a value for every field and for nothing else; forms as in the module's rules.
    Raises:
        ParameterError: an unknown type, a missing or unknown field, a value outside its type's range; named by field.
    Source: EIP-712, "Definition of hashStruct" and "Definition of encodeData".
    Cost: about 6 us for seven fields; the type is compiled once.
    """
    return struct_hasher(name, tuple(map(tuple, fields)))(message)


@lru_cache(maxsize=256)
def struct_hasher(name: str, fields: tuple[tuple[str, str], ...]) -> Callable[[Mapping[str, Any]], bytes]:
    """`struct_hash` of one structure, compiled.

    Raises:
        ParameterError: an unknown type; what it returns raises for a message, as `struct_hash`.
    Cost: about 4 us for five fields.
    """
    type_hash, encoders = _compile(name, fields)
    count = len(encoders)

    def hash_struct(message: Mapping[str, Any]) -> bytes:
        if len(message) != count:
            _refuse_fields(name, encoders, message)
        try:
            encoded = [encode(field, message[field]) for field, encode in encoders]
        except KeyError:
            _refuse_fields(name, encoders, message)
        return keccak256(type_hash + b"".join(encoded))

    return hash_struct


def signing_digest(domain: bytes, struct_hash: bytes) -> bytes:
    """What is signed: keccak256(0x19 0x01 || domain separator || struct hash), 32 bytes.

    Raises:
        ParameterError: one of the two is not 32 bytes.
    Source: EIP-712, "Specification of the eth_signTypedData JSON RPC".
    """
    if len(domain) != 32 or len(struct_hash) != 32:
        raise ParameterError(f"expected two hashes of 32 bytes, got {len(domain)} and {len(struct_hash)}")
    return keccak256(b"\x19\x01" + domain + struct_hash)


def sign(digest: bytes, private_key: bytes) -> bytes:
    """Sign a 32-byte digest; returns 65 bytes r || s || v, low s, v 27 or 28, nonce by RFC 6979.

    Raises:
        ParameterError: the digest is not 32 bytes.
        InvalidKey: the key is not 32 bytes in 1 .. n-1.
    Leaks: libsecp256k1 signs in constant time; the Python object that holds the key is not erased.
    Source: SEC 1 section 4.1.3; RFC 6979; Ethereum yellow paper, appendix F.
    """
    _check_digest(digest)
    signature = _key(private_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def recover(digest: bytes, signature: bytes) -> str:
    """The address whose key made `signature` of `digest`, as "0x" and 40 lower-case hex digits.

    Any well-formed signature recovers to some address: compare it, or call `verify`.

    Args:
        digest: 32 bytes.
        signature: 65 bytes r || s || v.
    Raises:
        ParameterError: the digest is not 32 bytes.
        InvalidSignature: not 65 bytes, v not 27 or 28, r or s out of range, s in the upper half (malleable), or the
            signature is of no key.
    Source: SEC 1 section 4.1.6; EIP-2 for the lower half.
    Cost: about 29 us, of which libsecp256k1 takes 27; 3 more for a key that has not signed lately.
    """
    _check_digest(digest)
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise InvalidSignature("expected 65 bytes r || s || v with v 27 or 28")
    r, s = signature[:32], signature[32:64]  # compared as bytes, of one length, they are compared as numbers
    if not _ZERO < r < _ORDER or not _ZERO < s <= _HALF_ORDER:
        raise InvalidSignature("r is out of range, or s is not in the lower half of the group order")
    return recover_address(digest, signature, signature[64] - 27)


def verify(digest: bytes, address: str, signature: bytes) -> None:
    """Check that the key of `address` signed `digest`.

    Args:
        digest: 32 bytes.
        address: "0x" and 40 lower-case hex digits.
        signature: 65 bytes r || s || v.
    Raises:
        ParameterError: the digest is not 32 bytes, or the address is not of that form.
        InvalidSignature: malformed, malleable, or made by another key (the message names both addresses).
    Assumes: the signer is a key; a contract wallet (ERC-1271) can be asked only on the ledger.
    """
    from_hex(address, 20, "address")
    signer = recover(digest, signature)
    if signer != address:
        raise InvalidSignature(f"expected a signature by {address}, got one by {signer}")


def address_of(private_key: bytes) -> str:
    """The address of a 32-byte secp256k1 key, "0x" and 40 lower-case hex digits.

    Raises:
        InvalidKey: the key is not 32 bytes in 1 .. n-1.
    """
    return address_of_key(_key(private_key).public_key)


def _key(private_key: bytes) -> coincurve.PrivateKey:
    # coincurve pads short keys with zeros; a short key is a mistake here.
    if len(private_key) != 32:
        raise InvalidKey(f"expected a secp256k1 key of 32 bytes, got {len(private_key)}")
    try:
        return coincurve.PrivateKey(private_key)
    except ValueError:
        raise InvalidKey("the secp256k1 key is zero or not below the group order") from None


def _check_digest(digest: bytes) -> None:
    if len(digest) != 32:
        raise ParameterError(f"digest: expected 32 bytes, got {len(digest)}")


def _refuse_fields(name: str, encoders: tuple[tuple[str, Encoder], ...], message: Mapping[str, Any]) -> None:
    expected = {field for field, _ in encoders}
    missing, unknown = sorted(expected - set(message)), sorted(map(str, set(message) - expected))
    raise ParameterError(f"{name}: missing fields {missing}, unknown fields {unknown}") from None


def _compile(name: str, fields: tuple[tuple[str, str], ...]) -> tuple[bytes, tuple[tuple[str, Encoder], ...]]:
    names = [field for field, _ in fields]
    # Names go into the type string as they are, so one with a comma or bracket could pose as another type.
    if not all(_IDENTIFIER.fullmatch(word) for word in (name, *names)) or len(set(names)) != len(names):
        raise ParameterError(f"{name!r}: names must be identifiers, and fields distinct")
    encoders = tuple((field, _encoder(field, kind)) for field, kind in fields)
    type_string = f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})"
    return keccak256(type_string.encode("ascii")), encoders


def _encoder(field: str, kind: str) -> Encoder:
    if kind.endswith("[]"):
        return _array_encoder(_encoder(field, kind[:-2])) if not kind.endswith("][]") else _unknown(field, kind)
    if kind in _ENCODERS:
        return _ENCODERS[kind]
    match = _UINT.fullmatch(kind)
    bits = int(match[1]) if match else 0
    return _uint_encoder(bits) if bits and bits <= 256 and bits % 8 == 0 else _unknown(field, kind)


def _unknown(field: str, kind: str) -> Encoder:
    raise ParameterError(f"{field}: type {kind!r} is not supported")


def _uint_encoder(bits: int) -> Encoder:
    limit = 1 << bits

    def encode(field: str, value: Any) -> bytes:
        if type(value) is not int or not 0 <= value < limit:
            raise ParameterError(f"{field}: expected an integer of 0 .. 2^{bits}-1, got {value!r:.100}")
        return value.to_bytes(32, "big")

    return encode


def _array_encoder(encode_item: Encoder) -> Encoder:
    def encode(field: str, value: Any) -> bytes:
        if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
            raise ParameterError(f"{field}: expected a list of at most {MAX_ITEMS} items")
        return keccak256(b"".join([encode_item(f"{field}[{index}]", item) for index, item in enumerate(value)]))

    return encode


def _encode_bool(field: str, value: Any) -> bytes:
    if not isinstance(value, bool):
        raise ParameterError(f"{field}: expected true or false, got {value!r:.100}")
    return int(value).to_bytes(32, "big")


def _encode_string(field: str, value: Any) -> bytes:
    try:
        return keccak256(value.encode("utf-8"))
    except (AttributeError, UnicodeEncodeError):
        raise ParameterError(f"{field}: expected text that has a UTF-8 form") from None


_ENCODERS: dict[str, Encoder] = {
    "bytes32": lambda field, value: from_hex(value, 32, field),
    "address": lambda field, value: from_hex(value, 20, field).rjust(32, b"\0"),
    "bytes": lambda field, value: keccak256(from_hex(value, None, field)),
    "string": _encode_string,
    "bool": _encode_bool,
}
