"""The registrar's certificate of a data asset: a W3C Verifiable Credential 2.0 with an eddsa-jcs-2022 proof.

What makes it the registrar's: its digest stands in the Confirm that the registrar signed, and so on the ledger; the
did:key inside only says which key made the proof.
"""

from collections.abc import Mapping
from typing import Any

from crypto import credential
from crypto.errors import CryptoError
from marketplace import documents
from marketplace.documents import Document
from marketplace.errors import VerificationError
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client

CONTEXTS = [credential.CONTEXT, "https://www.w3.org/ns/credentials/undefined-terms/v2"]
TYPE = "DataRightsCertificate"
CLOCK_SKEW_SECONDS = 60  # so that a reader whose clock is a little behind accepts it at once
BOUND = ("holder", "manifestDigest", "ciphertextRoot", "claimDigest")


def issue(
    client: Client, asset: Mapping[str, Any], manifest: Document, claim: Document, valid_until: int
) -> dict[str, Any]:
    """Sign the certificate of `asset` with this registrar's Ed25519 key.

    Args:
        valid_until: unix seconds; the same as in the Confirm.
    """
    key = client.keys.ed25519
    now = client.now()
    subject = {
        "id": f"urn:marketplace:asset:{asset['assetId']}",
        "assetId": asset["assetId"],
        "title": manifest["title"],
    }
    subject |= {name: asset[name] for name in BOUND}
    subject |= {"level": claim["level"], "rights": claim["rights"], "shares": claim["shares"]}
    document = {
        "@context": CONTEXTS,
        "id": f"urn:marketplace:certificate:{asset['assetId']}",
        "type": ["VerifiableCredential", TYPE],
        "issuer": {"id": credential.did_key(key.public_key().public_bytes_raw()), "account": client.address},
        "validFrom": documents.iso_time(now - CLOCK_SKEW_SECONDS),
        "validUntil": documents.iso_time(valid_until),
        "credentialSubject": subject,
    }
    return credential.issue(document, key, created=now)


def digest(certificate: Mapping[str, Any]) -> str:
    """Name of a certificate, proof included: SHA-256 of its canonical form."""
    return documents.digest(certificate)


def verify(certificate: Mapping[str, Any], asset: Mapping[str, Any], now: int) -> None:
    """Check a certificate against its own proof and against the register.

    Args:
        asset: the asset as the ledger says.
        now: unix seconds at which it has to be valid.
    Raises:
        VerificationError: `certificate_invalid`, or it is not what the registrar confirmed.
    """
    expect(digest(certificate), asset["certificateDigest"], "certificate_differs", "rights.certificate_is_confirmed")
    try:
        public = credential.public_of_did_key(certificate["issuer"]["id"])
        document = credential.verify(certificate, public, now=now)
        subject = document["credentialSubject"]
        stated = {name: subject[name] for name in ("assetId", *BOUND)}
        until = documents.unix_seconds(document["validUntil"])
    except (CryptoError, KeyError, TypeError, ValueError) as error:
        raise VerificationError(
            "certificate_invalid", f"the certificate does not verify: {error}", zh="登记凭证验证未通过"
        ) from error
    rule = "rights.certificate_says_what_the_register_says"
    expect(stated, {name: asset[name] for name in stated}, "certificate_says_otherwise", rule)
    expect(until, asset["validUntil"], "certificate_says_otherwise", rule)
