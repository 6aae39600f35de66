"""Service levels and periods, by hand."""

import pytest

from marketplace.api.levels import figures_of
from marketplace.api.metering import period_end, period_of
from marketplace.documents import iso_time, unix_seconds
from tests.calls import record, terms
from tests.plans import plan

OFFER = terms(plan("FREE_TRIAL", calls=100))


def test_figures_by_hand() -> None:
    times = [5, 1, 9, 3, 7]
    records = [record(number, latencyMs=ms) for number, ms in enumerate(times, 1)]
    records += [record(6, outcome="ERROR", latencyMs=900), record(7, outcome="MISS", latencyMs=300)]
    records += [record(8, outcome="TIMEOUT", latencyMs=5_000)]
    found = figures_of(records, "2026-09", OFFER)
    assert found is not None
    counts = {name: found[name] for name in ("calls", "hits", "misses", "errors", "timeouts", "records")}
    assert counts == {"calls": 8, "hits": 5, "misses": 1, "errors": 1, "timeouts": 1, "records": 5}
    assert (found["p50Ms"], found["p95Ms"], found["availabilityBps"]) == (5, 300, 7_500)
    assert not found["met"], "both latency and availability are short"
    assert (found["first"], found["last"]) == (1, 8)


def test_what_was_promised_is_met() -> None:
    found = figures_of([record(number, latencyMs=200) for number in range(1, 101)], "2026-09", OFFER)
    assert found is not None
    assert found["met"]


def test_failed_calls_alone_have_no_latency() -> None:
    found = figures_of([record(1, outcome="ERROR")], "2026-09", OFFER)
    assert found is not None
    assert (found["p50Ms"], found["p95Ms"], found["availabilityBps"], found["met"]) == (0, 0, 0, False)
    assert figures_of([record(1)], "2026-10", OFFER) is None


@pytest.mark.parametrize(
    ("moment", "names"),
    [
        ("2026-12-31T15:59:59Z", ["2026-12-31", "2026-W53", "2026-12", "2026-Q4", "2026"]),
        ("2026-12-31T16:00:00Z", ["2027-01-01", "2026-W53", "2027-01", "2027-Q1", "2027"]),
        ("2026-02-28T16:00:00Z", ["2026-03-01", "2026-W09", "2026-03", "2026-Q1", "2026"]),
    ],
)
def test_periods_are_of_the_calendar_in_china(moment: str, names: list[str]) -> None:
    kinds = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
    assert [period_of(moment, kind) for kind in kinds] == names
    for kind in kinds:
        now = unix_seconds(moment)
        end = period_end(now, kind)
        assert now < end
        assert period_of(iso_time(end - 1), kind) == period_of(moment, kind)
        assert period_of(iso_time(end), kind) != period_of(moment, kind)
