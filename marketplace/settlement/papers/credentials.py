"""A paper as a W3C Verifiable Credential 2.0 (eddsa-jcs-2022), signed by the exchange with the log's key, which every
reader has pinned.

A paper tells of the past and is never revoked, so it has no status and no end. The credential names the paper's digest:
the same paper issued twice is the same paper.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import credential
from crypto.errors import CryptoError
from marketplace.documents import Document, digest, iso_time
from marketplace.errors import VerificationError
from marketplace.refusals.reasons import reason_of
from marketplace.words import Words

CONTEXTS = [credential.CONTEXT, "https://www.w3.org/ns/credentials/undefined-terms/v2"]
TYPES = {"account_statement": "AccountStatement", "invoice": "Invoice", "trade_voucher": "TradeVoucher"}
CLOCK_SKEW_SECONDS = 60  # so that a reader whose clock is a little behind accepts it at once


def issue_paper(paper: Document, key: Ed25519PrivateKey, now: int) -> Document:
    """Sign a paper.

    Args:
        paper: of one of TYPES.
        key: the log's.
        now: unix seconds.
    """
    name = digest(paper)
    document = {
        "@context": CONTEXTS,
        "id": f"urn:marketplace:paper:{name}",
        "type": ["VerifiableCredential", TYPES[paper["type"]]],
        "issuer": credential.did_key(key.public_key().public_bytes_raw()),
        "validFrom": iso_time(now - CLOCK_SKEW_SECONDS),
        "credentialSubject": {"id": f"urn:marketplace:paper:{name}", "digest": name, "paper": paper},
    }
    return credential.issue(document, key, created=now)


def paper_of(signed: Mapping[str, Any], public: bytes, now: int) -> Document:
    """The paper in a credential that `public`, the log's key that the caller trusts, signed.

    Args:
        now: unix seconds.
    Raises:
        VerificationError: `paper_invalid`.
    """
    try:
        document = credential.verify(signed, public, now=now)
        subject = document["credentialSubject"]
        paper: Document = subject["paper"]
        holds = subject["digest"] == digest(paper) and TYPES[paper["type"]] in document["type"]
    except (CryptoError, KeyError, TypeError) as error:
        raise _invalid(reason_of(error)) from error
    if not holds:
        raise _invalid(Words("its digest or type is not its paper's", "所载摘要或类型与凭证不符"))
    return paper


def _invalid(reason: Words) -> VerificationError:
    return VerificationError(
        "paper_invalid",
        f"the paper was not signed by this exchange, or it was changed: {reason.en}",
        zh=f"该凭证并非由本机构签发，或已被改动：{reason.zh}",
        rule="settlement.papers_are_signed_by_the_log",
        hint="ask whoever gave it to you for the original file, or the exchange for the paper",
        hint_zh="请向出示者索取原件，或向交易机构重新获取",
    )
