"""What the parties of a registration case read of it: what the registrar asks, what is objected, answered, decided."""

from contextlib import closing
from typing import Any

import httpx
import pytest

from marketplace.documents import LEVELS
from marketplace.errors import MarketplaceError, VerificationError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.sdk import registrations, rights
from marketplace.sdk.client import Client
from tests.integration.service.town import BUDGET, Shown, Town
from tests.registering import FIELDS
from tests.sealed_market import keys

EVIDENCE = "0x" + "ab" * 32
LATE = {"dataName": "flights", "reason": "a part of the rows is ours", "evidence": EVIDENCE}


def new_asset(town: Town, name: str) -> str:
    """The town's data under another title, registered; the asset's id."""
    manifest = {**town.facts["dataset"].manifest, "title": {"en": name, "zh": name}}
    supplier = town["supplier"]
    supplier.put_document(manifest)
    claim = rights.make_claim(
        manifest,
        level=LEVELS[1],
        source_class="COLLECTED_GENERATED",
        origin="ENTERPRISE",
        shares=[(supplier.address, 10_000)],
    )
    return str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])


@pytest.fixture(scope="module")
def objected(town: Town) -> str:
    """A first registration that was corrected, supplemented and objected to; the case's id."""
    supplier, registrar = town["supplier"], town["registrar"]
    asset = new_asset(town, "objected")
    case = str(registrations.file(supplier, asset, Kind.FIRST, FIELDS)["caseId"])
    registrations.act(registrar, case, Step.REQUEST_CORRECTION, "the volume is missing its unit")
    form = registrations.get_form(supplier, registrations.get_case(supplier, case))
    fields = {**FIELDS, "volume": "40 rows of CSV"}
    registrations.act(supplier, case, Step.RESUBMIT, form={**form, "fields": fields})
    registrations.act(registrar, case, Step.ACCEPT)
    registrations.act(registrar, case, Step.REQUEST_SUPPLEMENT, "show where the rows come from")
    registrations.act(supplier, case, Step.SUPPLEMENT, "from our own gates", evidence=(EVIDENCE,))
    registrations.act(registrar, case, Step.OPEN_NOTICE)
    registrations.act(town["rival"], case, Step.OBJECT, "these rows are ours", evidence=(EVIDENCE,))
    return case


def said(client: Client, case: str) -> dict[str, Any]:
    """What a party reads, by step: texts, or the fields of a form; None where it may not."""
    acts = registrations.get_case(client, case)["acts"]
    return {
        act["name"]: act["paper"] and (act["paper"].get("text") or act["paper"]["fields"]["volume"]) for act in acts
    }


def test_each_party_reads_what_is_addressed_to_it(town: Town, objected: str) -> None:
    asked = {
        "REQUEST_CORRECTION": "the volume is missing its unit",
        "REQUEST_SUPPLEMENT": "show where the rows come from",
    }
    given = {"FILE": "400 rows", "RESUBMIT": "40 rows of CSV", "SUPPLEMENT": "from our own gates"}
    silent = {"ACCEPT": None, "OPEN_NOTICE": None}
    objection = {"OBJECT": "these rows are ours"}
    everything = asked | given | silent | objection
    assert said(town["supplier"], objected) == everything
    assert said(town["registrar"], objected) == everything
    assert said(town["rival"], objected) == dict.fromkeys(everything) | objection


class Forging(Client):
    """Is sent another objection than the one whose digest stands on the ledger."""

    def get(self, path: str, **options: Any) -> Any:
        found = super().get(path, **options)
        if path.startswith("/registrations/cases/"):
            for act in found["acts"]:
                if act["name"] == "OBJECT":
                    act["paper"] = {**act["paper"], "text": "we agree"}
        return found


class ForgingAll(Forging):
    """Gets no other answer by asking for the paper itself."""

    def _send(self, method: str, path: str, **options: Any) -> Any:
        answer = super()._send(method, path, **options)
        return httpx.Response(200, content=b"{}") if path.startswith("/documents/") else answer


def test_a_paper_that_is_not_the_one_of_the_act_is_never_shown(town: Town, objected: str) -> None:
    with closing(Forging(town.url, keys("supplier"))) as reader:
        assert said(reader, objected)["OBJECT"] == "these rows are ours"
    with closing(ForgingAll(town.url, keys("supplier"))) as reader, pytest.raises(VerificationError) as caught:
        registrations.get_case(reader, objected)
    assert caught.value.code == "content_differs"


def test_a_refusal_names_its_ground_in_both_languages(town: Town, shown: Shown) -> None:
    supplier, registrar = town["supplier"], town["registrar"]
    case = str(registrations.file(supplier, new_asset(town, "refused"), Kind.FIRST, FIELDS)["caseId"])
    registrations.act(registrar, case, Step.ACCEPT)
    registrations.act(registrar, case, Step.REFUSE, "two heirs contest the rows", ground="OPEN_DISPUTE")
    english = shown("supplier", "registrations", "show", case, "--lang", "en")
    chinese = shown("supplier", "registrations", "show", case, "--lang", "zh")
    assert "two heirs contest the rows" in english
    assert "there is an unresolved dispute about who holds the rights" in english
    assert "two heirs contest the rows" in chinese
    assert "存在尚未解决的数据权属纠纷" in chinese
    assert "22(3)" in chinese


def test_show_prints_papers_and_form_and_work_what_was_said_last(town: Town, objected: str, shown: Shown) -> None:
    printed = shown("supplier", "registrations", "show", objected)
    for text in ("the volume is missing its unit", "show where the rows come from", "these rows are ours", EVIDENCE):
        assert text in printed
    assert "40 rows of CSV" in printed
    hidden = shown("rival", "registrations", "show", objected)
    assert "these rows are ours" in hidden
    assert "the volume is missing its unit" not in hidden
    assert "not for you to read" in hidden
    assert "不向您开放" in shown("rival", "registrations", "show", objected, "--lang", "zh")
    assert "these rows are ours" in shown("registrar", "registrations", "work")
    assert "提出异议" in shown("registrar", "registrations", "work", "--lang", "zh")
    (row,) = [row for row in registrations.list_work(town["registrar"]) if row["caseId"] == objected]
    assert row["lastPaper"]["paper"]["text"] == "these rows are ours"


def test_the_holder_reads_a_late_objection_and_finds_its_case(town: Town) -> None:
    supplier, rival = town["supplier"], town["rival"]
    manifest = {**town.facts["dataset"].manifest, "title": {"en": "Contested flights", "zh": "争议航班"}}
    supplier.put_document(manifest)
    asset, late = town.register(manifest), Procedure.LATE_OBJECTION
    case = str(registrations.file(rival, asset, Kind.LATE_OBJECTION, LATE, procedure=late)["caseId"])
    assert case in {row["caseId"] for row in registrations.list_cases(supplier)}
    registrations.act(town["registrar"], case, Step.ACCEPT)
    registrations.act(supplier, case, Step.REPLY, "we have counted them ourselves")
    registrations.act(town["registrar"], case, Step.REJECT, "so they have")
    for reader in (supplier, rival):
        papers = {act["name"]: act["paper"] for act in registrations.get_case(reader, case)["acts"]}
        assert papers["FILE"]["fields"]["reason"] == LATE["reason"]
        assert papers["REPLY"]["text"] == "we have counted them ourselves"
        assert papers["REJECT"]["text"] == "so they have"
    with pytest.raises(MarketplaceError):
        registrations.get_case(town["buyer"], case)
