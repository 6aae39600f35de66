"""What calls cost whose answers the seller sees: by calls, hits, records or periods, over one order. Pure; fen.

Usage comes by period. A plan with a price or quota for each period is billed period by period; a subscription by the
number of periods in which something was answered; every other plan by the sums.
"""

from collections.abc import Mapping

from marketplace.errors import InvalidInputError
from marketplace.pricing.billing import Bill, Plan, Usage, bill

CALLS = ("PER_CALL", "PER_HIT", "PER_RECORD", "PER_PERIOD", "SUBSCRIPTION", "FREE_TRIAL", "NEGOTIATED")
"""Plans that calls can be billed by: all that the seller of an answer can measure, and what is still agreed on."""

Usages = Mapping[str, Usage]  # by the name of the period


def bill_calls(plan: Plan, usages: Usages, purpose: str = "") -> Bill:
    """The bill of an order's calls so far; it never falls when usage grows.

    Args:
        usages: what was used in each period; `periods` of each is 1.
        purpose: what the order is for.
    Raises:
        RuleError: `quota_exhausted`: the plan does not sell that many calls.
    """
    if plan["mode"] == "PER_PERIOD":
        bills = [bill(plan, usages[period], purpose) for period in sorted(usages)]
        return Bill(tuple(line for one in bills for line in one.lines))
    return bill(plan, _sum(usages), purpose)


def _sum(usages: Usages) -> Usage:
    used = [usage for usage in usages.values() if usage.calls]
    return Usage(
        calls=sum(usage.calls for usage in used),
        hits=sum(usage.hits for usage in used),
        records=sum(usage.records for usage in used),
        periods=max(1, len(used)),
    )


def require_for_calls(plan: Plan) -> None:
    """Refuse a plan that calls cannot be billed by. Raises InvalidInputError `plan_not_for_calls`."""
    if plan["mode"] not in CALLS:
        raise InvalidInputError(
            "plan_not_for_calls",
            f"calls cannot be billed {plan['mode']}",
            zh=f"接口调用不能按 {plan['mode']} 计费",
            rule="pricing.plan_fits_the_delivery",
            expected=", ".join(CALLS),
            got=plan["mode"],
            hint="choose a plan by calls, hits, records or periods; a whole data set is delivered as a file",
            hint_zh="请选择按次、按命中、按记录或按周期的方案；整份数据请以文件交付",
        )
