"""Of any plan and use: bills grow, quotes are bills, cutting use into vouchers changes nothing, no unit is lost."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from marketplace.documents.plans import validate_plan
from marketplace.pricing import Usage, bill, entry_price, quote
from tests.plans import PUBLIC, plan

MONEY = st.integers(0, 10**9)
COUNTS = st.integers(0, 3_000)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    ends = sorted(draw(st.sets(st.integers(1, 2_000), max_size=5)))
    return [{"upTo": end, "unitPrice": draw(MONEY)} for end in [*ends, None]]


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    tiered = {"scheme": draw(st.sampled_from(["GRADUATED", "VOLUME"])), "tiers": draw(tiers())}
    quota = draw(st.none() | st.integers(1, 500))
    by_period = {"price": draw(MONEY), "quota": quota, "overage": None if quota is None else draw(MONEY)}
    own: dict[str, dict[str, Any]] = {
        "FULL_SET": {"price": draw(MONEY)},
        "PER_PERIOD": {"period": "MONTH", **by_period},
        "PER_CALL": tiered,
        "PER_HIT": tiered,
        "PER_RECORD": tiered,
        "SUBSCRIPTION": {"period": "YEAR", **tiered},
        "FREE_TRIAL": {"calls": 3_001},
    }
    mode = draw(st.sampled_from(sorted(own)))
    found = plan(mode, **own[mode]) | {"publicData": draw(st.sampled_from([None, PUBLIC | {"operatingCost": 2**52}]))}
    return validate_plan(found)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    calls = draw(COUNTS)
    return Usage(calls, draw(st.integers(0, calls)), draw(COUNTS), draw(st.integers(1, 40)))


PURPOSES = st.sampled_from(["TRANSPORT", "URBAN_GOVERNANCE"])


@given(plans(), usages(), usages(), PURPOSES)
def test_more_use_never_costs_less(found: dict[str, Any], one: Usage, other: Usage, purpose: str) -> None:
    if found["mode"] == "PER_PERIOD":  # a further period is bought, not used: it brings calls of its own
        other = replace(other, periods=0)
    more = Usage(
        one.calls + other.calls, one.hits + other.hits, one.records + other.records, one.periods + other.periods
    )
    if found["mode"] == "FREE_TRIAL":
        found = found | {"calls": 10_000}
    assert 0 <= bill(found, one, purpose).total <= bill(found, more, purpose).total


@given(plans(), usages(), PURPOSES)
def test_a_quote_is_the_bill(found: dict[str, Any], usage: Usage, purpose: str) -> None:
    told, owed = quote(found, usage, purpose=purpose, fee_bps=250), bill(found, usage, purpose)
    assert told["total"] == owed.total == sum(line["amount"] for line in told["lines"])
    assert told["escrowLeast"] >= max(told["total"], entry_price(found))
    assert 0 <= told["fee"]["amount"] <= told["total"]
    assert 0 <= told["tax"]["amount"] <= told["total"]


@given(plans(), st.lists(st.integers(1, 60), max_size=20), PURPOSES)
def test_vouchers_sum_to_the_bill_however_the_use_is_cut(found: dict[str, Any], cuts: list[int], purpose: str) -> None:
    """Each voucher replaces the one before; what each adds to the last is what it asks for."""
    paid, so_far = 0, Usage()
    for cut in cuts:
        so_far = Usage(so_far.calls + cut, so_far.hits + cut // 2, so_far.records + 3 * cut, 1)
        step = bill(found, so_far, purpose).total - paid
        assert step >= 0
        paid += step
    assert paid == bill(found, so_far, purpose).total


@given(plans(), usages())
def test_no_unit_is_lost_and_none_is_counted_twice(found: dict[str, Any], usage: Usage) -> None:
    counted = [line for line in bill(found, usage).lines if line.code in ("call", "hit", "record", "period", "trial")]
    expected = {
        "PER_CALL": usage.calls,
        "PER_HIT": usage.hits,
        "PER_RECORD": usage.records,
        "SUBSCRIPTION": usage.periods if usage.calls else 0,
        "PER_PERIOD": usage.periods if usage.calls else 0,
        "FREE_TRIAL": usage.calls,
    }
    if found["mode"] in expected:
        assert sum(line.units for line in counted) == expected[found["mode"]]
    for line in bill(found, usage).lines:
        assert line.amount == line.units * line.unit_price


@given(tiers(), st.integers(1, 3_000))
def test_volume_never_costs_more_than_its_own_tier_or_a_larger_use(found: list[dict[str, Any]], calls: int) -> None:
    by_volume = plan("PER_CALL", scheme="VOLUME", tiers=found)
    price = next(tier["unitPrice"] for tier in found if tier["upTo"] is None or calls <= tier["upTo"])
    total = bill(by_volume, Usage(calls=calls)).total
    assert total <= calls * price
    larger = [bill(by_volume, Usage(calls=calls + extra)).total for extra in (1, 10, 2_000)]
    assert total <= min(larger)
