"""What one order pays for its calls: the plan in the terms that it accepted, for the purpose that it stated.

Terms of version 1 name one price for a call; later ones hold a plan. Both are named by the listing's id, and so
by the order's: a plan cannot change under a buyer. Where the listing's is negotiated, the plan is that of the agreement
on a form that the buyer's acceptance names, and with that the order's id names it, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.currencies import CNY
from marketplace.documents import money_of, validate_terms
from marketplace.documents.plans import flat_plan, validate_plan
from marketplace.errors import InvalidInputError, RuleError
from marketplace.pricing.billing import KNOWN_BEFORE_THE_ANSWER, Plan, Usage, bill, entry_price, plan_not_agreed
from marketplace.pricing.metering import require_for_calls
from marketplace.pricing.public_data import check_plan
from marketplace.words import Words

DAY = 86_400
LONGEST = {"DAY": DAY, "WEEK": 7 * DAY, "MONTH": 31 * DAY, "QUARTER": 92 * DAY, "YEAR": 366 * DAY}  # seconds
CLOCK_SECONDS = 3_600  # clocks differ, and a block comes later


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


def is_negotiated(terms: Mapping[str, Any]) -> bool:
    """Whether the listing leaves the price to an agreement between buyer and seller."""
    return bool(plan_of(terms)["mode"] == "NEGOTIATED")


def terms_under(terms: Mapping[str, Any], cited: Mapping[str, Any] | None) -> dict[str, Any]:
    """The terms that an order is billed by: those of its listing, with the agreed plan and its price where the
    listing's is negotiated.

    Args:
        cited: the agreement on a form that the order is under, whoever checked that it is signed; None for none.
    Raises:
        RuleError: `plan_not_agreed`: there is none, or it leaves the price open, too; `price_not_agreed`: it is of
            another rulebook, or caps public data otherwise, or the listing is not in yuan.
        InvalidInputError: `malformed_document`, `plan_not_for_questions`, `plan_not_for_calls`, `public_data_cap`.
    """
    if not is_negotiated(terms):
        return dict(terms)
    return terms_with(terms, cited["fields"].get("plan") if cited is not None else None)


def terms_with(terms: Mapping[str, Any], plan: object) -> dict[str, Any]:
    """As `terms_under`, with a plan that is agreed, or that somebody would agree to; None for none."""
    if plan is None or (agreed := validate_plan(plan))["mode"] == "NEGOTIATED":
        raise plan_not_agreed()
    require_agreed_money(terms)
    _require_same_law(plan_of(terms), agreed)
    check_plan(agreed, is_public=agreed["publicData"] is not None)
    made = validate_terms({**terms, "plan": agreed, "price": entry_price(agreed)})
    check_terms(made)
    return made


def require_agreed_money(terms: Mapping[str, Any]) -> None:
    """Refuse an agreed price for terms in another currency: the forms name all money in yuan, and the same number in
    another currency is another price.

    Raises:
        RuleError: `price_not_agreed`.
    """
    code = money_of(dict(terms)).code
    if code != CNY.code:
        raise RuleError(
            "price_not_agreed",
            f"the listing is priced in {code}, an agreement on a form in {CNY.code}",
            zh=f"挂牌以 {code} 计价，示范文本协议以 {CNY.code} 计价",
            rule="pricing.agreements_are_in_yuan",
            expected=CNY.code,
            got=code,
            hint="order without the agreement, or from a listing in yuan",
            hint_zh="请不引用该协议下单，或订购以人民币计价的挂牌",
        )


def _require_same_law(listed: Plan, agreed: Plan) -> None:
    """What caps the price of public data is the listing's, whatever two sides agree."""
    names = ("rulebook", "publicData")
    if any(listed[name] != agreed[name] for name in names):
        raise RuleError(
            "price_not_agreed",
            "the agreed plan is of another rulebook than the listing's, or caps public data otherwise",
            zh="约定方案的规则集或公共数据限价与挂牌不一致",
            rule="pricing.negotiated_within_the_listing",
            expected={name: listed[name] for name in names},
            got={name: agreed[name] for name in names},
            hint="amend the agreement together: its plan takes rulebook and publicData from the listing",
            hint_zh="请双方变更协议：方案的 rulebook 与 publicData 须与挂牌一致",
        )


def tariff_of(terms: Mapping[str, Any], agreement: Mapping[str, Any]) -> Tariff:
    """The tariff of an order.

    Args:
        terms: as `terms_under` gives them. agreement: the buyer's acceptance of the terms.
    """
    return Tariff(plan_of(terms), agreement["purpose"])


def longest_term(terms: Mapping[str, Any]) -> int | None:
    """How long an order may run, seconds: the one period that it buys, where questions are sold by the period; None
    where nothing bounds it. Calls are metered period by period, and a file is bought once.

    Args:
        terms: those that the order is billed by.
    """
    return None if "delivery" in terms else LONGEST.get(str(plan_of(terms).get("period")))


def require_one_period(terms: Mapping[str, Any], begun: int, until: int) -> None:
    """Refuse an order of questions that runs longer than the period that it pays.

    Args:
        terms: those that the order is billed by. begun, until: unix seconds.
    Raises:
        RuleError: `term_beyond_period`.
    """
    longest = longest_term(terms)
    if longest is None or until - begun <= longest + CLOCK_SECONDS:
        return
    raise RuleError(
        "term_beyond_period",
        f"an order under this plan buys one {plan_of(terms)['period'].lower()}, and would run longer",
        zh="该方案的一份订单只购买一个计费周期，订单期限不得更长",
        rule="pricing.one_period_an_order",
        expected=Words(f"at most {longest} seconds", f"至多 {longest} 秒"),
        got=until - begun,
        hint="fund an order for the period, and another one for the next: --term",
        hint_zh="请按一个周期下单，下一周期另行下单：--term",
    )


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
    elif mode not in KNOWN_BEFORE_THE_ANSWER:
        raise InvalidInputError(
            "plan_not_for_questions",
            f"questions cannot be billed {mode}: a voucher is signed before the answer is known",
            zh=f"查询不能按 {mode} 计费：凭证在得到答复之前签署",
            rule="pricing.known_before_the_answer",
            expected=", ".join(KNOWN_BEFORE_THE_ANSWER),
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


def check_listed(terms: Mapping[str, Any], origin: str) -> None:
    """Refuse terms whose price nobody may ask, or whose plan cannot bill what they offer. The same for service and
    auditor.

    Args:
        origin: of the data, as its claim says: one of documents.DATA_ORIGINS.
    Raises:
        InvalidInputError: as `check_terms` says; `public_data_cap`. NotFoundError: `rulebook_unknown`.
        RuleError: `public_data_in_yuan`: what public data may earn is capped in yuan, over all its listings.
            `price_not_agreed`: the price is left to agreements, which are in yuan, and the listing is not.
    """
    check_terms(terms)
    if is_negotiated(terms):
        require_agreed_money(terms)
    check_plan(plan_of(terms), is_public=origin == "PUBLIC")
    money = money_of(dict(terms)).code
    if plan_of(terms)["publicData"] is not None and money != CNY.code:
        raise RuleError(
            "public_data_in_yuan",
            f"public data is listed in {CNY.code}, not in {money}",
            zh=f"公共数据只能以 {CNY.code} 挂牌，不能以 {money} 挂牌",
            rule="pricing.public_data_in_yuan",
            expected=CNY.code,
            got=money,
            hint="its permitted income is stated and summed in yuan; leave out --currency",
            hint_zh="其准许收入以人民币核定并累计；请勿指定 --currency",
        )
