"""Reads the files of tests/vectors; README.md there gives each one's origin."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "vectors"


def load(name: str) -> Any:
    """The parsed content of tests/vectors/<name>.json."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
