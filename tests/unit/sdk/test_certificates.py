"""The registrar's certificate: what it binds, and what makes a reader refuse it."""

from typing import Any

import pytest

from marketplace import documents
from marketplace.errors import VerificationError
from marketplace.rights.certificates import check_certificate
from marketplace.sdk import certificates, rights
from tests.unit.sdk.exchange import NOW, Exchange, keys
from tests.unit.sdk.test_queries import ASSET, MANIFEST, SUPPLIER

REGISTRAR = keys(21)
UNTIL = NOW + 86400
CLAIM = rights.make_claim(
    MANIFEST,
    level="GENERAL_1",
    source_class="COLLECTED_GENERATED",
    origin="ENTERPRISE",
    shares=[(SUPPLIER.address, 10_000)],
)


def _issued() -> tuple[dict[str, Any], dict[str, Any]]:
    asset: dict[str, Any] = {"assetId": ASSET, "holder": SUPPLIER.address}
    asset |= {"manifestDigest": documents.digest(MANIFEST), "ciphertextRoot": rights.ciphertext_root(MANIFEST)}
    asset |= {"claimDigest": documents.digest(CLAIM), "validUntil": UNTIL}
    with Exchange().client(REGISTRAR) as client:
        certificate = certificates.issue(client, asset, MANIFEST, CLAIM, UNTIL)
    return certificate, asset | {"certificateDigest": certificates.digest(certificate)}


def test_what_the_registrar_issues_the_service_and_every_reader_accept() -> None:
    certificate, asset = _issued()
    certificates.verify(certificate, asset, NOW)
    check_certificate(certificate, {name: asset[name] for name in ("certificateDigest", "validUntil", "assetId")}, NOW)


def test_another_certificate_than_the_confirmed_one_is_refused() -> None:
    certificate, asset = _issued()
    certificate["credentialSubject"]["holder"] = REGISTRAR.address
    with pytest.raises(VerificationError) as caught:
        certificates.verify(certificate, asset, NOW)
    assert caught.value.code == "certificate_differs"


def test_a_changed_certificate_is_refused_even_if_its_digest_was_confirmed() -> None:
    certificate, asset = _issued()
    certificate["credentialSubject"]["holder"] = REGISTRAR.address
    asset["certificateDigest"] = certificates.digest(certificate)
    with pytest.raises(VerificationError) as caught:
        certificates.verify(certificate, asset, NOW)
    assert caught.value.code == "certificate_invalid"


def test_an_expired_certificate_is_refused() -> None:
    certificate, asset = _issued()
    with pytest.raises(VerificationError) as caught:
        certificates.verify(certificate, asset, UNTIL + 1)
    assert caught.value.code == "certificate_invalid"


@pytest.mark.parametrize("name", ["holder", "claimDigest", "ciphertextRoot", "validUntil"])
def test_a_register_that_says_otherwise_is_noticed(name: str) -> None:
    certificate, asset = _issued()
    asset[name] = UNTIL + 5 if name == "validUntil" else "0x" + "77" * (20 if name == "holder" else 32)
    with pytest.raises(VerificationError) as caught:
        certificates.verify(certificate, asset, NOW)
    assert caught.value.code == "certificate_says_otherwise"
