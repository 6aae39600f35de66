"""What acts did is told apart where the ledger's event is one: seized, put under control, lifted; disputed or not any
more; given up or revoked; suspended or restored."""

import re
from pathlib import Path
from typing import Any

import pytest

from marketplace import cli
from marketplace.auditor.deeds import FACTS, NAMES, WORDS
from marketplace.auditor.register import Register, register_at
from marketplace.auditor.register_acts import CONTRACTS
from marketplace.auditor.register_printing import POWERS
from marketplace.calls import events_of
from marketplace.documents.ids import granted_id, title_id
from marketplace.procedures import CaseState, Kind, Procedure, Step
from marketplace.rights.title_records import ALL_FIELDS, ALL_PURPOSES, ALL_TERRITORIES
from marketplace.types import ZERO_DIGEST, AssetStatus, ParticipantStatus, TitleKind, TitleMark
from tests import bundles
from tests.bundles import START, YEAR, Made, Maker
from tests.memory import MemoryBundle
from tests.registering import deed, filing, opened

ORDER, REASON = "0x" + "0c" * 32, "0x" + "5a" * 32
SEIZED, CONTROLLED = TitleMark.SEIZED, TitleMark.CONTROLLED


def _by(maker: Maker, **message: Any) -> dict[str, Any]:
    return {**message, **maker.by("registrar")}


def _grant(maker: Maker, to: str, kind: TitleKind, marks: int = 0) -> str:
    parent, terms = title_id(maker.asset, TitleKind.OPERATE), f"0x{len(maker.ledger.blocks):064x}"
    heir, taker = (maker.people[name].address for name in ("heir", to))
    wish = {"titleId": granted_id(parent, taker, terms), "parent": parent, "kind": int(kind), "grantor": heir}
    wish |= {"grantee": taker, "purposes": ALL_PURPOSES, "fields": ALL_FIELDS, "territories": ALL_TERRITORIES}
    wish |= {"validFrom": maker.ledger.now, "validUntil": START + YEAR, "marks": int(marks), "termsDigest": terms}
    maker.act("Titles", "grant", "Grant", wish | {"version": 2, "deadline": START + YEAR}, "heir", to)
    maker.ledger.seal()
    return str(wish["titleId"])


def _object(maker: Maker) -> None:
    """The buyer's late objection: the mark of dispute is set, and taken off again."""
    buyer, registrar = maker.people["buyer"].address, maker.people["registrar"].address
    late: dict[str, Any] = {"kind": Kind.LATE_OBJECTION, "procedure": int(Procedure.LATE_OBJECTION)}
    late["reasons"] = ZERO_DIGEST
    message = filing(maker.asset, buyer, maker.ledger.now, **late)
    maker.act("Registrations", "file", "File", message, "buyer")
    case = opened(message)
    for step, state in (
        (Step.ACCEPT, CaseState.UNDER_REVIEW),
        (Step.MARK_DISPUTED, CaseState.DISPUTED),
        (Step.REJECT, CaseState.DISMISSED),
    ):
        done = deed(message["caseId"], case, step, registrar, maker.ledger.now)
        maker.act("Registrations", "decide", "Decide", done, "registrar")
        case.state, case.decide_by = state, done["decideBy"]
        case.version += 1
    maker.ledger.seal()


def _weigh(maker: Maker) -> None:
    """Title and share are seized and put under control, and freed."""
    title, heir = title_id(maker.asset, TitleKind.OPERATE), maker.people["heir"].address
    for version, marks in enumerate((SEIZED, SEIZED | CONTROLLED, CONTROLLED, TitleMark(0)), 2):
        order = _by(maker, titleId=title, marks=int(marks), orderDigest=ORDER, version=version)
        maker.act("Titles", "encumber", "Encumber", order, "registrar")
    for version, marks in enumerate((SEIZED, TitleMark(0)), 1):  # the share was pledged before
        order = _by(maker, assetId=maker.asset, holder=heir, marks=int(marks), orderDigest=ORDER, version=version)
        maker.act("Rights", "encumberShare", "EncumberShare", order, "registrar")
    maker.ledger.seal()


def _tell(maker: Maker) -> None:
    bundles.admit_all(maker)
    bundles.seal_data(maker)
    maker.budget = 1_000_000
    bundles.register(maker)
    maker.terms = bundles.first_terms(maker)
    given_up, revoked = (_grant(maker, to, TitleKind.USE) for to in ("buyer", "collector"))
    buyer = maker.people["buyer"].address
    wish = {"titleId": given_up, "holder": buyer, "reasonDigest": REASON, "version": 1, "deadline": START + YEAR}
    maker.act("Titles", "surrender", "Surrender", wish, "buyer")
    taken = _by(maker, titleId=revoked, reasonDigest=REASON, version=1)
    maker.act("Titles", "revoke", "RevokeTitle", taken, "registrar")
    maker.ledger.seal()
    _grant(maker, "collector", TitleKind.OPERATE, TitleMark.EXCLUSIVE | TitleMark.MAY_GRANT)
    _weigh(maker)
    for version, status in enumerate((AssetStatus.SUSPENDED, AssetStatus.CONFIRMED), 2):
        mark = _by(maker, assetId=maker.asset, status=int(status), reasonDigest=REASON, version=version)
        maker.act("Rights", "mark", "Mark", mark, "registrar")
    maker.ledger.seal()
    _object(maker)


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A market in which a registrar has a lot to do."""
    return bundles.make_market(tmp_path_factory.mktemp("node"), _tell)


@pytest.fixture(scope="module")
def register(eventful: Made) -> Register:
    report, found = register_at(MemoryBundle(eventful.files), eventful.trust)
    assert report.passed, report.findings
    assert found is not None
    return found


def _deeds(row: dict[str, Any]) -> list[str]:
    return [deed for act in row["acts"] for deed in act["deeds"]]


def test_what_was_done_to_a_title(register: Register) -> None:
    (operate,) = [row for row in register.titles if row["kind"] == "OPERATE" and row["parent"] is None]
    assert _deeds(operate) == [
        *("granted", "transferred", "seized", "controlled", "seizure_lifted", "control_lifted"),
    ]
    weighed = [act for act in operate["acts"] if act["event"] == "TitleEncumbered"]
    assert [act["marks"] for act in weighed] == [["seized"], ["seized", "controlled"], ["controlled"], []]
    assert {act["orderDigest"] for act in weighed} == {ORDER}
    uses = [row for row in register.titles if row["kind"] == "USE" and row["parent"] is not None]
    assert sorted(map(tuple, map(_deeds, uses))) == [("derived", "revoked"), ("derived", "surrendered")]
    assert {act["reasonDigest"] for row in uses for act in row["acts"] if act["event"] == "TitleEnded"} == {REASON}


def test_what_was_done_to_an_asset_and_its_shares(register: Register) -> None:
    (asset,) = register.assets
    assert [deed for deed in _deeds(asset) if not deed.startswith("budget")] == [
        *("registered", "confirmed", "certified", "share_transferred", "share_transferred", "share_pledged"),
        *("share_seized", "share_seizure_lifted", "asset_suspended", "asset_confirmed", "disputed", "dispute_lifted"),
    ]
    assert [act["disputes"] for act in asset["acts"] if act["event"] == "DisputeMarked"] == [1, 0]


def test_what_was_done_to_a_case_and_a_participant(register: Register) -> None:
    late = next(row for row in register.cases if row["kind"] == "LATE_OBJECTION")
    assert _deeds(late) == ["filed", "accept", "mark_disputed", "disputed", "reject", "dispute_lifted"]
    collector = bundles.keys("collector").address
    (row,) = [row for row in register.participants if row["account"] == collector]
    assert _deeds(row) == ["admitted", "participant_suspended", "participant_active"]


@pytest.mark.parametrize("language", [("en", 0), ("zh", 1)])
def test_the_text_tells_it_too(
    eventful: Made, register: Register, language: tuple[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, (name, place) = str(eventful.write(tmp_path / "evidence.zip")), language
    assert cli.main(["--home", str(tmp_path), "audit", path, "--register", "--lang", name]) == 0
    shown = capsys.readouterr().out
    rows = [*register.participants, *register.assets, *register.cases, *register.titles]
    done = {deed for row in rows for deed in _deeds(row)}
    assert [deed for deed in done if WORDS[deed][place] not in shown] == []
    assert all(POWERS[word][place] in shown for word in ("exclusive", "may_grant"))
    (asset,) = register.assets
    assert all(f"{holder} {bps / 100:g}%" in shown for holder, bps in asset["shares"].items())
    assert all(digest in shown for digest in (ORDER, REASON))
    assert "TitleEncumbered" not in shown


def test_every_event_of_these_contracts_and_every_word_has_its_name_in_both_languages() -> None:
    events = {name for contract in CONTRACTS for name, _ in events_of(contract).values()}
    assert events - NAMES.keys() == {"Refused", "EIP712DomainChanged"}, "of every contract, and no act"
    for english, chinese in [*WORDS.values(), *FACTS.values(), *POWERS.values()]:
        assert english.isascii()
        assert re.search("[\u4e00-\u9fff]", chinese)
    decided = {f"participant_{status.name.lower()}" for status in ParticipantStatus}
    assert decided - WORDS.keys() == {"participant_none", "participant_submitted", "participant_exiting"}
    assert {f"asset_{status.name.lower()}" for status in AssetStatus} - WORDS.keys() == {
        "asset_none",
        "asset_registered",
    }
