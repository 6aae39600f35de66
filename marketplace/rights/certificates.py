"""Is this certificate the one that the registrar signed for? Pure; what the credential's proof means is
crypto/credential.py's matter.

The registrar's Confirm carries the digest of the whole credential, so whoever trusts the registrar's address on the
ledger can trust the did:key inside it: the ledger's signature vouches for the certificate's.
"""

from collections.abc import Mapping
from typing import Any

from crypto import credential
from crypto.canonical import digest_json, to_hex
from crypto.errors import CryptoError
from marketplace.documents import Document, iso_time, unix_seconds
from marketplace.errors import InvalidInputError
from marketplace.procedures import Kind
from marketplace.refusals.reasons import reason_of
from marketplace.registrations.codes import institution_of
from marketplace.rights.remarks import stated_in


def check_certificate(certificate: Document, confirmation: Mapping[str, Any], now: int) -> None:
    """Check a certificate against the Confirm that names it.

    Args:
        certificate: W3C VC 2.0 with an eddsa-jcs-2022 proof by a did:key.
        confirmation: the Confirm message.
        now: unix seconds at which it has to be valid.
    Raises:
        InvalidInputError: `certificate_differs`, or `certificate_invalid` where its own proof does not hold.
    """
    try:
        name = to_hex(digest_json(certificate))
        credential.verify(certificate, credential.public_of_did_key(_issuer(certificate)), now=now)
    except CryptoError as error:
        raise InvalidInputError(
            "certificate_invalid",
            f"the certificate does not verify: {reason_of(error).en}",
            zh=f"证书验证未通过：{reason_of(error).zh}",
            got=str(error),
            hint="issue it again with the registrar's key",
            hint_zh="请用登记机构的密钥重新签发",
        ) from error
    stated = {
        "certificateDigest": name,
        "validUntil": unix_seconds(str(certificate.get("validUntil", "1970-01-01T00:00:00Z"))),
        "assetId": _subject(certificate),
    }
    signed = {field: confirmation[field] for field in stated}
    if stated != signed:
        raise InvalidInputError(
            "certificate_differs",
            "the certificate is not the one that the confirmation names",
            zh="证书与确权签署内容不一致",
            expected=signed,
            got=stated,
        )


def capacity_of(code: str) -> dict[str, str]:
    """In what capacity the issuer of the certificate with this code signs it: as the registrar that the code names."""
    return {"role": "REGISTRAR", "institution": institution_of(code)}


def check_registration(certificate: Document, kind: Kind, code: str) -> None:
    """Check that a certificate says which registration it ends, and in what capacity its issuer signs.

    Args:
        kind, code: of the case that it ends.
    Raises:
        InvalidInputError: `certificate_differs`.
    """
    subject, issuer = certificate.get("credentialSubject"), certificate.get("issuer")
    said: dict[str, Any] = {**_named(subject, ("registrationKind", "registrationCode"))}
    said |= _named(issuer, ("role", "institution"))
    expected = {"registrationKind": kind.name, "registrationCode": code, **capacity_of(code)}
    if said != expected:
        raise InvalidInputError(
            "certificate_differs",
            "the certificate does not say which registration it ends, or in what capacity its issuer signs",
            zh="证书所载登记类型、编码或登记机构身份与案件不符",
            expected=expected,
            got=said,
        )


def check_effect(certificate: Document, deposited_at: int) -> None:
    """Check that a certificate is valid from the deposit, at which a registration takes effect (guide, art. 26).

    Args:
        deposited_at: unix seconds.
    Raises:
        InvalidInputError: `certificate_differs`.
    """
    expected, got = iso_time(deposited_at), certificate.get("validFrom")
    if got != expected:
        raise InvalidInputError(
            "certificate_differs",
            "the certificate is not valid from the deposit on",
            zh="证书生效时间与存证时间不符",
            expected=expected,
            got=got,
            hint="issue it again, with the deposit's moment as its beginning",
            hint_zh="请以存证时间为生效时间重新签发",
        )


def _named(part: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: part.get(name) if isinstance(part, Mapping) else None for name in names}


def check_annex(certificate: Document, annex: Document) -> None:
    """Check that a certificate names its product's inputs and the remarks that the register keeps, as they are.

    Args:
        annex: of remarks.annex_of.
    Raises:
        InvalidInputError: `certificate_differs`.
    """
    if (got := stated_in(certificate)) != annex:
        raise InvalidInputError(
            "certificate_differs",
            "the certificate does not name the inputs and remarks of the register",
            zh="证书所载来源数据或备注与登记簿不符",
            expected=annex,
            got=got,
            hint="issue it again: the register may have changed meanwhile",
            hint_zh="登记簿可能已变更，请重新签发",
        )


def check_status(certificate: Document, entries: list[Document]) -> None:
    """Check that a certificate names the place in the status lists that was given out for it.

    Raises:
        InvalidInputError: `certificate_status_differs`.
    """
    if certificate.get("credentialStatus") != entries:
        raise InvalidInputError(
            "certificate_status_differs",
            "the certificate does not name the place in the status lists that was given out for it",
            zh="证书所载状态列表位置与分配的不符",
            expected=entries,
            got=certificate.get("credentialStatus"),
            hint="ask for it first, as `marketplace rights confirm` does",
            hint_zh="请先请求分配，见 `marketplace rights confirm`",
        )


def _issuer(certificate: Document) -> str:
    issuer = certificate.get("issuer")
    return str(issuer.get("id") if isinstance(issuer, Mapping) else issuer)


def _subject(certificate: Document) -> str:
    """The asset id at the end of the subject's URN."""
    subject = certificate.get("credentialSubject")
    return str(subject.get("id", "") if isinstance(subject, Mapping) else "").rpartition(":")[2]
