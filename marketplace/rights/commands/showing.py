"""How titles and revenue shares are shown in a terminal."""

from typing import Any

from marketplace.console.values import moment, short
from marketplace.documents.scopes import name_of, words_of
from marketplace.types import TitleKind, TitleMark

TITLES = (
    ("titleId", "title", "权利编号", short),
    ("kind", "right", "权利", lambda code: f"{TitleKind(code).name} {name_of(TitleKind(code))}"),
    ("holder", "holder", "权利人", str),
    ("marks", "marks", "标记", lambda marks: " ".join(words_of(marks)) or "–"),
    ("validUntil", "valid until", "有效期至", moment),
)
SHARES = (
    ("holder", "share holder", "收益方", str),
    ("bps", "basis points", "基点", str),
    ("weight", "pledged or seized", "质押或限制", str),
)


def weight_of(share: dict[str, Any]) -> str:
    """What weighs on a share, for a table."""
    marks = TitleMark(share["marks"])
    words = [mark.name.lower() for mark in (TitleMark.SEIZED, TitleMark.CONTROLLED) if mark in marks and mark.name]
    pledge = [f"{share['pledgedBps']} -> {share['pledgee']}"] if share["pledgedBps"] else []
    return " ".join((*words, *pledge)) or "–"
