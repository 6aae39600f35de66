"""A quote: what a use would cost, line by line, before anything is signed. The bill of the same use is the same."""

from typing import Any

from marketplace.currencies import CNY
from marketplace.documents import digest
from marketplace.errors import InvalidInputError
from marketplace.pricing import rulebook
from marketplace.pricing.billing import LINES, Bill, Plan, Usage, bill, entry_price
from marketplace.pricing.public_data import WHOLE_BPS, max_permitted_revenue, require_within_cap
from marketplace.words import Words

ROUNDING = {
    "en": "Lines are whole units times a price in minor units and are never rounded; fee and tax are rounded down.",
    "zh": "各行为整数单位乘以以最小货币单位计的价格，不作舍入；手续费与税额向下取整。",
}


def usage_of(calls: int, *, hits: int | None = None, records: int | None = None, periods: int = 1) -> Usage:
    """The use that a quote is for.

    Args:
        hits: calls that find something; None for all. records: that they find; None for one each.
        periods: of the plan's kind, in which something is answered: a year of calls has twelve months.
    Raises:
        InvalidInputError: `usage_contradictory`: more hits or periods than calls, or records without hits.
    """
    found = calls if hits is None else hits
    usage = Usage(calls=calls, hits=found, records=found if records is None else records, periods=periods)
    if usage.hits > calls or periods > calls or (usage.records and not usage.hits):
        raise InvalidInputError(
            "usage_contradictory",
            "more hits or periods than calls, or records that no call found",
            zh="命中数或周期数超过调用数，或无命中却有记录",
            rule="pricing.usage_is_possible",
            expected=Words(
                f"at most {calls} hits and periods; no record without a hit",
                f"命中与周期均不超过 {calls}；无命中则无记录",
            ),
            got=f"{usage.hits} hits, {usage.records} records, {periods} periods",
            hint="state calls first, then those of them that find something",
            hint_zh="请先填写调用数，再填写其中的命中数",
        )
    return usage


def quote(
    plan: Plan, usage: Usage, *, purpose: str, fee_bps: int, promised: int = 0, currency: str = CNY.code
) -> dict[str, Any]:
    """The itemised quote as plain values.

    Args:
        plan: the listing's, or the agreement's where that is negotiated.
        purpose: what the order is for.
        fee_bps: the venue's fee; the seller pays it out of the total.
        currency: ISO 4217 code of the listing's.
        promised: what the product earned or has in escrow already; counts for public data alone.
    Returns:
        "lines" (code, en, zh, units, unitPrice, amount), "total", "escrowLeast", "fee" and "tax" (both in the total),
        "cap" (null, or "maxRevenue", "promised", "left"), "plan", "planDigest", "rulebook", "rounding", "currency";
        money in its minor units.
    Raises:
        RuleError: `quota_exhausted`, `plan_not_agreed`, `revenue_cap`.
    """
    found = bill(plan, usage, purpose)
    require_within_cap(plan, promised, found.total)
    tax = rulebook.load(plan["rulebook"])["tax"]
    return {
        "lines": _shown(found),
        "usage": {"calls": usage.calls, "hits": usage.hits, "records": usage.records, "periods": usage.periods},
        "total": found.total,
        "escrowLeast": max(found.total, entry_price(plan)),
        "fee": {"bps": fee_bps, "amount": found.total * fee_bps // WHOLE_BPS, "paidBy": "seller"},
        "tax": {"bps": tax["bps"], "amount": found.total * tax["bps"] // (WHOLE_BPS + tax["bps"]), "included": True},
        "cap": _cap(plan, promised),
        "plan": dict(plan),
        "planDigest": digest(plan),
        "rulebook": plan["rulebook"],
        "rounding": ROUNDING,
        "currency": currency,
    }


def _shown(found: Bill) -> list[dict[str, Any]]:
    return [
        {
            "code": line.code,
            "en": LINES[line.code][0],
            "zh": LINES[line.code][1],
            "units": line.units,
            "unitPrice": line.unit_price,
            "amount": line.amount,
        }
        for line in found.lines
    ]


def _cap(plan: Plan, promised: int) -> dict[str, int] | None:
    if plan["publicData"] is None:
        return None
    most = max_permitted_revenue(plan["publicData"])
    return {"maxRevenue": most, "promised": promised, "left": max(0, most - promised)}
