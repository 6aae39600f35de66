"""What may be asked under terms of calls, and what a record may say: pure rules of gateway, service and auditor."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents.scopes import columns_of
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.pricing import plan_of, require_for_calls
from marketplace.words import Words

Terms = Mapping[str, Any]
API = "API"
LEAST_BUDGET = 1
"""Millionths: every order has some budget, and calls spend none."""


def is_api(terms: Terms) -> bool:
    """Whether these are terms of calls."""
    return "delivery" in terms and terms["delivery"]["mode"] == API


def require_api(terms: Terms, order: str) -> None:
    """Refuse an order whose listing is not delivered call by call. Raises RuleError `order_not_of_calls`."""
    if not is_api(terms):
        raise RuleError(
            "order_not_of_calls",
            f"order {order} is not delivered call by call",
            zh=f"订单 {order} 不以接口调用方式交付",
            rule="api.orders_of_calls",
            expected=Words("an order of a listing whose terms say API", "条款为接口交付（API）的挂牌的订单"),
            got=order,
            hint="ask sealed questions, or receive the file, as its listing says",
            hint_zh="请按挂牌约定进行密态查询或接收文件",
        )


def offered_columns(terms: Terms, manifest: Mapping[str, Any]) -> list[str]:
    """The columns that a listing under these terms has on offer."""
    return list(terms["fields"]) or columns_of(manifest)


def check_offer(terms: Terms, manifest: Mapping[str, Any]) -> None:
    """Refuse terms of calls that give out or filter by a column that is not on offer, or that cannot be billed.

    A lookup's keys may be any columns of the table: the caller brings their values, and does not get them back.

    Raises:
        RuleError: `column_not_on_offer`. InvalidInputError: `plan_not_for_calls`.
    """
    if not is_api(terms):
        return
    require_for_calls(plan_of(terms))
    offered = offered_columns(terms, manifest)
    for operation in terms["delivery"]["operations"]:
        for name in (*operation["columns"], *(item["column"] for item in operation["filters"])):
            if name not in offered:
                raise RuleError(
                    "column_not_on_offer",
                    f"operation {operation['name']} uses the column {name}, which is not on offer",
                    zh=f"操作 {operation['name']} 使用了未在挂牌范围内的字段 {name}",
                    rule="api.columns_are_on_offer",
                    expected=", ".join(offered),
                    got=name,
                    hint="list with a title that covers the column, or leave it out",
                    hint_zh="请以涵盖该字段的权利挂牌，或删去该字段",
                )


def operation_of(terms: Terms, name: str) -> Mapping[str, Any]:
    """A declared operation. Raises NotFoundError `operation_unknown`."""
    found = {operation["name"]: operation for operation in terms["delivery"]["operations"]}
    if name not in found:
        raise NotFoundError(
            "operation_unknown",
            f"the listing has no operation {name}",
            zh=f"挂牌条款中没有操作 {name}",
            rule="api.operations_are_declared",
            expected=", ".join(found),
            got=name,
            hint="call one of the operations that the terms name: marketplace listings show LISTING",
            hint_zh="请调用条款所列操作：marketplace listings show LISTING",
        )
    operation: Mapping[str, Any] = found[name]
    return operation


def check_call(call: Mapping[str, Any], terms: Terms) -> Mapping[str, Any]:
    """The operation that a call names, refused unless it asks as the terms allow.

    Raises:
        NotFoundError: `operation_unknown`. InvalidInputError: `condition_not_offered`.
    """
    operation = operation_of(terms, call["operation"])
    allowed = {(name, "EQ") for name in operation["keys"]}
    allowed |= {(item["column"], test) for item in operation["filters"] for test in item["tests"]}
    asked = [(item["column"], item["test"]) for item in call["where"]]
    whole = operation["kind"] != "LOOKUP" or len(asked) == len(operation["keys"])
    if not (set(asked) <= allowed and len(set(asked)) == len(asked) and whole):
        raise InvalidInputError(
            "condition_not_offered",
            f"operation {operation['name']} is not asked like this",
            zh=f"操作 {operation['name']} 不支持此查询条件",
            rule="api.conditions_are_declared",
            expected=sorted(f"{column} {test}" for column, test in allowed),
            got=[f"{column} {test}" for column, test in asked],
            hint="a lookup takes each of its keys once; a page the filters that the terms name",
            hint_zh="查找须逐一给出全部键；分页仅可使用条款所列筛选条件",
        )
    return operation


def most_records(call: Mapping[str, Any], operation: Mapping[str, Any]) -> int:
    """The most records that a call returns."""
    return int(min(call["limit"], operation["most"]))


def record_fault(record: Mapping[str, Any], terms: Terms) -> Words | None:
    """What is impossible about a record under its terms; None if nothing is."""
    found = {operation["name"]: operation for operation in terms["delivery"]["operations"]}
    operation = found.get(record["operation"])
    if operation is None:
        return Words(f"no operation {record['operation']}", f"没有操作 {record['operation']}")
    if record["records"] > operation["most"]:
        return Words(
            f"{record['records']} records, at most {operation['most']}",
            f"{record['records']} 条结果，至多 {operation['most']} 条",
        )
    late = record["latencyMs"] > 1000 * terms["delivery"]["timeoutSeconds"]
    if late and record["outcome"] in ("HIT", "MISS"):
        return Words(
            f"answered after {record['latencyMs']} ms, beyond the time limit",
            f"答复用时 {record['latencyMs']} 毫秒，超过时限",
        )
    return None
