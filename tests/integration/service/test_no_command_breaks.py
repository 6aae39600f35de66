"""Every command of the program, typed as its help shows it and as its required arguments alone, against a running
service: whatever it answers, it is no defect of ours."""

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto import keystore
from marketplace import cli
from marketplace.sdk.home.files import write_private
from tests.integration.service.town import Town, running, town_settings
from tests.unit.cli.test_commands import COMMANDS

ENDLESS = {"serve", "gateway run", "panel run", "vault run", "custodian run", "operator keys", "operator join"}
PASSWORD = "a long password"


def as_shown(name: str) -> Iterator[list[str]]:
    """The examples in a command's help."""
    for line in re.findall(r"marketplace [^\n]*(?:\n     [^\n]*)*", COMMANDS[name].help.partition("Example:")[2]):
        command = re.split(r" [#|>] ", " ".join(line.split()))[0]
        yield shlex.split(command)[1:]


def as_required(name: str, facts: dict[str, str]) -> Iterator[list[str]]:
    """A command with what it cannot do without."""
    required = [parameter for parameter in COMMANDS[name].params if parameter.required]
    for values in itertools.islice(itertools.product(*(_values(parameter, facts) for parameter in required)), 4):
        words = name.split()
        for parameter, value in zip(required, values, strict=True):
            words += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
        yield words


def _values(parameter: Any, facts: dict[str, str]) -> list[str]:
    kind = str(parameter.type_descriptor.annotation)
    known = {"AMOUNT": "1.00", "DURATION": "1d", "TIME": "1d", "EPSILON": "0.5", "ADDRESS": facts["address"]}
    known |= {"ORDER": facts["order"], "LISTING": facts["listing"], "ASSET": facts["asset"], "DATA": facts["asset"]}
    if (value := known.get((parameter.metavar or "").upper())) is not None:
        return [value]
    if "Path" in kind:
        return [facts["file"], "/nowhere/file.json"]
    return ["1"] if "int" in kind else ["TRANSPORT", facts["order"]]


def with_ids(words: list[str], ids: dict[str, str]) -> Iterator[list[str]]:
    """The same words with one of these for every id that the help leaves open."""
    for value in ids.values():
        yield [re.sub(r"0x[0-9a-f]{2,4}…[0-9a-f]{2,4}", value, word) for word in words]
        if not any("…" in word for word in words):
            return


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Town]:
    """A town of its own: some of what is typed here delists, hands over and gives up."""
    settings = town_settings(tmp_path / "service")
    with running(settings) as context:
        made = Town(settings.public_url, tmp_path, context)
        made.open_market()
        yield made
        made.close()


def test_no_command_ends_in_a_defect(
    own: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("marketplace.sdk.opening.close_process", lambda: None)
    sealed = keystore.encrypt(own["supplier"].keys, PASSWORD, keystore.MIN_WORK_FACTOR)
    write_private(tmp_path / "home" / "keystore.json", json.dumps(sealed).encode())
    (tmp_path / "some.json").write_text("{}", "utf-8")
    ids = {name: own.facts[name] for name in ("order", "listing", "asset")} | {"address": own["buyer"].address}
    broken, answered = [], 0
    for name in COMMANDS.keys() - ENDLESS:
        shown = [words for example in as_shown(name) for words in with_ids(example, ids)]
        for words in [*shown, *as_required(name, ids | {"file": str(tmp_path / "some.json")})]:
            code = cli.main(["--home", str(tmp_path / "home"), "--url", own.url, *words])
            told = capsys.readouterr()
            answered += code == 0
            if "unexpected_error" in told.err or code == cli.EXIT_UNEXPECTED:
                broken.append((words, told.err[:200]))
    assert not broken, "\n".join(map(str, broken))
    assert answered > 30, "most of it never reached the service"
