"""How long an order may run that buys one period."""

import pytest

from marketplace.errors import RuleError
from marketplace.pricing import longest_term, require_one_period
from marketplace.pricing.tariffs import CLOCK_SECONDS, DAY
from tests.plans import TIERS, plan

MONTHLY = {"plan": plan("PER_PERIOD", period="MONTH", price=900, quota=None, overage=None)}


def test_questions_by_the_period_are_sold_one_period_at_a_time() -> None:
    require_one_period(MONTHLY, 1_000, 1_000 + 31 * DAY + CLOCK_SECONDS)
    with pytest.raises(RuleError) as caught:
        require_one_period(MONTHLY, 1_000, 1_001 + 31 * DAY + CLOCK_SECONDS)
    assert caught.value.code == "term_beyond_period"


@pytest.mark.parametrize(
    "terms",
    [
        {"plan": plan("PER_CALL", scheme="GRADUATED", tiers=TIERS)},
        {"price": 5},
        {**MONTHLY, "delivery": {"mode": "API"}},
    ],
)
def test_nothing_else_bounds_a_term(terms: dict[str, object]) -> None:
    assert longest_term(terms) is None
    require_one_period(terms, 0, 10**9)
