"""Registration cases from the application to the certificate, with objections before and after, over HTTP."""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pypdfium2
import pytest

from crypto.canonical import canonical_json
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import LEVELS, Document, all_chunks, digest
from marketplace.errors import MarketplaceError
from marketplace.identifiers.showing import page
from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.registrations.codes import LENGTH
from marketplace.registrations.forms import make_form
from marketplace.rulebooks.calendar import days
from marketplace.sdk import evidence, identifiers, registrations, rights
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from tests.integration.service.town import BUDGET, Shown, Town
from tests.memory import MemoryBundle
from tests.registering import FIELDS, rulebook
from tests.sealed_market import SCHEMA, make_rows, write_csv

EVIDENCE = "0x" + "ab" * 32
LATE = {"dataName": "flights", "reason": "a part of the rows is ours", "evidence": EVIDENCE}
LATE_WAY = Procedure.LATE_OBJECTION


@pytest.fixture
def asset(town: Town) -> str:
    """A confirmed asset of this test alone: the town's data under another title."""
    manifest = {**town.facts["dataset"].manifest, "title": {"en": "Disputed flights", "zh": "争议航班"}}
    town["supplier"].put_document(manifest)
    return town.register(manifest)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(MarketplaceError) as caught:
        call()
    return caught.value.code


def sealed(town: Town, name: str) -> Document:
    """Another data set of the supplier's, sealed and uploaded; its manifest."""
    supplier = town["supplier"]
    dataset = seal_file(
        write_csv(town.folder / f"{name}.csv", make_rows()[:40]),
        parse_schema(SCHEMA),
        town.vault_folder,
        holder=supplier.address,
        release_key=supplier.address,
        now=int(time.time()),
    )
    for chunk in all_chunks(dataset.manifest):
        supplier.put_blob(dataset.blob(chunk["blob"]))
    supplier.put_document(dataset.manifest)
    return dataset.manifest


def registered(town: Town, name: str) -> str:
    """The same, registered and not confirmed yet; the asset's id."""
    supplier, manifest = town["supplier"], sealed(town, name)
    claim = rights.make_claim(
        manifest,
        level=LEVELS[1],
        source_class="COLLECTED_GENERATED",
        origin="ENTERPRISE",
        shares=[(supplier.address, 10_000)],
    )
    return str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])


def filed(town: Town, asset: str) -> str:
    return str(registrations.file(town["supplier"], asset, Kind.FIRST, FIELDS)["caseId"])


def state(town: Town, case: str) -> CaseState:
    return CaseState(registrations.get_case(town["registrar"], case)["state"])


def decide(town: Town, case: str, step: Step, words: str | None = None) -> None:
    registrations.act(town["registrar"], case, step, words)


def test_from_the_application_to_the_certificate(town: Town, http: httpx.Client) -> None:
    supplier, rival = town["supplier"], town["rival"]
    asset = registered(town, "whole-way")
    case = filed(town, asset)
    assert refused(lambda: registrations.get_case(rival, case)) == "case_unknown"
    assert http.get(f"/registrations/notices/{case}").status_code == 404
    assert http.get(f"/registrations/cases/{case}").status_code == 401

    decide(town, case, Step.REQUEST_CORRECTION, "the volume is missing its unit")
    fields = {**FIELDS, "volume": "40 rows of CSV"}
    form = make_form(
        rulebook(),
        kind=Kind.FIRST,
        procedure=Procedure.ORDINARY,
        asset=asset,
        applicant=supplier.address,
        fields=fields,
    )
    secret = form | {"nonPublication": "nobody shall object"}
    assert refused(lambda: registrations.act(supplier, case, Step.RESUBMIT, form=secret)) == "case_papers_differ"
    assert refused(lambda: registrations.act(supplier, case, Step.RESUBMIT)) == "case_paper_missing"
    registrations.act(supplier, case, Step.RESUBMIT, form=form)
    assert registrations.get_case(supplier, case)["formDigest"] == digest(form)
    decide(town, case, Step.ACCEPT)
    decide(town, case, Step.REQUEST_SUPPLEMENT, "show where the rows come from")
    assert registrations.get_case(supplier, case)["paused"]
    assert refused(lambda: decide(town, case, Step.OPEN_NOTICE)) == "case_step"
    registrations.act(supplier, case, Step.SUPPLEMENT, "from our own gates")
    decide(town, case, Step.OPEN_NOTICE)
    registrations.act(rival, case, Step.OBJECT, "these rows are ours", evidence=(EVIDENCE,))

    (notice,) = [row for row in http.get("/registrations/notices").json() if row["caseId"] == case]
    assert set(notice["fields"]) == {"dataName", "overview", "restrictions"}
    assert http.get(f"/registrations/notices/{case}").status_code == 200
    assert notice["objectionPending"]
    assert registrations.get_case(rival, case)["objector"] == rival.address
    assert refused(lambda: registrations.get_case(town["buyer"], case)) == "case_unknown"
    assert refused(lambda: decide(town, case, Step.DEPOSIT)) == "case_step"
    decide(town, case, Step.REJECT, "the evidence is of other rows")
    with pytest.raises(MarketplaceError) as early:
        decide(town, case, Step.DEPOSIT)
    book = registrations.get_case(supplier, case)["rulebook"]["name"]
    assert (early.value.code, early.value.rulebook) == ("case_step_early", book)
    assert refused(lambda: registrations.act(town["buyer"], case, Step.OBJECT, "a feeling")) == "form_field"
    resumed = registrations.get_case(supplier, case)
    assert resumed["state"] == CaseState.PUBLIC_NOTICE
    assert resumed["noticeEnd"] >= notice["noticeEnd"]

    while town["registrar"].now() <= resumed["noticeEnd"]:
        time.sleep(0.1)
    decide(town, case, Step.DEPOSIT)
    assert refused(lambda: registrations.get_code(rival, case)) == "role_missing"
    code = registrations.get_code(town["registrar"], case)
    assert (len(code), code[:2]) == (LENGTH, "SJ")
    rights.confirm(town["registrar"], asset, days(365))
    entry = rival.get(f"/rights/assets/{asset}")["registration"]
    assert (entry["code"], entry["disputed"]) == (code, False)
    assert state(town, case) is CaseState.CERTIFIED
    assert refused(lambda: decide(town, case, Step.TERMINATE, "too late")) == "case_step"
    assert [row for row in http.get("/registrations/notices").json() if row["caseId"] == case] == []


def test_an_upheld_objection_ends_the_case(town: Town) -> None:
    asset = registered(town, "upheld")
    case = filed(town, asset)
    decide(town, case, Step.ACCEPT)
    decide(town, case, Step.OPEN_NOTICE)
    registrations.act(town["rival"], case, Step.OBJECT, "these rows are ours", evidence=(EVIDENCE,))
    decide(town, case, Step.UPHOLD, "they are")
    assert state(town, case) is CaseState.REFUSED
    assert refused(lambda: decide(town, case, Step.DEPOSIT)) == "case_step"
    assert refused(lambda: rights.confirm(town["registrar"], asset, days(365))) == "case_not_deposited"


def worth(town: Town, asset: str) -> tuple[str, bool | None, bool, bool]:
    """What everybody is told of an asset's certificate: its verdict and the warning; the warning and whether it is in
    force by the resolver.
    """
    reader = town["buyer"]
    certificate = rights.get_certificate(reader, asset)
    standing = rights.get_standing(reader, certificate)
    said = identifiers.resolve(reader, digest(certificate))
    return standing.code, standing.disputed, said["disputed"], said["inForce"]


def audited(town: Town, folder: Path, change: tuple[str, bytes] | None = None) -> set[str]:
    """What the auditor finds in the statuses of a bundle of this moment, after a `change` of one file."""
    evidence.download_bundle(town["auditor"], folder / "evidence.zip")
    with zipfile.ZipFile(folder / "evidence.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files |= dict([change] if change else [])
    trust = Trust(registrar=town["registrar"].address, log_key=town["auditor"].profile.pin.log_key)
    found = audit(MemoryBundle(files), trust, reexecute=0).findings
    return {finding.code for finding in found if finding.code.startswith("status_")}


def test_a_certificate_says_disputed_until_the_late_objection_is_withdrawn(
    town: Town, asset: str, http: httpx.Client, shown: Shown, tmp_path: Path
) -> None:
    calm = ("certificate_valid", False, False, True)
    assert worth(town, asset) == calm
    before = http.get("/rights/status-lists/dispute/0")
    case = str(registrations.file(town["rival"], asset, Kind.LATE_OBJECTION, LATE, procedure=LATE_WAY)["caseId"])
    decide(town, case, Step.ACCEPT)
    assert worth(town, asset) == calm
    decide(town, case, Step.MARK_DISPUTED, "the evidence is serious")
    assert worth(town, asset) == ("certificate_valid", True, True, True)
    assert "disputed" in shown("buyer", "rights", "show", asset)
    assert "存在争议" in shown("buyer", "rights", "show", asset, "--lang", "zh")
    assert page(identifiers.resolve(town["buyer"], asset))["lines"][2]["value"]["zh"].startswith("存在争议")
    printed = http.get(f"/rights/assets/{asset}/certificate", headers={"accept": "application/pdf"}, timeout=60).content
    assert "DISPUTED" in pypdfium2.PdfDocument(printed)[0].get_textpage().get_text_bounded()
    assert audited(town, tmp_path) == set()
    assert audited(town, tmp_path, ("status/dispute-0.json", canonical_json(before.json()))) == {"status_list_differs"}
    registrations.act(town["rival"], case, Step.WITHDRAW, "we were mistaken")
    assert worth(town, asset) == calm
    assert audited(town, tmp_path) == set()


def test_a_late_objection_sets_and_clears_the_mark(town: Town) -> None:
    asset, rival = town.facts["asset"], town["rival"]

    def disputed() -> bool:
        return bool(town["buyer"].get(f"/rights/assets/{asset}")["registration"]["disputed"])

    supplier = town["supplier"]
    assert refused(lambda: registrations.file(supplier, asset, Kind.LATE_OBJECTION, LATE, procedure=LATE_WAY)) == (
        "case_own_matter"
    )
    case = str(registrations.file(rival, asset, Kind.LATE_OBJECTION, LATE, procedure=LATE_WAY)["caseId"])
    decide(town, case, Step.ACCEPT)
    assert not disputed()
    decide(town, case, Step.MARK_DISPUTED, "the evidence is serious")
    assert disputed()
    assert refused(lambda: registrations.get_case(town["buyer"], case)) == "case_unknown"
    registrations.act(supplier, case, Step.REPLY, "we have counted them ourselves")
    decide(town, case, Step.REJECT, "so they have")
    assert not disputed()
    assert state(town, case) is CaseState.DISMISSED
