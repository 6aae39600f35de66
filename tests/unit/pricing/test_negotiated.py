"""A price that a listing leaves to an agreement."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.documents import validate_terms
from marketplace.errors import InvalidInputError, RuleError
from marketplace.pricing import Usage, bill, entry_price, price_fits, quote, tariff_of, terms_under
from tests.calls import delivery
from tests.plans import PUBLIC, TIERS, plan

OPEN = plan("NEGOTIATED")
PER_CALL = plan("PER_CALL", scheme="GRADUATED", tiers=TIERS)
PER_HIT = plan("PER_HIT", scheme="GRADUATED", tiers=TIERS)


_DIGEST = "0x" + "11" * 32
_NODE = {"address": "0x" + "02" * 20, "bls": "0x" + "03" * 48, "possession": "0x" + "04" * 96}


def terms_of_questions(found: dict[str, Any], **more: Any) -> dict[str, Any]:
    terms: dict[str, Any] = {"type": "terms", "version": 2, "title": {"en": "Rides", "zh": "出行"}, "asset": _DIGEST}
    terms |= {"manifest": _DIGEST, "computations": ["COUNT"], "purposes": ["TRANSPORT"], "regions": [], "plan": found}
    terms |= {"price": entry_price(found), "epsilonPerQueryMax": 1_000, "buyerCap": None, "groups": [], "fields": []}
    terms |= {"minimumCohort": 10, "panel": {"nodes": [_NODE], "threshold": 1}, "termEnd": "2030-01-01T00:00:00Z"}
    return validate_terms(terms | more)


def terms_of_calls(found: dict[str, Any]) -> dict[str, Any]:
    return terms_of_questions(found, version=4, computations=[], delivery=delivery())


def cited(found: Any) -> dict[str, Any]:
    return {"fields": {"plan": found}}


def test_an_order_is_billed_by_the_plan_of_its_agreement() -> None:
    terms = terms_of_questions(OPEN)
    billed = terms_under(terms, cited(PER_CALL))
    assert (billed["plan"], billed["price"], price_fits(billed)) == (PER_CALL, 100, True)
    assert {name: value for name, value in billed.items() if name not in ("plan", "price")} == {
        name: value for name, value in terms.items() if name not in ("plan", "price")
    }
    listed = terms_of_questions(PER_CALL)
    assert terms_under(listed, cited(PER_HIT)) == listed  # what a listing says, no agreement changes
    assert terms_under(terms_of_calls(OPEN), cited(PER_HIT))["plan"] == PER_HIT


@pytest.mark.parametrize(
    ("agreed", "code"),
    [
        (None, "plan_not_agreed"),
        (cited(OPEN), "plan_not_agreed"),
        ({"fields": {}}, "plan_not_agreed"),
        (cited(PER_HIT), "plan_not_for_questions"),
        (cited(PER_CALL | {"rulebook": "cn-2025.2"}), "price_not_agreed"),
        (cited(PER_CALL | {"publicData": PUBLIC}), "price_not_agreed"),
        (cited(PER_CALL | {"tiers": []}), "malformed_document"),
        (cited("for free"), "malformed_document"),
    ],
)
def test_a_price_that_is_not_agreed_bills_nothing(agreed: dict[str, Any] | None, code: str) -> None:
    with pytest.raises((RuleError, InvalidInputError)) as caught:
        terms_under(terms_of_questions(OPEN), agreed)
    assert caught.value.code == code


def test_an_agreed_plan_is_in_yuan() -> None:
    """Its form says so; the same number in another currency is another price, for the vault too."""
    with pytest.raises(RuleError) as caught:
        terms_under(terms_of_questions(OPEN, currency="JPY"), cited(PER_CALL))
    assert (caught.value.code, caught.value.expected, caught.value.got) == ("price_not_agreed", "CNY", "JPY")


def test_calls_and_public_data_keep_their_bounds() -> None:
    with pytest.raises(InvalidInputError) as caught:
        terms_under(terms_of_calls(OPEN), cited(plan("FULL_SET", price=1)))
    assert caught.value.code == "plan_not_for_calls"
    other_period = plan("PER_PERIOD", period="DAY", price=1, quota=None, overage=None)
    with pytest.raises(InvalidInputError) as caught:
        terms_under(terms_of_calls(OPEN), cited(other_period))
    assert caught.value.code == "malformed_document"
    capped = {"publicData": PUBLIC | {"unitCeiling": 99}}
    with pytest.raises(InvalidInputError) as caught:
        terms_under(terms_of_questions(OPEN | capped), cited(PER_CALL | capped))
    assert caught.value.code == "public_data_cap"


@given(price=st.integers(0, 10**6), rest=st.integers(0, 10**6), calls=st.integers(0, 500))
def test_what_is_quoted_vouchered_and_billed_is_one(price: int, rest: int, calls: int) -> None:
    tiers = [{"upTo": 7, "unitPrice": price}, {"upTo": None, "unitPrice": rest}]
    agreed = plan("PER_CALL", scheme="VOLUME", tiers=tiers)
    tariff = tariff_of(terms_under(terms_of_questions(OPEN), cited(agreed)), {"purpose": "TRANSPORT"})
    told = quote(agreed, Usage(calls=calls), purpose="TRANSPORT", fee_bps=250)
    assert tariff.total(calls) == told["total"] == bill(agreed, Usage(calls=calls), "TRANSPORT").total
