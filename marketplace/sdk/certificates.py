"""The registrar's certificate of a data asset: a W3C Verifiable Credential 2.0 with an eddsa-jcs-2022 proof.

What makes it the registrar's: its digest stands in the Confirm that the registrar signed, and so on the ledger; the
did:key inside only says which key made the proof.
"""

from collections.abc import Mapping
from typing import Any

from crypto import canonical, credential
from crypto.errors import CryptoError
from marketplace import documents
from marketplace.documents import Document
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.procedures import Kind
from marketplace.rights.certificates import capacity_of
from marketplace.rights.standing import check_signature
from marketplace.rights.status_lists import CONTEXTS, place_of
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client

TYPE = "DataRightsCertificate"
BOUND = ("holder", "manifestDigest", "ciphertextRoot", "claimDigest")


def issue(
    client: Client,
    asset: Mapping[str, Any],
    manifest: Document,
    claim: Document,
    *,
    term: tuple[int, int],
    entries: list[Document],
    code: str,
    kind: Kind,
    annex: Document,
) -> dict[str, Any]:
    """Sign the certificate of `asset` with this registrar's Ed25519 key.

    Args:
        asset, claim: as they are once its case is certified.
        term: the deposit's moment, when the registration took effect, and the end that the Confirm states; unix
            seconds.
        entries: its place in the status lists, `credentialStatus`.
        code: its 15-character registration code.
        kind: of the registration that it ends.
        annex: inputs and remarks (rights.remarks); a certificate says nothing of what there is none of.
    Raises:
        VerificationError: `status_issuer_differs`: the lists would not be signed by the pinned log key.
    """
    key = client.keys.ed25519
    subject = {
        "id": f"urn:marketplace:asset:{asset['assetId']}",
        "assetId": asset["assetId"],
        "title": manifest["title"],
        "registrationCode": code,
        "registrationKind": kind.name,
    }
    subject |= {name: asset[name] for name in BOUND}
    subject |= {name: claim[name] for name in ("level", "sourceClass", "origin", "rights", "shares")}
    subject |= {name: told for name, told in annex.items() if told}
    document = {
        "@context": CONTEXTS,
        "id": f"urn:marketplace:certificate:{asset['assetId']}",
        "type": ["VerifiableCredential", TYPE],
        "issuer": {
            "id": credential.did_key(key.public_key().public_bytes_raw()),
            "account": client.address,
            **capacity_of(code),
        },
        "validFrom": documents.iso_time(term[0]),
        "validUntil": documents.iso_time(term[1]),
        "credentialStatus": entries,
        "credentialSubject": subject,
    }
    pinned = credential.did_key(canonical.from_hex(client.profile.pin.log_key, 32))
    expect(place_of(document)[1], pinned, "status_issuer_differs", "rights.lists_are_signed_by_the_log")
    return credential.issue(document, key, created=client.now())


def digest(certificate: Mapping[str, Any]) -> str:
    """Name of a certificate, proof included: SHA-256 of its canonical form."""
    return documents.digest(certificate)


def verify(certificate: Mapping[str, Any], asset: Mapping[str, Any]) -> bytes:
    """Check a certificate against its own proof and against the register, whenever its term is.

    An earlier certificate is authentic too; that it is superseded is for the status lists to say.

    Args:
        asset: the asset as the ledger says.
    Returns:
        the registrar's Ed25519 key, for which the registrar's signature on the ledger vouches.
    Raises:
        VerificationError: `certificate_unverified`, or it is not what the registrar confirmed.
    """
    name, present = digest(certificate), asset["certificateDigest"]
    entry = asset["registration"] or {"superseded": (), "depositedAt": 0}
    deposits = {item["certificateDigest"]: item["depositedAt"] for item in entry["superseded"]}
    earlier = name in deposits
    expect(name if not earlier else present, present, "certificate_not_confirmed", "rights.certificate_is_confirmed")
    try:
        public = credential.public_of_did_key(certificate["issuer"]["id"])
        began, until = check_signature(certificate, public)
        subject = certificate["credentialSubject"]
        stated = {name: subject[name] for name in ("assetId", *BOUND)}
    except (CryptoError, InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise VerificationError(
            "certificate_unverified", f"the certificate does not verify: {error}", zh="登记凭证验证未通过"
        ) from error
    rule = "rights.certificate_says_what_the_register_says"
    fixed = [item for item in stated if not (earlier and item == "holder")]
    expect({i: stated[i] for i in fixed}, {i: asset[i] for i in fixed}, "certificate_says_otherwise", rule)
    if began < (deposited := deposits.get(name, entry["depositedAt"])):
        raise VerificationError(
            "certificate_before_deposit",
            "the certificate is valid from before the deposit, at which the registration took effect",
            zh="证书生效时间早于登记生效的存证时间",
            rule="registrations.effect_from_the_deposit",
            expected=f"from {documents.iso_time(deposited)}",
            got=documents.iso_time(began),
        )
    if not earlier:
        expect(until, asset["validUntil"], "certificate_says_otherwise", rule)
    return public


def asset_of(certificate: Mapping[str, Any]) -> str:
    """The id of the asset that a certificate is about.

    Raises:
        InvalidInputError: `certificate_malformed`.
    """
    try:
        return canonical.to_hex(canonical.from_hex(certificate["credentialSubject"]["assetId"], 32))
    except (CryptoError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "certificate_malformed", f"this is no certificate of a data asset: {error}", zh="不是数据资产登记证书"
        ) from error
