"""What the planner proves, refuses and charges for."""

from fractions import Fraction
from typing import Any

import pytest

from marketplace.errors import InvalidInputError, MarketplaceError
from marketplace.queries.language.query import Query, one_of
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Count,
    Covariance,
    Histogram,
    Mean,
    Ols,
    Quantile,
    Score,
    Sum,
    Term,
    Variance,
    WeightedMean,
    WeightedSum,
)
from marketplace.queries.planning.forms import prove_form
from marketplace.queries.planning.noise import check_composition, plan_noise, sensitivities, share_of_epsilon
from marketplace.queries.planning.plan import make_plan
from tests.plain_data import dimension, make_manifest, measure, query_document

DAYS = [str(day) for day in range(1, 366)]
DIMENSIONS = [
    dimension("origin", "EWR", "JFK", "LGA"),
    dimension("day", *DAYS, ordered=True),
    dimension("sex", "f", "m", hidden=True),
]
MEASURES = [
    *(measure("delay", -50, 200, 0, 60), measure("fare", 0, 1000, scale=2)),
    *(measure("air", 10, 700), measure("wide", 0, 10**7), measure("still", 0, 0), measure("fine", 0, 1, scale=9)),
]
JOINTS = [["delay", "fare", "air"], ["delay", "air"], ["still", "fine"]]
MANIFEST = make_manifest(DIMENSIONS, MEASURES, JOINTS, rows=(1000,))
RUNNING = make_manifest(DIMENSIONS, MEASURES, JOINTS, prefix="day", rows=(1000,))


def plan_of(query: Query, epsilon: int = 1_000_000, manifest: dict[str, Any] = MANIFEST) -> Any:
    return make_plan(manifest, query_document(query, epsilon))


def names(*terms: Term, manifest: dict[str, Any] = MANIFEST) -> tuple[str, ...]:
    found: tuple[str, ...] = plan_of(Query.select(*terms), manifest=manifest).names
    return found


def test_each_computation_needs_its_statistics_and_shares_what_it_can() -> None:
    assert names(Count()) == ("rows",)
    assert names(Mean("delay"), Variance("delay")) == ("n:delay", "sum:delay", "sumsq:delay")
    assert names(Histogram("delay"), Quantile("delay", "0.5")) == ("bin:delay:0", "bin:delay:1", "bin:delay:2")
    assert names(Score({"delay": 2})) == ("n:delay", "sum:delay")
    assert names(Score({"delay": 2}, 1, "SUM")) == ("n:delay+2*sum:delay",)


def test_the_smallest_joint_is_taken() -> None:
    assert names(Covariance("delay", "air")) == ("n@1", "sum@1:delay", "sum@1:air", "cross@1:delay:air")
    assert names(Covariance("fare", "air")) == ("n@0", "sum@0:fare", "sum@0:air", "cross@0:fare:air")
    assert len(names(Ols("delay", "fare", "air"))) == 1 + 3 + 6
    assert len(names(Ols("delay", "air"), Correlation("air", "delay"))) == 1 + 2 + 3


def test_a_score_rests_on_plain_columns_where_nothing_is_missing() -> None:
    score = Score({"delay": "0.5", "fare": -2}, 1)
    # 0.5 * delay - 2 * fare/100 + 1, in thousandths, without the common factor 20.
    assert names(score) == ("n@0", "50*n@0+25*sum@0:delay-sum@0:fare")
    whole = make_manifest(DIMENSIONS, MEASURES, JOINTS, rows=(1000,), missing=0)
    assert names(score, manifest=whole)[0] == "n:delay"
    assert all("@" not in name for name in names(score, manifest=whole))


@pytest.mark.parametrize(
    ("query", "epsilon", "code"),
    [
        (Query.select(Variance("delay")), 2, "epsilon_too_small"),
        (Query.select(Ols("delay", "fare")), 5, "epsilon_too_small"),
        (Query.select(Histogram("fare")), 1_000_000, "bins_not_declared"),
        (Query.select(Quantile("air", "0.5")), 1_000_000, "bins_not_declared"),
        (Query.select(Count()).where(sex="f"), 1_000_000, "dimension_hidden"),
        (Query.select(Count()).group_by("sex"), 1_000_000, "dimension_hidden"),
        (Query.select(WeightedSum("delay", "sex", {"f": 1})), 1_000_000, "dimension_hidden"),
        (Query.select(Score({"delay": 10**9})), 1_000_000, None),
        (Query.select(Score({"delay": 10**9, "air": 1}, statistic="SUM")), 1_000_000_000, None),
        (Query.select(Score({"wide": 10**9, "air": 1})), 1_000_000, "joint_not_declared"),
        (Query.select(Score({"still": 10**9, "fine": 1})), 1_000_000_000, "result_may_wrap"),
        (Query.select(WeightedSum("wide", "origin", {"JFK": 10**9, "EWR": 1})), 10**9, "result_may_wrap"),
        (Query.select(Variance("wide")), 150_000, "result_may_wrap"),
        (Query.select(Variance("wide")), 30_000, "epsilon_too_small"),
        (Query.select(WeightedSum("fare", "day", dict(zip(DAYS, range(1, 90), strict=False)))), 1, "too_many_weights"),
        (
            Query.select(WeightedSum("fare", "origin", {"JFK": 1})).where(origin="EWR"),
            1_000_000,
            "empty_selection",
        ),
        (Query.select(WeightedSum("fare", "origin", {"SFO": 1})), 1_000_000, "unknown_category"),
        (Query.select(WeightedSum("fare", "delay", {"SFO": 1})), 1_000_000, "measure_in_filter"),
        (Query.select(Sum("speed")), 1_000_000, "unknown_measure"),
        (Query.select(Count()).where(one_of("origin", "JFK") & one_of("origin", "EWR")), 1, "empty_selection"),
        (Query.select(Count(), Variance("air"), Sum("delay")).group_by("origin", "day"), 9, "too_many_numbers"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is_computed(
    query: Query, epsilon: int, code: str | None
) -> None:
    if code is None:
        assert plan_of(query, epsilon).names
        return
    with pytest.raises(MarketplaceError) as caught:
        plan_of(query, epsilon)
    assert caught.value.code == code
    assert caught.value.zh
    assert caught.value.expected or caught.value.hint


def test_a_joint_that_was_not_declared_is_named() -> None:
    lone = make_manifest(DIMENSIONS, MEASURES, [["delay", "air"]])
    with pytest.raises(MarketplaceError) as caught:
        plan_of(Query.select(Ols("delay", "fare")), manifest=lone)
    assert (caught.value.code, caught.value.expected, caught.value.got) == (
        "joint_not_declared",
        "delay + air",
        "delay + fare",
    )


def test_a_contingency_table_needs_two_dimensions() -> None:
    with pytest.raises(InvalidInputError, match="two dimensions or more"):
        plan_of(Query.select(Contingency()).group_by("origin"))


def test_sensitivities_follow_bounds_coefficients_and_weights() -> None:
    query = Query.select(
        *(Count(), Sum("delay"), Variance("delay"), Histogram("delay"), Covariance("delay", "air")),
        Score({"delay": 1, "air": -1}, 100, "SUM"),
        WeightedMean("fare", "origin", {"EWR": 3, "JFK": -7}),
    )
    plan = plan_of(query)
    found = sensitivities(MANIFEST, plan.numbers, plan.statistics)
    weighted = {name: value for name, value in found.items() if "origin#" in name}
    assert sorted(weighted.values()) == [7, 7 * 1000]
    assert {name: value for name, value in found.items() if name not in weighted} == {
        "rows": 1,
        "n:delay": 1,
        "sum:delay": 200,
        "sumsq:delay": 200 * 200,
        "bin:delay:0": 1,
        "bin:delay:1": 1,
        "bin:delay:2": 1,
        "n@1": 1,
        "sum@1:delay": 200,
        "sum@1:air": 700,
        "cross@1:delay:air": 200 * 700,
        # From -50 - 700 + 100 to 200 - 10 + 100: bounded as a whole, since a row adds to all three or to none.
        "100*n@1+sum@1:delay-sum@1:air": 650,
    }


def test_a_filter_can_lower_the_sensitivity_of_weights() -> None:
    weights = {"EWR": 3, "JFK": -7, "LGA": 2}
    plan = plan_of(Query.select(WeightedSum("fare", "origin", weights)).where(origin=["EWR", "LGA"]))
    assert list(sensitivities(MANIFEST, plan.numbers, plan.statistics).values()) == [3000]


def test_the_bins_of_a_measure_share_one_part_of_the_budget() -> None:
    plan = plan_of(Query.select(Histogram("delay"), Count(), Sum("fare")), 900_000)
    assert share_of_epsilon(plan.statistics, plan.epsilon) == 300_000
    assert plan_noise(MANIFEST, plan)["bin:delay:1"].width == Fraction(10, 3)
    assert plan_noise(MANIFEST, plan)["sum:fare"].width == Fraction(1000 * 10, 3)


@pytest.mark.parametrize("privacy", [{"measure": "pure"}, {"measure": "zcdp", "delta": "1e-9"}])
def test_opendp_agrees_that_a_plan_costs_what_it_charges(
    privacy: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {**MANIFEST, "privacy": privacy}
    question = Query.select(Histogram("delay"), Count(), Variance("fare"), Correlation("delay", "air"))
    for epsilon in (700_001, 1_000_000, 3_333_333):
        check_composition(manifest, plan_of(question, epsilon, manifest))
    plan = plan_of(question, manifest=manifest)
    assert len({noise.measure for noise in plan_noise(manifest, plan).values()}) == 1
    # A statistic that gets the whole budget instead of its part is seen.
    monkeypatch.setattr("marketplace.queries.planning.noise.share_of_epsilon", lambda _statistics, epsilon: epsilon)
    with pytest.raises(MarketplaceError) as caught:
        check_composition(manifest, plan)
    assert caught.value.code == "composition_exceeds"


def test_gaussian_noise_is_the_smaller_where_many_statistics_share() -> None:
    zcdp = {**MANIFEST, "privacy": {"measure": "zcdp", "delta": "1e-9"}}
    question = Query.select(Histogram("delay"), Variance("fare"))
    names = plan_noise(zcdp, plan_of(question, manifest=zcdp))
    assert names["sum:fare"].width == Fraction(1000 * 1000 * 1_000_000, 2 * 250_000)
    assert plan_of(question, manifest=zcdp).digest != plan_of(question).digest


def test_a_time_range_over_running_totals_costs_two_cells() -> None:
    query = Query.select(Sum("fare")).where(day=DAYS[59:150], origin="JFK")
    plain = prove_form(MANIFEST, 0, *_numbers(MANIFEST, query))
    running = prove_form(RUNNING, 0, *_numbers(RUNNING, query))
    assert (plain.cells, running.cells) == (91, 2)
    from_start = Query.select(Sum("fare")).where(day=DAYS[:150], origin=["JFK", "LGA"])
    assert prove_form(RUNNING, 0, *_numbers(RUNNING, from_start)).cells == 2
    assert running.operations <= plain.operations


def test_batches_multiply_the_cost() -> None:
    query, more = Query.select(Count()), make_manifest(DIMENSIONS, MEASURES, JOINTS, rows=(500, 400, 100))
    one, three = (prove_form(manifest, 0, *_numbers(manifest, query)) for manifest in (MANIFEST, more))
    assert (three.cells, three.operations, three.fetched) == (3 * one.cells, 3 * one.operations, 3 * one.fetched)
    assert one.microseconds < three.microseconds < 3 * one.microseconds, "they are added before they are multiplied"


def test_two_holders_of_the_key_need_twice_the_room() -> None:
    query, both = Query.select(Variance("wide")), {**MANIFEST, "custodian": "0x" + "77" * 20}
    least = next(epsilon for epsilon in range(150_000, 10**6, 3_000) if _plannable(MANIFEST, query, epsilon))
    assert not _plannable(both, query, least)
    assert _plannable(both, query, 2 * least)


def _plannable(manifest: dict[str, Any], query: Query, epsilon: int) -> bool:
    try:
        plan_of(query, epsilon, manifest)
    except MarketplaceError:
        return False
    return True


def _numbers(manifest: dict[str, Any], query: Query) -> Any:
    plan = plan_of(query, manifest=manifest)
    return plan.numbers, plan.statistics, plan.epsilon
