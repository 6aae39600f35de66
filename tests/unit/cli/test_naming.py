"""What a Chinese reader is shown instead of states, kinds, roles and levels: a word of the field for each."""

import ast
import io
import re
from collections.abc import Iterator
from enum import IntFlag
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from rich.console import Console

from marketplace import procedures, types, words
from marketplace.agreements import service as agreements
from marketplace.console import Run
from marketplace.console.naming import Listed, Named, named, placed, yes_no
from marketplace.documents import DATA_ORIGINS, LEVELS, SOURCE_CLASSES
from marketplace.documents.api import OUTCOMES
from marketplace.documents.plans import MODES
from marketplace.procedures import Party, Procedure
from marketplace.rulebooks import PROCEDURES, all_rulebooks
from marketplace.types import Role
from marketplace.webhooks import rules as webhooks

ROOT = Path(__file__).resolve().parents[3] / "marketplace"
CHINESE = re.compile("[\u4e00-\u9fff]")
#: columns that hold a number of the ledger or a code, under the names that the service gives them
CODED = {"status", "state", "stateName", "kind", "kindName", "whose", "procedure"}
CODED |= {"roles", "acts", "marks", "level", "outcome", "mode", "standing"}
#: read from each table before it is printed, in the reader's words (`_told` in auditor/register_printing.py)
TOLD_BEFORE = "auditor/register_printing.py"


def columns() -> Iterator[tuple[str, str, ast.expr]]:
    """(file, key, formatter) of every column of the command line's tables."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Tuple([ast.Constant(str(key)), ast.Constant(str()), ast.Constant(str(zh)), form]):
                    if CHINESE.search(zh) and not isinstance(form, ast.Constant):
                        yield path.relative_to(ROOT).as_posix(), key, form


def test_no_table_shows_a_code_as_it_is() -> None:
    found = [(file, key, form) for file, key, form in columns() if key in CODED]
    assert {key for _, key, _ in found} >= CODED - {"procedure", "mode"}
    bare = []
    for file, key, form in found:
        text = ast.unparse(form)
        translates = "run.tr(" in text or not re.match(r"(str|short|lambda)\b", text)
        if not translates and file != TOLD_BEFORE:
            bare.append((file, key, text))
    assert bare == []


def test_every_enumeration_has_a_word_for_every_member() -> None:
    shown = {kind for module in (types, procedures) for kind in vars(module).values() if is_numbers(kind)}
    assert shown == set(words.CHINESE)
    for kind in shown:
        table = words.CHINESE[kind]
        assert list(table) == [str(member.name) for member in kind]
        assert all(CHINESE.search(text) for text in table.values())


def is_numbers(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, int) and hasattr(kind, "__members__") and bool(len(kind))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.LEVELS, LEVELS),
        (words.SOURCES, SOURCE_CLASSES),
        (words.ORIGINS, DATA_ORIGINS),
        (words.MODES, MODES),
        (words.OUTCOMES, OUTCOMES),
        (words.PARTIES, tuple(Party)),
        (words.QUERIES, ("pending", "released", "refused")),
        (words.STATEMENTS, ("Agree", "AmendAgreement", "RetireAgreement")),
        (words.ENDPOINTS, (webhooks.ACTIVE, webhooks.GONE)),
        (words.PROCEDURES, PROCEDURES),
        (
            words.PROPOSALS,
            (
                *(agreements.OPEN, agreements.COUNTERED, agreements.WITHDRAWN, agreements.DECLINED),
                *(agreements.ACCEPTED, agreements.LAPSED),
            ),
        ),
    ],
)
def test_every_code_has_a_word(table: dict[str, str], codes: tuple[str, ...]) -> None:
    assert tuple(table) == codes, "in the order of the codes: places count"
    assert all(CHINESE.search(text) for text in table.values())


def test_every_time_limit_of_a_rulebook_has_a_word() -> None:
    found = {
        name
        for book in all_rulebooks().values()
        for part in (*PROCEDURES, "exit")
        for name, value in book.content.get(part, {}).items()
        if isinstance(value, dict)
    }
    assert found == set(words.PERIODS)


@pytest.mark.parametrize(
    ("language", "told"), [("zh", ["暂停", "供方、银行", "重要数据", "是"]), ("en", ["suspended"])]
)
def test_a_table_speaks_the_reader_s_language(language: str, told: list[str]) -> None:
    run, printed = Run(language=language), io.StringIO()
    run.out = Console(file=printed, width=200)
    columns: tuple[Any, ...] = (
        ("status", "status", "状态", named(types.ParticipantStatus)),
        ("roles", "roles", "角色", Listed(Role)),
        ("level", "level", "级别", placed(words.LEVELS)),
        ("late", "late", "逾期", yes_no),
    )
    run.rows([{"status": 2, "roles": Role.SUPPLIER | Role.BANK, "level": 5, "late": True}], columns)
    assert all(word in printed.getvalue() for word in told)
    assert bool(CHINESE.search(printed.getvalue())) == (language == "zh")


def test_a_code_without_a_word_stands_for_itself() -> None:
    assert Named(MappingProxyType({}))("NEW") == ("new", "NEW")
    assert named(Procedure)(1) == named(Procedure)("ORDINARY") == ("ordinary", "普通程序")
    assert Listed(Role)(0) == ("–", "–")
    assert issubclass(Role, IntFlag)
