"""The computations as typed values. `document()` is what a query document says of one; `label` heads its column.

Fractions, penalties, coefficients and weights are decimals that people write ("0.5", -2, Decimal("1.25")); a document
holds them as whole numbers of a stated scale, so that every reader computes the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from crypto.canonical import sha256
from marketplace.documents import Document
from marketplace.errors import InvalidInputError
from marketplace.types import MICRO
from marketplace.words import Words

Number = int | float | str | Decimal
"""A decimal as people write it; a float counts as its shortest decimal."""
_MOST_DECIMALS = 9
_LONGEST_LABEL = 60


@dataclass(frozen=True)
class Term:
    """One computation over at most one measure: COUNT, SUM, MEAN, VARIANCE, STDDEV, HISTOGRAM or CONTINGENCY.

    Args:
        op: which.
        measure: name of the measure; None only for COUNT and CONTINGENCY, which then count rows.
    """

    op: str
    measure: str | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure that it is about."""
        return () if self.measure is None else (self.measure,)

    @property
    def label(self) -> str:
        """Column heading in an answer, e.g. "mean_arr_delay", "count"."""
        return self.op.lower() if self.measure is None else f"{self.op.lower()}_{self.measure}"

    def document(self) -> Document:
        """The item of a query document's "select"."""
        return {"op": self.op, "measure": self.measure}


@dataclass(frozen=True)
class PairTerm(Term):
    """COVARIANCE or CORRELATION of two measures.

    Args:
        other: the second measure.
    """

    other: str = ""

    @property
    def measures(self) -> tuple[str, ...]:
        return (*super().measures, self.other)

    @property
    def label(self) -> str:
        return f"{super().label}_{self.other}"

    def document(self) -> Document:
        return {"op": self.op, "measures": list(self.measures)}


@dataclass(frozen=True)
class QuantileTerm(Term):
    """QUANTILE of a measure.

    Args:
        fraction: which, in millionths: 500,000 is the median.
    """

    fraction: int = 0

    @property
    def label(self) -> str:
        return f"{super().label}_{shown(self.fraction, 6)}"

    def document(self) -> Document:
        return {**super().document(), "fraction": self.fraction}


@dataclass(frozen=True)
class RegressionTerm(Term):
    """OLS or RIDGE of `measure` on regressors.

    Args:
        regressors: names of measures, in order.
        penalty: of RIDGE, in millionths of each regressor's variance; 0 for OLS.
    """

    regressors: tuple[str, ...] = ()
    penalty: int = 0

    @property
    def measures(self) -> tuple[str, ...]:
        return (*super().measures, *self.regressors)

    @property
    def label(self) -> str:
        added = f"_{shown(self.penalty, 6)}" if self.op == "RIDGE" else ""
        return f"{super().label}_on_{'_'.join(self.regressors)}{added}"

    def document(self) -> Document:
        body: Document = {"op": self.op, "target": self.measure, "regressors": list(self.regressors)}
        return {**body, "lambda": self.penalty} if self.op == "RIDGE" else body


@dataclass(frozen=True)
class ScoreTerm(Term):
    """SCORE: intercept plus the sum of coefficient times measure, added up or averaged over the rows of a group.

    Args:
        statistic: "SUM" or "MEAN".
        coefficients: (measure, whole number of units 10^-scale) sorted by measure; none is zero.
        intercept: in the same units.
        scale: decimals of the coefficients.
    """

    statistic: str = "MEAN"
    coefficients: tuple[tuple[str, int], ...] = ()
    intercept: int = 0
    scale: int = 0

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.coefficients)

    @property
    def label(self) -> str:
        terms = [f"{shown(value, self.scale)}*{name}" for name, value in self.coefficients]
        terms += [shown(self.intercept, self.scale)] if self.intercept else []
        return _short(f"{self.statistic.lower()}_score({'+'.join(terms).replace('+-', '-')})")

    def document(self) -> Document:
        body: Document = {"op": self.op, "statistic": self.statistic, "scale": self.scale}
        return {**body, "intercept": self.intercept, "coefficients": dict(self.coefficients)}


@dataclass(frozen=True)
class WeightedTerm(Term):
    """WSUM or WMEAN: the values of a measure, each times the weight of its row's category of a dimension.

    Args:
        dimension: whose categories carry the weights.
        weights: (category, whole number of units 10^-scale) sorted by category; others weigh nothing.
        scale: decimals of the weights.
    """

    dimension: str = ""
    weights: tuple[tuple[str, int], ...] = ()
    scale: int = 0

    @property
    def label(self) -> str:
        listed = ",".join(f"{name}={shown(value, self.scale)}" for name, value in self.weights)
        return _short(f"{super().label}_by_{self.dimension}({listed})")

    def document(self) -> Document:
        listed = [{"category": name, "weight": value} for name, value in self.weights]
        return {**super().document(), "dimension": self.dimension, "scale": self.scale, "weights": listed}


def Count(measure: str | None = None) -> Term:  # noqa: N802 - reads as a word of the query language
    """Number of rows, or of rows where `measure` is present."""
    return Term("COUNT", measure)


def Sum(measure: str) -> Term:  # noqa: N802 - as Count
    """Sum of the values that are present."""
    return Term("SUM", measure)


def Mean(measure: str) -> Term:  # noqa: N802 - as Count
    """Mean of the values that are present."""
    return Term("MEAN", measure)


def Variance(measure: str) -> Term:  # noqa: N802 - as Count
    """Population variance of the values that are present."""
    return Term("VARIANCE", measure)


def StdDev(measure: str) -> Term:  # noqa: N802 - as Count
    """Population standard deviation of the values that are present."""
    return Term("STDDEV", measure)


def Histogram(measure: str) -> Term:  # noqa: N802 - as Count
    """How many values lie in each of the measure's declared bins."""
    return Term("HISTOGRAM", measure)


def Contingency() -> Term:  # noqa: N802 - as Count
    """The query's groups as a table of counts with margins and a test of independence; needs two dimensions or more."""
    return Term("CONTINGENCY")


def Quantile(measure: str, fraction: Number) -> Term:  # noqa: N802 - as Count
    """The value below which this fraction of the present values lies, interpolated in the measure's declared bins."""
    return QuantileTerm("QUANTILE", measure, fraction=_millionths(fraction, "quantile"))


def Covariance(first: str, second: str) -> Term:  # noqa: N802 - as Count
    """Population covariance over the rows where the measures of a declared joint of both are present."""
    return PairTerm("COVARIANCE", first, other=second)


def Correlation(first: str, second: str) -> Term:  # noqa: N802 - as Count
    """Pearson's correlation over the rows where the measures of a declared joint of both are present."""
    return PairTerm("CORRELATION", first, other=second)


def Ols(target: str, *regressors: str) -> Term:  # noqa: N802 - as Count
    """Ordinary least squares of `target` on an intercept and `regressors`."""
    return RegressionTerm("OLS", target, regressors=regressors)


def Ridge(target: str, *regressors: str, penalty: Number) -> Term:  # noqa: N802 - as Count
    """Ridge regression: each slope is penalised by `penalty` times the variance of its regressor."""
    return RegressionTerm("RIDGE", target, regressors=regressors, penalty=_millionths(penalty, "penalty"))


def Score(coefficients: Mapping[str, Number], intercept: Number = 0, statistic: str = "MEAN") -> Term:  # noqa: N802 - as Count
    """A linear score with your coefficients, of which only the mean (or, with statistic="SUM", the sum) is released."""
    values, scale = whole_numbers([intercept, *coefficients.values()])
    named = zip(coefficients, values[1:], strict=True)
    pairs = tuple(sorted((name, value) for name, value in named if value))
    return ScoreTerm("SCORE", None, statistic=statistic, coefficients=pairs, intercept=values[0], scale=scale)


def WeightedSum(measure: str, dimension: str, weights: Mapping[str, Number]) -> Term:  # noqa: N802 - as Count
    """Sum of the values of a measure, each times the weight of its category; a category without one weighs nothing."""
    return _weighted("WSUM", measure, dimension, weights)


def WeightedMean(measure: str, dimension: str, weights: Mapping[str, Number]) -> Term:  # noqa: N802 - as Count
    """Weighted sum over the sum of the weights of the values that are present."""
    return _weighted("WMEAN", measure, dimension, weights)


def term_of(item: Mapping[str, Any]) -> Term:
    """The typed form of an item of a validated "select"."""
    op = item["op"]
    if op in ("COVARIANCE", "CORRELATION"):
        return PairTerm(op, item["measures"][0], other=item["measures"][1])
    if op == "QUANTILE":
        return QuantileTerm(op, item["measure"], fraction=item["fraction"])
    if op in ("OLS", "RIDGE"):
        return RegressionTerm(
            op, item["target"], regressors=tuple(item["regressors"]), penalty=int(item.get("lambda", 0))
        )
    if op == "SCORE":
        pairs = tuple(sorted(item["coefficients"].items()))
        return ScoreTerm(
            op,
            None,
            statistic=item["statistic"],
            coefficients=pairs,
            intercept=item["intercept"],
            scale=item["scale"],
        )
    if op in ("WSUM", "WMEAN"):
        weights = tuple(sorted((entry["category"], entry["weight"]) for entry in item["weights"]))
        return WeightedTerm(op, item["measure"], dimension=item["dimension"], weights=weights, scale=item["scale"])
    return Term(op, item["measure"])


def whole_numbers(values: list[Number]) -> tuple[list[int], int]:
    """Decimals as whole numbers of one scale, the smallest that holds them all.

    Raises:
        InvalidInputError: `malformed_number`: no decimal, or more than nine decimals.
    """
    decimals = [_decimal(value) for value in values]
    scale = max((-_exponent(value) for value in decimals), default=0)
    scale = max(scale, 0)
    if scale > _MOST_DECIMALS:
        most = Words(f"a number with at most {_MOST_DECIMALS} decimals", f"至多 {_MOST_DECIMALS} 位小数的数字")
        raise _no_number(most, max(decimals, key=lambda v: -_exponent(v)))
    return [int(value.scaleb(scale)) for value in decimals], scale


def shown(value: int, scale: int) -> str:
    """A whole number of units 10^-scale as people write it."""
    text = format(Decimal(value).scaleb(-scale), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _weighted(op: str, measure: str, dimension: str, weights: Mapping[str, Number]) -> Term:
    values, scale = whole_numbers(list(weights.values()))
    pairs = tuple(sorted((name, value) for name, value in zip(weights, values, strict=True) if value))
    return WeightedTerm(op, measure, dimension=dimension, weights=pairs, scale=scale)


def _millionths(value: Number, what: str) -> int:
    exact = _decimal(value) * MICRO
    if exact != exact.to_integral_value():
        raise _no_number(Words(f"a {what} with at most six decimals", f"至多六位小数的 {what}"), value)
    return int(exact)


def _decimal(value: Number) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _no_number(Words("a number", "数字"), value) from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise _no_number(Words("a number of ordinary size", "大小适中的数字"), value)
    return number.normalize()


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _no_number(expected: Words, got: object) -> InvalidInputError:
    shown_value = str(got)[:40]
    return InvalidInputError(
        "malformed_number",
        f"expected {expected.en}, got {shown_value}",
        zh=f"应为{expected.zh}，实为 {shown_value}",
        rule="queries.algebra",
        expected=expected,
        got=shown_value,
    )


def _short(label: str) -> str:
    """A label of bounded length that still tells two long ones apart."""
    if len(label) <= _LONGEST_LABEL:
        return label
    return f"{label[:_LONGEST_LABEL]}…{sha256(label.encode()).hex()[:8]}"
