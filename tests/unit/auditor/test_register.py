"""`marketplace audit --register`: who held what at a block, by which act, signed by whom."""

import json
from pathlib import Path
from typing import Any

import pytest

from marketplace import cli
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.proceedings import Proceedings
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.register import CAUSES, IN_FORCE, WEIGHTS, Builder, Register, register_at
from marketplace.auditor.register_printing import CHINESE_WORDS
from marketplace.auditor.trust import Seen
from marketplace.auditor.verifier import read_ledger
from marketplace.documents.ids import title_id
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.types import AssetStatus, ConsentStatus, TitleKind
from tests.bundles import Made, keys
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import TRANSACTIONS, Forger, tables_of

SUPPLIER, HEIR, REGISTRAR = (keys(name).address for name in ("supplier", "heir", "registrar"))


def _at(made: Made, height: int | None = None, asset: str | None = None) -> Register:
    report, found = register_at(MemoryBundle(made.files), made.trust, at=height, asset=asset)
    assert report.passed
    assert found is not None
    return found


def _operate(register: Register) -> dict[str, Any]:
    asset, *_ = register.assets
    name = title_id(asset["assetId"], TitleKind.OPERATE)
    return next(row for row in register.titles if row["titleId"] == name)


def _block_of(rows: list[dict[str, Any]], event: str) -> int:
    return next(int(act["block"]) for row in rows for act in row["acts"] if act["event"] == event)


def test_a_title_is_its_givers_before_a_transfer_and_its_takers_after(made: Made) -> None:
    moved = _operate(_at(made))
    height = _block_of([moved], "TitleTransferred")
    before, after = _operate(_at(made, height - 1)), _operate(_at(made, height))
    assert (before["holder"], after["holder"]) == (SUPPLIER, HEIR)
    assert before["standing"] == after["standing"] == "in_force"
    act = after["acts"][-1]
    assert (act["from"], act["to"], act["block"]) == (SUPPLIER, HEIR, height)
    signed = [(item["account"], item["key"], item["digest"]) for item in act["signatures"]]
    assert signed == [(who, who, act["intent"]) for who in (SUPPLIER, HEIR)]
    assert [item["account"] for item in before["acts"][0]["signatures"]] == [REGISTRAR]
    assert after["fields"] == ["origin", "month", "delay"]
    assert after["territories"] == ["CN", "ABROAD"]


def test_a_case_stands_where_it_stood_before_and_after_its_deposit_and_its_certificate(made: Made) -> None:
    last = _at(made)
    filed, certified = (_block_of(last.cases, event) for event in ("Filed", "Certified"))
    assert (_at(made, filed - 1).cases, _at(made, filed - 1).titles) == ([], [])
    (case,), (asset,) = _at(made, filed).cases, _at(made, filed).assets
    assert (case["state"], asset["status"], asset["certificateCode"]) == ("DEPOSITED", "REGISTERED", None)
    assert [act.get("step") for act in case["acts"]] == [None, "ACCEPT", "WAIVE_NOTICE", "DEPOSIT"]
    assert [act["signatures"][0]["account"] for act in case["acts"]] == [SUPPLIER, *[REGISTRAR] * 3]
    (case,), (asset,) = _at(made, certified).cases, _at(made, certified).assets
    assert (case["state"], asset["status"]) == ("CERTIFIED", "CONFIRMED")
    assert asset["certificateCode"].startswith("SJ310")
    assert asset["acts"][-1]["intent"] == case["acts"][-1]["intent"]


def test_nothing_of_the_read_model_is_believed(made: Made) -> None:
    forger = Forger(made)
    forger.edit("read_model/titles.jsonl", lambda rows: [row.update(holder="0x" + "66" * 20) for row in rows])
    assert _at(Made(forger.files, made.trust)) == _at(made)


def test_a_changed_transaction_is_named_beside_the_register(made: Made) -> None:
    forger = Forger(made)
    forger.edit(TRANSACTIONS, lambda lines: lines.pop())
    report, _ = register_at(MemoryBundle(forger.files), made.trust)
    assert {"transactions_root"} <= {finding.code for finding in report.findings}


def test_uses_of_orders_have_their_listings_scope_and_end_with_their_term(made: Made) -> None:
    uses = [row for row in _at(made).titles if row["orderId"]]
    assert {tuple(row["purposes"]) for row in uses} == {("TRANSPORT",)}
    assert sorted({row["standing"] for row in uses}) == ["expired", "in_force"]


def test_one_asset_comes_with_the_people_who_are_named_in_it(made: Made) -> None:
    whole = _at(made)
    about = _at(made, asset=whole.assets[0]["assetId"])
    own = about.assets[0]["assetId"]
    rows = ((about.cases, whole.cases), (about.titles, whole.titles))
    assert about.assets == whole.assets[:1]
    assert all(some == [row for row in every if row["assetId"] == own] for some, every in rows)
    assert {SUPPLIER, HEIR} <= {row["account"] for row in about.participants}
    assert keys("node0").address not in {row["account"] for row in about.participants}
    with pytest.raises(NotFoundError, match="no asset"):
        register_at(MemoryBundle(made.files), made.trust, asset="0x" + "77" * 32)
    with pytest.raises(InvalidInputError, match="no block 9999"):
        register_at(MemoryBundle(made.files), made.trust, at=9999)


def test_inputs_of_a_product_come_with_their_consents_and_these_with_their_acts(made: Made) -> None:
    (item,) = _at(made).inputs
    product, source = item["assetId"], item["inputId"]
    assert (item["bps"], item["consent"], item["consenter"], item["titleId"]) == (2500, "withdrawn", HEIR, None)
    assert [act["deeds"] for act in item["acts"]] == [["lineage_declared"], ["consent_given"], ["consent_withdrawn"]]
    declared, given, withdrawn = (act["block"] for act in item["acts"])
    states = [_at(made, height).inputs[0]["consent"] for height in (given, withdrawn - 1, withdrawn)]
    assert states == ["given", "given", "withdrawn"]
    assert _at(made, declared - 1).inputs == []
    for asset in (product, source):
        about = _at(made, asset=asset)
        assert about.inputs == [item]
        assert HEIR in {row["account"] for row in about.participants}
        (row,) = about.assets
        assert [deed for act in row["acts"] for deed in act["deeds"]].count("consent_withdrawn") == 1


def test_a_consent_falls_with_the_title_of_whoever_gave_it(made: Made) -> None:
    forger = Forger(made)
    report, tables = Report(), tables_of(forger)
    (key,) = tables.rows["lineage_consents"]
    consent = tables.rows["lineage_consents"][key]
    consent["status"] = int(ConsentStatus.GIVEN)
    ledger = read_ledger(MemoryBundle(made.files), made.trust, Seen(), report)
    assert ledger is not None
    replay = Replay(ledger.genesis, ledger.roots.deployment, report, keep_signatures=True)
    replay.run(ledger.blocks)

    def state(now: int) -> str:
        documents = Documents(MemoryBundle(made.files), report)
        (item,) = Builder(replay, tables, Proceedings(tables, report), documents, now).register(1).inputs
        return str(item["consent"])

    until = consent["validUntil"]
    assert [state(until), state(until + 1)] == ["given", "expired"]
    title = tables.rows["titles"][consent["titleId"],]
    title["holder"] = SUPPLIER
    assert state(until) == "title_moved"
    title["holder"] = HEIR
    tables.rows["assets"][title["assetId"],]["status"] = int(AssetStatus.SUSPENDED)
    assert state(until) == "title_over"
    del tables.rows["lineage_consents"][key]
    assert state(until) == "missing"


def test_every_standing_has_words_in_chinese() -> None:
    over = [status for status in AssetStatus if status not in (AssetStatus.NONE, AssetStatus.CONFIRMED)]
    told = {IN_FORCE, *CAUSES.values(), *WEIGHTS.values(), "asset_expired"} | {
        f"asset_{one.name.lower()}" for one in over
    }
    told |= {"missing", "withdrawn", "expired", "title_moved", "given", "title_over"}
    assert [word for word in told if CHINESE_WORDS.get(word, "").isascii()] == []


def test_it_is_shown_in_both_languages_and_as_json(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    path = str(made.write(tmp_path / "evidence.zip"))
    height = str(_block_of(_at(made).titles, "TitleTransferred"))
    assert cli.main(["audit", path, "--register", "--at", height, "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (f"区块 {height}", "经营权", "已发证", "已确权", HEIR))
    assert cli.main(["audit", path, "--register", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("产品来源：1", "已撤回", "申报来源", "撤回同意", "2500"))
    assert cli.main(["audit", path, "--register", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("Inputs of products: 1", "withdrawn", "inputs declared", "consent given"))
    assert cli.main(["audit", path, "--at", height, "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (f"Register at block {height}", "CERTIFIED", "CONFIRMED", HEIR))
    assert cli.main(["audit", path, "--register", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["verdict"], value["register"]) == ("passed", _at(made).as_dict())
    assert cli.main(["audit", path, "--at", "9999"]) == 2
