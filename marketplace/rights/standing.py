"""What a certificate is worth at a moment: valid, revoked, suspended, superseded, expired, or not known. Pure, offline.

Nothing is looked up: the caller brings the certificate, the lists, the issuer's key it trusts, and the time. Without a
list of today, signed after the certificate, nobody can say "valid", so nothing here does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto import bitstring, credential
from crypto.errors import CryptoError
from marketplace.documents import iso_time, unix_seconds
from marketplace.errors import InvalidInputError
from marketplace.refusals.reasons import reason_of
from marketplace.rights.status_lists import is_fresh, list_path, place_of, read_list, signed_at

VALID = "certificate_valid"
UNCHECKED = "certificate_status_unchecked"
EARLY, STALE, UNKNOWN = "certificate_status_early", "certificate_status_stale", "certificate_status_unknown"
OPEN = (EARLY, STALE, UNKNOWN)
"""Verdicts that leave a certificate's status open for want of lists."""
DISPUTED = ("disputed: an objection to the registration is open", "存在争议：对该登记的异议尚未处理完毕")
WORDS: dict[str, tuple[str, str]] = {
    VALID: ("valid", "有效"),
    "certificate_revoked": ("revoked or cancelled", "已撤销或注销"),
    "certificate_superseded": (
        "superseded: a later certificate stands, or a title or share it names has moved",
        "已被取代：另有新证，或所载权利、份额已变动",
    ),
    "certificate_expired": ("expired", "已过期"),
    "certificate_suspended": ("suspended, or a title is seized or under control", "已暂停，或权利被查封、管控"),
    "certificate_not_yet_valid": ("not valid yet", "尚未生效"),
    STALE: ("authentic; the status lists are out of date", "真实；状态列表已过期"),
    EARLY: (
        "authentic; status unknown: a status list from before the certificate says nothing of it",
        "真实；状态未知：状态列表早于证书，不能说明其状态",
    ),
    UNKNOWN: ("authentic; a status list is missing", "真实；缺少状态列表，效力未知"),
    UNCHECKED: ("authentic and in its term; its status was not asked for", "真实且在有效期内；未查询状态"),
}


@dataclass(frozen=True)
class Standing:
    """A verdict.

    Args:
        code: one of WORDS.
        as_of: when the lists that it rests on were signed, of the oldest; unix seconds, None where none was used.
        disputed: whether a late objection to the registration is open, a warning that leaves the verdict as it is;
            None where the certificate names no list of that, or the list is not at hand.
        since: from when on lists speak of the certificate: its beginning or its signing, whichever is later; unix
            seconds.
    """

    code: str
    as_of: int | None = None
    disputed: bool | None = None
    since: int | None = None

    @property
    def words(self) -> tuple[str, str]:
        """In English and in Chinese, with the dates where they decide, and the warning."""
        english, chinese = WORDS[self.code]
        if self.code in (EARLY, STALE) and self.as_of is not None and self.since is not None:
            signed, made = iso_time(self.as_of), iso_time(self.since)
            english += f" (list of {signed}, certificate of {made})"
            chinese += f"（列表签署于 {signed}，证书始于 {made}）"
        return (f"{english}; {DISPUTED[0]}", f"{chinese}；{DISPUTED[1]}") if self.disputed else (english, chinese)


def judge(
    certificate: Mapping[str, Any],
    lists: Sequence[Mapping[str, Any]],
    *,
    issuer: bytes,
    now: int,
    unchecked: bool = False,
) -> Standing:
    """What `certificate` is worth at `now`.

    Args:
        lists: status list credentials; those of other certificates are passed over.
        issuer: the registrar's Ed25519 key, 32 bytes, that the caller trusts.
        now: unix seconds.
        unchecked: settle for a certificate's authenticity and term where no list is at hand; never makes it "valid".
    Raises:
        InvalidInputError: `certificate_invalid`: not signed by that key, or changed; `certificate_status_malformed`;
            `status_list_invalid`: a list for this certificate that is not its issuer's, or was changed.
    """
    began, ended = check_signature(certificate, issuer)
    since = max(began, signed_at(certificate))
    at_hand = _read(certificate, lists)
    found = {purpose: listed for purpose, listed in at_hand.items() if listed.signed >= since}
    marked = {purpose for purpose, listed in found.items() if listed.is_set}
    checks = (
        ("certificate_revoked", "revocation" in marked),
        ("certificate_superseded", "message" in marked),
        ("certificate_expired", now > ended),
        ("certificate_suspended", "suspension" in marked),
        ("certificate_not_yet_valid", now < began),
        (UNCHECKED, unchecked and not at_hand),
        (EARLY, len(found) < len(at_hand)),
        (UNKNOWN, len(found) < len(certificate["credentialStatus"])),
        (STALE, not all(is_fresh(listed.document, now) for listed in found.values())),
    )
    code = next((code for code, holds in checks if holds), VALID)
    rests_on = (at_hand if code == EARLY else found).values()
    as_of = min((listed.signed for listed in rests_on), default=None)
    return Standing(code, as_of, found["dispute"].is_set if "dispute" in found else None, since)


def check_signature(certificate: Mapping[str, Any], issuer: bytes) -> tuple[int, int]:
    """The term of a certificate that `issuer` signed, unix seconds; whenever that is.

    Raises:
        InvalidInputError: `certificate_invalid`.
    """
    try:
        began, ended = (unix_seconds(str(certificate[name])) for name in ("validFrom", "validUntil"))
        credential.verify(certificate, issuer, now=began)
    except (CryptoError, KeyError, ValueError, TypeError) as error:
        raise InvalidInputError(
            "certificate_invalid",
            f"the certificate does not verify: {reason_of(error).en}",
            zh=f"证书验证未通过：{reason_of(error).zh}",
            got=str(error),
            hint="ask whoever gave it to you for the original file; check the issuer's key",
            hint_zh="请向出示者索取原件，并核对签发方公钥",
        ) from error
    return began, ended


@dataclass(frozen=True)
class _Listed:
    """What a list says of a certificate: whether its bit is set, and when that was signed, unix seconds."""

    document: Mapping[str, Any]
    is_set: bool
    signed: int


def _read(certificate: Mapping[str, Any], lists: Sequence[Mapping[str, Any]]) -> dict[str, _Listed]:
    """By purpose, what the latest list at hand says."""
    _, signer, position = place_of(certificate)
    found: dict[str, _Listed] = {}
    for entry in certificate["credentialStatus"]:
        purpose, url = entry["statusPurpose"], entry["statusListCredential"]
        for document in lists:
            if document.get("id") == url:
                bits = read_list(document, url=url, purpose=purpose, issuer=signer)
                listed = _Listed(document, bitstring.is_set(bits, position), signed_at(document))
                found[purpose] = max(found.get(purpose, listed), listed, key=lambda each: each.signed)
    return found


def list_paths(certificate: Mapping[str, Any]) -> list[str]:
    """Where the service keeps the lists of a certificate, below its URL.

    Raises:
        InvalidInputError: `certificate_status_malformed`.
    """
    url, _, _ = place_of(certificate)
    number = int(url.rpartition("/")[2])
    return [list_path(entry["statusPurpose"], number) for entry in certificate["credentialStatus"]]
