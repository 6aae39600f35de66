"""Any interested person objects (guide, 2026: real name, evidence, signature): admitted without a role, and before
and after the registration, by the command line, the SDK and plain HTTP.
"""

import json
from pathlib import Path

import httpx
import pytest

from marketplace.documents import digest
from marketplace.errors import MarketplaceError, RuleError
from marketplace.procedures import CaseState, Kind, Step
from marketplace.registrations.clocks import act_dates
from marketplace.registrations.forms import make_paper
from marketplace.registrations.records import case_from_json
from marketplace.sdk import participants, registrations
from marketplace.types import Role
from tests.integration.service.test_registrations import EVIDENCE, LATE, LATE_WAY, decide, filed, registered, state
from tests.integration.service.town import Shown, Town
from tests.registering import rulebook


@pytest.fixture
def asset(town: Town, request: pytest.FixtureRequest) -> str:
    """A confirmed asset of this test alone: the town's data under another title."""
    manifest = {
        **town.facts["dataset"].manifest,
        "title": {"en": f"Flights {request.node.name}"[:120], "zh": "邻里航班"},
    }
    town["supplier"].put_document(manifest)
    return town.register(manifest)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that proves who somebody is."""
    path = tmp_path_factory.mktemp("identity") / "card.txt"
    path.write_text("identity card of the person who objects", "utf-8")
    return path


def admitted(town: Town, name: str, identity: Path) -> str:
    """A natural person, admitted with evidence of who it is and no role; its account."""
    participants.join(town[name], Role(0), "Wang Wu", "王五", evidence=[identity])
    participants.admit(town["registrar"], town[name].address)
    return town[name].address


def test_a_stranger_that_objects_is_told_how_to_become_somebody(town: Town, asset: str) -> None:
    passer_by = town["passer-by"]
    with pytest.raises(RuleError) as late:
        registrations.file(passer_by, asset, Kind.LATE_OBJECTION, LATE, procedure=LATE_WAY)
    case = notice(town, "told")
    with pytest.raises(RuleError) as early:
        registrations.act(passer_by, case, Step.OBJECT, "these rows are mine", evidence=(EVIDENCE,))
    for caught in (early, late):
        assert caught.value.code == "participant_not_active"
        for hint in (caught.value.hint, caught.value.hint_zh):
            assert "marketplace participants join" in hint


def notice(town: Town, name: str) -> str:
    """A case of the supplier's in public notice."""
    case = filed(town, registered(town, name))
    decide(town, case, Step.ACCEPT)
    decide(town, case, Step.OPEN_NOTICE)
    return case


def test_a_person_without_a_role_objects_early_and_late_by_commands(
    town: Town, asset: str, shown: Shown, identity: Path, tmp_path: Path
) -> None:
    person = "neighbour"
    shown(person, "participants", "join", "--name", "Li Si", "--name-zh", "李四", "--evidence", str(identity))
    account = town[person].address
    shown("registrar", "participants", "admit", account)
    assert json.loads(shown(person, "participants", "show", account, "--json"))["roles"] == 0
    assert "no role" in shown(person, "participants", "show", account)
    assert "无角色" in shown(person, "participants", "show", account, "--lang", "zh")

    case = notice(town, "early-by-command")
    words = ("--text", "these rows are mine", "--evidence", EVIDENCE)
    shown(person, "registrations", "act", case, "object", *words)
    assert state(town, case) is CaseState.OBJECTION_PENDING
    assert case in shown(person, "registrations", "list", "--json")

    form = tmp_path / "form.json"
    shown(person, "registrations", "form", asset, "--kind", "LATE_OBJECTION", "--output", str(form))
    form.write_text(json.dumps({**json.loads(form.read_text("utf-8")), **LATE}), "utf-8")
    told = shown(person, "registrations", "file", asset, "--kind", "LATE_OBJECTION", "--form", str(form), "--json")
    late = json.loads(told)["caseId"]
    decide(town, late, Step.ACCEPT)
    decide(town, late, Step.MARK_DISPUTED, "the evidence is serious")
    assert town["buyer"].get(f"/rights/assets/{asset}")["registration"]["disputed"]
    shown(person, "registrations", "act", late, "withdraw", "--text", "I was mistaken")


def test_a_person_without_a_role_objects_over_plain_http(town: Town, http: httpx.Client, identity: Path) -> None:
    admitted(town, "witness", identity)
    client, case = town["witness"], notice(town, "early-over-http")
    found = http.get(f"/registrations/notices/{case}").json()
    now, paper = client.now(), make_paper(case, Step.OBJECT, "these rows are mine", None, (EVIDENCE,))
    dates = act_dates(rulebook(), case_from_json(found), Step.OBJECT, now, 0)
    act = {
        "caseId": case,
        "step": int(Step.OBJECT),
        "evidenceDigest": digest(paper),
        "statedAt": now,
        "dueAt": dates.due_at,
        "decideBy": dates.decide_by,
        "actor": client.address,
        "version": found["version"],
        "deadline": client.deadline(),
    }
    body = {"act": act, "signature": client.sign("Act", act), "paper": paper}
    answer = http.post("/registrations/acts", json=body)
    assert answer.status_code == 202, answer.text
    client.wait_for_intent(answer.json()["intent"])
    assert state(town, case) is CaseState.OBJECTION_PENDING


def test_no_role_opens_nothing_but_what_every_participant_may(town: Town, identity: Path) -> None:
    account = admitted(town, "onlooker", identity)
    with pytest.raises(MarketplaceError) as refused:
        town.fund(town.facts["listing"], "onlooker")
    assert refused.value.code in {"participant_not_active", "role_missing"}
    assert town["buyer"].get(f"/participants/{account}")["roles"] == 0
