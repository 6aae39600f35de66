"""`marketplace rulebooks`: the rules of registration as data, with their sources. Asks nobody."""

from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.rulebooks import PROCEDURES, Rulebook, all_rulebooks, rulebook_named, rulebook_of

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
    run.rows(rows, (*columns, ("lawful", "the law", "法定", lambda is_so: "yes 是" if is_so else "no 否")))


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
        (("procedure", "procedure", "程序", str), *_column("period"), *_column("length"), *_column("source")),
    )
    shown = ("kind", "field", "asked", "longest", "meaning")
    run.rows(_fields(book), tuple(column for name in shown for column in _column(name)))
    run.rows(book.content["grounds"], (*_column("code"), *_column("en"), *_column("zh"), *_column("article")))


def _column(name: str) -> tuple[tuple[str, str, str, type[str]]]:
    words = {"procedure": "程序", "period": "期限", "length": "时长", "source": "依据", "kind": "类型"}
    words |= {"field": "表单项", "asked": "必填", "longest": "字数"}
    words |= {"meaning": "含义", "code": "代码", "en": "英文", "zh": "中文", "article": "条款"}
    return ((name, name, words[name], str),)


def _fields(book: Rulebook) -> list[dict[str, str]]:
    return [
        {
            "kind": kind,
            "field": name,
            "asked": "yes 是" if field["required"] else " ".join(field.get("required_in", ())),
            "longest": str(field["longest"]),
            "meaning": f"{field['en']} {field['zh']}",
        }
        for kind, form in book.content["forms"].items()
        for name, field in form.items()
    ]


def _periods(book: Rulebook) -> list[dict[str, str]]:
    return [
        {
            "procedure": procedure,
            "period": name,
            "length": f"{value['amount']} {value['unit']}",
            "source": f"{book.content['sources'][value['source']]['title']} {value['article']}",
        }
        for procedure in PROCEDURES
        for name, value in book.content[procedure].items()
        if isinstance(value, dict)
    ]
