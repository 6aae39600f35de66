"""What follows from the kinds of registration after the first, over HTTP."""

import time
from typing import Any

import pytest

from marketplace.documents import LEVELS, unix_seconds
from marketplace.errors import MarketplaceError, RuleError
from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.registrations import forms
from marketplace.rights.standing import judge
from marketplace.rulebooks.calendar import days
from marketplace.sdk import certificates, identifiers, registrations, rights, titles
from marketplace.sdk.client import Client
from marketplace.sdk.titles import Wish
from marketplace.types import AssetStatus, TitleKind
from tests.integration.service.test_registrations import refused
from tests.integration.service.town import BUDGET, Town
from tests.registering import PUBLIC_FIELDS

DAY = 86_400


def made(town: Town, name: str, **how: Any) -> str:
    """A confirmed asset of one test alone: the town's data under another title."""
    manifest = {**town.facts["dataset"].manifest, "title": {"en": name, "zh": "登记类型测试"}}
    town["supplier"].put_document(manifest)
    return town.register(manifest, **how)


def standing(town: Town, certificate: Any) -> str:
    return rights.get_standing(town["rival"], certificate).code


def present(town: Town, asset: str) -> Any:
    return rights.get_certificate(town["rival"], asset)


def test_a_renewal_extends_the_term_and_supersedes_the_certificate(town: Town) -> None:
    asset = made(town, "renewal", term=days(90))
    form, before = town.later_form(asset, Kind.RENEWAL), present(town, asset)
    entry = rights.get_asset(town["rival"], asset)
    assert refused(lambda: town.deposit_case(asset, Kind.RENEWAL, {**form, "certificateCode": "SJ3102026010001"})) == (
        "form_field"
    )
    town.deposit_case(asset, Kind.RENEWAL, form)
    assert refused(lambda: rights.confirm(town["registrar"], asset, days(6 * 365))) == "certificate_term"
    code = rights.confirm(town["registrar"], asset, days(400))["code"]
    after = rights.get_asset(town["rival"], asset)
    assert after["validUntil"] > entry["validUntil"] + 300 * DAY
    assert after["registration"]["code"] == code != entry["registration"]["code"]
    assert after["registration"]["formDigest"] == entry["registration"]["formDigest"]
    assert [standing(town, item) for item in (before, present(town, asset))] == [
        "certificate_superseded",
        "certificate_valid",
    ]
    for certificate, case in ((before, entry["registration"]), (present(town, asset), after["registration"])):
        assert unix_seconds(certificate["validFrom"]) == case["depositedAt"]
    assert [item["depositedAt"] for item in after["registration"]["superseded"]] == [
        entry["registration"]["depositedAt"]
    ]
    shown = identifiers.resolve(town["rival"], certificates.digest(before))
    assert (shown["status"], shown["until"]["block"]) == ("superseded", after["event"]["block"])
    titles.accept(
        town["collector"],
        titles.offer_transfer(town["supplier"], titles.root(asset, TitleKind.OPERATE), town["collector"].address),
    )
    assert standing(town, present(town, asset)) == "certificate_superseded"


def test_a_renewal_is_asked_for_in_the_rulebook_s_window(town: Town) -> None:
    # Six months are at most 184 days; the ledger, which knows no months, lets 186 pass.
    for left in (185, 300):
        asset = made(town, f"{left} days before its end", term=days(left))
        form = town.later_form(asset, Kind.RENEWAL)
        assert refused(lambda: town.deposit_case(asset, Kind.RENEWAL, form)) == "renewal_not_open"  # noqa: B023


def test_an_entry_lapses_by_itself(town: Town) -> None:
    asset = made(town, "lapse")
    certificate = present(town, asset)
    lists, issuer = (
        rights.get_status_lists(town["rival"], certificate),
        certificates.verify(certificate, rights.get_asset(town["rival"], asset)),
    )
    assert judge(certificate, lists, issuer=issuer, now=int(time.time()) + 366 * DAY).code == "certificate_expired"


def test_a_change_replaces_form_and_certificate(town: Town) -> None:
    asset = made(town, "change")
    before, entry = present(town, asset), rights.get_asset(town["rival"], asset)
    form = town.later_form(asset, Kind.CHANGE)
    assert refused(lambda: town.deposit_case(asset, Kind.CHANGE, form, non_publication=None)) == "case_notice_required"
    registrations.act(town["supplier"], latest(town, asset), Step.WITHDRAW, "once more")
    case = town.deposit_case(asset, Kind.CHANGE, {**form, "after": "rows of two airports"})
    rights.confirm(town["registrar"], asset)
    after = rights.get_asset(town["rival"], asset)
    assert after["validUntil"] == entry["validUntil"]
    assert after["registration"]["certifiedCase"] == case
    assert after["registration"]["formDigest"] != entry["registration"]["formDigest"]
    assert [standing(town, item) for item in (before, present(town, asset))] == [
        "certificate_superseded",
        "certificate_valid",
    ]


def latest(town: Town, asset: str) -> str:
    return str(rights.get_asset(town["rival"], asset)["registration"]["latestCase"])


def test_public_data_are_corrected_without_notice(town: Town) -> None:
    asset = made(town, "correction", origin="PUBLIC")
    form = town.later_form(asset, Kind.CORRECTION)
    assert refused(lambda: town.deposit_case(asset, Kind.CORRECTION, form)) == "form_field"
    how = {"procedure": Procedure.PUBLIC_DATA, "deposit": "city archive 1", "non_publication": None}
    town.deposit_case(asset, Kind.CORRECTION, form, **how)
    rights.confirm(town["registrar"], asset)
    assert standing(town, present(town, asset)) == "certificate_valid"


def test_public_data_are_not_taken_up_without_product_scenario_and_risk_assessment(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does a client sign such a form, nor the service take it from one that does."""
    supplier = town["supplier"]
    manifest = {**town.facts["dataset"].manifest, "title": {"en": "of the city", "zh": "公共数据"}}
    supplier.put_document(manifest)
    origin: dict[str, Any] = {"source_class": "COLLECTED_GENERATED", "origin": "PUBLIC", "level": LEVELS[1]}
    claim = rights.make_claim(manifest, shares=[(supplier.address, 10_000)], **origin)
    asset = rights.register(supplier, manifest, claim, BUDGET)["assetId"]
    how: dict[str, Any] = {"procedure": Procedure.PUBLIC_DATA, "deposit": "city archive 1"}

    def file(fields: dict[str, str]) -> Any:
        return registrations.file(supplier, asset, Kind.FIRST, fields, **how)["caseId"]

    def unchecked(fields: dict[str, str]) -> Any:
        make = forms.make_form
        with monkeypatch.context() as patched:
            patched.setattr(
                forms, "make_form", lambda *a, **k: make(*a, **k | {"fields": PUBLIC_FIELDS}) | {"fields": fields}
            )
            return file(fields)

    for name in ("productService", "scenario", "riskAssessment"):
        left = {key: value for key, value in PUBLIC_FIELDS.items() if key != name}
        for way in (file, unchecked):
            with pytest.raises(MarketplaceError, match=f"the field {name} "):
                way(left)
    assert file(PUBLIC_FIELDS)


def test_a_transfer_hands_the_entry_over(town: Town) -> None:
    asset, rival = made(town, "transfer"), town["rival"]
    before, form = present(town, asset), town.later_form(asset, Kind.TRANSFER)
    hold = titles.root(asset, TitleKind.HOLD)
    offer = titles.offer_transfer(town["supplier"], hold, rival.address)
    assert refused(lambda: titles.accept(rival, offer)) == "title_not_transferable"
    listing = town.list_product(asset)
    stranger = town["nobody who ever joined"].address
    with pytest.raises(RuleError) as nobody:
        registrations.file(town["supplier"], asset, Kind.TRANSFER, form, counterparty=stranger)
    assert (nobody.value.code, nobody.value.got) == ("participant_not_active", stranger)
    town.deposit_case(asset, Kind.TRANSFER, form, counterparty=rival.address)
    assert refused(lambda: granted(town["supplier"], town["buyer"], asset)) == "case_titles_passing"
    assert refused(lambda: town.list_product(asset, price=7)) == "case_titles_passing"
    assert refused(lambda: town.fund(listing)) == "case_titles_passing"
    rights.confirm(town["registrar"], asset)
    after = rights.get_asset(rival, asset)
    assert after["holder"] == after["registration"]["holder"] == rival.address
    assert {title["holder"] for title in after["titles"]} == {rival.address}
    certificate = present(town, asset)
    assert certificate["credentialSubject"]["holder"] == rival.address
    assert {right["holder"] for right in certificate["credentialSubject"]["rights"]} == {rival.address}
    assert [standing(town, item) for item in (before, certificate)] == ["certificate_superseded", "certificate_valid"]
    assert refused(
        lambda: registrations.file(town["supplier"], asset, Kind.CHANGE, town.later_form(asset, Kind.CHANGE))
    ) == ("case_not_party")


def granted(grantor: Client, grantee: Client, asset: str) -> str:
    """A sub-operator's title out of the root to operate."""
    wish = Wish(grantee.address, TitleKind.OPERATE, 10 * DAY)
    offer = titles.offer_grant(grantor, titles.root(asset, TitleKind.OPERATE), wish)
    return str(titles.accept(grantee, offer)["titleId"])


def test_a_cancellation_ends_entry_and_listings_once_nobody_else_holds_a_title(town: Town) -> None:
    asset, registrar = made(town, "cancellation"), town["registrar"]
    listing, certificate = town.list_product(asset), present(town, asset)
    part, form = granted(town["supplier"], town["buyer"], asset), town.later_form(asset, Kind.CANCELLATION)
    how: dict[str, Any] = {"non_publication": None}
    assert refused(lambda: town.deposit_case(asset, Kind.CANCELLATION, form, **how)) == "title_in_use"
    titles.surrender(town["buyer"], part, "paid off")
    case = town.facts["case"]
    registrations.act(registrar, case, Step.END, "nobody else holds a title any more")
    assert registrations.get_case(town["registrar"], case)["state"] == CaseState.ENDED
    assert rights.get_asset(town["rival"], asset)["status"] == AssetStatus.CANCELLED
    assert standing(town, certificate) == "certificate_revoked"
    assert refused(lambda: town.fund(listing)) == "asset_status"
    shown = identifiers.resolve(town["rival"], certificates.digest(certificate))
    assert shown["status"] == "cancelled"
    assert refused(lambda: town.deposit_case(asset)) == "case_asset"
    again = town.register(town.seal().manifest)  # sealed anew, as the refusal says
    assert again != asset
    assert rights.get_asset(town["rival"], again)["status"] == AssetStatus.CONFIRMED


def test_a_revocation_hears_the_holder_first(town: Town) -> None:
    asset, registrar = made(town, "revocation"), town["registrar"]
    form = town.later_form(asset, Kind.REVOCATION)
    assert refused(lambda: rights.mark(registrar, asset, AssetStatus.REVOKED, "at once")) == "asset_mark"
    filed = registrations.file(registrar, asset, Kind.REVOCATION, form, procedure=Procedure.REVOCATION)
    case = str(filed["caseId"])
    assert refused(lambda: registrations.act(registrar, case, Step.END, "unheard")) == "case_step"
    assert {step["name"] for step in registrations.get_case(town["supplier"], case)["open"]} == {
        *("REPLY", "ACCEPT_BY_SILENCE", "WITHDRAW"),
    }
    assert refused(lambda: registrations.get_case(town["rival"], case)) == "case_unknown"
    while registrar.now() <= registrations.get_case(registrar, case)["dueAt"]:
        time.sleep(0.1)
    registrations.expire(registrar, case)
    registrations.act(registrar, case, Step.END, "false proof of source")
    assert standing(town, present(town, asset)) == "certificate_revoked"
    assert rights.get_asset(town["rival"], asset)["status"] == AssetStatus.REVOKED


@pytest.mark.parametrize("account", ["supplier", "rival"])
def test_nobody_but_a_registrar_without_a_part_revokes(town: Town, account: str) -> None:
    asset = town.facts["asset"]
    form = town.later_form(asset, Kind.REVOCATION)
    call = lambda: registrations.file(town[account], asset, Kind.REVOCATION, form, procedure=Procedure.REVOCATION)  # noqa: E731
    assert refused(call) == "participant_not_active"


__all__ = ["latest", "made"]
