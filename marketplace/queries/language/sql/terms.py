"""The computations of a query text, one selected expression each.

COUNT(*)  COUNT(m)  SUM(m)  AVG(m) or MEAN(m)  VARIANCE(m) or VAR_POP(m)  STDDEV(m) or STDDEV_POP(m)
COVAR_POP(a, b)  CORR(a, b)  HISTOGRAM(m)  APPROX_QUANTILE(m, 0.9)  CONTINGENCY(d1, d2, ...)
OLS(y, x1, x2, ...)  RIDGE(y, x1, x2, ..., lambda => 0.5)
AVG(SCORE(0.5 * a - 2 * b + 3)) or SUM(SCORE(...))
WSUM(m, d, 'category', 2, 'other', -0.5, ...)  WMEAN(m, d, ...)
"""

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from marketplace.documents import MAX_TERMS
from marketplace.queries.language.lexicon import dimension, measure
from marketplace.queries.language.sql.filters import category, fault, plain_name
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Covariance,
    Ols,
    Quantile,
    Ridge,
    Score,
    Term,
    WeightedMean,
    WeightedSum,
)
from marketplace.words import Words

Manifest = Mapping[str, Any]
_CALLS = "COUNT, SUM, AVG, VAR_POP, STDDEV_POP, COVAR_POP, CORR, HISTOGRAM, APPROX_QUANTILE, CONTINGENCY, OLS, RIDGE"
ALLOWED = Words(
    f"{_CALLS}, SUM or AVG of SCORE, WSUM, WMEAN, each on its own",
    f"单独使用的 {_CALLS}、SCORE 的 SUM 或 AVG、WSUM、WMEAN",
)
_SINGLE: dict[type[exp.Expr], str] = {
    exp.Count: "COUNT",
    exp.Sum: "SUM",
    exp.Avg: "MEAN",
    exp.VariancePop: "VARIANCE",
    exp.Variance: "VARIANCE",
    exp.StddevPop: "STDDEV",
    exp.Stddev: "STDDEV",
}
_SINGLE_BY_NAME = {"MEAN": "MEAN", "HISTOGRAM": "HISTOGRAM"}  # functions without a class of their own in the parser


def term(item: exp.Expr, manifest: Manifest) -> Term:
    """The computation that an expression says.

    Raises:
        InvalidInputError: `sql_outside_algebra`, `unknown_measure`, `unknown_dimension`, `unknown_category`.
    """
    kind = type(item)
    if kind in (exp.Sum, exp.Avg) and _is_call(item.this, "SCORE"):
        _require(not item.args.get("expressions"), "SUM(SCORE(...)) or AVG(SCORE(...))", item)
        return _score(item.this, manifest, "SUM" if kind is exp.Sum else "MEAN")
    if kind in _SINGLE:
        return _single(_SINGLE[kind], item, manifest)
    if isinstance(item, exp.CovarPop | exp.Corr):
        first, second = _measure(item.this, manifest), _measure(item.expression, manifest)
        _require(first != second, Words("two different measures", "两个不同的指标"), item)
        return Covariance(first, second) if isinstance(item, exp.CovarPop) else Correlation(first, second)
    if isinstance(item, exp.ApproxQuantile):
        _require(isinstance(item.args.get("quantile"), exp.Literal), "APPROX_QUANTILE(measure, fraction)", item)
        return Quantile(_measure(item.this, manifest), _number(item.args["quantile"]))
    if isinstance(item, exp.Anonymous):
        return _called(item, manifest)
    raise fault(ALLOWED, item.sql())


def contingency_groups(item: exp.Expr, manifest: Manifest) -> list[str]:
    """The dimensions of a CONTINGENCY(d1, d2, ...); none where the expression is something else."""
    if not _is_call(item, "CONTINGENCY"):
        return []
    return [str(dimension(manifest, plain_name(argument))["name"]) for argument in item.expressions]


def _single(operation: str, item: exp.Expr, manifest: Manifest) -> Term:
    _require(not item.args.get("expressions"), Words(f"{operation} of one measure", f"单个指标的 {operation}"), item)
    if isinstance(item.this, exp.Star):
        _require(
            operation == "COUNT" and not item.this.args.get("except_"),
            Words(f"{operation} of one measure", f"单个指标的 {operation}"),
            item,
        )
        return Term("COUNT")
    return Term(operation, _measure(item.this, manifest))


def _called(item: exp.Anonymous, manifest: Manifest) -> Term:
    name, arguments = str(item.this).upper(), list(item.expressions)
    if name in _SINGLE_BY_NAME:
        _require(len(arguments) == 1, Words(f"{name} of one measure", f"单个指标的 {name}"), item)
        return Term(_SINGLE_BY_NAME[name], _measure(arguments[0], manifest))
    if name == "CONTINGENCY":
        _require(
            len(arguments) >= 2, Words("CONTINGENCY of two dimensions or more", "两个以上维度的 CONTINGENCY"), item
        )
        return Contingency()
    if name == "OLS":
        return Ols(*_regression(item, arguments, manifest))
    if name == "RIDGE":
        return _ridge(item, arguments, manifest)
    if name == "SCORE":
        return _score(item, manifest, "MEAN")
    if name in ("WSUM", "WMEAN"):
        return _weighted(name, item, arguments, manifest)
    raise fault(ALLOWED, item.sql())


def _regression(item: exp.Expr, arguments: list[exp.Expr], manifest: Manifest) -> list[str]:
    names = [_measure(argument, manifest) for argument in arguments]
    _require(
        len(names) >= 2 and len(set(names)) == len(names),
        Words("a measure, then different regressors", "一个指标，其后为互不相同的自变量"),
        item,
    )
    return names


def _ridge(item: exp.Expr, arguments: list[exp.Expr], manifest: Manifest) -> Term:
    penalty = arguments[-1] if arguments else None
    named = isinstance(penalty, exp.Kwarg) and penalty.this.name.lower() == "lambda"
    _require(named, "RIDGE(y, x, ..., lambda => 0.5)", item)
    assert isinstance(penalty, exp.Kwarg)
    return Ridge(*_regression(item, arguments[:-1], manifest), penalty=_number(penalty.expression))


def _score(item: exp.Expr, manifest: Manifest, statistic: str) -> Term:
    _require(len(item.expressions) == 1, Words("SCORE of one linear expression", "一个线性表达式的 SCORE"), item)
    coefficients: dict[str, list[str]] = {}
    intercept: list[str] = []
    for sign, part in _addends(item.expressions[0], "+"):
        value, name = _product(part, manifest)
        (intercept if name is None else coefficients.setdefault(name, [])).append(sign + value)
    for values in (intercept, *coefficients.values()):
        _require(len(values) <= 1, Words("each measure once in a score", "每个指标在评分中仅出现一次"), item)
    _require(bool(coefficients), Words("a score of measures", "由指标构成的评分"), item)
    flat = {name: _signed(values[0]) for name, values in coefficients.items()}
    return Score(flat, _signed(intercept[0]) if intercept else 0, statistic)


def _addends(item: exp.Expr, sign: str) -> list[tuple[str, exp.Expr]]:
    """The parts of a sum with their signs, walked without recursion along the left."""
    parts: list[tuple[str, exp.Expr]] = []
    while True:
        _require(len(parts) <= MAX_TERMS, Words(f"at most {MAX_TERMS} parts", f"至多 {MAX_TERMS} 项"), item)
        item = item.this if isinstance(item, exp.Paren) and not parts else item
        if not isinstance(item, exp.Add | exp.Sub):
            return [(sign, item), *reversed(parts)]
        parts.append(("-" if isinstance(item, exp.Sub) else "+", item.expression))
        item = item.this


def _product(item: exp.Expr, manifest: Manifest) -> tuple[str, str | None]:
    """A number, a measure, or a number times a measure in either order."""
    if isinstance(item, exp.Neg) and isinstance(item.this, exp.Column | exp.Mul):
        value, name = _product(item.this, manifest)
        return _negated(value), name
    if isinstance(item, exp.Mul):
        left, right = item.this, item.expression
        left, right = (right, left) if isinstance(left, exp.Column) else (left, right)
        return _number(left), _measure(right, manifest)
    if isinstance(item, exp.Column):
        return "1", _measure(item, manifest)
    return _number(item), None


def _signed(text: str) -> str:
    """ "+-2" and "--2" are numbers too: a sign of the sum and one of the number."""
    return _negated(text[1:]) if text[0] == "-" else text[1:]


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else "-" + text


def _weighted(name: str, item: exp.Expr, arguments: list[exp.Expr], manifest: Manifest) -> Term:
    usage = f"{name}(measure, dimension, category, weight, ...)"
    _require(len(arguments) >= 4 and len(arguments) % 2 == 0, usage, item)
    value, along = _measure(arguments[0], manifest), str(dimension(manifest, plain_name(arguments[1]))["name"])
    labels = [category(argument) for argument in arguments[2::2]]
    _require(len(set(labels)) == len(labels), Words("each category once", "每个类别仅出现一次"), item)
    weights = dict(zip(labels, map(_number, arguments[3::2]), strict=True))
    make = WeightedSum if name == "WSUM" else WeightedMean
    return make(value, along, weights)


def _measure(item: exp.Expr | None, manifest: Manifest) -> str:
    return str(measure(manifest, plain_name(item))["name"])


def _number(item: exp.Expr) -> str:
    negative = isinstance(item, exp.Neg)
    literal = item.this if negative else item
    if not isinstance(literal, exp.Literal) or literal.is_string:
        raise fault(Words("a number", "数字"), item.sql())
    return ("-" if negative else "") + str(literal.this)


def _is_call(item: object, name: str) -> bool:
    return isinstance(item, exp.Anonymous) and str(item.this).upper() == name


def _require(holds: bool, expected: Words | str, item: exp.Expr) -> None:
    if not holds:
        raise fault(expected, item.sql())
