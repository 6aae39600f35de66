"""What numbers can be if data lie within their bounds."""

from pathlib import Path
from typing import Any

import pytest

from marketplace.documents import Document
from marketplace.errors import VerificationError
from marketplace.queries.answers.plausible import check_plausible, possible_range
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import Count, Sum, WeightedSum
from marketplace.queries.planning.plan import make_plan
from tests.sealed_market import SCHEMA, Market, open_market
from tests.split_market import open_split_market

EXACT = 1_000_000_000  # noise of one statistic at most 46 * sensitivity / 1000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("plausible"))


def ranges(market: Market, query: Query, epsilon: int = EXACT) -> list[tuple[int, int]]:
    document = market.document(market.order(), query, epsilon)
    return list(possible_range(market.manifest, make_plan(market.manifest, document)).values())


def test_ranges_follow_from_rows_bounds_and_noise(market: Market) -> None:
    """400 rows; delays of -50 to 200 minutes."""
    assert ranges(market, Query.select(Count())) == [(-1, 401)]
    assert ranges(market, Query.select(Sum("delay"))) == [(400 * -50 - 10, 400 * 200 + 10)]
    assert ranges(market, Query.select(Count()), 1_000_000) == [(-46, 446)]


@pytest.mark.parametrize(
    ("weights", "low", "high"),
    [({"AA": 3, "B6": 2}, -50 * 3, 200 * 3), ({"AA": 3, "B6": -2}, -200 * 2 - 50 * 3, 200 * 3 + 50 * 2)],
)
def test_ranges_follow_from_weights_of_either_sign(
    market: Market, weights: dict[str, Any], low: int, high: int
) -> None:
    (found,) = ranges(market, Query.select(WeightedSum("delay", "carrier", weights)))
    noise = 28  # 46 * 600 / 1000, rounded up
    assert found == (400 * low - noise, 400 * high + noise)


def test_both_holders_of_a_split_key_add_noise(tmp_path: Path) -> None:
    assert ranges(open_split_market(tmp_path), Query.select(Count()), 1_000_000) == [(-92, 492)]


def test_gaussian_noise_is_bounded_by_its_own_tail(tmp_path: Path) -> None:
    market = open_market(tmp_path, {**SCHEMA, "privacy": {"measure": "zcdp", "delta": "1e-9"}})
    ((low, high),) = ranges(market, Query.select(Count()), 500_000)  # rho 0.5: deviation 1
    assert (low, high - 400) == (-10, 10)


def test_a_number_outside_is_named_without_being_shown(market: Market) -> None:
    document: Document = market.document(market.order(), Query.select(Count()), EXACT)
    plan = make_plan(market.manifest, document)
    check_plausible(market.manifest, plan, [{"rows": 401}, {"rows": -1}])
    with pytest.raises(VerificationError) as caught:
        check_plausible(market.manifest, plan, [{"rows": 123_456}])
    assert caught.value.code == "number_out_of_range"
    assert caught.value.expected == "-1 to 401"
    assert "123" not in str(caught.value.as_dict())
