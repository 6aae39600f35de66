"""The forms in which data are sealed, as the planner sees them: what each can answer, at what cost, and the proof that
nothing wraps. A form is a row of FORM_RULES; how it is evaluated stands in the room evaluation, how it is
opened in protocol/opening.py.

Expected times are a model of one ordinary core, in microseconds, good for comparing forms and for telling a question of
milliseconds from one of minutes.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from crypto.errors import ParameterError
from marketplace.errors import RuleError
from marketplace.queries.language.lexicon import choices
from marketplace.queries.planning.forms.cells import CELLS_RULES
from marketplace.queries.planning.forms.products import PRODUCTS_RULES
from marketplace.queries.planning.forms.reach import Claim, FormRules, Manifest, Proof, Reach, Reaches
from marketplace.queries.planning.forms.rows import ROWS_RULES
from marketplace.queries.planning.noise import noises_of
from marketplace.queries.planning.numbers import Cost, Number, Plan
from marketplace.queries.planning.statistics import Statistic

_VAGUE = ("statistic_not_sealed", "dimension_hidden")  # refusals of a form that was not meant for the question


def reaches(manifest: Manifest, form: int) -> Reaches:
    """`FormRules.reach`, computed once for numbers that share their cells. Use it while the numbers are alive."""
    reach, known = rules_of(manifest, form).reach, dict[tuple[int, int], Reach]()

    def look(number: Number) -> Reach:
        key = (id(number.cells), id(number.weights))
        if key not in known:
            known[key] = reach(manifest, form, number)
        return known[key]

    return look


@dataclass(frozen=True)
class Survey:
    """One form of the data: what answering in it costs, or why it cannot answer."""

    form: int
    cost: Cost | None
    refusal: RuleError | None


def survey(
    manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int
) -> list[Survey]:
    """Every form in which the data are sealed, in the manifest's order."""
    found = []
    for form in range(len(manifest["forms"])):
        try:
            found.append(Survey(form, prove_form(manifest, form, numbers, statistics, epsilon), None))
        except RuleError as error:
            found.append(Survey(form, None, error))
    return found


def choose_form(manifest: Manifest, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int) -> int:
    """Position of the cheapest form that can answer, the first of two equal ones.

    Raises:
        RuleError: `statistic_not_sealed`, `dimension_hidden`, `too_many_products`, `result_may_wrap`,
            `epsilon_too_small`: why the first form that was meant for the question cannot.
    """
    forms = survey(manifest, numbers, statistics, epsilon)
    able = [(item.cost.microseconds, item.form) for item in forms if item.cost is not None]
    if able:
        return min(able)[1]
    refusals = [item.refusal for item in forms if item.refusal is not None]
    raise next((refusal for refusal in refusals if refusal.code not in _VAGUE), refusals[0])


def prove_form(
    manifest: Manifest, form: int, numbers: Sequence[Number], statistics: Sequence[Statistic], epsilon: int
) -> Cost:
    """What answering in this form costs, after the proof that it can.

    Raises:
        RuleError: as `choose_form`.
    """
    rules = rules_of(manifest, form)
    _check_columns(statistics, rules.columns(manifest, form))
    reach = reaches(manifest, form)
    cost = rules.cost(manifest, form, numbers, reach)
    for _ in _proven(manifest, form, numbers, statistics, epsilon, reach=reach):
        pass
    return cost


def prove_plan(manifest: Manifest, plan: Plan) -> dict[str, Proof]:
    """What is proven of the numbers of each statistic of a plan.

    Raises:
        RuleError: as `choose_form`.
    """
    reach = reaches(manifest, plan.form)
    return dict(_proven(manifest, plan.form, plan.numbers, plan.statistics, plan.epsilon, reach=reach))


def _proven(
    manifest: Manifest,
    form: int,
    numbers: Sequence[Number],
    statistics: Sequence[Statistic],
    epsilon: int,
    *,
    reach: Reaches,
) -> Iterator[tuple[str, Proof]]:
    rules = rules_of(manifest, form)
    by_statistic: dict[str, list[Number]] = {}
    for number in numbers:
        by_statistic.setdefault(number.statistic, []).append(number)
    noises = noises_of(manifest, numbers, statistics, epsilon)
    for statistic in statistics:
        name, noise = statistic.name, noises[statistic.name]
        try:
            yield name, rules.prove(manifest, form, Claim(statistic, by_statistic[name], noise.reserve, reach))
        except ParameterError as error:
            raise RuleError(
                "result_may_wrap",
                f"{name} cannot be released: {error}",
                zh=f"{name} 可能超出密文可表示范围",
                rule="queries.range",
                hint="ask for more epsilon, so that the noise is smaller, or for smaller coefficients and weights",
                hint_zh="提高 epsilon 以减小噪声,或减小系数与权重",
            ) from error


def rules_of(manifest: Manifest, form: int) -> FormRules:
    """The rules of the form at this position."""
    return FORM_RULES[manifest["forms"][form]["form"]]


def _check_columns(statistics: Sequence[Statistic], columns: Collection[str]) -> None:
    held = frozenset(columns)
    lacking = [column for item in statistics for column, _ in item.parts if column not in held]
    if lacking:
        raise RuleError(
            "statistic_not_sealed",
            f"the data are not sealed in a form that holds {lacking[0]}",
            zh=f"数据的密封形式不含 {lacking[0]}",
            rule="queries.forms",
            expected=choices(columns),
            got=choices(dict.fromkeys(lacking)),
            hint="ask for what `marketplace rights manifest` lists, or ask the supplier to seal that form",
            hint_zh="请就 `marketplace rights manifest` 所列内容提问，或请供方按该形式密封",
        )


FORM_RULES: dict[str, FormRules] = {"cells": CELLS_RULES, "rows": ROWS_RULES, "products": PRODUCTS_RULES}
