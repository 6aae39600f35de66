"""The rulebooks that this version of the program knows: data files, found by name or by digest."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from marketplace.errors import NotFoundError
from marketplace.rulebooks.book import PROCEDURES, Period, Rulebook, make_rulebook

LAWFUL = "cn-2026"
EVALUATION = "evaluation"


@cache
def all_rulebooks() -> dict[str, Rulebook]:
    """Every rulebook by its id and version, e.g. "cn-2026-v1"."""
    files = resources.files("marketplace.rulebooks").iterdir()
    names = sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
    return {book.slug: book for book in (make_rulebook(_read(name)) for name in names)}


def rulebook_named(name: str) -> Rulebook:
    """The newest version of an id such as "cn-2026", or the one version "cn-2026-v1".

    Raises:
        NotFoundError: `rulebook_unknown`.
    """
    found = [book for slug, book in all_rulebooks().items() if name in (slug, book.content["id"])]
    if not found:
        raise _unknown(name)
    return max(found, key=lambda book: int(book.content["version"]))


def rulebook_of(digest: str) -> Rulebook:
    """The rulebook of a digest, as cases name it. Raises NotFoundError `rulebook_unknown`."""
    found = next((book for book in all_rulebooks().values() if book.digest == digest), None)
    if found is None:
        raise _unknown(digest)
    return found


def _unknown(got: str) -> NotFoundError:
    return NotFoundError(
        "rulebook_unknown",
        f"there is no rulebook {got}",
        zh="没有该规则文件",
        expected=sorted(all_rulebooks()),
        got=got,
        hint="see `marketplace rulebooks list`; a newer rulebook needs a newer version of this program",
        hint_zh="请运行 `marketplace rulebooks list`；较新的规则需要较新版本的程序",
    )


def _read(name: str) -> dict[str, Any]:
    """A file of this folder, laid over the one that it extends with the changes that it "adds", if any.

    The changes are a file of the folder changes, which several rulebooks may share. Their name is not in the content:
    a digest covers what a rulebook says, not which file says it.
    """
    content = _load(f"{name}.toml")
    base = _read(content["extends"]) if content.get("extends") else {}
    changes = _load(f"changes/{content.pop('adds')}.toml") if "adds" in content else {}
    return _merge(_merge(base, changes), content)


def _load(path: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("marketplace.rulebooks") / path).read_text("utf-8"))


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the tables of `change` laid over it; a period (a table with an amount) is replaced whole."""
    merged = dict(base)
    for name, value in change.items():
        old = merged.get(name)
        deep = isinstance(value, Mapping) and isinstance(old, Mapping) and "amount" not in value
        merged[name] = _merge(old, value) if deep and isinstance(old, Mapping) else value
    return merged


__all__ = [
    "EVALUATION",
    "LAWFUL",
    "PROCEDURES",
    "Period",
    "Rulebook",
    "all_rulebooks",
    "rulebook_named",
    "rulebook_of",
]
