"""Signed notes: text with Ed25519 signature lines, as transparency logs publish and witnesses countersign them.

Rules of this file:
  - A note is text that ends in a newline, a blank line, and lines "— name base64(key id || signature)".
  - Only signatures of keys that the caller trusts are looked at; others are ignored, as the specification demands. A
    bad signature under a trusted name and key id refuses the whole note.
  - The text is returned only after a trusted signature was verified.

Assumes: Ed25519 (RFC 8032). A key id of four bytes only picks the key; it proves nothing.
Source: C2SP signed-note, https://c2sp.org/signed-note.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto.canonical import sha256
from crypto.errors import InvalidKey, InvalidSignature, MalformedInput, ParameterError

MAX_NOTE_BYTES = 1 << 18
MAX_SIGNATURES = 64
MAX_NAME_BYTES = 255

_ED25519 = b"\x01"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"\u2014 (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True)
class Verifier:
    """A key that the caller trusts to sign notes.

    Args:
        name: key name, e.g. the log's origin; no spaces, no plus.
        public: Ed25519 public key, 32 bytes.
    Raises:
        ParameterError: the name is not such a name.
        InvalidKey: the key is not 32 bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.name.encode("utf-8")) <= MAX_NAME_BYTES or re.search(r"[\s+\x00-\x1f]", self.name):
            raise ParameterError("name: expected a key name without spaces or plus")
        if len(self.public) != 32:
            raise InvalidKey(f"expected an Ed25519 public key of 32 bytes, got {len(self.public)}")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
        return sha256(self.name.encode("utf-8") + b"\n" + _ED25519 + self.public)[:4]

    def to_text(self) -> str:
        """The verifier key as text: name+hex(key id)+base64(0x01 || public key)."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public)}"


def parse_verifier(text: str) -> Verifier:
    """Read a verifier key from its text.

    Raises:
        MalformedInput: another form, another algorithm than Ed25519, or a key id that does not fit.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        material = decode_base64(encoded)
        verifier = Verifier(name, material[1:])
    except (ParameterError, InvalidKey) as error:
        raise MalformedInput(f"verifier key: {error}") from None
    if material[:1] != _ED25519 or verifier.key_id.hex() != key_id:
        raise MalformedInput("verifier key: not Ed25519, or the key id does not fit the key")
    return verifier


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> bytes:
    """A note with one signature, UTF-8.

    Args:
        text: ends in a newline; no control characters but newlines.
        name: the signer's key name.
    Raises:
        ParameterError: text or name is not of that form, or the note would be too long.
    """
    if not text.endswith("\n") or _CONTROL.search(text) or len(text.encode("utf-8")) > MAX_NOTE_BYTES - 1024:
        raise ParameterError("text: expected lines without control characters, the last one ended by a newline")
    verifier = Verifier(name, key.public_key().public_bytes_raw())
    signature = encode_base64(verifier.key_id + key.sign(text.encode("utf-8")))
    return f"{text}\n\u2014 {name} {signature}\n".encode()


def open_note(note: bytes, verifiers: Sequence[Verifier]) -> str:
    """The text of `note`, once at least one of `verifiers` is found to have signed it.

    Raises:
        MalformedInput: longer than MAX_NOTE_BYTES, more than MAX_SIGNATURES signatures, not UTF-8, or not of that form.
        InvalidSignature: no signature by a trusted key, or one that does not verify.
    Source: C2SP signed-note, "Format" and "Signatures".
    """
    text, lines = _split(note)
    trusted = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified = False
    for line in lines:
        match = _LINE.fullmatch(line) or _refuse("a signature line")
        signature = decode_base64(match["signature"])
        if len(signature) <= 4:
            _refuse("a signature")
        verifier = trusted.get((match["name"], signature[:4]))
        if verifier:
            _verify(verifier, signature[4:], text)
            verified = True
    if not verified:
        raise InvalidSignature("the note has no signature by a trusted key")
    return text


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding. Source: RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Strict inverse of `encode_base64`.

    Raises:
        MalformedInput: another alphabet or padding, or stray bits at the end, which would give one value two texts.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedInput("base64 of a note is malformed") from None
    return data if encode_base64(data) == text else _refuse("base64")


def _split(note: bytes) -> tuple[str, list[str]]:
    try:
        decoded = note.decode("utf-8") if len(note) <= MAX_NOTE_BYTES else _refuse("length")
    except UnicodeDecodeError:
        _refuse("encoding")
    text, separator, signatures = decoded.rpartition("\n\n")
    lines = signatures.split("\n")
    if not separator or _CONTROL.search(decoded) or lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        _refuse("form")
    return text + "\n", lines


def _verify(verifier: Verifier, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, text.encode("utf-8"))
    except (WrongSignature, ValueError):
        raise InvalidSignature(f"the signature by {verifier.name} does not verify") from None


def _refuse(what: str) -> NoReturn:
    raise MalformedInput(f"signed note: {what} is not as specified")
