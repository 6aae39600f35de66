"""May this order ask this query? By the terms that it accepted: purpose, region, computations, columns, epsilon, term.

Every rule here uses public documents only, so service, vault and auditor apply the same ones.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import ciphertext_root, unix_seconds
from marketplace.documents.scopes import is_within
from marketplace.errors import RuleError
from marketplace.queries.permission.papers import OrderPapers
from marketplace.words import Words


def check_permitted(papers: OrderPapers, query: Mapping[str, Any], manifest: Mapping[str, Any], now: int) -> None:
    """Check the query against the terms that the order accepted.

    Args:
        now: unix seconds.
    Raises:
        RuleError: `order_mismatch`, `data_mismatch`, `order_expired`, `listing_expired`, `computation_not_permitted`,
            `column_not_permitted`, `purpose_not_permitted`, `region_not_permitted`, `epsilon_above_maximum`.
    """
    if (query["order"], query["asset"]) != (papers.order, papers.asset):
        raise _rule("order_mismatch", "the query is for another order or asset", "查询属于其他订单或资产", papers.order)
    if query["ciphertextRoot"] != ciphertext_root(manifest):
        raise _rule(
            "data_mismatch", "the query is for other sealed data", "查询针对其他密封数据", ciphertext_root(manifest)
        )
    _check_term(papers, now)
    check_use(papers.terms, papers.agreement)
    _check_computations(papers.terms, query)


def _check_term(papers: OrderPapers, now: int) -> None:
    if now > papers.fund.message["validUntil"]:
        raise _rule("order_expired", "the order has expired", "订单已过期", papers.fund.message["validUntil"], now)
    end = min(int(papers.listing.message["validUntil"]), unix_seconds(papers.terms["termEnd"]))
    if now > end:
        raise _rule("listing_expired", "the term of the listing has ended", "挂牌期限已过", end, now)


def check_use(terms: Mapping[str, Any], agreement: Mapping[str, Any]) -> None:
    """Refuse a use that the terms do not permit.

    Args:
        terms: the listing's. agreement: the buyer's acceptance, which states purpose and region.
    Raises:
        RuleError: `purpose_not_permitted`, `region_not_permitted`.
    """
    if agreement["purpose"] not in terms["purposes"]:
        raise _rule(
            "purpose_not_permitted",
            f"the listing does not permit the purpose {agreement['purpose']}",
            f"挂牌不允许用途 {agreement['purpose']}",
            ", ".join(terms["purposes"]),
            agreement["purpose"],
        )
    regions = terms["regions"]
    if not is_within(agreement["region"], regions):
        raise _rule(
            "region_not_permitted",
            f"the listing does not permit use in {agreement['region']}",
            f"挂牌不允许在 {agreement['region']} 使用",
            ", ".join(regions),
            agreement["region"],
        )


def _check_computations(terms: Mapping[str, Any], query: Mapping[str, Any]) -> None:
    for item in query["select"]:
        if item["op"] not in terms["computations"]:
            raise _rule(
                "computation_not_permitted",
                f"the listing does not permit {item['op']}",
                f"挂牌不允许计算 {item['op']}",
                ", ".join(terms["computations"]),
                item["op"],
            )
    kept = sorted(_columns_of(query) - set(terms["fields"])) if terms["fields"] else []
    if kept:
        raise _rule(
            "column_not_permitted",
            f"the listing does not offer the columns {', '.join(kept)}",
            f"挂牌不提供字段 {', '.join(kept)}",
            ", ".join(terms["fields"]),
            ", ".join(kept),
        )
    if query["epsilon"] > terms["epsilonPerQueryMax"]:
        raise _rule(
            "epsilon_above_maximum",
            "the query asks for more epsilon than one query may spend",
            "查询申请的隐私预算超过单次上限",
            Words(f"at most {terms['epsilonPerQueryMax']} millionths", f"至多百万分之 {terms['epsilonPerQueryMax']}"),
            query["epsilon"],
        )


def _columns_of(query: Mapping[str, Any]) -> set[str]:
    """Every dimension and measure that a query is about, filters included."""
    columns = set(query["groupBy"])
    for item in query["select"]:
        one = {item.get(name) for name in ("measure", "target", "dimension")} - {None}
        columns |= (
            one | set(item.get("measures", ())) | set(item.get("regressors", ())) | set(item.get("coefficients", ()))
        )
    pending = [query["where"]] if query["where"] else []
    while pending:
        ((word, inner),) = pending.pop().items()
        if word == "in":
            columns.add(inner["dimension"])
        else:
            pending += inner if isinstance(inner, list) else [inner]
    return columns


def _rule(code: str, message: str, zh: str, expected: object, got: object = None) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="queries." + code,
        expected=expected,
        got=got,
        hint="ask within the order and the terms of its listing; where one has ended, order anew",
        hint_zh="请在订单与挂牌条款允许的范围内提问；已到期的请重新下单",
    )
