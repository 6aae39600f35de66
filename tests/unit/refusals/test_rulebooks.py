"""Rules that read a rulebook cite it, with its version; all others the market's: docs/errors.md says which."""

import ast
from pathlib import Path
from typing import Any

import pytest

from marketplace.errors import RULES_VERSION
from marketplace.refusals import REFUSALS, refuse
from marketplace.refusals.sources import SOURCES, Source
from marketplace.registrations.governing import cited, governing, name_of
from marketplace.rulebooks import EVALUATION, LAWFUL, rulebook_named
from scripts.documentation.refusals import ELSEWHERE, rows
from scripts.documentation.sites import CODE, Site, sites
from tests.refusals import sample_values

ROOT = Path(__file__).resolve().parents[3]
BOOK, OTHER = rulebook_named(LAWFUL), rulebook_named(EVALUATION)
CASE, ASSET = "0x" + "01" * 32, "0x" + "02" * 32
READERS = {"bound", "longest_term", "require_length", "exit_notice", "bounds"}
"""What the rules in Python ask a rulebook's bounds by."""


def _of_our_own() -> list[Site]:
    return [site for site in sites() if CODE.fullmatch(site.code) and site.path not in ELSEWHERE]


def test_every_rule_of_the_table_refuses_something() -> None:
    known = {rule for row in rows() for rule in row.rule.split("`, `")}
    assert set(SOURCES) <= known


@pytest.mark.parametrize("site", _of_our_own(), ids=lambda site: f"{site.path}:{site.line}:{site.code}")
def test_a_place_cites_a_rulebook_exactly_where_its_rule_reads_one(site: Site) -> None:
    assert ("rulebook" in site.texts) == (site.told("rule") in SOURCES), "marketplace/refusals/sources.py"


@pytest.mark.parametrize("error", REFUSALS)
def test_the_ledgers_refusals_cite_the_rulebook_that_their_rule_reads(error: str) -> None:
    refused = refuse(error, **sample_values(error, 0))
    assert refused.rulebook == RULES_VERSION
    reads = SOURCES.get(refused.rule) is Source.REGISTRATION
    assert _cited(refused.rule, [{"caseId": CASE}]) == (BOOK.name if reads else "")


def test_rules_that_ask_for_a_bound_are_in_the_table() -> None:
    """A function of the rules that asks a rulebook's bounds, and refuses: by rules that the table has."""
    found = set()
    for path in (ROOT / "marketplace").rglob("r*s.py"):
        for function in (
            node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
        ):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            asked = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
            if asked & READERS:
                found |= {
                    _first(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "refuse"
                }
    assert {"RegistrationsShort", "RegistrationsBounds", "RegistrationsTerm", "RegistrationsEarly"} <= found
    assert {REFUSALS[error].rule for error in found} <= set(SOURCES)


def test_which_version_governs_a_call() -> None:
    rule = "registrations.within_the_period"
    assert _cited(rule, [CASE]) == BOOK.name  # of an unsigned statement about a case
    assert _cited(rule, [{"caseId": CASE, "rulebookDigest": OTHER.digest}]) == BOOK.name  # a case keeps its rulebook
    assert _cited(rule, [{"caseId": ASSET, "rulebookDigest": OTHER.digest, "assetId": ASSET}]) == OTHER.name
    assert _cited(rule, [{"assetId": ASSET}]) == BOOK.name
    assert _cited(rule, [{"account": ASSET}]) == OTHER.name  # what is in force
    assert governing([], _case, _case) is None
    assert governing([7], _case, _case) is None
    assert name_of("0x" + "ff" * 32) == "0x" + "ff" * 32


def _case(name: str) -> str | None:
    return BOOK.digest if name == CASE else None


def _latest(name: str) -> str | None:
    return BOOK.digest if name == ASSET else None


def _cited(rule: str, arguments: list[Any]) -> str:
    return cited(rule, arguments, _case, _latest, OTHER.digest)


def _first(call: ast.Call) -> str:
    assert isinstance(call.args[0], ast.Constant)
    return str(call.args[0].value)
