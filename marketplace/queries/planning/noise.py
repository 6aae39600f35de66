"""How much noise each number of a plan gets.

Neighbouring data sets differ by one row. A row is in one cell, so the groups of one query are disjoint and share no
budget (parallel composition), while a row touches every statistic: the statistics split the query's budget equally
(sequential composition; the remainder of the division stays unspent). The bins of one measure count as one statistic: a
row lies in one of them only. A statistic's sensitivity follows from the declared bounds (sensitivity.py) times the
heaviest weight that the query gives a cell.

The budget is in millionths of the data set's own measure (crypto/seal/privacy.py): epsilon, or rho. Both are divided
alike, because both add up.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from crypto.errors import ParameterError
from crypto.seal.privacy import MICRO, Noise, composed_loss, noise_for
from marketplace.errors import RuleError, VerificationError
from marketplace.quantities import epsilon as show_epsilon
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.sensitivity import row_sensitivity
from marketplace.queries.planning.statistics import Statistic
from marketplace.words import Words

Manifest = Mapping[str, Any]


def sensitivities(manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic]) -> dict[str, int]:
    """How far one row can move a number of each statistic."""
    heaviest = {statistic.name: 1 for statistic in statistics}
    for number in numbers:
        heaviest[number.statistic] = max(heaviest[number.statistic], number.heaviest)
    return {item.name: heaviest[item.name] * row_sensitivity(manifest, item) for item in statistics}


def share_of_epsilon(statistics: Sequence[Statistic], epsilon: int) -> int:
    """Each statistic's share of a query's budget, in millionths; at least one.

    Raises:
        RuleError: `epsilon_too_small`.
    """
    parts = len({statistic.family for statistic in statistics})
    share = epsilon // parts
    if share < 1:
        raise RuleError(
            "epsilon_too_small",
            f"a privacy budget of {show_epsilon(epsilon)} cannot be shared by {parts} statistics",
            zh=f"隐私预算 {show_epsilon(epsilon)} 不足以分给 {parts} 个统计量",
            rule="queries.epsilon",
            expected=Words(f"at least {show_epsilon(parts)}", f"至少 {show_epsilon(parts)}"),
            got=epsilon,
            hint="ask for more epsilon, or for fewer statistics at once",
            hint_zh="请提高 epsilon，或减少一次查询的统计量",
        )
    return share


def noises_of(
    manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int
) -> dict[str, Noise]:
    """The noise on every statistic.

    Raises:
        RuleError: `epsilon_too_small`.
    """
    share, measure = share_of_epsilon(statistics, epsilon), str(manifest["privacy"]["measure"])
    found = {}
    for name, sensitivity in sensitivities(manifest, numbers, statistics).items():
        try:
            found[name] = noise_for(measure, sensitivity, share)
        except ParameterError as error:
            raise RuleError(
                "epsilon_too_small",
                f"the noise on {name} would be too wide: {error}",
                zh=f"{name} 所需噪声过大",
                rule="queries.epsilon",
                got=epsilon,
                hint="ask for more epsilon, or for fewer statistics at once",
                hint_zh="提高 epsilon,或一次少问几项",
            ) from error
    return found


def plan_noise(manifest: Manifest, plan: Plan) -> dict[str, Noise]:
    """The noise on every statistic of a plan; that no number wraps was proven when the plan was made.

    Raises:
        RuleError: `epsilon_too_small`.
    """
    return noises_of(manifest, plan.numbers, plan.statistics, plan.epsilon)


def check_composition(manifest: Manifest, plan: Plan) -> None:
    """Check that by OpenDP's own reckoning the whole plan costs no more than it charges.

    Of a family of statistics that no row touches twice, the costliest stands for all; likewise one group for all.

    Raises:
        VerificationError: `composition_exceeds`.
    """
    noises, costliest = plan_noise(manifest, plan), dict[str, Noise]()
    for statistic in plan.statistics:
        noise = noises[statistic.name]
        other = costliest.setdefault(statistic.family, noise)
        costliest[statistic.family] = max(noise, other, key=lambda item: composed_loss([item]))
    loss = composed_loss(list(costliest.values()))
    if loss > Fraction(plan.epsilon, MICRO):
        raise VerificationError(
            "composition_exceeds",
            "the answer's noise is too narrow for what it charges",
            zh="噪声不足以支撑所扣的隐私预算",
            rule="queries.composition",
            expected=Words(f"at most {plan.epsilon} millionths", f"至多百万分之 {plan.epsilon}"),
            got=float(loss),
        )
