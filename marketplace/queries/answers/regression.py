"""Least squares from released sums, and how far their coefficients can be trusted.

With n complete rows, sums S and sums of products P, centred: C = P_xx - S_x S_x'/n, c = P_xy - S_x S_y/n. Slopes solve
A b = c, the intercept is (S_y - S_x'b)/n; A = C for OLS, and C with its diagonal times (1 + lambda) for RIDGE: each
slope is penalised in proportion to its regressor's own variance, whatever its unit, and the intercept is not.

Two errors, which are independent:
- sampling, as if the rows were drawn from a larger population with homoscedastic residuals: s^2 A^-1 C A^-1, with
  s^2 = RSS / (n - 1 - trace(A^-1 C)); for OLS the classical one;
- privacy, by the delta method: the noise of each released number times the coefficient's derivative by it,
  db = A^-1 (dc - dA b). It is a first-order figure: it holds while the noise in C is small against C's least
  eigenvalue. `margin` is the ratio of the two, on regressors scaled to unit variance; below about 3, distrust it.

Where the noise is so large that A is not positive definite there are no coefficients (`normal_matrix_indefinite`).
Source: Ghosh et al. and others call this sufficient-statistics perturbation; Vu, Slavkovic, ICDMW 2009.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import RuleError
from marketplace.queries.answers.figures import Reading
from marketplace.queries.language.lexicon import measure
from marketplace.queries.language.terms import RegressionTerm
from marketplace.types import MICRO
from marketplace.words import Words

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """One coefficient, in units of the target per unit of the regressor.

    Args:
        name: of the regressor; "intercept".
        value: None where there is no solution.
        error: standard error of both kinds together; None where one of them is.
        sampling: standard error of sampling; None where the noise leaves no positive residual variance.
        privacy: standard error of the privacy noise.
    """

    name: str
    value: float | None
    error: float | None
    sampling: float | None
    privacy: float | None


@dataclass(frozen=True)
class Regression:
    """A fitted line.

    Args:
        label: of the computation. coefficients: intercept first, then the regressors in the query's order.
        rows: noisy number of complete rows.
        residual: standard deviation of the residuals; None as `Coefficient.sampling`.
        r_squared: share of the target's variance that is explained; None where noise leaves no variance.
        margin: least eigenvalue of the scaled normal matrix over the noise in it; None without a solution.
    """

    label: str
    coefficients: tuple[Coefficient, ...]
    rows: int
    residual: float | None = None
    r_squared: float | None = None
    margin: float | None = None

    def check(self) -> None:
        """Refuse to be read where there is no solution.

        Raises:
            RuleError: `normal_matrix_indefinite`.
        """
        if self.margin is None:
            raise RuleError(
                "normal_matrix_indefinite",
                f"the noise is larger than what {self.label} has to be computed from: its normal matrix is not "
                "positive definite",
                zh=f"噪声超过 {self.label} 所需的信息:正规矩阵非正定",
                rule="queries.regression",
                expected=Words("a positive definite normal matrix", "正定的法矩阵"),
                hint="ask for more epsilon, more rows, fewer or less related regressors, or RIDGE",
                hint_zh="提高 epsilon、扩大范围、减少相关的自变量,或改用 RIDGE",
            )

    def fit(self) -> dict[str, Any]:
        """What is said of the whole fit."""
        return {
            "rows": self.rows,
            "residual": self.residual,
            "r_squared": self.r_squared,
            "margin": self.margin,
            "solved": self.margin is not None,
        }

    def as_rows(self) -> list[dict[str, Any]]:
        """One dict a coefficient."""
        return [
            {
                "term": item.name,
                "coefficient": item.value,
                "coefficient_se": item.error,
                "sampling_se": item.sampling,
                "privacy_se": item.privacy,
            }
            for item in self.coefficients
        ]


def regress(manifest: Mapping[str, Any], term: RegressionTerm, read: Reading) -> Regression:
    """The fit of one group; without coefficients where its normal matrix is not positive definite."""
    names, target = term.regressors, str(term.measure)
    ridge = 1 + term.penalty / MICRO
    count = read["n"]
    inverse = _inverse(_normal(read, names, ridge)) if count > 0 else None
    if inverse is None:
        nothing = (Coefficient(name, None, None, None, None) for name in ("intercept", *names))
        return Regression(term.label, tuple(nothing), count)
    slopes = inverse @ np.array([_centred(read, name, target) for name in names])
    fit = _Fit(read, names, target, ridge, slopes, inverse)
    residual, sampling = _sampling(read, fit)
    of_target, *units = (10.0 ** int(measure(manifest, name)["scale"]) for name in (target, *names))
    values = [(read[target] - float(fit.sums @ slopes)) / count, *slopes.tolist()]
    rows = zip(("intercept", *names), values, fit.privacy().tolist(), sampling, (1.0, *units), strict=True)
    coefficients = tuple(
        _coefficient(name, value, drawn, hidden, unit / of_target) for name, value, hidden, drawn, unit in rows
    )
    spread = _centred(read, target, target)
    explained = 1 - fit.squares() / spread if spread > 0 and residual is not None else None
    shown = None if residual is None else residual / of_target
    return Regression(term.label, coefficients, count, shown, explained, _margin(read, names, ridge))


@dataclass(frozen=True)
class _Fit:
    """A solution with what its errors are computed from, in integer units."""

    read: Reading
    names: Sequence[str]
    target: str
    ridge: float
    slopes: Array
    inverse: Array

    @property
    def count(self) -> float:
        return float(self.read["n"])

    @cached_property
    def sums(self) -> Array:
        return np.array([float(self.read[name]) for name in self.names])

    def squares(self) -> float:
        """Sum of squared residuals: of y, less twice what the slopes explain, and the slopes' own square."""
        joint = np.array([_centred(self.read, name, self.target) for name in self.names])
        own = float(self.slopes @ _normal(self.read, self.names, 1.0) @ self.slopes)
        return _centred(self.read, self.target, self.target) - 2 * float(self.slopes @ joint) + own

    def privacy(self) -> Array:
        """Standard errors of intercept and slopes by the noise of every released number."""
        total = np.zeros(len(self.names) + 1)
        for role, deviation in self.read.noise.items():
            total += (self._derivative(role) * deviation) ** 2
        return np.sqrt(total)

    def _derivative(self, role: str) -> Array:
        """Of (intercept, slopes) by one released number."""
        matrix, joint, sums, target, count = self._moved(role)
        n, total = self.count, float(self.read[self.target])
        mean_x, mean_y = self.sums / n, total / n
        moved = matrix - np.outer(sums, mean_x) - np.outer(mean_x, sums) + np.outer(mean_x, mean_x) * count
        moved = moved * (1 + (self.ridge - 1) * np.eye(len(self.names)))
        right = joint - sums * mean_y - mean_x * target + mean_x * mean_y * count
        slopes = self.inverse @ (right - moved @ self.slopes)
        intercept = (target - float(sums @ self.slopes) - float(self.sums @ slopes)) / n
        intercept -= (total - float(self.sums @ self.slopes)) / n / n * count
        return np.concatenate([[intercept], slopes])

    def _moved(self, role: str) -> tuple[Array, Array, Array, float, float]:
        """Which entries of P_xx, P_xy, S_x, S_y and n the number is."""
        size = len(self.names)
        matrix, joint, sums, target, count = np.zeros((size, size)), np.zeros(size), np.zeros(size), 0.0, 0.0
        first, _, second = role.partition("*")
        if role == "n":
            count = 1.0
        elif not second:
            target = float(role == self.target)
            sums = np.array([float(name == role) for name in self.names])
        else:
            for row, name in enumerate(self.names):
                joint[row] = float({first, second} == {name, self.target})
                for column, other in enumerate(self.names):
                    matrix[row, column] = float(sorted((first, second)) == sorted((name, other)))
        return matrix, joint, sums, target, count


def _centred(read: Reading, first: str, second: str) -> float:
    """Sum of products less product of sums over n; exact until the one division."""
    product = read[read.product(first, second)]
    return float(Fraction(product * read["n"] - read[first] * read[second], read["n"]))


def _normal(read: Reading, names: Sequence[str], ridge: float) -> Array:
    matrix = np.array([[_centred(read, name, other) for other in names] for name in names])
    return matrix * (1 + (ridge - 1) * np.eye(len(names)))


def _inverse(matrix: Array) -> Array | None:
    """The inverse of a positive definite matrix, computed with its diagonal scaled to one; None of any other."""
    diagonal = np.diag(matrix)
    if not (diagonal > 0).all():
        return None
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * np.outer(scale, scale)
    try:
        np.linalg.cholesky(scaled)
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(inverse * np.outer(scale, scale), dtype=np.float64)


def _margin(read: Reading, names: Sequence[str], ridge: float) -> float:
    """Least eigenvalue of the scaled matrix over the expected size (root of the mean square) of the noise in it."""
    matrix = _normal(read, names, ridge)
    scale = 1 / np.sqrt(np.diag(matrix))
    least = float(np.linalg.eigvalsh(matrix * np.outer(scale, scale))[0])
    noise = [
        read.noise[read.product(name, other)] * scale[row] * scale[column]
        for row, name in enumerate(names)
        for column, other in enumerate(names)
    ]
    return least / math.hypot(*noise)


def _sampling(read: Reading, fit: _Fit) -> tuple[float | None, list[float | None]]:
    """Standard deviation of residuals, and sampling errors of intercept and slopes."""
    centred = _normal(read, fit.names, 1.0)
    freedom = read["n"] - 1 - float(np.trace(fit.inverse @ centred))
    squares = fit.squares()
    if freedom <= 0 or squares <= 0:
        return None, [None] * (len(fit.names) + 1)
    variance = squares / freedom
    covariance = variance * fit.inverse @ centred @ fit.inverse
    means = fit.sums / read["n"]
    intercept = variance / read["n"] + float(means @ covariance @ means)
    errors = np.sqrt(np.concatenate([[intercept], np.diag(covariance)]).clip(min=0))
    return math.sqrt(variance), errors.tolist()


def _coefficient(name: str, value: float, sampling: float | None, privacy: float, scale: float) -> Coefficient:
    drawn, hidden = None if sampling is None else sampling * scale, privacy * scale
    return Coefficient(name, value * scale, None if drawn is None else math.hypot(drawn, hidden), drawn, hidden)
