"""Status lists of certificates (W3C Bitstring Status List 1.0): which lists there are, what a certificate says of its
place in them, and which bits follow from the ledger. Pure.

A certificate has one place, the same in four lists: `revocation` and `suspension` as the standard has them, `message`
for "superseded": a title or a share that it names moved on, and `dispute`, a purpose of our own: a late objection is
open. Certificates from before there was `dispute` name the first three. A registrar's acts and both sides' transfers
stand on the ledger; the exchange only repeats them, signed with the log's key, which every reader has pinned. The
certificate names that key, so that the registrar's signature says whose lists count.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import bitstring, credential
from crypto.errors import CryptoError
from marketplace.documents import Document, iso_time, unix_seconds
from marketplace.errors import InvalidInputError
from marketplace.refusals.reasons import reason_of
from marketplace.types import AssetStatus, TitleMark
from marketplace.words import Words

CONTEXTS = [credential.CONTEXT, "https://www.w3.org/ns/credentials/undefined-terms/v2"]
PURPOSES = ("revocation", "suspension", "message", "dispute")
BEFORE_DISPUTES = 3  # entries of a certificate from before the last purpose
MESSAGES = [{"status": "0x0", "message": "current 现行"}, {"status": "0x1", "message": "superseded 已被取代"}]
ENTRY, LIST = "BitstringStatusListEntry", "BitstringStatusListCredential"
LIFE_SECONDS = 86_400
CLOCK_SKEW_SECONDS = 60


def list_path(purpose: str, number: int) -> str:
    """Where the service keeps a list, below its public URL."""
    return f"/rights/status-lists/{purpose}/{number}"


def entries_of(base: str, issuer: str, number: int, position: int) -> list[Document]:
    """`credentialStatus` of a certificate.

    Args:
        base: the service's public URL.
        issuer: did:key of whoever signs the lists.
        number: of the list. position: in it, 0 to 131,071.
    """
    made = []
    for purpose in PURPOSES:
        url = base.rstrip("/") + list_path(purpose, number)
        entry: Document = {"id": f"{url}#{position}", "type": ENTRY, "statusPurpose": purpose}
        entry |= {"statusListIndex": str(position), "statusListCredential": url, "statusListIssuer": issuer}
        made.append(entry | ({"statusSize": 1, "statusMessage": MESSAGES} if purpose == "message" else {}))
    return made


def place_of(certificate: Mapping[str, Any]) -> tuple[str, str, int]:
    """(URL of the revocation list, issuer of the lists, position) that a certificate names.

    Raises:
        InvalidInputError: `certificate_status_malformed`: not exactly the entries that `entries_of` makes.
    """
    try:
        entries = certificate["credentialStatus"]
        first = entries[0]
        url, issuer, position = first["statusListCredential"], first["statusListIssuer"], int(first["statusListIndex"])
        base, _, number = url.rpartition(list_path("revocation", 0)[:-1])
        made = entries_of(base, issuer, int(number), position)
        if 0 <= position < bitstring.BITS and entries in (made, made[:BEFORE_DISPUTES]):
            return url, issuer, position
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        pass
    raise InvalidInputError(
        "certificate_status_malformed",
        "the certificate does not name its place in the status lists",
        zh="证书未载明其在状态列表中的位置",
        expected=Words(
            f"credentialStatus with one {ENTRY} for each of {', '.join(PURPOSES)}, all at one place",
            f"credentialStatus 就 {'、'.join(PURPOSES)} 各有一个 {ENTRY}，且位置相同",
        ),
    )


def is_marked(
    purpose: str, status: int, share_version: int, titles: Iterable[tuple[int, int]], *, disputes: int
) -> bool:
    """Whether the ledger says that a certificate's bit is set.

    Args:
        status: the asset's. share_version: the asset's; above 1 once a share moved.
        titles: (moves, marks) of the asset's first titles: how often each changed its holder, and types.TitleMark.
        disputes: late objections to the asset's entry whose mark is on.
    """
    if purpose == "dispute":
        return disputes > 0
    found = list(titles)
    if purpose == "message":
        moved = any(moves or marks & TitleMark.ENDED for moves, marks in found)
        return status >= AssetStatus.CONFIRMED and (share_version > 1 or moved)
    if purpose == "revocation":
        return status >= AssetStatus.REVOKED
    blocked = any(marks & TitleMark.ENCUMBRANCES for _, marks in found)
    return status == AssetStatus.SUSPENDED or (status == AssetStatus.CONFIRMED and blocked)


def make_list(
    key: Ed25519PrivateKey, base: str, purpose: str, number: int, *, marked: Iterable[int], height: int, now: int
) -> Document:
    """A signed list.

    Args:
        key: who signs. base: the service's public URL.
        marked: positions whose bit is set.
        height: number of the ledger's block that it follows from.
        now: unix seconds; it is good for a day.
    """
    url = base.rstrip("/") + list_path(purpose, number)
    subject: Document = {"id": f"{url}#list", "type": "BitstringStatusList", "statusPurpose": purpose}
    subject |= {"encodedList": bitstring.encode(marked), "ledgerBlock": height}
    document: Document = {
        "@context": CONTEXTS,
        "id": url,
        "type": ["VerifiableCredential", LIST],
        "issuer": credential.did_key(key.public_key().public_bytes_raw()),
        "validFrom": iso_time(now - CLOCK_SKEW_SECONDS),
        "validUntil": iso_time(now + LIFE_SECONDS),
        "credentialSubject": subject,
    }
    return credential.issue(document, key, created=now)


def read_list(document: Mapping[str, Any], *, url: str, purpose: str, issuer: str) -> bytes:
    """The bits of a list that `issuer` signed; whether it is of today is for the caller (`is_fresh`).

    Raises:
        InvalidInputError: `status_list_invalid`: another list or purpose, changed, or signed by somebody else.
    """
    try:
        began = unix_seconds(str(document["validFrom"]))
        if document["issuer"] != issuer:
            raise _invalid(
                Words(
                    f"it is signed by {document['issuer']}, and the certificate names {issuer}",
                    f"由 {document['issuer']} 签署，而证书所载为 {issuer}",
                )
            )
        content = credential.verify(document, credential.public_of_did_key(issuer), now=began)
        subject = content["credentialSubject"]
        stated = (content["id"], LIST in content["type"], subject["type"], subject["statusPurpose"])
        if stated != (url, True, "BitstringStatusList", purpose):
            raise _invalid(Words(f"expected the list {url} for {purpose}", f"应为 {url} 的 {purpose} 列表"))
        unix_seconds(str(content["validUntil"]))
        return bitstring.decode(subject["encodedList"])
    except (CryptoError, KeyError, TypeError, ValueError) as error:
        raise _invalid(reason_of(error)) from error


def signed_at(document: Mapping[str, Any]) -> int:
    """When a list or certificate that was verified was signed, as its signer says; unix seconds."""
    return unix_seconds(str(document["proof"]["created"]))


def is_fresh(document: Mapping[str, Any], now: int) -> bool:
    """Whether a list that `read_list` accepted is of use at `now`."""
    return unix_seconds(str(document["validFrom"])) <= now <= unix_seconds(str(document["validUntil"]))


def _invalid(reason: Words) -> InvalidInputError:
    return InvalidInputError(
        "status_list_invalid",
        f"the status list cannot be relied on: {reason.en}",
        zh=f"状态列表不可信：{reason.zh}",
        hint="fetch it again from the address in the certificate",
        hint_zh="请按证书所载地址重新获取",
    )
