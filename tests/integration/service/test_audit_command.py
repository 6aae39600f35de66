"""`marketplace audit` at the terminal, on the bundle of a running market whose participants signed the agreement."""

import json
from pathlib import Path

import pytest

from marketplace import cli
from marketplace.auditor.messages import COUNTED
from marketplace.sdk import evidence
from tests.integration.service.town import Town


@pytest.fixture
def papers(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments: the town's bundle, and roots of trust from elsewhere; the folder of whoever audits holds no pin."""
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    profile = town["auditor"].get("/profile")
    trust = [f"chain_id = {profile['chainId']}", f'registrar = "{town["registrar"].address}"']
    trust += [f'log_origin = "{profile["log"]["origin"]}"', f'log_key = "{profile["log"]["key"]}"']
    trust += ["[contracts]", *(f'{name} = "{address}"' for name, address in profile["contracts"].items())]
    (tmp_path / "trust.toml").write_text("\n".join(trust), "utf-8")
    return [str(tmp_path / "evidence.zip"), "--trust", str(tmp_path / "trust.toml")]


def test_what_was_checked_is_said_in_words_of_either_language(
    papers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit", *papers, "--json"]) == 0
    checked = {name for step in json.loads(capsys.readouterr().out)["steps"] for name in step["checked"]}
    assert {"participant agreements", "forms"} <= checked
    for language, verdict in (("en", "12. VERDICT: everything holds"), ("zh", "12. 结论：全部成立")):
        assert cli.main(["audit", *papers, "--lang", language]) == 0
        shown = capsys.readouterr()
        assert verdict in shown.out
        said = " ".join(shown.out.split())
        assert [name for name in checked if (name if language == "en" else COUNTED[name]) not in said] == []
        assert "NOT PINNED" not in shown.err
