"""What releases cost together, by OpenDP's own reckoning, and how people are shown it."""

import math
from fractions import Fraction

import pytest

from crypto.errors import ParameterError
from crypto.seal.headroom import noise_bound
from crypto.seal.noise import gaussian_bound
from crypto.seal.privacy import PURE, ZCDP, Noise, approximate_epsilon, composed_loss, noise_for

MEASURES = (PURE, ZCDP)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("sensitivity", [1, 7, 100_000, 1 << 40])
@pytest.mark.parametrize("budget", [1, 333_333, 1_000_000, 7_777_777])
def test_a_noise_costs_what_it_was_made_for_and_hardly_less(measure: str, sensitivity: int, budget: int) -> None:
    if sensitivity == 1 << 40 and budget == 1:
        with pytest.raises(ParameterError):
            noise_for(measure, sensitivity << 6, budget)
        return
    loss = composed_loss([noise_for(measure, sensitivity, budget)])
    assert Fraction(budget, 1_000_000) * (1 - Fraction(1, 1 << 38)) < loss <= Fraction(budget, 1_000_000)


@pytest.mark.parametrize("measure", MEASURES)
def test_many_releases_cost_no_more_than_the_sum(measure: str) -> None:
    noises = [noise_for(measure, 1 + index % 37, 1 + index * 997) for index in range(300)]
    total = sum(1 + index * 997 for index in range(300))
    assert Fraction(total, 1_000_001) < composed_loss(noises) <= Fraction(total, 1_000_000)
    assert composed_loss([]) == 0


@pytest.mark.parametrize("measure", MEASURES)
def test_too_narrow_a_noise_is_seen(measure: str) -> None:
    right = noise_for(measure, 10, 500_000)
    narrow = Noise(measure, 10, right.width * Fraction(999, 1000))
    heavier = Noise(measure, 11, right.width)
    for wrong in (narrow, heavier):
        assert composed_loss([wrong]) > Fraction(1, 2) >= composed_loss([right])


def test_the_reserve_covers_the_tail() -> None:
    laplace, gaussian = noise_for(PURE, 10, 300_000), noise_for(ZCDP, 10, 300_000)
    assert laplace.reserve == laplace.width
    assert noise_bound(gaussian.reserve) == gaussian_bound(gaussian.width)
    assert gaussian.deviation < laplace.deviation


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ParameterError, match="privacy measure"):
        noise_for("renyi", 1, 1)


def test_zcdp_is_shown_as_epsilon_and_delta() -> None:
    rho = 0.5
    shown = approximate_epsilon(500_000, 1e-9)
    classic = rho + 2 * math.sqrt(rho * math.log(1e9))  # Bun, Steinke, proposition 1.3
    assert 0.8 * classic < shown < classic
    assert approximate_epsilon(0, 1e-9) == 0
    assert approximate_epsilon(500_001, 1e-9) >= shown > approximate_epsilon(500_000, 1e-6)
    for rho_micro, delta in ((-1, 1e-9), (1, 0.0), (1, 1.0)):
        with pytest.raises(ParameterError, match="expected rho"):
            approximate_epsilon(rho_micro, delta)
