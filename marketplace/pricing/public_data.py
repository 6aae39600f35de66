"""What caps the price of public data: the most that its operator may earn, and the ceiling of one unit.

Source: 发改价格〔2025〕65号; its numbers stand in the rulebook that a plan names.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.errors import InvalidInputError, RuleError
from marketplace.pricing import rulebook
from marketplace.pricing.billing import Plan
from marketplace.words import Words, at_most

WHOLE_BPS = 10_000


def max_permitted_revenue(public: Mapping[str, Any]) -> int:
    """Operating cost (less subsidy) + permitted profit + tax, fen; the profit is rounded down.

    Args:
        public: a plan's "publicData".
    """
    cost = max(0, public["operatingCost"] - public["subsidy"])
    profit: int = cost * (public["treasuryYieldBps"] + public["marginBps"]) // WHOLE_BPS
    return int(cost + profit + public["tax"])


def check_plan(plan: Plan, *, is_public: bool) -> None:
    """Check a plan against its rulebook.

    Args:
        is_public: whether the data is public data (the claim's origin).
    Raises:
        NotFoundError: `rulebook_unknown`.
        InvalidInputError: `public_data_cap`, with the member that does not fit.
    """
    book, public = rulebook.load(plan["rulebook"])["publicData"], plan["publicData"]
    if is_public != (public is not None):
        raise _unfit(
            plan,
            "publicData",
            Words("an object for public data, null for any other", "公共数据须有该对象，其他数据为 null"),
            "null" if public is None else "{…}",
        )
    if public is None:
        return
    if public["marginBps"] > book["maxMarginBps"]:
        raise _unfit(plan, "publicData.marginBps", at_most(book["maxMarginBps"]), public["marginBps"])
    if sorted(public["freePurposes"]) != sorted(book["freePurposes"]):
        raise _unfit(
            plan,
            "publicData.freePurposes",
            Words.alike(", ".join(book["freePurposes"])),
            ", ".join(public["freePurposes"]),
        )
    ceiling = public["unitCeiling"]
    highest = max(unit_prices(plan), default=0)
    if ceiling is not None and highest > ceiling:
        raise _unfit(
            plan, "unitPrice", Words(f"at most the ceiling of {ceiling} fen", f"不超过单价上限 {ceiling} 分"), highest
        )


def unit_prices(plan: Plan) -> list[int]:
    """Every price that a plan names, fen."""
    named = [plan[name] for name in ("price", "overage") if plan.get(name) is not None]
    return [*named, *(tier["unitPrice"] for tier in plan.get("tiers", ()))]


def require_within_cap(plan: Plan, promised: int, more: int) -> None:
    """Refuse an order that could bring an operator of public data more than it may earn.

    Args:
        promised: fen that the product earned, and that stand in escrow for it. more: escrow of the new order.
    Raises:
        RuleError: `revenue_cap`.
    """
    if plan["publicData"] is None:
        return
    left = max_permitted_revenue(plan["publicData"]) - promised
    if more > left:
        raise RuleError(
            "revenue_cap",
            f"the operator of this public data may earn {max(left, 0)} fen more from it; the order could bring {more}",
            zh=f"该公共数据的运营方尚可取得收入 {max(left, 0)} 分，本订单最多带来 {more} 分",
            rule="pricing.max_permitted_revenue",
            rulebook=plan["rulebook"],
            expected=at_most(max(left, 0)),
            got=more,
            hint="put less into escrow, or wait for the next period of the price review",
            hint_zh="请减少托管金额，或待下一价格评审周期",
        )


def _unfit(plan: Plan, path: str, expected: Words, got: object) -> InvalidInputError:
    return InvalidInputError(
        "public_data_cap",
        f"the price plan does not fit its rulebook: {path}: expected {expected.en}, got {got}",
        zh=f"价格方案不符合规则集：{path} 应为{expected.zh}，实为 {got}",
        rule="pricing.plan_fits_rulebook",
        rulebook=plan["rulebook"],
        expected=expected,
        got=got,
        hint="see the rulebook's numbers and sources in marketplace/pricing/rulebooks",
        hint_zh="规则数值及其依据见 marketplace/pricing/rulebooks",
    )
