"""What a use costs: one pure function for the quote, the bill, the voucher and the audit. Exact integers, fen.

Usage counts up over the whole order and the bill is a function of the sum, so into how many vouchers it is cut changes
nothing. Nothing is rounded: every line is units times a price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.errors import RuleError
from marketplace.words import at_most

Plan = Mapping[str, Any]  # see marketplace.documents.plans
Tiers = Sequence[Mapping[str, Any]]

# By answered, metered calls alone, so that a voucher can be signed before the answer is there.
KNOWN_BEFORE_THE_ANSWER = ("FULL_SET", "PER_PERIOD", "PER_CALL", "SUBSCRIPTION", "FREE_TRIAL", "NEGOTIATED")


@dataclass(frozen=True)
class Usage:
    """What an order used so far; all counts are at least 0.

    Args:
        calls: answered calls. hits: those that found something. records: delivered records.
        periods: periods that were ordered, at least 1.
    """

    calls: int = 0
    hits: int = 0
    records: int = 0
    periods: int = 1


@dataclass(frozen=True)
class Line:
    """One line of a bill.

    Args:
        code: one of LINES.
        units: how many. unit_price: fen for each. amount: fen; below zero for what is taken off.
    """

    code: str
    units: int
    unit_price: int
    amount: int


@dataclass(frozen=True)
class Bill:
    """Lines that sum to `total`, fen."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        """The sum of the lines."""
        return sum(line.amount for line in self.lines)


LINES: dict[str, tuple[str, str]] = {
    "full_set": ("the whole, once", "全量一次性"),
    "period": ("periods", "计费周期"),
    "overage": ("calls beyond the quota", "超出配额的调用"),
    "call": ("answered calls", "已答复调用"),
    "hit": ("calls that found something", "命中调用"),
    "record": ("delivered records", "交付记录"),
    "trial": ("free trial", "免费试用"),
    "larger_use": ("never more than a larger use costs", "不高于更大用量的价格"),
    "public_purpose": ("public data, free for this purpose", "公共数据，该用途免费"),
}
_COUNTED = {"PER_CALL": "call", "PER_HIT": "hit", "PER_RECORD": "record"}


def bill(plan: Plan, usage: Usage, purpose: str = "") -> Bill:
    """The bill of a usage.

    Args:
        plan: valid, not NEGOTIATED: take the agreement's own.
        purpose: what the order is for, one of PURPOSES; public data is free for some.
    Raises:
        RuleError: `quota_exhausted`: the plan does not sell that many calls; `plan_not_agreed`: it is NEGOTIATED.
    """
    lines = tuple(line for line in _lines(plan, usage) if line.units)
    public = plan["publicData"]
    if public is not None and purpose in public["freePurposes"] and (total := sum(line.amount for line in lines)):
        lines = (*lines, Line("public_purpose", 1, -total, -total))
    return Bill(lines)


def entry_price(plan: Plan) -> int:
    """What the smallest use costs whatever it is for, fen: the least that an order has to put into escrow. It stands in
    the listing on the ledger."""
    return 0 if plan["mode"] == "NEGOTIATED" else sum(line.amount for line in _lines(plan, Usage(1, 1, 1, 1)))


def _lines(plan: Plan, usage: Usage) -> list[Line]:
    mode = plan["mode"]
    if mode in _COUNTED:
        units = {"PER_CALL": usage.calls, "PER_HIT": usage.hits, "PER_RECORD": usage.records}[mode]
        return _tiered(_COUNTED[mode], plan, units)
    if mode == "SUBSCRIPTION":
        return _tiered("period", plan, usage.periods if usage.calls else 0)
    if mode == "FULL_SET":
        return [Line("full_set", 1, plan["price"], plan["price"])] if usage.calls else []
    if mode == "PER_PERIOD":
        return _by_period(plan, usage)
    if mode == "FREE_TRIAL":
        _require_quota(usage.calls, plan["calls"])
        return [Line("trial", usage.calls, 0, 0)]
    raise plan_not_agreed()


def plan_not_agreed() -> RuleError:
    """The refusal of a negotiated price that nobody agreed on."""
    return RuleError(
        "plan_not_agreed",
        "the price of this product is negotiated: it stands in an agreement between buyer and seller",
        zh="该产品价格须由买卖双方协议约定",
        rule="pricing.negotiated_by_agreement",
        hint="agree first: marketplace agreements sign; then order under that agreement",
        hint_zh="请先签订协议（marketplace agreements sign），再依该协议下单",
    )


def _by_period(plan: Plan, usage: Usage) -> list[Line]:
    if not usage.calls:
        return []
    periods = Line("period", usage.periods, plan["price"], usage.periods * plan["price"])
    if plan["quota"] is None:
        return [periods]
    quota = usage.periods * plan["quota"]
    if plan["overage"] is None:
        _require_quota(usage.calls, quota)
    beyond = max(0, usage.calls - quota)
    return [periods, Line("overage", beyond, plan["overage"] or 0, beyond * (plan["overage"] or 0))]


def _require_quota(calls: int, quota: int) -> None:
    if calls > quota:
        raise RuleError(
            "quota_exhausted",
            f"the order's quota is {quota} calls; this would be number {calls}",
            zh=f"订单配额为 {quota} 次调用，本次为第 {calls} 次",
            rule="pricing.quota",
            expected=at_most(quota),
            got=calls,
            hint="order more periods, or another product of the same data",
            hint_zh="请订购更多周期，或另购同一数据的其他产品",
        )


def _tiered(code: str, plan: Plan, units: int) -> list[Line]:
    return (_graduated if plan["scheme"] == "GRADUATED" else _volume)(code, plan["tiers"], units)


def _graduated(code: str, tiers: Tiers, units: int) -> list[Line]:
    """Each unit at the price of the tier that it falls into."""
    lines, before = [], 0
    for tier in tiers:
        end = units if tier["upTo"] is None else min(units, tier["upTo"])
        if end > before:
            lines.append(Line(code, end - before, tier["unitPrice"], (end - before) * tier["unitPrice"]))
            before = end
    return lines


def _volume(code: str, tiers: Tiers, units: int) -> list[Line]:
    """All units at the price of the tier that their number reaches, and never more than a larger number would cost.

    Without the second half the sum would fall where a cheaper tier begins, and a cumulative voucher could not follow.
    """
    starts = [1, *(tier["upTo"] + 1 for tier in tiers[:-1])]
    reached = max(index for index, start in enumerate(starts) if index == 0 or start <= units)
    price = tiers[reached]["unitPrice"]
    own = units * price
    larger = [start * tier["unitPrice"] for start, tier in zip(starts, tiers, strict=True) if start > units]
    least = min([own, *larger]) if units else 0
    less = [Line("larger_use", 1, least - own, least - own)] if least < own else []
    return [Line(code, units, price, own), *less]
