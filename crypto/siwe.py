"""Sign-In with Ethereum (EIP-4361): write the message, read it strictly, verify it.

Rules of this file:
  - The parser takes exactly the EIP's grammar: each line in its place, ASCII only, nothing more. A Chinese statement is
    outside the grammar and is refused.
  - The signature is over the text as it came (EIP-191), never over a text written again from its fields.
  - The relying party names what it expects: its domain, the nonce it handed out, its chain, its clock.

Assumes: the nonce is random, used once and soon forgotten by the caller; the wallet showed the domain to its owner.
Contract wallets (ERC-1271) cannot be asked here. Source: EIP-4361, EIP-191, EIP-55, RFC 3986, RFC 3339.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

from crypto import typed_data
from crypto.canonical import from_hex, keccak256
from crypto.errors import InvalidSignature, MalformedInput, ParameterError
from crypto.timestamps import from_text

MAX_MESSAGE_BYTES = 8192
MAX_RESOURCES = 32

# RFC 3986. Alternatives under a repetition start with different characters, so matching takes linear time.
_UNRESERVED_SUB = r"A-Za-z0-9\-._~!$&'()*+,;="
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED_SUB}:@]|{_ESCAPED})"
_AUTHORITY = (
    rf"(?:(?:[{_UNRESERVED_SUB}:]|{_ESCAPED})*@)?"
    rf"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?:[{_UNRESERVED_SUB}]|{_ESCAPED})+)(?::[0-9]{{1,5}})?"
)
_URI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+\-.]*:(?://{_AUTHORITY}(?:/{_PCHAR}*)*|/?{_PCHAR}+(?:/{_PCHAR}*)*)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?",
    re.ASCII,
)
_MESSAGE = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+\-.]*)://)?(?P<domain>{_AUTHORITY})"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9A-Fa-f]{40})\n\n"
    r"(?:(?P<statement>[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;= ]+)\n)?\n"
    r"URI: (?P<uri>[^\n]+)\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>0|[1-9][0-9]{0,17})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    r"Issued At: (?P<issued_at>[^\n]+)"
    r"(?:\nExpiration Time: (?P<expiration_time>[^\n]+))?"
    r"(?:\nNot Before: (?P<not_before>[^\n]+))?"
    rf"(?:\nRequest ID: (?P<request_id>{_PCHAR}*))?"
    r"(?:\nResources:(?P<resources>(?:\n- [^\n]+)*))?",
    re.ASCII,
)


@dataclass(frozen=True)
class SignIn:
    """The fields of one message.

    Args:
        domain: RFC 3986 authority that asks, e.g. "exchange.example:8443".
        address: "0x" and 40 lower-case hex digits (the text carries the EIP-55 form).
        uri: what the sign-in is for.
        chain_id: EIP-155 chain id.
        nonce: at least 8 letters and digits, chosen by the relying party.
        issued_at: RFC 3339 text, e.g. from `timestamps.to_text`.
        expiration_time: the same, or None.
        not_before: the same, or None.
        statement: one line of URI characters and spaces, or None.
        request_id: may be empty; None when absent.
        resources: URIs; None when absent.
        scheme: of the origin; usually None.
    """

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    expiration_time: str | None = None
    not_before: str | None = None
    statement: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None
    scheme: str | None = None

    def to_text(self) -> str:
        """The message to sign.

        Raises:
            ParameterError: a field does not fit the grammar.
        """
        text = "\n".join(self._lines())
        try:
            if parse(text) == self:
                return text
        except MalformedInput:
            pass
        raise ParameterError("a field of the sign-in message does not fit EIP-4361's grammar")

    def _lines(self) -> list[str]:
        origin = f"{self.scheme}://{self.domain}" if self.scheme is not None else self.domain
        lines = [f"{origin} wants you to sign in with your Ethereum account:", checksum_address(self.address), ""]
        lines += [] if self.statement is None else [self.statement]
        lines += ["", f"URI: {self.uri}", "Version: 1", f"Chain ID: {self.chain_id}", f"Nonce: {self.nonce}"]
        lines += [f"Issued At: {self.issued_at}"]
        lines += [] if self.expiration_time is None else [f"Expiration Time: {self.expiration_time}"]
        lines += [] if self.not_before is None else [f"Not Before: {self.not_before}"]
        lines += [] if self.request_id is None else [f"Request ID: {self.request_id}"]
        lines += [] if self.resources is None else ["Resources:", *(f"- {item}" for item in self.resources)]
        return lines


def parse(text: str) -> SignIn:
    """Read a message strictly.

    Raises:
        MalformedInput: longer than MAX_MESSAGE_BYTES, outside the grammar, an address without its EIP-55 checksum, no
            URI where one must be, no such time, or more than MAX_RESOURCES resources.
    Source: EIP-4361, "ABNF Message Format".
    """
    if len(text) > MAX_MESSAGE_BYTES or not (match := _MESSAGE.fullmatch(text)):
        raise MalformedInput("the sign-in message does not follow EIP-4361's grammar")
    fields: dict[str, Any] = match.groupdict()
    address = fields["address"].lower()
    if checksum_address(address) != fields["address"]:
        raise MalformedInput("address: the EIP-55 checksum is wrong")
    _check_ipv6(fields["ipv6"])
    for name in ("issued_at", "expiration_time", "not_before"):
        if fields[name] is not None:
            from_text(fields[name], name)
    resources = None if fields["resources"] is None else tuple(fields["resources"].split("\n- ")[1:])
    if len(resources or ()) > MAX_RESOURCES:
        raise MalformedInput(f"resources: expected at most {MAX_RESOURCES}")
    for uri in (fields["uri"], *(resources or ())):
        _check_uri(uri)
    del fields["ipv6"]
    fields.update(address=address, chain_id=int(fields["chain_id"]), resources=resources)
    return SignIn(**fields)


def sign(text: str, private_key: bytes) -> bytes:
    """EIP-191 signature of a message, 65 bytes r || s || v.

    Raises:
        InvalidKey: the key is not a secp256k1 key of 32 bytes.
    """
    return typed_data.sign(personal_digest(text), private_key)


def verify(text: str, signature: bytes, *, domain: str, nonce: str, chain_id: int, now: int) -> SignIn:
    """Check a signed message and return what it says.

    Args:
        text: the message as it came.
        signature: 65 bytes r || s || v; v may also be 0 or 1, as some hardware wallets write it.
        domain: this service's own authority.
        nonce: the one that was handed out for this sign-in.
        chain_id: this service's chain.
        now: unix seconds.
    Raises:
        MalformedInput: the message is outside the grammar.
        InvalidSignature: signed by another address, for another domain, nonce or chain, expired, or not valid yet; the
            message gives expected and got.
    Source: EIP-4361, "Verifying a signed message".
    """
    message = parse(text)
    for name, expected in (("domain", domain), ("nonce", nonce), ("chain_id", chain_id)):
        if getattr(message, name) != expected:
            raise InvalidSignature(f"{name}: expected {expected}, got {getattr(message, name)}")
    if message.expiration_time is not None and now >= from_text(message.expiration_time).timestamp():
        raise InvalidSignature(f"expired at {message.expiration_time}")
    if message.not_before is not None and now < from_text(message.not_before).timestamp():
        raise InvalidSignature(f"not valid before {message.not_before}")
    if len(signature) == typed_data.SIGNATURE_BYTES and signature[64] in (0, 1):
        signature = signature[:64] + bytes([signature[64] + 27])
    typed_data.verify(personal_digest(text), message.address, signature)
    return message


def personal_digest(text: str) -> bytes:
    """What a wallet's personal_sign signs, 32 bytes. Source: EIP-191, version 0x45."""
    data = text.encode("utf-8")
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(data)).encode("ascii") + data)


def checksum_address(address: str) -> str:
    """The mixed-case form of "0x" and 40 lower-case hex digits. Source: EIP-55.

    Raises:
        ParameterError: not of that form.
    """
    digits = from_hex(address, 20, "address").hex()
    nibbles = keccak256(digits.encode("ascii")).hex()
    letters = (digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, nibbles, strict=False))
    return "0x" + "".join(letters)


def _check_uri(text: str) -> None:
    match = _URI.fullmatch(text)
    if not match:
        raise MalformedInput("a URI does not follow RFC 3986")
    _check_ipv6(match["ipv6"])


def _check_ipv6(text: str | None) -> None:
    try:
        IPv6Address(text or "::")
    except ValueError:
        raise MalformedInput("an authority in brackets is no IPv6 address") from None
