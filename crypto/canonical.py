"""One byte form for every JSON value that is hashed or signed, and the digests taken of it.

Rules of this file:
  - Canonical form is RFC 8785 (JCS). Of its numbers we take integers only, -(2^53-1) .. 2^53-1: a float has no place in
    a signed document, and a larger integer is read differently by other JSON programs, so it must be written as text.
  - What is parsed strictly here (`load_json`) can always be written canonically again.
  - Digests and ids in JSON are "0x" and lower-case hex; `from_hex` refuses every other spelling: one value, one text.
"""

import hashlib
import json
import re
from typing import Any, NoReturn

import rfc8785
import sha3

from crypto.errors import CryptoError, MalformedInput, ParameterError

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
MAX_BYTES = 1 << 20

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))
_FOUR_BYTES = re.compile(rb"[\xf0-\xff]")  # the first byte of a code point beyond U+FFFF in UTF-8

# A string (also one that never ends, so that no byte is looked at twice) or one bracket.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data`, 32 bytes. Source: FIPS 180-4."""
    return hashlib.sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (the padding before FIPS 202), 32 bytes. Cost: about 0.8 us for 100 bytes."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


def to_hex(data: bytes) -> str:
    """ "0x" and the lower-case hex digits of `data`."""
    return "0x" + data.hex()


def from_hex(text: object, size: int | None = None, name: str = "value") -> bytes:
    """Read "0x" and lower-case hex.

    Args:
        text: what came; anything but such a text is refused, also upper case, spaces and a missing "0x".
        size: the number of bytes that it must have; None for any.
        name: the field's name, for the error.
    Raises:
        ParameterError: another spelling or another length; the message names the field.
    """
    try:
        data = bytes.fromhex(text[2:]) if isinstance(text, str) else None
    except ValueError:
        data = None
    if data is None or text != "0x" + data.hex():
        raise ParameterError(f"{name}: expected 0x and lower-case hex digits")
    if size is not None and len(data) != size:
        raise ParameterError(f"{name}: expected {size} bytes, got {len(data)}")
    return data


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of `value`, UTF-8.

    Args:
        value: dict with text keys, list, tuple, str, int, bool or None, nested at most MAX_DEPTH deep. No floats; an
            integer beyond MAX_INTEGER must be given as text.
    Raises:
        ParameterError: a value outside that; the message names the path to it.
    Source: RFC 8785 sections 3.2.2 and 3.2.3 (keys ordered by UTF-16 code units).
    Cost: about 0.4 us per value.
    """
    _check(value, "$", 0, ParameterError)
    return _encode(value)


def digest_json(value: Any) -> bytes:
    """SHA-256 of the canonical form of `value`, 32 bytes: the digest by which documents are named.

    Raises:
        ParameterError: as `canonical_json`.
    """
    return sha256(canonical_json(value))


def load_json(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Parse foreign JSON strictly; whatever comes back has a canonical form.

    Args:
        data: UTF-8 without byte order mark.
        max_bytes: refuse longer input before looking at it.
        max_depth: refuse deeper nesting of objects and arrays.
    Raises:
        MalformedInput: too long, not UTF-8, not JSON, a repeated key, a float, NaN or Infinity, an integer beyond
            MAX_INTEGER, a lone surrogate, or nested too deep.
    Source: RFC 8259; RFC 7493 (I-JSON) for repeated keys and numbers.
    """
    if len(data) > max_bytes:
        raise MalformedInput(f"expected at most {max_bytes} bytes of JSON, got {len(data)}")
    check_nesting(data, max_depth)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_small_integer,
        )
    except ValueError as error:
        raise MalformedInput(f"not JSON: {error}") from None
    _check(value, "$", 0, MalformedInput, max_depth)
    return value


def check_nesting(data: bytes, max_depth: int = MAX_DEPTH) -> None:
    """Refuse JSON text that a recursive parser should not see; well-formed or not is for the parser to say.

    Must come before json.loads on foreign bytes: that recurses on the C stack, guarded only by Python's recursion
    limit. Importing py_ecc (eth-account and web3 do) raises that to 100,000, and then 100 kB of "[" ends the process.

    Raises:
        MalformedInput: nested deeper than `max_depth`, or with a zero byte: json.loads takes UTF-16 and UTF-32 too,
            whose brackets could hide from a reader of bytes; JSON in UTF-8 has no zero byte.
    """
    if b"\0" in data:
        raise MalformedInput("JSON must be UTF-8, without zero bytes")
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    depth = 0
    for token in _TOKEN.finditer(data):
        first = token[0][0]
        depth += (first in b"[{") - (first in b"]}")
        if depth > max_depth:
            raise MalformedInput(f"JSON nested deeper than {max_depth}")


def load_canonical(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Parse foreign JSON and require that it came in canonical form, so that its digest names its content.

    Raises:
        MalformedInput: as `load_json`, or the same value has another canonical form.
    """
    value = load_json(data, max_bytes=max_bytes)
    if _encode(value) != data:
        raise MalformedInput("JSON is not in canonical form (RFC 8785)")
    return value


def _encode(value: Any) -> bytes:
    """The RFC 8785 bytes of a checked value, by json's C encoder.

    For texts, integers, booleans and null both write the same, escapes included; json orders keys by code points and
    RFC 8785 by UTF-16 code units, which is another order only for code points beyond U+FFFF: four bytes of UTF-8.
    """
    data = _ENCODER.encode(value).encode("utf-8")
    return data if data.isascii() or not _FOUR_BYTES.search(data) else rfc8785.dumps(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {repeated[:40]!r} appears twice")
    return found


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is not an integer; write it as text")


def _small_integer(text: str) -> int:
    # The length is checked before int() because its cost grows with the square of the number of digits.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"{text[:40]} is beyond 2^53-1; write it as text")
    return int(text)


def _check(value: Any, path: str, depth: int, error: type[CryptoError], max_depth: int = MAX_DEPTH) -> None:
    if isinstance(value, str):
        _check_text(value, path, error)
    elif isinstance(value, dict):
        _check_depth(path, depth, error, max_depth)
        for key, item in value.items():
            if not isinstance(key, str):
                raise error(f"{path}: keys must be text, got {type(key).__name__}")
            _check_text(key, path, error)
            _check(item, f"{path}.{key}", depth + 1, error, max_depth)
    elif isinstance(value, list | tuple):
        _check_depth(path, depth, error, max_depth)
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", depth + 1, error, max_depth)
    else:
        _check_scalar(value, path, error)


def _check_scalar(value: Any, path: str, error: type[CryptoError]) -> None:
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, int):
        raise error(f"{path}: {type(value).__name__} has no canonical form here; floats and bytes are written as text")
    if abs(value) > MAX_INTEGER:
        raise error(f"{path}: integer beyond 2^53-1; write it as text")


def _check_text(text: str, path: str, error: type[CryptoError]) -> None:
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise error(f"{path}: text with a lone surrogate has no UTF-8 form")


def _check_depth(path: str, depth: int, error: type[CryptoError], max_depth: int) -> None:
    if depth >= max_depth:
        raise error(f"{path[:80]}: nested deeper than {max_depth}")
