"""How much noise each number of a plan gets, and the proof that no number can wrap around.

Neighbouring data sets differ by one row. A row is in one cell, so the groups of one query are disjoint and share no
budget (parallel composition), while a row touches every column: the columns split epsilon equally (sequential
composition; the remainder of the division stays unspent). Sensitivities: counts 1, a sum max(|low|, |high|), a sum of
squares the square of that.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from crypto.errors import ParameterError
from crypto.seal.headroom import prove_headroom
from crypto.seal.noise import laplace_scale
from crypto.seal.parameters import profile
from marketplace.documents import key_holders, row_count
from marketplace.errors import RuleError
from marketplace.queries.lexicon import measure
from marketplace.queries.plan import Plan


def sensitivity(manifest: Mapping[str, Any], column: str) -> int:
    """How far one row can move a number of `column`."""
    part, _, name = column.partition(":")
    if part in ("rows", "n"):
        return 1
    declared = measure(manifest, name)
    largest = max(abs(int(declared["low"])), abs(int(declared["high"])), 1)
    return largest if part == "sum" else largest * largest


def column_epsilon(plan: Plan) -> int:
    """Each column's share of the budget, in millionths; at least one.

    Raises:
        RuleError: `epsilon_too_small`.
    """
    share = plan.epsilon // len(plan.columns)
    if share < 1:
        raise RuleError(
            "epsilon_too_small",
            f"epsilon {plan.epsilon} millionths cannot be shared by {len(plan.columns)} columns",
            zh=f"隐私预算 {plan.epsilon}(百万分之一)不足以分给 {len(plan.columns)} 列",
            rule="queries.epsilon",
            expected=f"at least {len(plan.columns)} millionths",
            got=plan.epsilon,
        )
    return share


def noise_scale(manifest: Mapping[str, Any], column: str, epsilon: int) -> Fraction:
    """Scale of the discrete Laplace noise on a number of `column` for `epsilon` millionths, exactly.

    Raises:
        RuleError: `epsilon_too_small`.
    """
    try:
        return laplace_scale(sensitivity(manifest, column), epsilon)
    except ParameterError as error:
        raise RuleError(
            "epsilon_too_small",
            f"the noise on {column} would be too wide: {error}",
            zh=f"{column} 所需噪声过大",
            rule="queries.epsilon",
            got=epsilon,
        ) from error


def scales(manifest: Mapping[str, Any], plan: Plan) -> dict[str, Fraction]:
    """Noise scale of every column of the plan, after the proof that no number of it can wrap around.

    Raises:
        RuleError: `result_may_wrap`, `epsilon_too_small`.
    """
    epsilon = column_epsilon(plan)
    found = {column: noise_scale(manifest, column, epsilon) for column in plan.columns}
    for column, scale in found.items():
        _check_range(manifest, plan, column, scale)
    return found


def _check_range(manifest: Mapping[str, Any], plan: Plan, column: str, scale: Fraction) -> None:
    total = max(row_count(manifest), 1) * sensitivity(manifest, column)
    most = max(number.cells.size for number in plan.numbers) * len(manifest["batches"])
    if manifest["forms"][0]["prefix"] is not None:  # a range of running totals touches its end and its start
        most *= 2
    try:
        prove_headroom(
            profile(manifest["forms"][0]["profile"]),
            most,
            -total,
            total,
            total=total,
            scale=scale,
            shares=key_holders(manifest),
        )
    except ParameterError as error:
        raise RuleError(
            "result_may_wrap",
            f"{column} cannot be released: {error}",
            zh=f"{column} 可能超出密文可表示范围",
            rule="queries.range",
            hint="ask for more epsilon, so that the noise is smaller",
            hint_zh="提高 epsilon 以减小噪声",
        ) from error
