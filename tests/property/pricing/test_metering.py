"""Of any calls under any plan: metered = billed = paid = shared, however the vouchers cut them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import from_hex
from crypto.merkle import root
from marketplace.api.levels import figures_of
from marketplace.api.metering import (
    check_voucher,
    meter_from,
    meter_of,
    period_of,
    require_within_escrow,
    voucher_due,
)
from marketplace.documents import iso_time
from marketplace.documents.api import OUTCOMES, unsigned_digest
from marketplace.documents.plans import validate_plan
from marketplace.errors import RuleError
from marketplace.pricing import Usage, bill
from marketplace.settlement.money import fee_of, split
from tests.calls import ORDER, START, record, terms
from tests.plans import plan
from tests.property.pricing.test_bills import MONEY, tiers

DAY = 86_400
PERIODS = st.sampled_from(["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"])


@st.composite
def offers(draw: st.DrawFn) -> dict[str, Any]:
    """Terms of calls under any plan that calls can be billed by."""
    period = draw(PERIODS)
    tiered = {"scheme": draw(st.sampled_from(["GRADUATED", "VOLUME"])), "tiers": draw(tiers())}
    quota = draw(st.none() | st.integers(1, 20))
    own: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("PER_CALL", "PER_HIT", "PER_RECORD"), tiered),
        "PER_PERIOD": {
            "period": period,
            "price": draw(MONEY),
            "quota": quota,
            "overage": None if quota is None else draw(MONEY),
        },
        "SUBSCRIPTION": {"period": period, **tiered},
        "FREE_TRIAL": {"calls": 1_000},
    }
    mode = draw(st.sampled_from(sorted(own)))
    return terms(validate_plan(plan(mode, **own[mode])), period=period)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records that follow one another, up to two months apart."""
    found, at = [], START
    for number in range(1, draw(st.integers(1, 40)) + 1):
        at += draw(st.integers(0, 3) | st.integers(0, 60 * DAY))
        outcome = draw(st.sampled_from(OUTCOMES))
        changes = {"outcome": outcome, "records": draw(st.integers(1, 50)), "latencyMs": draw(st.integers(0, 900))}
        found.append(record(number, at=iso_time(at), **changes))
    return found


@given(offers(), histories(), st.data())
def test_metered_is_billed_is_paid_is_shared(
    offer: dict[str, Any], records: list[dict[str, Any]], data: st.DataObject
) -> None:
    meter, paid, escrow = meter_of(offer), 0, 2**50
    for item in records:
        require_within_escrow(meter, item["at"], 50, (offer, "TRANSPORT", escrow))
        meter.take(item)
        if data.draw(st.booleans()):
            meter = meter_from(meter.as_json())  # a restart changes nothing
        voucher = voucher_due(ORDER, meter, offer, "TRANSPORT")
        check_voucher(voucher, voucher, escrow)
        assert voucher["amount"] >= paid, "a cumulative voucher never falls"
        paid = voucher["amount"]
    assert voucher == voucher_due(ORDER, meter_of(offer, records), offer, "TRANSPORT")
    assert voucher["callsRoot"] == "0x" + root([from_hex(unsigned_digest(item)) for item in records]).hex()

    answered = [item for item in records if item["outcome"] in ("HIT", "MISS")]
    assert sum(used.calls for used in meter.usages.values()) == len(answered)
    assert sum(used.hits for used in meter.usages.values()) == sum(item["outcome"] == "HIT" for item in records)
    assert sum(used.records for used in meter.usages.values()) == sum(item["records"] for item in records)

    lines = meter.bill(offer, "TRANSPORT").lines
    assert sum(line.amount for line in lines) == paid
    fee = fee_of(paid, 250)
    holders = data.draw(st.sampled_from([[10_000], [9_000, 1_000], [3_333, 3_333, 3_334]]))
    assert fee + sum(split(paid - fee, holders)) == paid


@given(offers(), histories())
def test_service_records_of_all_periods_are_all_calls(offer: dict[str, Any], records: list[dict[str, Any]]) -> None:
    meter = meter_of(offer, records)
    periods = {figures["period"]: figures for figures in _all_figures(offer, records)}
    assert sum(figures["calls"] for figures in periods.values()) == len(records)
    for period, used in meter.usages.items():
        figures = periods[period]
        assert (figures["hits"] + figures["misses"], figures["records"]) == (used.calls, used.records)
        assert figures["p50Ms"] <= figures["p95Ms"]
    for figures in periods.values():
        assert figures["calls"] == sum(figures[name] for name in ("hits", "misses", "errors", "timeouts"))
        assert figures["last"] - figures["first"] + 1 == figures["calls"]


def _all_figures(offer: dict[str, Any], records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = sorted({period_of(item["at"], offer["delivery"]["period"]) for item in records})
    return [figures for name in names if (figures := figures_of(records, name, offer)) is not None]


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 20))
def test_a_quota_is_of_each_period(first: int, second: int, quota: int) -> None:
    """Two months with a quota each cost what each of them costs, not what their sum would."""
    offer = terms(validate_plan(plan("PER_PERIOD", period="MONTH", price=700, quota=quota, overage=3)))
    counts = {START: first % 40, START + 40 * DAY: second % 40}
    records = [record(0, at=iso_time(at)) for at, count in counts.items() for _ in range(count)]
    meter = meter_of(offer, [{**item, "number": number} for number, item in enumerate(records, 1)])
    alone = [bill(offer["plan"], Usage(calls=count)).total for count in counts.values()]
    assert meter.bill(offer, "").total == sum(alone)


@given(histories(), st.data())
def test_records_that_do_not_follow_are_refused(records: list[dict[str, Any]], data: st.DataObject) -> None:
    offer = terms(validate_plan(plan("FREE_TRIAL", calls=1000)))
    place = data.draw(st.integers(1, len(records)) if len(records) > 1 else st.just(1)) - 1
    wrong = data.draw(st.sampled_from([{"number": place + 2}, {"number": place}]))
    with pytest.raises(RuleError) as caught:
        meter_of(offer, [*records[:place], {**records[place], **wrong}])
    assert caught.value.code == "call_record_order"
    late = [*records, record(len(records) + 1, at="2020-01-01T00:00:00Z")]
    with pytest.raises(RuleError):
        meter_of(offer, late)
