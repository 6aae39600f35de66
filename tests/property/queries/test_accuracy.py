"""Values and standard errors against formulas on the rows themselves, numerical derivatives, and repeated noise."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import RuleError
from marketplace.queries.answers.accuracy import Result, figure, result
from marketplace.queries.answers.contingency import TOTAL, tabulate
from marketplace.queries.answers.distribution import Bins
from marketplace.queries.answers.figures import Figure
from marketplace.queries.answers.regression import Regression
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
    RegressionTerm,
    Ridge,
    Score,
    StdDev,
    Sum,
    Term,
    Variance,
    WeightedMean,
    WeightedSum,
)
from tests.plain_data import PlainData, Row, dimension, make_manifest, measure

DIMENSIONS = [dimension("origin", "EWR", "JFK", "LGA"), dimension("month", "1", "2", "3", "4", ordered=True)]
MEASURES = [
    measure("delay", -50, 200, *range(-40, 200, 10)),
    measure("distance", 100, 3000, 500, 1000, 2000),
    measure("fare", 0, 90_000, scale=2),
]
Counts = dict[tuple[str, ...], int]
UNITS = {"delay": 1, "distance": 1, "fare": 100}
WEIGHTS: dict[str, float | str] = {"EWR": "0.5", "JFK": -2, "LGA": 1}
SCALARS: tuple[Term, ...] = (
    *(Count(), Count("delay"), Sum("fare"), Mean("fare"), Mean("delay"), Variance("fare"), StdDev("delay")),
    *(Covariance("delay", "distance"), Covariance("fare", "delay"), Correlation("distance", "delay")),
    *(Score({"delay": "0.5", "fare": -2}, 3), Score({"delay": 1, "distance": "-0.25"}, statistic="SUM")),
    *(WeightedSum("fare", "origin", WEIGHTS), WeightedMean("delay", "origin", {**WEIGHTS, "JFK": 3})),
)
FITS: tuple[RegressionTerm, ...] = tuple(
    term
    for term in (
        Ols("delay", "distance"),
        Ols("delay", "distance", "fare"),
        Ridge("delay", "distance", "fare", penalty="0.5"),
        Ridge("fare", "delay", penalty="0.001"),
    )
    if isinstance(term, RegressionTerm)
)


@lru_cache
def data_of(seed: int, rows: int = 500) -> PlainData:
    """Rows in two batches, with related measures of which some are missing."""
    random = np.random.default_rng(seed)
    found: list[Row] = []
    for _ in range(rows):
        distance = int(random.integers(100, 3000))
        delay = int(np.clip(20 + 0.02 * distance + random.normal(0, 25), -50, 199))
        fare = int(np.clip(8_000 + 12 * distance - 40 * delay + random.normal(0, 6_000), 0, 90_000))
        values = {"delay": str(delay), "distance": str(distance), "fare": str(fare)}
        values = {name: "" if random.random() < 0.05 else value for name, value in values.items()}
        labels = {item["name"]: str(random.choice(item["categories"])) for item in DIMENSIONS}
        found.append({**labels, **values})
    half = rows // 2
    manifest = make_manifest(
        DIMENSIONS, MEASURES, [["delay", "distance", "fare"]], prefix="month", rows=(half, rows - half), missing=50
    )
    return PlainData(manifest, [found[:half], found[half:]])


def frame_of(data: PlainData) -> pd.DataFrame:
    """The rows, measures in their own unit."""
    frame = pd.DataFrame(data.rows)
    for name, unit in UNITS.items():
        frame[name] = pd.to_numeric(frame[name]) / unit
    return frame


def answered(data: PlainData, term: Term, *groups: str, noise: float = 0.0) -> dict[tuple[str, ...], Result]:
    """What a computation comes to in each group, without noise in the numbers."""
    plan = data.plan(Query.select(term).group_by(*groups))
    deviations = {name: value * noise for name, value in data.noise(plan).items()}
    return {group: result(data.manifest, term, numbers, deviations) for group, numbers in data.numbers(plan).items()}


def truth(frame: pd.DataFrame, term: Term) -> float:
    """The same by pandas, over complete cases where several measures are concerned."""
    whole = frame.dropna(subset=list(UNITS))
    weight = frame["origin"].map({"EWR": 0.5, "JFK": -2.0, "LGA": 1.0})
    mean_weight = frame["origin"].map({"EWR": 0.5, "JFK": 3.0, "LGA": 1.0})[frame["delay"].notna()]
    fare, delay, distance = (whole[name] for name in ("fare", "delay", "distance"))
    true = {
        "count": len(frame),
        "count_delay": frame["delay"].count(),
        "sum_fare": frame["fare"].sum(),
        "mean_fare": frame["fare"].mean(),
        "mean_delay": frame["delay"].mean(),
        "variance_fare": frame["fare"].var(ddof=0),
        "stddev_delay": frame["delay"].std(ddof=0),
        "covariance_delay_distance": delay.cov(distance, ddof=0),
        "covariance_fare_delay": fare.cov(delay, ddof=0),
        "correlation_distance_delay": delay.corr(distance),
        "mean_score(0.5*delay-2*fare+3)": (0.5 * delay - 2 * fare + 3).mean(),
        "sum_score(1*delay-0.25*distance)": (delay - 0.25 * distance).sum(),
        "wsum_fare_by_origin(EWR=0.5,JFK=-2,LGA=1)": (weight * frame["fare"]).sum(),
        "wmean_delay_by_origin(EWR=0.5,JFK=3,LGA=1)": np.average(frame["delay"].dropna(), weights=mean_weight),
    }
    return float(true[term.label])


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_without_noise_every_value_is_what_pandas_says(seed: int) -> None:
    data = data_of(seed)
    frame = frame_of(data)
    for term in SCALARS:
        found = answered(data, term)[()]
        assert isinstance(found, Figure)
        assert found.value == pytest.approx(truth(frame, term), rel=1e-9), term.label
        by_month = answered(data, term, "month")
        for month, part in frame.groupby("month"):
            item = by_month[str(month),]
            assert isinstance(item, Figure)
            assert item.value == pytest.approx(truth(part, term), rel=1e-9), term.label


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_histograms_and_quantiles_follow_the_declared_bins(seed: int) -> None:
    data = data_of(seed)
    frame = frame_of(data)
    found = answered(data, Histogram("distance"))[()]
    assert isinstance(found, Bins)
    counts, edges = np.histogram(frame["distance"].dropna(), bins=found.edges)
    assert list(found.counts) == counts.tolist()
    assert list(found.edges) == edges.tolist() == [100, 500, 1000, 2000, 3000]
    for fraction in ("0.05", "0.5", "0.9"):
        item = answered(data, Quantile("delay", fraction))[()]
        assert isinstance(item, Figure)
        true = float(np.quantile(frame["delay"].dropna(), float(fraction), method="inverted_cdf"))
        assert item.low is not None and item.high is not None and item.value is not None  # noqa: PT018
        assert item.low <= true <= item.high
        assert abs(item.value - true) <= 10, "within the width of a bin"


def fit_of(frame: pd.DataFrame, term: RegressionTerm) -> tuple[Any, Any]:
    """Coefficients and classical standard errors by numpy."""
    whole = frame.dropna(subset=list(UNITS))
    x, y = whole[list(term.regressors)].to_numpy(), whole[str(term.measure)].to_numpy()
    design = np.column_stack([np.ones(len(y)), x])
    penalty = np.diag([0.0, *(term.penalty / 1e6 * len(y) * x.var(axis=0))])
    inverse = np.linalg.inv(design.T @ design + penalty)
    values = inverse @ design.T @ y
    centred = (x - x.mean(axis=0)).T @ (x - x.mean(axis=0))
    shrunk = np.linalg.inv(centred + penalty[1:, 1:])
    freedom = len(y) - 1 - np.trace(shrunk @ centred)
    variance = float(((y - design @ values) ** 2).sum() / freedom)
    slopes = variance * shrunk @ centred @ shrunk
    intercept = variance / len(y) + x.mean(axis=0) @ slopes @ x.mean(axis=0)
    return values, np.sqrt([intercept, *np.diag(slopes)])


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FITS))
def test_regressions_are_what_numpy_solves(seed: int, term: RegressionTerm) -> None:
    data = data_of(seed)
    found = answered(data, term, noise=1e-12)[()]
    assert isinstance(found, Regression)
    values, errors = fit_of(frame_of(data), term)
    assert [item.name for item in found.coefficients] == ["intercept", *term.regressors]
    assert [item.value for item in found.coefficients] == pytest.approx(list(values), rel=1e-6)
    assert [item.sampling for item in found.coefficients] == pytest.approx(list(errors), rel=1e-6)
    assert [item.privacy for item in found.coefficients] == pytest.approx([0.0] * len(values), abs=1e-6)
    if term.op == "OLS":
        textbook = np.sqrt(np.diag(_textbook(frame_of(data), term)))
        assert [item.sampling for item in found.coefficients] == pytest.approx(list(textbook), rel=1e-6)


def _textbook(frame: pd.DataFrame, term: RegressionTerm) -> Any:
    """s^2 (X'X)^-1 with the intercept in X."""
    whole = frame.dropna(subset=list(UNITS))
    design = np.column_stack([np.ones(len(whole)), whole[list(term.regressors)].to_numpy()])
    y = whole[str(term.measure)].to_numpy()
    values, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = y - design @ values
    return residual @ residual / (len(y) - design.shape[1]) * np.linalg.inv(design.T @ design)


def parts_of(term: Term) -> list[Callable[[Result], tuple[float, float]]]:
    """The values of a computation, each with its privacy error."""
    if isinstance(term, RegressionTerm):
        return [_coefficient(place) for place in range(len(term.regressors) + 1)]
    return [_single]


def _single(item: Result) -> tuple[float, float]:
    assert isinstance(item, Figure)
    assert item.value is not None
    assert item.error is not None
    return float(item.value), item.error


def _coefficient(place: int) -> Callable[[Result], tuple[float, float]]:
    def read(item: Result) -> tuple[float, float]:
        assert isinstance(item, Regression)
        found = item.coefficients[place]
        assert found.value is not None
        assert found.privacy is not None
        return found.value, found.privacy

    return read


EVERY = (*SCALARS, Quantile("delay", "0.7"), *FITS)


@pytest.mark.parametrize("term", EVERY, ids=lambda term: term.label)
def test_errors_follow_the_delta_method(term: Term) -> None:
    """Against numerical derivatives of the same formulas."""
    data = data_of(5)
    plan = data.plan(Query.select(term))
    numbers, noise = data.numbers(plan)[()], data.noise(plan)
    for read in parts_of(term):
        total = 0.0
        for name, deviation in noise.items():
            step = max(abs(numbers[name]) * 1e-6, 1e-4)
            moved: Any = [{**numbers, name: _exact(numbers[name], sign * step)} for sign in (1, -1)]
            above, below = (read(result(data.manifest, term, point, noise))[0] for point in moved)
            total += ((above - below) / 2 / step * deviation) ** 2
        assert read(result(data.manifest, term, numbers, noise))[1] == pytest.approx(math.sqrt(total), rel=1e-3)


def _exact(number: int, step: float) -> Any:
    """Fractions stay exact where integers are expected to cancel."""

    return Fraction(number) + Fraction(step)


@pytest.mark.parametrize("term", EVERY, ids=lambda term: term.label)
def test_the_observed_spread_is_the_stated_error(term: Term) -> None:
    data, random = data_of(6, 1500), np.random.default_rng(11)
    plan = data.plan(Query.select(term), 400_000_000)
    numbers, noise = data.numbers(plan)[()], data.noise(plan)
    draws = []
    for _ in range(600):
        noisy = {name: value + round(random.laplace(0, noise[name] / math.sqrt(2))) for name, value in numbers.items()}
        draws.append([read(result(data.manifest, term, noisy, noise)) for read in parts_of(term)])
    spread = np.array(draws)[:, :, 0].std(axis=0)
    stated = np.sqrt((np.array(draws)[:, :, 1] ** 2).mean(axis=0))
    # 600 draws of noise with Laplace's kurtosis give a spread within about 5 percent (one deviation).
    assert spread == pytest.approx(stated, rel=0.2)


def test_a_quantile_lies_in_its_interval_nineteen_times_in_twenty() -> None:
    data, random = data_of(7), np.random.default_rng(12)
    true = float(np.quantile(frame_of(data)["delay"].dropna(), 0.7, method="inverted_cdf"))
    term = Quantile("delay", "0.7")
    plan = data.plan(Query.select(term), 100_000)
    numbers, noise = data.numbers(plan)[()], data.noise(plan)
    held = 0
    for _ in range(500):
        noisy = {name: value + round(random.laplace(0, noise[name] / math.sqrt(2))) for name, value in numbers.items()}
        item = figure(data.manifest, term, noisy, noise)
        held += item.low is not None and item.high is not None and item.low <= true <= item.high
    assert held >= 0.93 * 500


def test_nothing_is_computed_from_noise_alone() -> None:
    data = data_of(8)
    for term, numbers in (
        (Mean("delay"), {"n:delay": -2, "sum:delay": 5}),
        (Variance("delay"), {"n:delay": 0, "sum:delay": 5, "sumsq:delay": 3}),
        (StdDev("delay"), {"n:delay": 10, "sum:delay": 50, "sumsq:delay": 3}),
        (Quantile("distance", "0.5"), {f"bin:distance:{index}": -1 for index in range(4)}),
    ):
        noise = dict.fromkeys(numbers, 1.0)
        found = figure(data.manifest, term, numbers, noise)
        assert (found.value, found.error) == (None, None)


def test_a_regression_from_noise_alone_refuses_to_be_read() -> None:
    data, term = data_of(9), Ols("delay", "distance", "fare")
    plan = data.plan(Query.select(term))
    numbers = {**data.numbers(plan)[()], "cross@0:distance:distance": 1}
    found = result(data.manifest, term, numbers, data.noise(plan))
    assert isinstance(found, Regression)
    assert {item.value for item in found.coefficients} == {None}
    with pytest.raises(RuleError) as caught:
        found.check()
    assert caught.value.code == "normal_matrix_indefinite"
    assert "RIDGE" in caught.value.hint


def test_a_wide_margin_is_told_from_a_narrow_one() -> None:
    data, term = data_of(10), Ols("delay", "distance")
    margins = []
    for epsilon in (1_000_000_000, 300_000):
        plan = data.plan(Query.select(term), epsilon)
        found = result(data.manifest, term, data.numbers(plan)[()], data.noise(plan))
        assert isinstance(found, Regression)
        assert found.margin is not None
        margins.append(found.margin)
    assert margins[0] > 1000
    assert margins[1] < 3


def counts_by_group(data: PlainData) -> dict[tuple[str, ...], int]:
    plan = data.plan(Query.select(Contingency()).group_by("origin", "month"))
    return {group: data.numbers(plan)[group]["rows"] for group in plan.groups}


def test_a_contingency_table_has_margins_and_pearsons_chi_square() -> None:
    data = data_of(3)
    crossed = pd.crosstab(frame_of(data)["origin"], frame_of(data)["month"])
    found = tabulate(["origin", "month"], counts_by_group(data), 1e-9)
    table = pd.DataFrame(found.table()).set_index("origin")
    assert table.loc[crossed.index, crossed.columns].to_numpy().tolist() == crossed.to_numpy().tolist()
    assert table.loc[TOTAL, TOTAL] == 500
    assert table[TOTAL].tolist() == [*crossed.sum(axis=1), 500]
    expected = np.outer(crossed.sum(axis=1), crossed.sum(axis=0)) / 500
    chi_square = float(((crossed.to_numpy() - expected) ** 2 / expected).sum())
    assert found.chi_square == pytest.approx(chi_square)
    assert found.freedom == 6
    assert found.cramers_v == pytest.approx(math.sqrt(chi_square / 500 / 2), rel=1e-6)


def test_the_test_of_independence_knows_of_the_noise() -> None:
    """Independent labels: p-values stay uniform under noise, where the plain chi-square would cry wolf."""
    random, error = np.random.default_rng(13), 12.0
    labels: list[tuple[str, ...]] = [(row, column) for row in "abc" for column in "wxyz"]
    low = raw = 0
    for _ in range(120):
        counts = random.multinomial(3000, [1 / 12] * 12) + np.round(random.laplace(0, error / math.sqrt(2), 12))
        found = tabulate(["one", "two"], dict(zip(labels, counts.astype(int).tolist(), strict=True)), error)
        assert found.p_value is not None
        assert found.chi_square is not None
        low += found.p_value < 0.05
        raw += found.chi_square > 12.59  # the 95th percentile of chi-square with 6 degrees of freedom
    assert low <= 15, "five percent of 120 are 6; fifteen have less than one chance in a thousand"
    assert raw >= 20, "of a test that ignores the noise"


def test_a_strong_relation_is_found_through_the_noise() -> None:
    counts: Counts = {(row, column): 400 if row == column else 100 for row in "abc" for column in "abc"}
    found = tabulate(["one", "two"], counts, 12.0)
    assert found.p_value is not None and found.p_value < 0.001  # noqa: PT018
    assert found.cramers_v == pytest.approx(0.5, abs=0.05)
    assert found.cramers_v_se is not None and 0 < found.cramers_v_se < 0.05  # noqa: PT018
    assert tabulate(["one", "two"], counts, 12.0) == found, "seeded by the counts"


def test_a_table_with_a_hole_has_margins_but_no_test() -> None:
    counts: Counts = {("a", "x"): 10, ("a", "y"): 20, ("b", "x"): 30}
    found = tabulate(["one", "two"], counts, 2.0)
    assert found.chi_square is None
    assert [row[TOTAL] for row in found.table()] == [30, 30, 60]
    assert found.table()[1]["y"] is None
    assert found.table()[-1][f"{TOTAL}_se"] == pytest.approx(2 * math.sqrt(3))


def test_labels_that_look_like_headings_are_told_apart() -> None:
    counts: Counts = {("a", "total"): 1, ("a", "y"): 2, ("b", "total"): 3, ("b", "y"): 4}
    row = tabulate(["one", "two"], counts, 2.0).table()[0]
    assert (row["two=total"], row["total"]) == (1, 3)
