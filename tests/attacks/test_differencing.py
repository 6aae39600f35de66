"""Differencing: two answers over many rows whose sets differ by one row, or three that leave one row between them.

Guards: a minimum cohort on every set and on its difference with every earlier answer; and noise. The first stops two
answers; three answers pass it, and only the noise stands against them, as leakage.md says.
"""

import pytest

from tests.attacks.chance import best_guess, most_by_chance
from tests.attacks.scene import (
    GUARDED,
    STREETS,
    UNGUARDED,
    Ask,
    answered,
    asker,
    refused,
    rich_order,
    secrets_of,
    totals,
)
from tests.sealed_market import Market

ALL = "SELECT street, SUM(score) FROM f GROUP BY street"
SPELLINGS = [
    "SELECT street, SUM(score) FROM f WHERE side <> 'target' GROUP BY street",
    "SELECT street, SUM(score) FROM f WHERE side IN ('right', 'left') GROUP BY street",
    "SELECT street, AVG(score) FROM f WHERE NOT (side = 'target') GROUP BY street",
    "SELECT street, WSUM(score, side, 'left', 3, 'right', 3) FROM f GROUP BY street",
]
EPSILON = 1_000_000
GUESSES = most_by_chance(len(STREETS), best_guess(51, EPSILON / 10**6))
"""Right guesses that answers at epsilon 1 allow: a target's row is in one of the attack's answers only."""


def by_two_answers(ask: Ask) -> list[int]:
    """Each street's total less its total without the target."""
    return [whole - rest for whole, rest in zip(totals(ask(ALL)), totals(ask(SPELLINGS[0])), strict=True)]


def by_three_answers(ask: Ask) -> list[int]:
    """Each street's total less its left side less its right side: any two of the sets differ by a dozen rows."""
    left, right = (totals(ask(f"SELECT street, SUM(score) FROM f WHERE side = '{side}' GROUP BY street"))
                   for side in ("left", "right"))  # fmt: skip
    return [a - b - c for a, b, c in zip(totals(ask(ALL)), left, right, strict=True)]


def right(market: Market, guesses: list[int]) -> int:
    """How many targets' scores were guessed."""
    return sum(guess == secret for guess, secret in zip(guesses, secrets_of(market.rows), strict=True))


def test_two_answers_without_a_cohort_give_every_target_away(streets: Market) -> None:
    ask = asker(streets, rich_order(streets, **UNGUARDED))
    assert right(streets, by_two_answers(ask)) == len(STREETS)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("first", ["whole", "rest"])
def test_the_cohort_of_differences_refuses_the_second_answer(streets: Market, first: str, spelling: str) -> None:
    """Whichever comes first, and however it is spelled."""
    ask = asker(streets, rich_order(streets, **GUARDED))
    if first == "whole":
        totals(ask(ALL))
        assert refused(ask(spelling)) == "cohort_difference_too_small"
    else:
        answered(ask(spelling))
        assert refused(ask(ALL)) == "cohort_difference_too_small"


def test_a_target_alone_is_refused(streets: Market) -> None:
    ask = asker(streets, rich_order(streets, **GUARDED))
    assert refused(ask("SELECT SUM(score) FROM f WHERE side = 'target' AND street = '7'")) == "cohort_too_small"


def test_noise_alone_keeps_two_answers_at_chance(streets: Market) -> None:
    ask = asker(streets, rich_order(streets, **UNGUARDED), EPSILON)
    assert right(streets, by_two_answers(ask)) <= GUESSES


def test_three_answers_pass_the_cohort_and_without_noise_give_every_target_away(streets: Market) -> None:
    """The limit of comparing pairs of sets."""
    ask = asker(streets, rich_order(streets, **GUARDED))
    assert right(streets, by_three_answers(ask)) == len(STREETS)


def test_noise_keeps_three_answers_at_chance(streets: Market) -> None:
    ask = asker(streets, rich_order(streets, **GUARDED), EPSILON)
    assert right(streets, by_three_answers(ask)) <= GUESSES
