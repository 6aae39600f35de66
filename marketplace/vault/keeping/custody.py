"""Half of a sealing key on its way from the vault that made it to the custodian that will hold it: one file.

    {"type": "custody", "version": 1, "manifest": <document>, "generation": n, "sealed": "0x…", "signature": "0x…"}

Generation 0 carries the half of the key of every form; a later one carries what has to be added to the halves of the
generation before (crypto/seal/splitting.py, refreshing). The content is sealed to the custodian's key and bound to
everything else in the file; the file is signed by the manifest's release key, so that nobody else can change what a
custodian holds.

A file of type "lending" goes the other way: the custodian's half, signed by the custodian and sealed to the vault, for
sealing more under the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto import envelope, typed_data
from crypto.canonical import canonical_json, from_hex, sha256, to_hex
from crypto.errors import CryptoError
from crypto.keystore import Keys
from marketplace.documents import Document, digest, validate_manifest
from marketplace.documents.shapes import ADDRESS, document, hex_bytes, hex_up_to, integer, refuse
from marketplace.errors import NotAuthorizedError, VerificationError
from marketplace.vault.keeping.ring import KeyRing
from marketplace.words import Words

INFO = b"marketplace/custody/v1"
MAX_GENERATION = 2**32 - 1
MAX_FILE = 8 << 20
_CARD = document("card", {"address": ADDRESS, "recipient": hex_bytes(32)})


def _object(value: object, path: str) -> None:
    if not isinstance(value, dict):
        raise refuse(path, Words("an object", "对象"), value)


_FIELDS = {
    "manifest": _object,
    "generation": integer(0, MAX_GENERATION),
    "sealed": hex_up_to(2 * envelope.MAX_MESSAGE_BYTES),
    "signature": hex_bytes(65),
}
_CUSTODY, _LENDING = document("custody", _FIELDS), document("lending", _FIELDS)


@dataclass(frozen=True)
class Package:
    """What a custodian finds in the file."""

    manifest: Document
    generation: int
    half: KeyRing


@dataclass(frozen=True)
class Deposit:
    """What making files for a custodian takes.

    Args:
        card: the custodian's. keys: the release key's, which sign.
        lent: the custodian's half, where it lent it for sealing more.
    """

    card: Document
    keys: Keys
    lent: KeyRing | None = None

    @property
    def address(self) -> str:
        """The custodian's address."""
        return str(self.card["address"])

    def package(self, manifest: Document, generation: int, half: KeyRing) -> Document:
        """The file; see `make_package`."""
        return make_package(manifest, generation, half, self.card, self.keys)


def card_of(keys: Keys) -> Document:
    """What vault and custodian need to know of each other: address, and the key that files are sealed to. Public."""
    recipient = to_hex(envelope.public_key(keys.x25519))
    return {"type": "card", "version": 1, "address": keys.address, "recipient": recipient}


def read_card(value: object) -> Document:
    """A card.

    Raises:
        InvalidInputError: another shape.
    """
    _CARD(value, "card")
    assert isinstance(value, dict)
    return value


def make_package(manifest: Document, generation: int, half: KeyRing, card: Mapping[str, Any], keys: Keys) -> Document:
    """The file for the custodian of this card.

    Args:
        half: the half, or what is to be added to it. keys: the release key's.
    Raises:
        NotAuthorizedError: `custodian_differs`: the manifest names another custodian than the card.
        crypto.errors.InvalidKey: the card's key is no usable X25519 key.
    """
    body = {"type": "custody", "version": 1, "manifest": manifest, "generation": generation}
    return _make(body, half, card, keys, receiver="custodian")


def make_lending(manifest: Document, generation: int, half: KeyRing, card: Mapping[str, Any], keys: Keys) -> Document:
    """The file that lends the custodian's half to the vault of this card.

    Args:
        half: the half. keys: the custodian's.
    Raises:
        NotAuthorizedError: `custodian_differs`: the card is not of the manifest's release key.
        crypto.errors.InvalidKey: the card's key is no usable X25519 key.
    """
    body = {"type": "lending", "version": 1, "manifest": manifest, "generation": generation}
    return _make(body, half, card, keys, receiver="releaseKey")


def _make(body: Document, half: KeyRing, card: Mapping[str, Any], keys: Keys, *, receiver: str) -> Document:
    if card["address"] != body["manifest"][receiver]:
        raise _another(body["manifest"][receiver], card["address"])
    sealed = envelope.seal(from_hex(card["recipient"]), half.to_bytes(), info=INFO, aad=_context(body))
    body |= {"sealed": to_hex(sealed)}
    return body | {"signature": to_hex(typed_data.sign(_digest(body), keys.signing_key))}


def open_package(value: object, keys: Keys) -> Package:
    """Check the file and open it with the custodian's own keys.

    Raises:
        InvalidInputError: another shape.
        NotAuthorizedError: `custodian_differs`: it is for another custodian.
        VerificationError: `custody_signature`: not signed by the manifest's release key; `custody_unreadable`.
    """
    _CUSTODY(value, "custody")
    return _open(value, keys, sender="releaseKey", receiver="custodian")


def open_lending(value: object, keys: Keys) -> Package:
    """Check a file that lends a half and open it with the vault's own keys.

    Raises:
        InvalidInputError, NotAuthorizedError, VerificationError: as `open_package`, with the custodian's signature.
    """
    _LENDING(value, "lending")
    return _open(value, keys, sender="custodian", receiver="releaseKey")


def _open(value: object, keys: Keys, *, sender: str, receiver: str) -> Package:
    assert isinstance(value, dict)
    manifest = validate_manifest(value["manifest"])
    if manifest[receiver] != keys.address:
        raise _another(manifest[receiver], keys.address)
    body = {name: part for name, part in value.items() if name not in ("sealed", "signature")}
    try:
        signed = _digest(body | {"sealed": value["sealed"]})
        typed_data.verify(signed, str(manifest[sender]), from_hex(value["signature"]))
    except CryptoError as error:
        message = "the file is not signed by the key that its manifest names"
        raise VerificationError(
            "custody_signature", message, zh="该文件不是清单所列密钥签署", expected=manifest[sender]
        ) from error
    try:
        read = KeyRing.reader(manifest["forms"], half=True)
        data = envelope.unseal(keys.x25519, from_hex(value["sealed"]), info=INFO, aad=_context(body))
        half = read(data)
    except CryptoError:
        message = "the file cannot be opened with these keys"
        raise VerificationError("custody_unreadable", message, zh="无法用该密钥打开文件") from None
    return Package(manifest, value["generation"], half)


def _context(body: Mapping[str, Any]) -> bytes:
    kind = str(body["type"]).encode()
    return kind + from_hex(digest(body["manifest"]), 32) + int(body["generation"]).to_bytes(4, "big")


def _digest(body: Mapping[str, Any]) -> bytes:
    return sha256(INFO + b"\n" + canonical_json(dict(body)))


def _another(expected: object, got: object) -> NotAuthorizedError:
    return NotAuthorizedError(
        "custodian_differs",
        "the manifest names somebody else for this",
        zh="清单中指定的是另一方",
        rule="vault.custodian",
        expected=expected,
        got=got,
        hint="act with the key that the manifest names, or seal with this custodian: `vault seal --custodian`",
        hint_zh="请使用清单所指定的密钥，或以本托管方重新密封：`vault seal --custodian`",
    )
