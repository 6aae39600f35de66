"""What uses cost, mode by mode, in numbers that people can check."""

from typing import Any

import pytest

from marketplace.documents.plans import MODES, flat_plan, validate_plan
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.pricing import Usage, bill, check_plan, entry_price, max_permitted_revenue, quote
from marketplace.pricing.words import plan_words
from tests.plans import PUBLIC, TIERS, plan

TRIAL = plan("FREE_TRIAL", calls=3)
MONTHLY = plan("PER_PERIOD", period="MONTH", price=1_000, quota=100, overage=20)


@pytest.mark.parametrize(
    ("scheme", "calls", "total"),
    [
        ("GRADUATED", 0, 0),
        ("GRADUATED", 10, 1_000),
        ("GRADUATED", 11, 1_050),
        ("GRADUATED", 100, 5_500),
        ("GRADUATED", 101, 5_501),
        ("VOLUME", 0, 0),
        ("VOLUME", 1, 100),
        ("VOLUME", 2, 101),  # never more than 101 calls at 1 fen
        ("VOLUME", 101, 101),
        ("VOLUME", 1_000, 1_000),
    ],
)
def test_tiers(scheme: str, calls: int, total: int) -> None:
    assert bill(plan("PER_CALL", scheme=scheme, tiers=TIERS), Usage(calls=calls)).total == total


def test_a_hit_is_paid_only_when_something_was_found() -> None:
    per_hit = plan("PER_HIT", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 7}])
    assert bill(per_hit, Usage(calls=50)).total == 0
    assert bill(per_hit, Usage(calls=50, hits=3)).total == 21
    per_record = plan("PER_RECORD", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 2}])
    assert bill(per_record, Usage(calls=1, records=1_000)).total == 2_000


def test_periods_have_quotas() -> None:
    assert bill(MONTHLY, Usage(calls=0)).total == 0
    assert bill(MONTHLY, Usage(calls=1)).total == 1_000
    assert bill(MONTHLY, Usage(calls=201, periods=2)).total == 2_020
    hard = MONTHLY | {"overage": None}
    assert bill(hard, Usage(calls=100)).total == 1_000
    with pytest.raises(RuleError) as refused:
        bill(hard, Usage(calls=101))
    assert refused.value.code == "quota_exhausted"
    assert bill(MONTHLY | {"quota": None, "overage": None}, Usage(calls=10**6, periods=3)).total == 3_000


def test_a_set_is_paid_once_and_a_trial_never() -> None:
    full = plan("FULL_SET", price=9_999)
    assert [bill(full, Usage(calls=calls)).total for calls in (0, 1, 500)] == [0, 9_999, 9_999]
    assert bill(TRIAL, Usage(calls=3)).total == entry_price(TRIAL) == 0
    with pytest.raises(RuleError, match="3 calls; this would be number 4"):
        bill(TRIAL, Usage(calls=4))


def test_what_is_negotiated_has_no_price_of_its_own() -> None:
    with pytest.raises(RuleError) as refused:
        bill(plan("NEGOTIATED"), Usage(calls=1))
    assert refused.value.code == "plan_not_agreed"
    assert entry_price(plan("NEGOTIATED")) == 0


def test_a_quote_itemises() -> None:
    told = quote(plan("PER_CALL", scheme="GRADUATED", tiers=TIERS), Usage(calls=101), purpose="TRANSPORT", fee_bps=250)
    assert [(line["units"], line["unitPrice"], line["amount"]) for line in told["lines"]] == [
        (10, 100, 1_000),
        (90, 50, 4_500),
        (1, 1, 1),
    ]
    assert (told["total"], told["escrowLeast"], told["cap"]) == (5_501, 5_501, None)
    assert told["fee"] == {"bps": 250, "amount": 137, "paidBy": "seller"}
    assert told["tax"] == {"bps": 600, "amount": 311, "included": True}


def test_public_data_is_capped_and_free_for_public_purposes() -> None:
    assert max_permitted_revenue(PUBLIC) == 105_000 + 8_190 + 1_000
    public = flat_plan(500) | {"publicData": PUBLIC}
    check_plan(public, is_public=True)
    told = quote(public, Usage(calls=4), purpose="URBAN_GOVERNANCE", fee_bps=250)
    assert told["total"] == 0
    assert told["lines"][-1]["code"] == "public_purpose"
    assert told["escrowLeast"] == 500
    told = quote(public, Usage(calls=4), purpose="TRANSPORT", fee_bps=250, promised=112_000)
    assert told["cap"] == {"maxRevenue": 114_190, "promised": 112_000, "left": 2_190}
    with pytest.raises(RuleError) as refused:
        quote(public, Usage(calls=5), purpose="TRANSPORT", fee_bps=250, promised=112_000)
    assert refused.value.code == "revenue_cap"


@pytest.mark.parametrize(
    "changes",
    [
        {"marginBps": 601},
        {"freePurposes": []},
        {"unitCeiling": 499},
    ],
)
def test_public_plans_keep_to_the_rulebook(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_plan(flat_plan(500) | {"publicData": PUBLIC | changes}, is_public=True)
    assert refused.value.code == "public_data_cap"


def test_only_public_data_has_a_public_cap() -> None:
    with pytest.raises(InvalidInputError):
        check_plan(flat_plan(500), is_public=True)
    with pytest.raises(InvalidInputError):
        check_plan(flat_plan(500) | {"publicData": PUBLIC}, is_public=False)
    with pytest.raises(NotFoundError):
        check_plan(flat_plan(500) | {"rulebook": "cn-2020.1"}, is_public=False)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"tiers": []}, "plan.tiers"),
        ({"tiers": [{"upTo": 5, "unitPrice": 1}]}, r"plan.tiers\[0\].upTo"),
        ({"tiers": [{"upTo": 5, "unitPrice": 1}, {"upTo": 5, "unitPrice": 1}, *TIERS[2:]]}, r"plan.tiers\[1\].upTo"),
        ({"tiers": [{"upTo": None, "unitPrice": 1}, *TIERS[2:]]}, r"plan.tiers\[0\].upTo"),
        ({"tiers": [{"upTo": None, "unitPrice": -1}]}, r"plan.tiers\[0\].unitPrice"),
        ({"scheme": "STAIRS"}, "plan.scheme"),
        ({"mode": "BARTER"}, "plan.mode"),
        ({"discount": 5}, "plan"),
    ],
)
def test_plans_that_are_none(wrong: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputError, match=path):
        validate_plan(plan("PER_CALL", scheme="GRADUATED", tiers=TIERS) | wrong)


def test_an_overage_needs_a_quota() -> None:
    with pytest.raises(InvalidInputError, match=r"plan\.overage"):
        validate_plan(MONTHLY | {"quota": None})


def test_every_mode_has_words() -> None:
    plans = [flat_plan(5), plan("FULL_SET", price=1), MONTHLY, TRIAL, plan("NEGOTIATED")]
    plans += [plan(mode, scheme="VOLUME", tiers=TIERS) for mode in ("PER_HIT", "PER_RECORD")]
    plans += [plan("SUBSCRIPTION", period="YEAR", scheme="GRADUATED", tiers=TIERS)]
    assert {item["mode"] for item in plans} == set(MODES)
    assert len({words for item in plans for words in plan_words(validate_plan(item))}) == 2 * len(plans)
    assert "at most 1,141.90 yuan of income" in plan_words(flat_plan(5) | {"publicData": PUBLIC})[0]
