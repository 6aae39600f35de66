"""Reconstruction (Dinur and Nissim, PODS 2003): sums over many random halves of the people, then least squares, give
every single bit, although each half and each difference of two halves fills its cohort.

Guard: the data set's whole budget. With it, however it is divided, guesses are no better than the privacy loss allows.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.attacks.chance import best_guess, most_by_chance
from tests.attacks.scene import GENEROUS, anew, answered, open_alone, refused, rich_order, totals
from tests.sealed_market import Market

TOWNS = ["north", "south", "east", "west"]
PEOPLE = [str(number) for number in range(64)]  # in each town
COHORT = 5
SCHEMA: dict[str, Any] = {
    "title": {"en": "Bits", "zh": "比特"},
    "minimumCohort": COHORT,
    "dimensions": [{"name": "town", "categories": TOWNS}, {"name": "person", "categories": PEOPLE}],
    "measures": [{"name": "bit", "unit": "1", "scale": 0, "low": 0, "high": 1}],
}
BITS = np.array([[random.Random(f"{town} {person}").getrandbits(1) for person in PEOPLE] for town in TOWNS])
DRAWN = np.random.default_rng(3)
HALVES = [np.sort(DRAWN.permutation(len(PEOPLE))[: len(PEOPLE) // 2]) for _ in range(3 * len(PEOPLE))]
TERMS = {**GENEROUS, "minimumCohort": COHORT}
EACH = 1_000_000
BUDGET = 1_000 * len(HALVES)
"""Epsilon 0.192 for everything: a guess of a bit is right with probability 0.55 at most."""


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Market:
    rows = [
        {"town": town, "person": person, "bit": str(bit)}
        for town, bits in zip(TOWNS, BITS, strict=True)
        for person, bit in zip(PEOPLE, bits, strict=True)
    ]
    return open_alone(tmp_path_factory.mktemp("towns"), SCHEMA, rows)


def question(half: NDArray[np.int64]) -> str:
    chosen = ", ".join(PEOPLE[index] for index in half)
    return f"SELECT town, SUM(bit) FROM f WHERE person IN ({chosen}) GROUP BY town"


def attack(market: Market, epsilon: int) -> NDArray[np.bool_]:
    """Which bits least squares guesses right, from all halves at this epsilon each."""
    order = rich_order(market, **TERMS)
    sums = [totals(market.ask(order, question(half), epsilon), "sum:bit") for half in HALVES]
    design = np.array([np.isin(np.arange(len(PEOPLE)), half) for half in HALVES], dtype=np.float64)
    estimate, *_ = np.linalg.lstsq(design, np.array(sums, dtype=np.float64))
    right: NDArray[np.bool_] = (estimate.T > 0.5) == BITS
    return right


def test_without_a_limit_nearly_every_bit_is_read(towns: Market, tmp_path: Path) -> None:
    """At epsilon 1 for each half, cohort on: a wide enough noise for any one answer."""
    assert attack(anew(towns, tmp_path), EACH).mean() >= 0.95


def test_within_the_budget_guesses_stay_at_chance(towns: Market, tmp_path: Path) -> None:
    """The whole budget, spread over as many halves: coins, within what the privacy loss allows."""
    market = anew(towns, tmp_path, BUDGET)
    right = attack(market, BUDGET // len(HALVES))
    assert right.sum() <= most_by_chance(BITS.size, best_guess(2, BUDGET / 10**6))
    assert market.vault.store.spent(market.series) == BUDGET
    other = rich_order(market, "another", **TERMS)
    assert refused(market.ask(other, question(HALVES[0]), 1)) == "budget_exhausted"


def test_the_budget_ends_answers_that_are_good_enough(towns: Market, tmp_path: Path) -> None:
    """Spent on a few good answers instead: as few as the budget has epsilons, far fewer than there are people."""
    market = anew(towns, tmp_path, 2 * EACH + BUDGET)
    order = rich_order(market, **TERMS)
    outcomes = [market.ask(order, question(half), EACH) for half in HALVES[:6]]
    assert [answered(outcome).epsilon for outcome in outcomes[:2]] == [EACH, EACH]
    assert {refused(outcome) for outcome in outcomes[2:]} == {"budget_exhausted"}
