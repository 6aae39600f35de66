"""docs/security/leakage.md says of every computation what it releases; here the planner says whether that is true."""

import re
from pathlib import Path

import pytest

from marketplace.documents import COMPUTATIONS
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Count,
    Covariance,
    Histogram,
    Mean,
    Ols,
    Quantile,
    Ridge,
    Score,
    StdDev,
    Sum,
    Term,
    Variance,
    WeightedMean,
    WeightedSum,
)
from marketplace.queries.planning.noise import sensitivities
from marketplace.queries.planning.plan import make_plan
from tests.plain_data import dimension, make_manifest, measure, query_document

PAGE = (Path(__file__).parents[3] / "docs/security/leakage.md").read_text("utf-8")
FACTS = ["Assumes", "Released", "Leaks", "To whom", "Cost", "Source"]
SECTIONS = dict(re.findall(r"^### ([A-Z]+)\n\n((?:- .*\n)+)", PAGE, re.MULTILINE))
U, V, W = 7, 11, 3
ASKED: dict[str, Term] = {
    "COUNT": Count(),
    "SUM": Sum("a"),
    "MEAN": Mean("a"),
    "VARIANCE": Variance("a"),
    "STDDEV": StdDev("a"),
    "COVARIANCE": Covariance("a", "b"),
    "CORRELATION": Correlation("a", "b"),
    "HISTOGRAM": Histogram("a"),
    "QUANTILE": Quantile("a", "0.5"),
    "CONTINGENCY": Contingency(),
    "OLS": Ols("a", "b"),
    "RIDGE": Ridge("a", "b", penalty="0.5"),
    "SCORE": Score({"a": 1, "b": 1}),
    "WSUM": WeightedSum("a", "d", {"x": W, "y": 2}),
    "WMEAN": WeightedMean("a", "d", {"x": W, "y": 2}),
}


MANIFEST = make_manifest(
    [dimension("d", "x", "y"), dimension("e", "x", "y")], [measure("a", -U, U, -1, 1), measure("b", 0, V)], [["a", "b"]]
)


def released(term: Term) -> dict[str, int]:
    """Every statistic of the plan with its sensitivity; the digest of weights left out of the name."""
    query = Query.select(term).group_by(*(("d", "e") if term.op == "CONTINGENCY" else ()))
    plan = make_plan(MANIFEST, query_document(query, 1_000_000))
    found = sensitivities(MANIFEST, plan.numbers, plan.statistics)
    return {re.sub(r"#[0-9a-f]+$", "", name): size for name, size in found.items()}


def documented(section: str) -> dict[str, int]:
    """The same as the page says it."""
    (line,) = re.findall(r"^- \*\*Released\*\* (.*)$", section, re.MULTILINE)
    stated = re.sub(r" \([^)`]*`[^`]*`[^)]*\)", "", line)  # another form of the same computation
    names = re.findall(r"`([^`]+)`", stated)
    sizes = re.split(r",\s*", re.sub(r"\s*\(.*", "", stated.rsplit("`: ", 1)[1]).rstrip("."))
    values = {"u": U, "v": V, "w": W}
    return {
        name: int(eval(size.replace("²", "**2").replace("·", "*"), {}, values))
        for name, size in zip(names, sizes, strict=True)
    }


def test_every_computation_has_a_section_and_every_section_a_computation() -> None:
    assert sorted(SECTIONS) == sorted(COMPUTATIONS) == sorted(ASKED)


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_a_section_states_every_fact(name: str) -> None:
    facts = re.findall(r"^- \*\*([^*]+)\*\* (.+)$", SECTIONS[name], re.MULTILINE)
    assert [fact for fact, _ in facts] == FACTS
    assert all(len(text) >= 7 and text.endswith(".") for _, text in facts)


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_what_is_released_is_what_the_planner_releases(name: str) -> None:
    assert documented(SECTIONS[name]) == released(ASKED[name])


def test_the_computations_of_the_guide_are_the_same() -> None:
    guide = (Path(__file__).parents[3] / "docs/queries.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| ([A-Z]+) \| `", guide, re.MULTILINE)) == sorted(COMPUTATIONS)
