"""A quota that is nearly used is noticed once in each period, by the call that brings it there."""

from marketplace.api.metering import nearly_used
from marketplace.pricing import Usage


def test_the_call_that_reaches_nine_tenths_is_noticed() -> None:
    def used(**calls: int) -> dict[str, Usage]:
        return {period: Usage(number) for period, number in calls.items()}

    assert nearly_used({}, used(a=8), 10) == []
    assert nearly_used(used(a=8), used(a=9), 10) == ["a"]
    assert nearly_used(used(a=9), used(a=10), 10) == []
    assert nearly_used(used(a=10), used(a=10, b=9, c=1), 10) == ["b"]
    assert nearly_used({}, used(a=1), 1) == ["a"]
    assert nearly_used({}, used(a=10**6), None) == []
