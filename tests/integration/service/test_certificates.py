"""Certificates over HTTP: their place in public status lists, and what marks on the ledger make of them."""

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest

from crypto import bitstring, credential
from crypto.canonical import canonical_json, load_json
from crypto.credential import public_of_did_key
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import digest
from marketplace.errors import InvalidInputError, MarketplaceError, NotFoundError, RuleError, VerificationError
from marketplace.rights.standing import judge
from marketplace.rights.status_lists import PURPOSES
from marketplace.sdk import certificates, evidence, listings, rights, titles
from marketplace.sdk.certificate_files import read_certificate
from marketplace.types import AssetStatus, TitleKind
from tests.integration.service.town import Town
from tests.memory import MemoryBundle


@pytest.fixture
def asset(town: Town, request: pytest.FixtureRequest) -> str:
    """A confirmed asset of this test alone: the town's data under another title."""
    title = {"en": request.node.name[:80], "zh": "凭证测试"}
    manifest = {**town.facts["dataset"].manifest, "title": title}
    town["supplier"].put_document(manifest)
    return town.register(manifest)


def _standing(town: Town, asset: str) -> str:
    reader = town["rival"]
    return rights.get_standing(reader, rights.get_certificate(reader, asset)).code


def test_a_certificate_lives_through_suspension_to_revocation(town: Town, asset: str) -> None:
    registrar = town["registrar"]
    assert _standing(town, asset) == "certificate_valid"
    rights.mark(registrar, asset, AssetStatus.SUSPENDED, "late objection")
    assert _standing(town, asset) == "certificate_suspended"
    with pytest.raises(RuleError) as caught:
        listings.create(town["supplier"], _terms(town, asset))
    assert caught.value.code == "asset_status"
    rights.mark(registrar, asset, AssetStatus.CONFIRMED, "objection settled")
    assert _standing(town, asset) == "certificate_valid"
    town.revoke(asset)
    assert _standing(town, asset) == "certificate_revoked"
    with pytest.raises(RuleError) as caught:
        rights.mark(registrar, asset, AssetStatus.CONFIRMED, "never mind")
    assert (caught.value.code, bool(caught.value.zh)) == ("asset_mark", True)


def _terms(town: Town, asset: str) -> Any:
    given: dict[str, Any] = {"title": None, "computations": ["COUNT"], "purposes": ["TRANSPORT"], "regions": ["CN"]}
    given |= {"price": 1, "epsilon_per_query_max": 1000, "minimum_cohort": None, "nodes": [], "threshold": 2}
    return listings.make_terms(town["supplier"], asset, **given, term_end=int(time.time()) + 86400)


def test_whoever_takes_a_title_or_a_share_supersedes_the_certificate(town: Town, asset: str) -> None:
    offer = titles.offer_transfer(town["supplier"], titles.root(asset, TitleKind.OPERATE), town["collector"].address)
    titles.accept(town["collector"], offer)
    assert _standing(town, asset) == "certificate_superseded"


def test_only_registrars_mark_and_reserve(town: Town, asset: str) -> None:
    for act in (
        lambda: rights.mark(town["buyer"], asset, AssetStatus.SUSPENDED, "envy"),
        lambda: town["buyer"].post(f"/rights/assets/{asset}/status-place", {}),
    ):
        with pytest.raises(MarketplaceError) as caught:
            act()
        assert caught.value.code in ("participant_not_active", "role_missing")


def test_a_place_is_given_once_and_at_random(town: Town, asset: str) -> None:
    path = f"/rights/assets/{asset}/status-place"
    given = rights.get_certificate(town["rival"], asset)["credentialStatus"]
    assert town["registrar"].post(path, {}) == given
    other = rights.get_certificate(town["rival"], town.facts["asset"])["credentialStatus"]
    assert given[0]["statusListIndex"] != other[0]["statusListIndex"]
    with pytest.raises(NotFoundError):
        town["registrar"].post(f"/rights/assets/{'0x' + '5a' * 32}/status-place", {})


def test_a_certificate_without_its_place_is_not_confirmed(town: Town, asset: str) -> None:
    certificate = rights.get_certificate(town["rival"], asset)
    body = {name: value for name, value in certificate.items() if name not in ("proof", "credentialStatus")}
    registrar = town["registrar"]
    found = rights.get_asset(registrar, asset)
    bare = credential.issue(body, registrar.keys.ed25519, created=registrar.now())
    message = {
        "assetId": asset,
        "claimDigest": found["claimDigest"],
        "certificateDigest": digest(bare),
        "code": "0x" + "00" * 32,
        "rights": 7,
    }
    message |= {"validUntil": found["validUntil"], "registrar": registrar.address, "version": 1}
    message |= {"deadline": registrar.deadline()}
    with pytest.raises(InvalidInputError) as caught:
        registrar.submit(
            "/rights/confirmations",
            {"confirm": message, "signature": registrar.sign("Confirm", message), "certificate": bare},
        )
    assert caught.value.code == "certificate_status_differs"


def test_lists_are_public_and_enough_to_judge_offline(town: Town, asset: str, http: httpx.Client) -> None:
    certificate = http.get(f"/rights/assets/{asset}/certificate").json()
    lists = [http.get(f"/rights/status-lists/{name}/0").json() for name in PURPOSES]
    assert [entry["statusListCredential"] for entry in certificate["credentialStatus"]] == [i["id"] for i in lists]
    assert all(len(bitstring.decode(item["credentialSubject"]["encodedList"])) == 16384 for item in lists)
    issuer = public_of_did_key(certificate["issuer"]["id"])
    assert judge(certificate, lists, issuer=issuer, now=int(time.time())).code == "certificate_valid"
    for path in ("/rights/status-lists/refresh/0", "/rights/status-lists/revocation/1"):
        assert http.get(path).json()["code"] == "status_list_unknown"


def test_lists_from_before_a_certificate_leave_its_status_open_and_the_exchange_is_asked(
    town: Town, http: httpx.Client
) -> None:
    manifest = {**town.facts["dataset"].manifest, "title": {"en": "listed before", "zh": "此前的列表"}}
    town["supplier"].put_document(manifest)
    early = [http.get(f"/rights/status-lists/{name}/0").json() for name in PURPOSES]
    time.sleep(1.1)  # times are whole seconds
    asset = town.register(manifest)
    reader, certificate = town["rival"], http.get(f"/rights/assets/{asset}/certificate").json()
    issuer = public_of_did_key(certificate["issuer"]["id"])
    found = judge(certificate, early, issuer=issuer, now=int(time.time()))
    assert found.code == "certificate_status_early"
    assert rights.get_standing(reader, certificate, early).code == "certificate_valid"
    town.revoke(asset)
    assert rights.get_standing(reader, certificate, early).code == "certificate_revoked"


def test_a_list_that_the_exchange_did_not_sign_is_refused(town: Town, asset: str) -> None:
    reader = town["rival"]
    certificate = rights.get_certificate(reader, asset)
    lists = json.loads(json.dumps(rights.get_status_lists(reader, certificate)))
    lists[0]["credentialSubject"]["encodedList"] = bitstring.encode([])
    lists[0]["credentialSubject"]["ledgerBlock"] += 1
    with pytest.raises(InvalidInputError) as caught:
        rights.get_standing(reader, certificate, lists)
    assert caught.value.code == "status_list_invalid"
    certificate["credentialSubject"]["title"] = "more"
    with pytest.raises(VerificationError):
        rights.get_standing(reader, certificate)
    assert certificates.asset_of(certificate) == asset


def test_a_certificate_is_printed_with_its_status(town: Town, asset: str, http: httpx.Client, tmp_path: Path) -> None:
    path, asked = f"/rights/assets/{asset}/certificate", {"accept": "application/pdf"}
    town.revoke(asset)
    answer = http.get(path, headers=asked)
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("application/pdf", "accept")
    (tmp_path / "certificate.pdf").write_bytes(answer.content)
    assert read_certificate(tmp_path / "certificate.pdf") == http.get(path).json()
    page = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded()
    assert "REVOKED" in page


def test_the_auditor_compares_every_list_with_the_ledger(town: Town, asset: str, tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    earlier = canonical_json(town["rival"].get("/rights/status-lists/revocation/0"))
    town.revoke(asset)
    evidence.download_bundle(town["auditor"], target)
    with zipfile.ZipFile(target) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    trust = Trust(registrar=town["registrar"].address, log_key=town["auditor"].profile.pin.log_key)
    report = audit(MemoryBundle(files), trust, reexecute=0)
    assert (report.findings, report.counts[9]["status lists"]) == ([], len(PURPOSES))
    name = "status/revocation-0.json"
    unsigned = canonical_json({**load_json(files[name]), "issuer": "did:key:z6Mk"})
    for content, code in ((earlier, "status_list_differs"), (unsigned, "status_list_invalid")):
        found = audit(MemoryBundle({**files, name: content}), trust, reexecute=0).findings
        assert {finding.code for finding in found} == {code}
    without = {key: value for key, value in files.items() if key != name}
    assert {finding.code for finding in audit(MemoryBundle(without), trust, reexecute=0).findings} == {
        "file_unreadable"
    }
