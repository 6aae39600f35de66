"""A price plan in words, in both languages."""

from marketplace.currencies import CNY, currency_of
from marketplace.pricing.billing import Plan
from marketplace.pricing.public_data import max_permitted_revenue
from marketplace.quantities import money, worth

_PERIODS = {"DAY": ("day", "日"), "WEEK": ("week", "周"), "MONTH": ("month", "月")}
_PERIODS |= {"QUARTER": ("quarter", "季度"), "YEAR": ("year", "年")}
_UNITS = {
    "PER_CALL": ("answered call", "次答复"),
    "PER_HIT": ("call that finds something", "次命中"),
    "PER_RECORD": ("delivered record", "条记录"),
}
_SCHEMES = {
    "GRADUATED": ("each at its own tier's price", "分档分别计价"),
    "VOLUME": (
        "all at the price of the tier reached, never more than a larger use costs",
        "按所达档位统一计价，且不高于更大用量的价格",
    ),
}


def plan_words(plan: Plan, currency: str = CNY.code) -> tuple[str, str]:
    """(English, Chinese) of a plan with prices in a currency (ISO 4217 code): everything that it says, on one line."""
    english, chinese = _own_words(plan, currency)
    if plan["publicData"] is not None:
        most = money(max_permitted_revenue(plan["publicData"]))
        english += f"; public data: at most {most} yuan of income, free for " + (
            ", ".join(plan["publicData"]["freePurposes"]) or "no purpose"
        )
        chinese += f"；公共数据：最高准许收入 {most} 元，免费用途 " + (
            "、".join(plan["publicData"]["freePurposes"]) or "无"
        )
    return f"{english} (rulebook {plan['rulebook']})", f"{chinese}（规则集 {plan['rulebook']}）"


def _own_words(plan: Plan, currency: str) -> tuple[str, str]:
    mode = plan["mode"]
    if mode == "FULL_SET":
        en, zh = worth(plan["price"], currency)
        return f"full set for {en}", f"全量 {zh}"
    if mode == "FREE_TRIAL":
        return f"free trial of {plan['calls']:,} calls, once a buyer", f"免费试用 {plan['calls']:,} 次，每一买方一次"
    if mode == "NEGOTIATED":
        return "negotiated, by agreement", "协议定价"
    if mode == "PER_PERIOD":
        return _by_period(plan, currency)
    if mode == "SUBSCRIPTION":
        english, chinese = _PERIODS[plan["period"]]
        one = _tiers(plan, (english, f"个{chinese}"), currency)
        return f"subscription, calls without limit; {one[0]}", f"订阅，不限次数；{one[1]}"
    return _tiers(plan, _UNITS[mode], currency)


def _by_period(plan: Plan, currency: str) -> tuple[str, str]:
    english, chinese = _PERIODS[plan["period"]]
    en, zh = worth(plan["price"], currency)
    english, chinese = f"{en} a {english}", f"每{chinese} {zh}"
    if plan["quota"] is None:
        return f"{english}, calls without limit", f"{chinese}，不限次数"
    english, chinese = f"{english} with {plan['quota']:,} calls", f"{chinese}，含 {plan['quota']:,} 次调用"
    if plan["overage"] is None:
        return f"{english} and no more", f"{chinese}，不可超出"
    en, zh = worth(plan["overage"], currency)
    return f"{english}, {en} for each more", f"{chinese}，超出每次 {zh}"


def _tiers(plan: Plan, unit: tuple[str, str], currency: str) -> tuple[str, str]:
    if len(plan["tiers"]) == 1:
        en, zh = worth(plan["tiers"][0]["unitPrice"], currency)
        return f"{en} for each {unit[0]}", f"每{unit[1]} {zh}"
    english, chinese, start = [], [], 1
    for tier in plan["tiers"]:
        last, price = tier["upTo"], money(tier["unitPrice"], currency)
        english.append(f"{start:,} to {last:,}: {price}" if last else f"from {start:,}: {price}")
        chinese.append(f"{start:,}–{last:,}：{price}" if last else f"{start:,} 起：{price}")
        start = (last or 0) + 1
    scheme = _SCHEMES[plan["scheme"]]
    return (
        f"{'yuan' if currency == CNY.code else currency} for each {unit[0]}, {scheme[0]}: " + "; ".join(english),
        f"每{unit[1]}单价（{currency_of(currency).zh}），{scheme[1]}：" + "；".join(chinese),
    )
