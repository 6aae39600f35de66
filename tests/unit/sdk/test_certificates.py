"""The registrar's certificate: what it binds, and what makes a reader refuse it."""

from typing import Any

import pytest

from crypto.credential import did_key
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.procedures import Kind
from marketplace.rights.certificates import check_certificate, check_effect, check_registration
from marketplace.rights.status_lists import entries_of
from marketplace.sdk import certificates
from tests.certificates import CLAIM, CODE, REGISTRAR, UNTIL, asset, certificate, public
from tests.unit.sdk.exchange import NOW, Exchange
from tests.unit.sdk.test_queries import MANIFEST


def _issued() -> tuple[dict[str, Any], dict[str, Any]]:
    made = certificate()
    return made, asset() | {"certificateDigest": certificates.digest(made)}


def test_what_the_registrar_issues_the_service_and_every_reader_accept() -> None:
    made, found = _issued()
    certificates.verify(made, found)
    check_certificate(made, {name: found[name] for name in ("certificateDigest", "validUntil", "assetId")}, NOW)


def test_another_certificate_than_the_confirmed_one_is_refused() -> None:
    made, found = _issued()
    made["credentialSubject"]["holder"] = REGISTRAR.address
    with pytest.raises(VerificationError) as caught:
        certificates.verify(made, found)
    assert caught.value.code == "certificate_not_confirmed"


def test_a_changed_certificate_is_refused_even_if_its_digest_was_confirmed() -> None:
    made, found = _issued()
    made["credentialSubject"]["holder"] = REGISTRAR.address
    found["certificateDigest"] = certificates.digest(made)
    with pytest.raises(VerificationError) as caught:
        certificates.verify(made, found)
    assert caught.value.code == "certificate_unverified"


def test_the_registrars_key_is_given_back_whatever_the_day() -> None:
    made, found = _issued()
    assert certificates.verify(made, found) == public(REGISTRAR)


def test_a_registrar_signs_no_place_in_lists_of_another_key() -> None:
    entries = entries_of("https://exchange.test", did_key(public(REGISTRAR)), 0, 5)
    with Exchange().client(REGISTRAR) as client, pytest.raises(VerificationError) as caught:
        certificates.issue(
            client,
            asset(),
            MANIFEST,
            CLAIM,
            term=(NOW, UNTIL),
            entries=entries,
            code=CODE,
            kind=Kind.FIRST,
            annex={},
        )
    assert caught.value.code == "status_issuer_differs"


@pytest.mark.parametrize("is_earlier", [False, True])
def test_a_certificate_from_before_the_deposit_is_refused(is_earlier: bool) -> None:
    made, found = _issued()
    began = NOW - 60
    for deposited in (began - 1, began, began + 1):
        entry: dict[str, Any] = {"superseded": [], "depositedAt": deposited}
        told = found | {"registration": entry}
        if is_earlier:
            entry["superseded"] = [{"certificateDigest": certificates.digest(made), "depositedAt": deposited}]
            told |= {"certificateDigest": "0x" + "00" * 32, "registration": entry | {"depositedAt": NOW}}
        if deposited <= began:
            certificates.verify(made, told)
            continue
        with pytest.raises(VerificationError) as caught:
            certificates.verify(made, told)
        assert caught.value.code == "certificate_before_deposit"


def test_a_certificate_takes_effect_at_the_deposit_and_at_no_other_time() -> None:
    check_effect(certificate(), NOW - 60)
    for moment in (NOW - 61, NOW - 59, NOW):
        with pytest.raises(InvalidInputError) as caught:
            check_effect(certificate(), moment)
        assert caught.value.code == "certificate_differs"


def test_a_certificate_says_which_registration_it_ends_and_in_what_capacity_it_is_signed() -> None:
    check_registration(certificate(), Kind.FIRST, CODE)


@pytest.mark.parametrize(
    ("part", "name", "said"),
    [
        ("credentialSubject", "registrationKind", "RENEWAL"),
        ("credentialSubject", "registrationKind", None),
        ("credentialSubject", "registrationCode", "SJ3102026110002"),
        ("issuer", "role", "EXCHANGE"),
        ("issuer", "institution", "440"),
    ],
)
def test_a_certificate_of_another_kind_code_or_capacity_is_refused(part: str, name: str, said: str | None) -> None:
    made = certificate()
    made[part][name] = said
    with pytest.raises(InvalidInputError) as caught:
        check_registration(made, Kind.FIRST, CODE)
    assert caught.value.code == "certificate_differs"
    made["issuer"] = "did:key:z6Mk"
    with pytest.raises(InvalidInputError):
        check_registration(made, Kind.FIRST, CODE)


@pytest.mark.parametrize("change", [lambda item: item.pop("assetId"), lambda item: item.update(assetId="0x12")])
def test_what_is_about_no_asset_is_no_certificate(change: Any) -> None:
    made = certificate()
    change(made["credentialSubject"])
    with pytest.raises(InvalidInputError) as caught:
        certificates.asset_of(made)
    assert caught.value.code == "certificate_malformed"


@pytest.mark.parametrize("name", ["holder", "claimDigest", "ciphertextRoot", "validUntil"])
def test_a_register_that_says_otherwise_is_noticed(name: str) -> None:
    made, found = _issued()
    found[name] = UNTIL + 5 if name == "validUntil" else "0x" + "77" * (20 if name == "holder" else 32)
    with pytest.raises(VerificationError) as caught:
        certificates.verify(made, found)
    assert caught.value.code == "certificate_says_otherwise"
