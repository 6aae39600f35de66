"""Pricing: plans, bills, quotes and the caps on public data. Pure; the one home of what anything costs."""

from marketplace.pricing.billing import (
    KNOWN_BEFORE_THE_ANSWER,
    LINES,
    Bill,
    Line,
    Plan,
    Usage,
    bill,
    entry_price,
    plan_not_agreed,
)
from marketplace.pricing.metering import bill_calls, require_for_calls
from marketplace.pricing.public_data import check_plan, max_permitted_revenue, require_within_cap
from marketplace.pricing.quotes import quote, usage_of
from marketplace.pricing.tariffs import (
    Tariff,
    check_listed,
    check_terms,
    is_negotiated,
    longest_term,
    plan_of,
    price_fits,
    require_agreed_money,
    require_one_period,
    tariff_of,
    terms_under,
    terms_with,
)

__all__ = [
    "KNOWN_BEFORE_THE_ANSWER",
    "LINES",
    "Bill",
    "Line",
    "Plan",
    "Tariff",
    "Usage",
    "bill",
    "bill_calls",
    "check_listed",
    "check_plan",
    "check_terms",
    "entry_price",
    "is_negotiated",
    "longest_term",
    "max_permitted_revenue",
    "plan_not_agreed",
    "plan_of",
    "price_fits",
    "quote",
    "require_agreed_money",
    "require_for_calls",
    "require_one_period",
    "require_within_cap",
    "tariff_of",
    "terms_under",
    "terms_with",
    "usage_of",
]
