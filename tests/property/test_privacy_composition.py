"""The integer account against OpenDP's own composition: what it says is spent is never less than what was lost."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.seal.noise import load_sampler
from crypto.seal.privacy import MICRO, PURE, composed_loss, measurement, noise_for

CHARGES = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 3 * MICRO)), min_size=1, max_size=12)


def odometer(measure: str) -> Any:
    """OpenDP's, for rows under this measure."""
    dp = load_sampler()
    kind = dp.max_divergence() if measure == PURE else dp.zero_concentrated_divergence()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()
    return dp.c.make_fully_adaptive_composition(*space, output_measure=kind)


@pytest.mark.parametrize("measure", ["pure", "zcdp"])
@given(charges=CHARGES)
def test_the_account_is_never_below_opendps_odometer(measure: str, charges: list[tuple[int, int]]) -> None:
    running, spent = odometer(measure)([1, 2, 3]), 0
    for sensitivity, charge in charges:
        running(measurement(noise_for(measure, sensitivity, charge)))
        spent += charge
        loss = Fraction(running.privacy_loss(1))
        assert Fraction(spent, MICRO) * (1 - Fraction(1, 1 << 36)) < loss <= Fraction(spent, MICRO)


@pytest.mark.parametrize("measure", ["pure", "zcdp"])
@given(charges=CHARGES)
def test_opendps_filter_lets_through_whatever_the_account_does(measure: str, charges: list[tuple[int, int]]) -> None:
    dp = load_sampler()
    budget = sum(charge for _, charge in charges)
    limited = dp.c.make_privacy_filter(odometer(measure), d_in=1, d_out=budget / MICRO)([1, 2, 3])
    for sensitivity, charge in charges:
        assert isinstance(limited(measurement(noise_for(measure, sensitivity, charge))), int)
    with pytest.raises(dp.OpenDPException, match="exhausted"):
        limited(measurement(noise_for(measure, 1, 1 + budget // 1000)))


@pytest.mark.parametrize("measure", ["pure", "zcdp"])
@given(st.integers(1, 40), st.integers(1, 5 * MICRO), st.integers(1, 10**6))
def test_equal_parts_of_a_budget_compose_to_at_most_the_budget(
    measure: str, parts: int, budget: int, sensitivity: int
) -> None:
    if budget >= parts:
        noises = [noise_for(measure, sensitivity + index, budget // parts) for index in range(parts)]
        assert composed_loss(noises) <= Fraction(budget, MICRO)
