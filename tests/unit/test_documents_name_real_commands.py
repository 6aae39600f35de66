"""Every `marketplace …` line of the README and the docs names a command that exists, with options that it has."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketplace.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINE = re.compile(r"^(?:    |\$ )(marketplace [^#\n]*)", re.MULTILINE)
SHARED = {"--json", "--lang", "--home", "--url"}


def _lines() -> list[str]:
    return sorted({line.strip() for page in PAGES for line in LINE.findall(page.read_text("utf-8"))})


@pytest.mark.parametrize("line", _lines())
def test_the_line_is_a_command(line: str) -> None:
    words = [word for word in line.split()[1:] if not word.startswith("0x")]
    command = []
    for word in words[:2]:
        if not re.fullmatch(r"[a-z-]+", word) or word.startswith("--"):
            break
        command.append(word)
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0, result.output
    for option in (word for word in words if word.startswith("--")):
        assert option in SHARED or option in result.output, f"{' '.join(command)} has no option {option}"
