"""What one order pays for its calls: the plan in the terms that it accepted, for the purpose that it stated.

Terms of version 1 name one price for a call; later ones hold a plan. Both are named by the listing's id, and so
by the order's: a plan cannot change under a buyer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents.plans import flat_plan
from marketplace.errors import InvalidInputError
from marketplace.pricing.billing import KNOWN_BEFORE_THE_ANSWER, Plan, Usage, bill, entry_price
from marketplace.pricing.metering import require_for_calls


@dataclass(frozen=True)
class Tariff:
    """A plan and the purpose of an order, which buys one period where the plan has periods."""

    plan: Plan
    purpose: str = ""

    def total(self, calls: int) -> int:
        """What `calls` answered calls cost together, fen. Raises RuleError `quota_exhausted`."""
        return bill(self.plan, Usage(calls=calls), self.purpose).total

    def step(self, calls: int) -> int:
        """What call number `calls`, from 1, adds. Raises RuleError `quota_exhausted`."""
        return self.total(calls) - self.total(calls - 1)


def plan_of(terms: Mapping[str, Any]) -> Plan:
    """The price plan of a terms document."""
    plan: Plan = terms["plan"] if "plan" in terms else flat_plan(terms["price"])
    return plan


def tariff_of(terms: Mapping[str, Any], agreement: Mapping[str, Any]) -> Tariff:
    """The tariff of an order.

    Args:
        agreement: the buyer's acceptance of the terms.
    """
    return Tariff(plan_of(terms), agreement["purpose"])


def price_fits(terms: Mapping[str, Any]) -> bool:
    """Whether the price of the terms, which stands on the ledger too, is what the plan asks for the smallest use."""
    return bool(terms["price"] == entry_price(plan_of(terms)))


def check_terms(terms: Mapping[str, Any]) -> None:
    """Refuse terms whose plan cannot bill what they offer, questions or calls, or whose price is not the plan's.

    Raises:
        InvalidInputError: `plan_not_for_questions`, `plan_not_for_calls`, `price_not_the_plans`.
    """
    mode = plan_of(terms)["mode"]
    if "delivery" in terms and terms["delivery"]["mode"] == "API":
        require_for_calls(plan_of(terms))
    elif mode not in QUESTIONS:
        raise InvalidInputError(
            "plan_not_for_questions",
            f"questions cannot be billed {mode}: a voucher is signed before the answer is known",
            zh=f"查询不能按 {mode} 计费：凭证在得到答复之前签署",
            rule="pricing.known_before_the_answer",
            expected=", ".join(QUESTIONS),
            got=mode,
            hint="choose a plan whose price is known before the answer",
            hint_zh="请选择答复前即可确定价格的方案",
        )
    if not price_fits(terms):
        least = entry_price(plan_of(terms))
        raise InvalidInputError(
            "price_not_the_plans",
            f"the price is {terms['price']} fen, the plan asks {least} for the smallest use",
            zh=f"价格为 {terms['price']} 分，方案的最小用量价格为 {least} 分",
            rule="pricing.price_is_the_plans",
            expected=least,
            got=terms["price"],
            hint="state what the smallest use costs",
            hint_zh="请填写最小用量的价格",
        )


QUESTIONS = tuple(mode for mode in KNOWN_BEFORE_THE_ANSWER if mode != "NEGOTIATED")
