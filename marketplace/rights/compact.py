"""A whole certificate in a QR code: canonical JSON, deflated with a dictionary of what all certificates share, base45.

    TDM1:<base45 of a zlib stream>

Nothing is left out, so the text is enough to verify the certificate with the issuer's key alone. The dictionary belongs
to the version in the prefix and never changes; another one gets another number.

Source: RFC 1950 (zlib, preset dictionary), RFC 9285 (base45: the alphabet of a QR code's alphanumeric mode).
"""

import zlib
from collections.abc import Mapping
from typing import Any

from crypto.canonical import canonical_json, load_canonical
from crypto.errors import CryptoError
from marketplace.documents import Document
from marketplace.errors import InvalidInputError
from marketplace.words import Words

PREFIX = "TDM1:"
MAX_TEXT = 4_296  # characters of the largest QR code
MAX_JSON = 1 << 16
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DICTIONARY = (
    b'"limits":"","right":"USE","until":null},{"holder":"0x","shares":[{"bps":1000,"holder":"0x","sourceClass":'
    b'"AGREEMENT","AUTOMATED_PUBLIC_COLLECTION","DERIVED","origin":"PUBLIC","PERSONAL","level":"IMPORTANT","GENERAL_4",'
    b'"GENERAL_3","GENERAL_2",https://http://127.0.0.1:'
    b'{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/undefined-terms/v2"],'
    b'"credentialStatus":[{"id":"/rights/status-lists/revocation/0#","statusListCredential":"'
    b'/rights/status-lists/revocation/0","statusListIndex":"","statusListIssuer":"did:key:z6Mk","statusPurpose":'
    b'"revocation","type":"BitstringStatusListEntry"},{"id":"/rights/status-lists/suspension/0#",'
    b'"statusListCredential":"/rights/status-lists/suspension/0","statusPurpose":"suspension",'
    b'"type":"BitstringStatusListEntry"},{"id":"/rights/status-lists/message/0#","statusListCredential":"'
    b'/rights/status-lists/message/0","statusListIssuer":"did:key:z6Mk","statusMessage":[{"message":"current '
    b"\xe7\x8e\xb0\xe8\xa1\x8c"
    b'","status":"0x0"},{"message":"superseded '
    b"\xe5\xb7\xb2\xe8\xa2\xab\xe5\x8f\x96\xe4\xbb\xa3"
    b'","status":"0x1"}],"statusPurpose":"message","statusSize":1,"type":"BitstringStatusListEntry"}],'
    b'"credentialSubject":{"assetId":"0x","ciphertextRoot":"0x","claimDigest":"0x","holder":"0x","id":'
    b'"urn:marketplace:asset:0x","level":"GENERAL_1","manifestDigest":"0x","origin":"ENTERPRISE","rights":['
    b'{"holder":"0x","limits":"","right":"HOLD","until":null},{"holder":"0x","limits":"","right":"OPERATE",'
    b'"until":null}],"shares":[{"bps":10000,"holder":"0x"}],"sourceClass":"COLLECTED_GENERATED","title":{"en":"","zh":'
    b'""}},"id":"urn:marketplace:certificate:0x","issuer":{"account":"0x","id":"did:key:z6Mk"},"proof":{"@context":['
    b'"https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/undefined-terms/v2"],"created":"202'
    b'T00:00:00Z","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod","proofValue":"z","type":'
    b'"DataIntegrityProof","verificationMethod":"did:key:z6Mk#z6Mk"},"type":["VerifiableCredential",'
    b'"DataRightsCertificate"],"validFrom":"202T00:00:00Z","validUntil":"202T00:00:00Z"}'
)


def pack(certificate: Mapping[str, Any]) -> str:
    """The text of a certificate's QR code.

    Raises:
        InvalidInputError: `certificate_too_large`: it does not fit the largest QR code.
    """
    packer = zlib.compressobj(9, zdict=_DICTIONARY)
    text = PREFIX + _base45(packer.compress(canonical_json(dict(certificate))) + packer.flush())
    if len(text) > MAX_TEXT:
        raise InvalidInputError(
            "certificate_too_large",
            "the certificate does not fit a QR code",
            zh="证书内容超出二维码容量",
            expected=Words(f"at most {MAX_TEXT} characters", f"至多 {MAX_TEXT} 个字符"),
            got=len(text),
        )
    return text


def unpack(text: str) -> Document:
    """The certificate of a QR code's text; whether it is authentic is for `standing.judge`.

    Raises:
        InvalidInputError: `qr_malformed`.
    """
    try:
        return _unpack(text)
    except (ValueError, zlib.error, CryptoError) as error:
        raise InvalidInputError(
            "qr_malformed",
            f"this is not the text of a certificate's QR code: {error}",
            zh="不是证书二维码内容",
            hint="scan it again, or use the PDF file",
            hint_zh="请重新扫描,或使用 PDF 文件",
        ) from error


def _unpack(text: str) -> Document:
    if not text.startswith(PREFIX) or len(text) > MAX_TEXT:
        raise ValueError(f"expected {PREFIX} and at most {MAX_TEXT} characters")
    unpacker = zlib.decompressobj(zdict=_DICTIONARY)
    content = unpacker.decompress(_unbase45(text.removeprefix(PREFIX)), MAX_JSON + 1)
    if not unpacker.eof or unpacker.unused_data or len(content) > MAX_JSON:
        raise ValueError("expected one whole zlib stream")
    found = load_canonical(content)
    if isinstance(found, dict):
        return found
    raise ValueError("expected a JSON object")


def _base45(data: bytes) -> str:
    text = ""
    for place in range(0, len(data), 2):
        pair = data[place : place + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text += _ALPHABET[digit]
    return text


def _unbase45(text: str) -> bytes:
    data = b""
    for place in range(0, len(text), 3):
        part = text[place : place + 3]
        number = sum(_ALPHABET.index(letter) * 45**power for power, letter in enumerate(part))
        size = len(part) - 1
        if size == 0 or number >= 256**size:
            raise ValueError("expected base45")
        data += number.to_bytes(size, "big")
    return data
