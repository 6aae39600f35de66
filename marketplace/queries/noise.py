"""How much noise each number of a plan gets, and the proof that no number can wrap around.

Neighbouring data sets differ by one row. A row is in one cell, so the groups of one query are disjoint and share no
budget (parallel composition), while a row touches every column: the columns split epsilon equally (sequential
composition; the remainder of the division stays unspent). Sensitivities: counts 1, a sum max(|low|, |high|), a sum of
squares the square of that.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.errors import RuleError
from marketplace.queries.lexicon import measure
from marketplace.queries.plan import Plan
from marketplace.types import MICRO

TAIL = 45  # P(|noise| > 45 scales) < e^-45 < 2^-64


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


def noise_scale(manifest: Mapping[str, Any], column: str, epsilon: int) -> float:
    """Scale b of the discrete Laplace noise, whose weights are exp(-|x| / b), for `epsilon` millionths."""
    return sensitivity(manifest, column) * MICRO / epsilon


def check_range(manifest: Mapping[str, Any], plan: Plan, half_modulus: int) -> None:
    """Prove that every number of the plan, noise included, stays within (-half_modulus, half_modulus).

    Args:
        half_modulus: t / 2 of the sealed profile.
    Raises:
        RuleError: `result_may_wrap`.
    """
    epsilon, rows = column_epsilon(plan), max(int(manifest["rows"]), 1)
    for column in plan.columns:
        largest = rows * sensitivity(manifest, column) + int(TAIL * noise_scale(manifest, column, epsilon)) + 1
        if largest < half_modulus:
            continue
        raise RuleError(
            "result_may_wrap",
            f"{column} plus its noise may reach {largest}, beyond what the sealed form holds",
            zh=f"{column} 加噪声后可能达到 {largest},超出密文可表示范围",
            rule="queries.range",
            expected=f"less than {half_modulus}",
            got=largest,
            hint="ask for more epsilon, so that the noise is smaller",
            hint_zh="提高 epsilon 以减小噪声",
        )
