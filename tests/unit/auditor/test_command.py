"""`marketplace audit` at the terminal: exit codes, JSON, languages, trust, and a ledger node to compare with."""

import json
from pathlib import Path

import pytest

from marketplace import cli
from marketplace.auditor import live
from marketplace.auditor.trust import Seen, Trust
from marketplace.auditor.verifier import audit
from marketplace.errors import PortError
from marketplace.ledger.node import Node, NodeSettings
from tests.bundles import CHAIN_ID, START, Made
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import Forger


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without keys and without a pin."""
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    return tmp_path


def _trust_file(made: Made, path: Path) -> Path:
    values = {name: value for name, value in made.trust.__dict__.items() if name != "contracts"}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    contracts = [f"{name} = {json.dumps(value)}" for name, value in (made.trust.contracts or {}).items()]
    path.write_text("\n".join([*lines, "[contracts]", *contracts]), "utf-8")
    return path


def test_a_true_bundle_ends_with_0_and_says_what_was_not_pinned(
    made: Made, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(made.write(home / "evidence.zip"))
    assert cli.main(["audit", path, "--lang", "en"]) == 0
    shown = capsys.readouterr()
    assert "VERDICT: everything holds" in shown.out
    assert "NOT PINNED" in shown.err
    assert cli.main(["audit", path, "--trust", str(_trust_file(made, home / "trust.toml")), "--full", "--json"]) == 0
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    assert (report["verdict"], report["findings"]) == ("passed", [])
    assert [note["code"] for note in report["notes"]] == ["reexecution_whole"]
    assert "NOT PINNED" not in shown.err


def test_a_false_bundle_ends_with_7_and_is_named_in_chinese_too(
    made: Made, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forger = Forger(made)
    forger.edit("read_model/payouts.jsonl", lambda rows: rows[0].update(amount=rows[0]["amount"] + 1))
    path = str(Made(forger.files, made.trust).unpack(home / "evidence"))
    assert cli.main(["audit", path, "--lang", "zh"]) == 7
    shown = capsys.readouterr()
    assert "row_field：数据行字段与其事件不符" in shown.out
    assert "结论：不成立，共 1 项问题" in shown.out
    assert cli.main(["audit", path, "--json"]) == 7
    shown = capsys.readouterr()
    (finding,) = json.loads(shown.out)["findings"]
    assert (finding["step"], finding["code"]) == (6, "row_field")
    assert json.loads(shown.err.splitlines()[-1])["code"] == "audit_failed"


def test_what_is_no_bundle_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", str(home / "nothing.zip")]) == 2
    assert cli.main(["audit", str(home / "nothing.zip"), "--rpc", "http://127.0.0.1:1"]) == 6
    (home / "trust.toml").write_text("colour = 1", "utf-8")
    assert cli.main(["audit", str(home / "nothing.zip"), "--trust", str(home / "trust.toml")]) == 8
    assert "ledger_unreachable" in capsys.readouterr().err


def test_a_ledger_node_is_asked_for_a_block(made: Made, tmp_path: Path) -> None:
    node = Node(NodeSettings(CHAIN_ID, START, tmp_path))
    try:
        block = live.ledger_block(node.url)
    finally:
        node.stop()
    assert block == (0, made.trust.genesis_hash, node.url)
    assert Forger(made).report(seen=Seen(blocks=(block,))).passed
    with pytest.raises(PortError):
        live.ledger_block(node.url)


def test_signatures_verified_in_other_processes_give_the_same_verdict(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.auditor.usage.attestations.MAX_BATCH", 2)
    assert audit(MemoryBundle(made.files), made.trust, reexecute=0, processes=2).passed
    forger = Forger(made)
    for number in (0, 2):
        attestation = forger.leaf("query.released", number)["attestation"]
        forger.replace(attestation, lambda document: document["signers"].pop())
    report = audit(MemoryBundle(forger.files), Trust(**made.trust.__dict__), reexecute=0, processes=2)
    wrong = [finding.subject for finding in report.findings if finding.code == "attestation_signature"]
    alone = [finding.subject for finding in forger.report().findings if finding.code == "attestation_signature"]
    assert wrong == alone != []
