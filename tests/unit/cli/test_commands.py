"""Every command: it has help with an example, the shared options, and starts quickly."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from marketplace import cli
from marketplace.console.lazy import Deferred

SHARED = {"--json", "--lang", "--home", "--url"}


def _commands() -> Iterator[tuple[str, Any]]:
    root = typer.main.get_command(cli.app)
    for name, found in root.commands.items():  # type: ignore[attr-defined]
        loaded = found.load() if isinstance(found, Deferred) else found
        yield from _leaves(name, loaded)


def _leaves(path: str, found: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(found, "commands", None)
    if inner is None:
        yield path, found
        return
    for name, child in inner.items():
        yield from _leaves(f"{path} {name}", child)


COMMANDS = dict(_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself_with_an_example(name: str) -> None:
    help_text = COMMANDS[name].help
    assert f"Example: marketplace {name}" in help_text or f"marketplace {name}" in help_text.partition("Example:")[2]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in help_text.splitlines()[0]), "its first line has Chinese too"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_the_shared_options(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert options >= SHARED


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*name.split(), "--help"]) == 0
    assert "Usage: marketplace" in capsys.readouterr().out


def test_the_groups_are_the_stages_and_the_parties() -> None:
    stages = {
        "participants",
        "rights",
        "registrations",
        "agreements",
        "listings",
        "orders",
        "queries",
        "settlement",
        "clearing",
        "statements",
        "invoices",
        "vouchers",
        "deliveries",
        "lineage",
        "api",
        "evidence",
        "webhooks",
    }
    parties = {"vault", "custodian", "panel", "gateway", "ledger", "operator", "serve"}
    assert set(cli.GROUPS) == stages | parties | {"keys", "persons", "session", "resolve", "audit", "rulebooks"}


def test_help_starts_nothing_heavy() -> None:
    program = (
        "import sys; from marketplace import cli; cli.main(['--help']);"
        "heavy = {'httpx', 'numpy', 'pyarrow', 'web3', 'fastapi', 'sqlmodel', 'tenseal'} & set(sys.modules);"
        "sys.exit(','.join(heavy) or 0)"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begin < 5, "half a second on an idle machine"


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["participant"]) == 2
    assert "participants" in capsys.readouterr().err


def test_every_default_is_one_that_its_option_could_be_given() -> None:
    """A parser reads texts: a default that is none would stop the command that is run without the option."""
    read = []
    for found in COMMANDS.values():
        for parameter in found.params:
            parser = parameter.type_descriptor.parameter_info.parser
            if parser is not None and parameter.default is not None:
                parser(parameter.default)
                read.append(parser.__name__)
    assert Counter(read) >= Counter(parse_duration=12, parse_currency=8)
