"""How titles are shown in a terminal."""

from marketplace.console.values import moment, short
from marketplace.documents.scopes import name_of, words_of
from marketplace.types import TitleKind

TITLES = (
    ("titleId", "title", "权利编号", short),
    ("kind", "right", "权利", lambda code: f"{TitleKind(code).name} {name_of(TitleKind(code))}"),
    ("holder", "holder", "权利人", str),
    ("marks", "marks", "标记", lambda marks: " ".join(words_of(marks)) or "–"),
    ("validUntil", "valid until", "有效期至", moment),
)
