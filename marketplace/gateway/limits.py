"""How often and how much an order may call: calls a second, calls a period. Refusals say when to come again."""

from collections import deque
from collections.abc import Mapping
from math import ceil
from typing import Any

from marketplace.api.metering import Meter, period_end, period_of
from marketplace.documents import iso_time
from marketplace.errors import RuleError
from marketplace.words import Words, at_most

SECOND = 1.0


class LaterError(Exception):
    """A refusal that passes by itself.

    Args:
        refusal: what is told. seconds: when to come again.
    """

    def __init__(self, refusal: RuleError, seconds: int) -> None:
        super().__init__(refusal.message)
        self.refusal, self.seconds = refusal, seconds


class Rate:
    """Calls of one order in the last second.

    Args:
        most: calls a second.
    """

    def __init__(self, most: int) -> None:
        self._most, self._times = most, deque[float]()

    def take(self, now: float) -> None:
        """Count a call at `now`, by a clock that never goes back. Raises LaterError of `call_rate`."""
        while self._times and self._times[0] <= now - SECOND:
            self._times.popleft()
        if len(self._times) >= self._most:
            refusal = RuleError(
                "call_rate",
                f"more than {self._most} calls in a second",
                zh=f"每秒调用超过 {self._most} 次",
                rule="api.calls_a_second",
                expected=Words(f"at most {self._most} a second", f"每秒至多 {self._most} 次"),
                got=len(self._times) + 1,
                hint="call again after the time that Retry-After names",
                hint_zh="请在 Retry-After 所示时间之后再调用",
            )
            raise LaterError(refusal, max(1, ceil(self._times[0] + SECOND - now)))
        self._times.append(now)


def require_quota(meter: Meter, delivery: Mapping[str, Any], now: int) -> None:
    """Refuse a call beyond the period's quota; it is not billed. Raises LaterError of `call_quota`."""
    quota, kind = delivery["quota"], delivery["period"]
    period = period_of(iso_time(now), kind)
    used = meter.usages[period].calls if period in meter.usages else 0
    if quota is None or used < quota:
        return
    refusal = RuleError(
        "call_quota",
        f"the quota of {quota} calls for {period} is used up",
        zh=f"{period} 的 {quota} 次调用配额已用完",
        rule="api.calls_a_period",
        expected=at_most(quota),
        got=used + 1,
        hint="wait for the next period, which Retry-After names, or fund another order",
        hint_zh="请待 Retry-After 所示的下一周期，或另下订单",
    )
    raise LaterError(refusal, period_end(now, kind) - now)
