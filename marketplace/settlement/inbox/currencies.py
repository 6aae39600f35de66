"""Which currency somebody asks about."""

from typing import Annotated

from fastapi import Query

from marketplace.currencies import currency_of
from marketplace.intents import Deployment
from marketplace.refusals import refuse

CurrencyCode = Annotated[str, Query(max_length=3, description="ISO 4217 code, one of the market's")]


def traded(deployment: Deployment, code: str) -> str:
    """The code, refused where the market has no such currency.

    Raises:
        InvalidInputError: `currency_unknown`. RuleError: `currency_not_in_market`.
    """
    found = currency_of(code)
    if found.code not in deployment.currencies:
        raise refuse("CurrenciesUnknown", currency=found.number)
    return found.code
