"""The WHERE part of a query text, to a Filter over declared dimensions."""

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from marketplace.documents import MAX_DEPTH
from marketplace.errors import InvalidInputError
from marketplace.queries.language.lexicon import dimension, positions
from marketplace.queries.language.query import Filter, one_of
from marketplace.words import Words

_ALLOWED = Words(
    "=, <>, IN, NOT IN, AND, OR, NOT over dimensions; BETWEEN, <, <=, >, >= over ordered ones",
    "维度上的 =、<>、IN、NOT IN、AND、OR、NOT；有序维度上的 BETWEEN、<、<=、>、>=",
)
_SWAPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}


def fault(expected: Words | str, got: Words | str) -> InvalidInputError:
    """The refusal of SQL that is outside the algebra.

    Args:
        expected, got: notation that both languages write alike, or words.
    """
    told = Words.alike(expected) if isinstance(expected, str) else expected
    shown = Words.alike(" ".join(got.split())[:120]) if isinstance(got, str) else got
    return InvalidInputError(
        "sql_outside_algebra",
        f"cannot be asked of sealed data: {shown.en}; allowed: {told.en}",
        zh=f"密封数据不支持：{shown.zh}；允许：{told.zh}",
        rule="queries.algebra",
        expected=told,
        got=shown,
    )


def plain_name(item: exp.Expr | None) -> str:
    """The name of a plain column; names are lower case in a manifest, and SQL reads unquoted ones without case.

    Raises:
        InvalidInputError: `sql_outside_algebra`.
    """
    simple = isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier) and not item.args.get("db")
    if not (simple and isinstance(item, exp.Column)):
        raise fault(Words("a plain column name", "单纯的字段名"), item.sql() if item is not None else "nothing")
    return item.name if item.this.args.get("quoted") else item.name.lower()


def condition(item: exp.Expr, manifest: Mapping[str, Any], depth: int = 0) -> Filter:
    """The Filter that the expression `item` says.

    Raises:
        InvalidInputError: as `sql.parse_sql`.
    """
    if depth > 2 * MAX_DEPTH:
        raise fault(
            Words(f"conditions nested at most {2 * MAX_DEPTH} deep", f"嵌套不超过 {2 * MAX_DEPTH} 层的条件"),
            Words("deeper nesting", "更深的嵌套"),
        )
    if isinstance(item, exp.Paren):
        return condition(item.this, manifest, depth + 1)
    if isinstance(item, exp.Not):
        return ~condition(item.this, manifest, depth + 1)
    if isinstance(item, exp.And | exp.Or):
        return _joined(item, manifest, depth)
    if isinstance(item, exp.In):
        return _listed(item, manifest)
    if isinstance(item, exp.Between):
        return _between(item, manifest)
    if type(item) in _SWAPPED:
        return _compared(item, manifest)
    raise fault(_ALLOWED, item.sql())


def _joined(item: exp.And | exp.Or, manifest: Mapping[str, Any], depth: int) -> Filter:
    # A chain of a thousand ANDs is a thousand levels of tree; flatten() walks it without recursion.
    parts = [condition(part, manifest, depth + 1).document for part in item.flatten(unnest=False)]
    return Filter({"and" if isinstance(item, exp.And) else "or": parts})


def _listed(item: exp.In, manifest: Mapping[str, Any]) -> Filter:
    if not item.expressions or any(value for name, value in item.args.items() if name not in ("this", "expressions")):
        raise fault("IN (category, ...)", item.sql())
    name = plain_name(item.this)
    return _chosen(manifest, name, [category(value) for value in item.expressions])


def _between(item: exp.Between, manifest: Mapping[str, Any]) -> Filter:
    if item.args.get("symmetric"):
        raise fault("BETWEEN low AND high", item.sql())
    name = plain_name(item.this)
    low, high = positions(manifest, name, [category(item.args["low"]), category(item.args["high"])])
    return _range(manifest, name, low, high)


def _compared(item: exp.Expr, manifest: Mapping[str, Any]) -> Filter:
    kind, left, right = type(item), item.this, item.expression
    if not isinstance(left, exp.Column):
        kind, left, right = _SWAPPED[kind], right, left
    name, value = plain_name(left), category(right)
    if kind is exp.EQ:
        return _chosen(manifest, name, [value])
    if kind is exp.NEQ:
        return ~_chosen(manifest, name, [value])
    (place,), last = positions(manifest, name, [value]), len(dimension(manifest, name)["categories"]) - 1
    if kind in (exp.LT, exp.LTE):
        return _range(manifest, name, 0, place - (kind is exp.LT))
    return _range(manifest, name, place + (kind is exp.GT), last)


def _chosen(manifest: Mapping[str, Any], name: str, values: list[str]) -> Filter:
    positions(manifest, name, values)
    return one_of(name, *values)


def _range(manifest: Mapping[str, Any], name: str, low: int, high: int) -> Filter:
    declared = dimension(manifest, name)
    if not declared["ordered"]:
        raise InvalidInputError(
            "dimension_not_ordered",
            f"the categories of {name} have no order",
            zh=f"维度 {name} 的类别没有次序",
            rule="queries.algebra",
            expected=f"{name} IN (...)",
            got=name,
        )
    return one_of(name, *declared["categories"][low : high + 1])


def category(item: exp.Expr) -> str:
    """The category that a literal names.

    Raises:
        InvalidInputError: `sql_outside_algebra`.
    """
    negative = isinstance(item, exp.Neg)
    literal = item.this if negative else item
    if not isinstance(literal, exp.Literal) or (negative and literal.is_string):
        raise fault(Words("a category in quotes, or a number", "带引号的类别，或数字"), item.sql())
    return ("-" if negative else "") + str(literal.this)
