"""The numbers of pricing that law or guidance may change: data files by version, each with its sources."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.errors import NotFoundError

CURRENT = "cn-2025.1"
_FOLDER = Path(__file__).parent / "rulebooks"


@cache
def versions() -> tuple[str, ...]:
    """Every version that exists, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


@cache
def load(version: str) -> Mapping[str, Any]:
    """One version.

    Raises:
        NotFoundError: `rulebook_unknown`.
    """
    if version not in versions():
        raise NotFoundError(
            "rulebook_unknown",
            f"there is no rulebook of pricing {version}",
            zh=f"没有定价规则集 {version}",
            rule="pricing.rulebook_is_known",
            expected=", ".join(versions()),
            got=version,
            hint="name one that exists",
            hint_zh="请使用已有的版本",
        )
    found: Mapping[str, Any] = json.loads((_FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return found
