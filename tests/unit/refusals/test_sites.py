"""Every refusal anywhere has code, words, rule, rulebook and hint, in English and Chinese: all places, found by reading
the source."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from marketplace import errors
from marketplace.app import STATUS
from marketplace.auditor.messages import ADVICE, MESSAGES, OWN_ADVICE, STEPS
from marketplace.errors import MarketplaceError, NotAuthorizedError, PortError, RuleError
from marketplace.refusals import REFUSALS
from scripts.documentation.refusals import ELSEWHERE, Row, rows
from scripts.documentation.sites import CODE, Site, sites
from tests.refusals import english_in

ROOT = Path(__file__).resolve().parents[3]
CHINESE = re.compile("[\u4e00-\u9fff]")
RULE = re.compile(r"[a-z]+(\.[a-z0-9_{}]+)+")
SENTENCES = {"reason", "why", "link", "fault", "problem", "strerror", "message", "words", "wrong", "told"}
"""Names of what says something in English."""
SAID = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}|\b(at most|at least|more than|fewer than|one of) \{")
"""Two English words in a row, or a bound."""
NOT_BARE = (RuleError, NotAuthorizedError)  # their rule and hint are stated where they are raised


def _place(site: Site) -> str:
    return f"{site.path}:{site.line}:{site.code}"


def _of_our_own() -> list[Site]:
    return [site for site in sites() if CODE.fullmatch(site.code)]


def test_the_reader_finds_the_places() -> None:
    found = {site.code: site for site in sites()}
    assert len(found) > 250
    assert found["order_unknown"].family is errors.NotFoundError
    assert found["too_many_decimals"].path == "marketplace/vault/sealing/values.py"  # through two functions
    assert found["unknown_measure"].path == "marketplace/queries/language/lexicon.py"  # by an f-string
    assert found["group_budget_exhausted"].texts["rule"] == "queries.buyer_budget"  # by a local name


def test_every_code_can_be_read_or_stands_in_a_named_table() -> None:
    unread = {site.path for site in sites() if not CODE.fullmatch(site.code)}
    assert unread <= set(ELSEWHERE), "state the code where it is raised, or name the table in ELSEWHERE"


@pytest.mark.parametrize("site", _of_our_own(), ids=_place)
def test_a_place_says_what_is_wrong_and_what_to_do_in_both_languages(site: Site) -> None:
    assert site.told("message"), "what is wrong, in English"
    assert not CHINESE.search(site.told("message"))
    assert CHINESE.search(site.texts.get("zh", "")), "zh=: what is wrong, in Chinese"
    assert bool(site.texts.get("hint")) == bool(site.texts.get("hint_zh")), "hint= and hint_zh= go together"
    assert CHINESE.search(site.told("hint_zh"))
    assert RULE.fullmatch(site.told("rule")), "rule=: <stage>.<rule>"
    if issubclass(site.family, NOT_BARE):
        assert {"rule", "hint", "hint_zh"} <= site.texts.keys(), "a rule's refusal names its rule and what to do"


@pytest.mark.parametrize("site", _of_our_own(), ids=_place)
def test_the_chinese_text_is_chinese_throughout(site: Site) -> None:
    """A reason, or what was expected, is told in both languages (marketplace/words.py) or left to `got`."""
    chinese = site.texts.get("zh", "")
    assert not english_in(chinese)
    assert not set(re.findall(r"\{(\w+)\}", chinese)) & SENTENCES, "an English sentence by its name: Words has both"


@pytest.mark.parametrize("site", _of_our_own(), ids=_place)
def test_what_a_sentence_says_was_expected_is_said_in_both_languages(site: Site) -> None:
    for name in ("expected", "got"):
        told = re.sub(r"`[^`]*`", "", site.texts.get(name, ""))
        assert not SAID.search(told), f"{name}: Words of marketplace/words.py, or at_most, one_of, … of them"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.code)
def test_the_page_has_everything_of_a_code(row: Row) -> None:
    assert all((row.message, row.rule, row.hint))
    assert CHINESE.search(row.zh)
    assert CHINESE.search(row.hint_zh)


def test_no_hint_has_a_place_that_nobody_fills() -> None:
    """What stands in braces is an f-string's; a hint that says "GET /orders/{order}" says it to a person."""
    for path in (ROOT / "marketplace").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
            for keyword in (item for item in call.keywords if item.arg in ("hint", "hint_zh")):
                written = [node.value for node in ast.walk(keyword.value) if isinstance(node, ast.Constant)]
                found = [text for text in written if isinstance(text, str) and set("{}") & set(text)]
                assert not found, f"{path.name}:{call.lineno}: {found}"


def test_a_code_is_of_one_family() -> None:
    families = defaultdict(set)
    for site in _of_our_own():
        families[site.code].add(site.family.__name__)
    for refusal in REFUSALS.values():
        families[refusal.code].add(RuleError.__name__)
    assert {code: kinds for code, kinds in families.items() if len(kinds) > 1} == {}


def test_the_rules_refuse_by_names_that_the_table_has() -> None:
    for path in (ROOT / "marketplace").rglob("*.py"):
        if "from marketplace.refusals import" not in (text := path.read_text("utf-8")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse":
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: name the error"
                assert first.value in REFUSALS, f"{path.name}:{node.lineno}: {first.value!r}"


def test_nothing_is_raised_that_no_reader_of_errors_knows() -> None:
    """typer's and starlette's own errors are raised where they are turned into ours, and nowhere else."""
    homes = {
        "BadParameter": "console/usage.py",
        "HTTPException": "web/guard.py",
        "UsageError": "",
        "ClickException": "",
    }
    for path in (ROOT / "marketplace").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                home = homes.get(name)
                assert home is None or path.as_posix().endswith(home or "\0"), f"{path.name}:{node.lineno}: {name}"


@pytest.mark.parametrize("family", STATUS, ids=lambda family: family.__name__)
def test_a_family_has_a_rule_and_a_hint_for_what_its_places_leave_out(family: type[MarketplaceError]) -> None:
    told = family("a_code", "what is wrong", zh="有误").as_dict()
    assert RULE.fullmatch(told["rule"])
    assert told["rulebook"] == errors.RULES_VERSION
    assert told["hint"].isascii()
    assert CHINESE.search(told["hint_zh"])


def test_what_cannot_be_repeated_does_not_say_try_again() -> None:
    again, never = PortError("a_code", "m"), PortError("a_code", "m", retryable=False)
    assert "again in a moment" in again.hint
    assert "again in a moment" not in never.hint
    assert CHINESE.search(never.hint_zh)


def test_findings_have_rule_and_hint() -> None:
    assert set(ADVICE) == {0, *STEPS} - {max(STEPS)}
    assert set(OWN_ADVICE) <= set(MESSAGES)
    for rule, hint, hint_zh in (*ADVICE.values(), *OWN_ADVICE.values()):
        assert RULE.fullmatch(rule)
        assert hint.isascii()
        assert CHINESE.search(hint_zh)
    assert all(CHINESE.search(zh) for _, zh in MESSAGES.values())
