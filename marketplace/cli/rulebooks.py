"""`marketplace rulebooks`: the rules of registration as data, with their sources. Asks nobody."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named, said, yes_no
from marketplace.console.run import Column
from marketplace.procedures import Kind
from marketplace.rulebooks import PROCEDURES, Rulebook, all_rulebooks, rulebook_named, rulebook_of
from marketplace.rulebooks.book import UNITS
from marketplace.words import PERIODS, Words, joined
from marketplace.words import PROCEDURES as PROCEDURE_WORDS

app = group("The rules of registration as data, with their sources. 登记规则")


@command(app, "list")
def list_(run: Run) -> None:
    """The rulebooks that this program knows. 规则目录

    Example: marketplace rulebooks list
    """
    rows = [
        {"file": name, "name": book.name, "digest": book.digest, "lawful": book.is_lawful}
        for name, book in all_rulebooks().items()
    ]
    columns = (("file", "rulebook", "规则", str), ("name", "version", "版本", str), ("digest", "digest", "摘要", str))
    run.rows(rows, (*columns, ("lawful", "the law", "法定", yes_no)))


@command(app)
def show(
    run: Run, rulebook: Annotated[str, typer.Argument(metavar="RULEBOOK", help="name or digest 名称或摘要")]
) -> None:
    """Every period, kind, ground and form of a rulebook, and where each comes from. 规则内容

    Example: marketplace rulebooks show cn-2026
    """
    book = rulebook_of(rulebook) if rulebook.startswith("0x") else rulebook_named(rulebook)
    if run.as_json:
        run.json({"name": book.name, "digest": book.digest, "content": dict(book.content)})
        return
    title = book.content["title"]
    run.say(f"{title['en']} ({book.name})", f"{title['zh']}（{book.name}）")
    run.rows(
        _periods(book),
        tuple(column for name in ("procedure", "period", "length", "source") for column in _column(name)),
    )
    shown = ("kind", "field", "asked", "longest", "meaning")
    run.rows(_fields(book), tuple(column for name in shown for column in _column(name)))
    run.rows(book.content["grounds"], (*_column("code"), *_column("en"), *_column("zh"), *_column("article")))


_EXIT = "exit"
_PROCEDURE = named({**PROCEDURE_WORDS, _EXIT: "退出通知"})
_FORMS: dict[str, Callable[[Any], str | Words]] = {
    **{"procedure": _PROCEDURE, "period": named(PERIODS), "kind": named(Kind, str)},
    **{"length": said, "asked": said, "meaning": said},
}


def _column(name: str) -> tuple[Column]:
    words = {"procedure": "程序", "period": "期限", "length": "时长", "source": "依据", "kind": "类型"}
    words |= {"field": "表单项", "asked": "必填", "longest": "字数"}
    words |= {"meaning": "含义", "code": "代码", "en": "英文", "zh": "中文", "article": "条款"}
    return ((name, name, words[name], _FORMS.get(name, str)),)


def _fields(book: Rulebook) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "field": name,
            "asked": _asked(field),
            "longest": str(field["longest"]),
            "meaning": Words(field["en"], field["zh"]),
        }
        for kind, form in book.content["forms"].items()
        for name, field in form.items()
    ]


def _asked(field: Mapping[str, Any]) -> Words:
    """Whether every form needs the field, or that of which procedures."""
    return yes_no(is_so=True) if field["required"] else joined(map(_PROCEDURE, field.get("required_in", ())))


def _periods(book: Rulebook) -> list[dict[str, Any]]:
    return [
        {
            "procedure": procedure,
            "period": name,
            "length": Words(f"{value['amount']} {value['unit']}", f"{value['amount']} {UNITS[value['unit']]}"),
            "source": f"{book.content['sources'][value['source']]['title']} {value['article']}",
        }
        for procedure in (*PROCEDURES, _EXIT)
        for name, value in book.content.get(procedure, {}).items()
        if isinstance(value, dict)
    ]
