"""Weights as a lens: a weight that lifts one row out of the noise, one that only a single row has, powers of two that
write every row's bit into one number, weights beyond the language's bounds.

Guards: noise as wide as the heaviest weight makes a row count; a cohort for the rows of every weight; bounds in the
document's shape and the planner's proof behind them.
"""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from marketplace.documents import question
from marketplace.documents.shapes import Check
from marketplace.errors import InvalidInputError
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import Sum, WeightedSum
from marketplace.queries.planning import noise
from marketplace.queries.planning.noise import Manifest
from marketplace.queries.planning.sensitivity import row_sensitivity
from tests.attacks.chance import best_guess, most_by_chance
from tests.attacks.scene import (
    EXACT,
    GUARDED,
    STREETS,
    UNGUARDED,
    answered,
    open_alone,
    refused,
    rich_order,
    secrets_of,
)
from tests.sealed_market import Market

EPSILON = 1_000_000
LENS = 1_000_000
SIDES = {"left": 1, "right": 1}


def without_weights(manifest: Manifest, numbers: object, statistics: list[Any]) -> dict[str, int]:
    """In place of the guard: the noise of a number whose weights are all one."""
    return {item.name: row_sensitivity(manifest, item) for item in statistics}


def only(numbers: Mapping[str, int]) -> int:
    """The one number of a group."""
    (number,) = numbers.values()
    return number


# -- a heavy weight


def magnified(market: Market) -> int:
    """How many targets are read off sums in which the target weighs a million."""
    query = Query.select(WeightedSum("score", "side", {**SIDES, "target": LENS})).group_by("street")
    numbers = answered(market.ask_typed(rich_order(market, **UNGUARDED), query, EPSILON)).numbers
    guesses = [round(only(found) / LENS) for found in numbers]
    return sum(guess == secret for guess, secret in zip(guesses, secrets_of(market.rows), strict=True))


def test_a_heavy_weight_lifts_a_row_out_of_noise_that_ignores_weights(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "sensitivities", without_weights)
    assert magnified(streets) == len(STREETS)


def test_noise_grows_with_the_heaviest_weight(streets: Market) -> None:
    assert magnified(streets) <= most_by_chance(len(STREETS), best_guess(51, EPSILON / 10**6))


# -- a weight of one's own


def singled_out(market: Market, terms: dict[str, Any]) -> Any:
    """A plain sum and one in which the target counts twice, in one question."""
    query = Query.select(Sum("score"), WeightedSum("score", "side", {**SIDES, "target": 2})).group_by("street")
    return market.ask_typed(rich_order(market, **terms), query, EXACT)


def test_a_weight_of_its_own_singles_a_row_out_where_cohorts_ignore_weights(streets: Market) -> None:
    """Noise of scale 0.1 and 0.2 spoils one difference in seventy; ten of forty are beyond chance."""
    differences = []
    for numbers in answered(singled_out(streets, UNGUARDED)).numbers:
        (weighted,) = (number for name, number in numbers.items() if name != "sum:score")
        differences.append(weighted - numbers["sum:score"])
    right = sum(mine == true for mine, true in zip(differences, secrets_of(streets.rows), strict=True))
    assert right > len(STREETS) - 10


def test_the_rows_of_every_weight_fill_a_cohort(streets: Market) -> None:
    assert refused(singled_out(streets, GUARDED)) == "cohort_too_small"


# -- powers of two

TOWNS = [str(number) for number in range(10)]
PEOPLE = [str(number) for number in range(28)]
BITS = [[random.Random(f"{town}/{person}").getrandbits(1) for person in PEOPLE] for town in TOWNS]
SMALL = 100_000
"""Epsilon 0.1: a guess of a bit is right with probability 0.525 at most."""


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Market:
    schema = {
        "title": {"en": "Bits", "zh": "比特"},
        "minimumCohort": 1,
        "dimensions": [{"name": "town", "categories": TOWNS}, {"name": "person", "categories": PEOPLE}],
        "measures": [{"name": "bit", "unit": "1", "scale": 0, "low": 0, "high": 1}],
    }
    rows = [
        {"town": town, "person": person, "bit": str(bit)}
        for town, bits in zip(TOWNS, BITS, strict=True)
        for person, bit in zip(PEOPLE, bits, strict=True)
    ]
    return open_alone(tmp_path_factory.mktemp("towns"), schema, rows)


def written(market: Market, terms: dict[str, Any], epsilon: int) -> Any:
    """Person i weighs 2^i: the binary digits of one sum are everybody's bits."""
    weights = {person: 1 << place for place, person in enumerate(PEOPLE)}
    query = Query.select(WeightedSum("bit", "person", weights)).group_by("town")
    return market.ask_typed(rich_order(market, **terms), query, epsilon)


def read(outcome: Any) -> list[list[int]]:
    return [[only(numbers) >> place & 1 for place in range(len(PEOPLE))] for numbers in answered(outcome).numbers]


def test_one_number_holds_everybodys_bit_where_noise_ignores_weights(
    towns: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "sensitivities", without_weights)
    assert read(written(towns, UNGUARDED, EXACT)) == BITS


def test_one_number_holds_nobodys_bit(towns: Market) -> None:
    guessed = read(written(towns, UNGUARDED, SMALL))
    right = sum(a == b for mine, true in zip(guessed, BITS, strict=True) for a, b in zip(mine, true, strict=True))
    assert right <= most_by_chance(len(TOWNS) * len(PEOPLE), best_guess(2, SMALL / 10**6))


def test_a_weight_for_everybody_fills_no_cohort(towns: Market) -> None:
    assert refused(written(towns, GUARDED, EXACT)) == "cohort_too_small"


# -- beyond the bounds


def beyond(market: Market, weight: int) -> Any:
    """A document with a weight that the language does not have; only a program of one's own writes it."""
    order = rich_order(market, **GUARDED)
    query = market.query(order, "SELECT WSUM(score, street, '1', 2, '2', 1) FROM f", EXACT)
    query["select"][0]["weights"][0]["weight"] = weight
    return market.take(order, query)


def anything(*_: object) -> None:
    """In place of a document's shape."""


def test_a_weight_beyond_the_bounds_is_answered_where_documents_have_any_shape(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: dict[str, Check] = {**question._SHAPES, "WSUM": anything}
    monkeypatch.setattr(question, "_SHAPES", shapes)
    assert answered(beyond(streets, 10**10)).numbers
    with pytest.raises(Exception, match="could wrap") as caught:  # the planner's proof is behind it
        beyond(streets, 10**13)
    assert getattr(caught.value, "code", "") == "result_may_wrap"


def test_a_weight_beyond_the_bounds_is_no_query(streets: Market) -> None:
    with pytest.raises(InvalidInputError) as caught:
        beyond(streets, 10**10)
    assert caught.value.code == "malformed_document"
