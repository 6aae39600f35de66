"""Answers and explanations as people see them in a terminal."""

import json
from typing import Any

import pytest

from marketplace.console.run import Run
from marketplace.documents import COMPUTATIONS
from marketplace.queries.answers.answer import Answer as Opened
from marketplace.queries.commands import print_answer, print_explanation
from marketplace.queries.explain import described, plan_or_refusal
from marketplace.sdk.answers import Answer
from marketplace.sdk.queries import Explanation
from tests.sealed_market import SCHEMA, Market, open_market

FULL: dict[str, Any] = {
    **SCHEMA,
    "measures": [{**SCHEMA["measures"][0], "bins": [0, 30]}, SCHEMA["measures"][1]],
    "joints": [{"measures": ["fare", "delay"]}],
}
SQL = "SELECT origin, COUNT(*), APPROX_QUANTILE(delay, 0.5), HISTOGRAM(delay), OLS(fare, delay) FROM f GROUP BY origin"


ZCDP = {"measure": "zcdp", "delta": "1e-9"}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"), schema=FULL)


@pytest.fixture(scope="module")
def answer(market: Market) -> Answer:
    order = market.order(computations=list(COMPUTATIONS))
    opened = market.ask(order, SQL, 5_000_000)
    assert isinstance(opened, Opened)
    left: dict[str, Any] = {"left_order": 5_000_000, "left_buyer": 7_500_000, "left_asset": 15_000_000}
    return Answer(opened, 500, **left, privacy={"measure": "pure"}, query="0x00", plan="0x01")


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")


def explanation(market: Market, sql: str) -> Explanation:
    document = market.query(market.order(), sql)
    plan, refusals = plan_or_refusal(market.manifest, document)
    details = described(market.manifest, document, plan) if plan else {}
    return Explanation(plan, details, 500, 1_000_000, 10, 1_000_000, 20_000_000, 1_500_000, "friends", ZCDP, refusals)


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("count", "from", "7.5 to you")), ("zh", ("下限", "隐私噪声", "您剩余 7.5"))]
)
def test_every_table_of_an_answer_is_printed(
    answer: Answer, capsys: pytest.CaptureFixture[str], language: str, words: tuple[str, ...]
) -> None:
    print_answer(Run(language=language), answer)
    shown = capsys.readouterr().out
    for word in (*words, "EWR", "histogram_delay", "ols_fare_on_delay", "intercept", "privacy_se", "margin"):
        assert word in shown


def test_an_answer_as_json_has_every_table(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(Run(as_json=True), answer)
    said = json.loads(capsys.readouterr().out)
    assert set(said["tables"]) == {"histogram_delay", "ols_fare_on_delay", "ols_fare_on_delay_fit"}
    assert len(said["tables"]["histogram_delay"]) == 9
    assert {"quantile_delay_0.5_low", "quantile_delay_0.5_high"} <= said["rows"][0].keys()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("taken", "expected standard error", "assumed", "exactly", "rho 1 (epsilon 9", "buyers friends", "1.5")),
        ("zh", ("选用", "预期标准误", "估计", "确定", "δ=1e-9", "买方组 friends")),
    ],
)
def test_an_explanation_shows_form_noise_and_errors(
    market: Market, capsys: pytest.CaptureFixture[str], language: str, words: tuple[str, ...]
) -> None:
    print_explanation(Run(language=language), explanation(market, "SELECT COUNT(*), AVG(fare) FROM f"))
    shown = capsys.readouterr().out
    for word in (*words, "sum:fare", "mean_fare", "form cells" if language == "en" else "形式 cells"):
        assert word in shown


def test_an_explanation_without_a_plan_says_why(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    found = explanation(market, "SELECT HISTOGRAM(fare) FROM f")
    print_explanation(Run(), found)
    assert "would be refused: fare was sealed without bins (bins_not_declared)" in capsys.readouterr().out
    print_explanation(Run(as_json=True), found)
    said = json.loads(capsys.readouterr().out)
    assert (said["plan"], said["refusals"][0]["code"]) == (None, "bins_not_declared")
