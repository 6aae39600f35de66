"""A price plan in words, in both languages."""

from marketplace.pricing.billing import Plan
from marketplace.pricing.public_data import max_permitted_revenue
from marketplace.quantities import money

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


def plan_words(plan: Plan) -> tuple[str, str]:
    """(English, Chinese) of a plan: everything that it says, on one line."""
    english, chinese = _own_words(plan)
    if plan["publicData"] is not None:
        most = money(max_permitted_revenue(plan["publicData"]))
        english += f"; public data: at most {most} yuan of income, free for " + (
            ", ".join(plan["publicData"]["freePurposes"]) or "no purpose"
        )
        chinese += f"；公共数据：最高准许收入 {most} 元，免费用途 " + (
            "、".join(plan["publicData"]["freePurposes"]) or "无"
        )
    return f"{english} (rulebook {plan['rulebook']})", f"{chinese}（规则集 {plan['rulebook']}）"


def _own_words(plan: Plan) -> tuple[str, str]:
    mode = plan["mode"]
    if mode == "FULL_SET":
        return f"full set for {money(plan['price'])} yuan", f"全量 {money(plan['price'])} 元"
    if mode == "FREE_TRIAL":
        return f"free trial of {plan['calls']:,} calls, once a buyer", f"免费试用 {plan['calls']:,} 次，每一买方一次"
    if mode == "NEGOTIATED":
        return "negotiated, by agreement", "协议定价"
    if mode == "PER_PERIOD":
        return _by_period(plan)
    if mode == "SUBSCRIPTION":
        english, chinese = _PERIODS[plan["period"]]
        one = _tiers(plan, (english, f"个{chinese}"))
        return f"subscription, calls without limit; {one[0]}", f"订阅，不限次数；{one[1]}"
    return _tiers(plan, _UNITS[mode])


def _by_period(plan: Plan) -> tuple[str, str]:
    english, chinese = _PERIODS[plan["period"]]
    english, chinese = f"{money(plan['price'])} yuan a {english}", f"每{chinese} {money(plan['price'])} 元"
    if plan["quota"] is None:
        return f"{english}, calls without limit", f"{chinese}，不限次数"
    english, chinese = f"{english} with {plan['quota']:,} calls", f"{chinese}，含 {plan['quota']:,} 次调用"
    if plan["overage"] is None:
        return f"{english} and no more", f"{chinese}，不可超出"
    return f"{english}, {money(plan['overage'])} yuan for each more", f"{chinese}，超出每次 {money(plan['overage'])} 元"


def _tiers(plan: Plan, unit: tuple[str, str]) -> tuple[str, str]:
    if len(plan["tiers"]) == 1:
        price = money(plan["tiers"][0]["unitPrice"])
        return f"{price} yuan for each {unit[0]}", f"每{unit[1]} {price} 元"
    english, chinese, start = [], [], 1
    for tier in plan["tiers"]:
        last, price = tier["upTo"], money(tier["unitPrice"])
        english.append(f"{start:,} to {last:,}: {price}" if last else f"from {start:,}: {price}")
        chinese.append(f"{start:,}–{last:,}：{price}" if last else f"{start:,} 起：{price}")
        start = (last or 0) + 1
    scheme = _SCHEMES[plan["scheme"]]
    return (
        f"yuan for each {unit[0]}, {scheme[0]}: " + "; ".join(english),
        f"每{unit[1]}单价（元），{scheme[1]}：" + "；".join(chinese),
    )
