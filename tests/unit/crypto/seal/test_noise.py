"""The noise has the distribution that is claimed, with a scale that is proven, not rounded down."""

import math
from fractions import Fraction

import pytest

from crypto.errors import ParameterError
from crypto.seal.noise import (
    MAX_SCALE,
    discrete_gaussian,
    discrete_laplace,
    float_at_least,
    gaussian_bound,
    gaussian_error,
    gaussian_float,
    gaussian_variance,
    laplace_scale,
    standard_error,
)
from tests.unit.crypto.seal.goodness import chi_square_p, discrete_gaussian_p, discrete_laplace_p, uniform_p

IMPOSSIBLE = 1e-9
DRAWS = 6000


def test_scale_is_sensitivity_over_epsilon_exactly() -> None:
    assert laplace_scale(1, 1_000_000) == 1
    assert laplace_scale(5_000, 300_000) == Fraction(50_000, 3)
    assert laplace_scale(1, 3_000_000) == Fraction(1, 3)


@pytest.mark.parametrize(
    "scale", [Fraction(1, 3), Fraction(2, 3), Fraction(50_000, 3), Fraction(10**6, 7), Fraction(1, 10)]
)
def test_the_float_is_never_below_the_rational(scale: Fraction) -> None:
    candidate = float_at_least(scale)
    assert Fraction(candidate) >= scale
    assert Fraction(math.nextafter(candidate, 0)) < scale


@pytest.mark.parametrize("scale", [Fraction(1, 3), Fraction(1), Fraction(25, 3), Fraction(50)])
def test_draws_are_discrete_laplace(scale: Fraction) -> None:
    draws = [discrete_laplace(scale) for _ in range(DRAWS)]
    assert discrete_laplace_p(draws, float(scale)) > IMPOSSIBLE
    spread = standard_error(scale)
    # The kurtosis of this distribution is at most 6 + 1/variance; seven deviations of the estimated variance:
    allowed = 7 * spread**2 * math.sqrt((5 + spread**-2) / DRAWS)
    assert abs(sum(z * z for z in draws) / DRAWS - spread**2) < allowed


def test_the_statistical_tests_can_fail() -> None:
    """A scale a third too small, a shifted centre, and a bias to even numbers are each seen by the same test."""
    draws = [discrete_laplace(Fraction(8)) for _ in range(DRAWS)]
    assert discrete_laplace_p(draws, 12.0) < IMPOSSIBLE
    assert discrete_laplace_p(draws, 8.0, centre=3) < IMPOSSIBLE
    assert discrete_laplace_p([z - z % 2 for z in draws], 8.0) < IMPOSSIBLE
    assert uniform_p([0.8 * i / 1000 for i in range(1000)]) < IMPOSSIBLE
    assert chi_square_p([100, 100], [100.0, 100.0]) > 0.4


def test_large_scales_neither_saturate_nor_lose_their_sign() -> None:
    draws = [discrete_laplace(Fraction(1 << 50)) for _ in range(60)]
    assert min(draws) < 0 < max(draws)
    assert max(map(abs, draws)) > 1 << 48
    assert len(set(draws)) == 60


def test_standard_error_against_the_sum_over_the_distribution() -> None:
    ratio = math.exp(-1 / 4)
    exact = sum(z * z * (1 - ratio) / (1 + ratio) * ratio ** abs(z) for z in range(-500, 501)) ** 0.5
    assert math.isclose(standard_error(Fraction(4)), exact, rel_tol=1e-12)
    assert math.isclose(standard_error(Fraction(10**9)), 10**9 * math.sqrt(2), rel_tol=1e-9)


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(0, 1), (-1, 5), (1, 0), (1, -3), (MAX_SCALE, 999_999)])
def test_scales_that_protect_nobody_or_fit_nowhere(sensitivity: int, epsilon: int) -> None:
    with pytest.raises(ParameterError, match="noise: expected"):
        laplace_scale(sensitivity, epsilon)


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), Fraction(MAX_SCALE + 1)])
def test_no_draw_from_a_scale_out_of_range(scale: Fraction) -> None:
    for use in (discrete_laplace, standard_error):
        with pytest.raises(ParameterError, match="expected a scale"):
            use(scale)


def test_variance_is_squared_sensitivity_over_twice_rho_exactly() -> None:
    assert gaussian_variance(1, 500_000) == 1
    assert gaussian_variance(5_000, 300_000) == Fraction(25_000_000 * 10, 6)


@pytest.mark.parametrize(
    "variance", [Fraction(1, 3), Fraction(2), Fraction(50_000, 3), Fraction(10**18, 7), Fraction(1 << 104)]
)
def test_the_floats_square_is_never_below_the_variance(variance: Fraction) -> None:
    square = Fraction(gaussian_float(variance)) ** 2
    assert variance < square < variance * (1 + Fraction(1, 1 << 38))


@pytest.mark.parametrize("variance", [Fraction(1, 3), Fraction(1), Fraction(25, 3), Fraction(2_500)])
def test_draws_are_discrete_gaussian(variance: Fraction) -> None:
    draws = [discrete_gaussian(variance) for _ in range(DRAWS)]
    assert discrete_gaussian_p(draws, math.sqrt(variance)) > IMPOSSIBLE
    spread = gaussian_error(variance)
    # The kurtosis is at most 3 + 1/variance; seven deviations of the estimated variance:
    allowed = 7 * spread**2 * math.sqrt((2 + spread**-2) / DRAWS)
    assert abs(sum(z * z for z in draws) / DRAWS - spread**2) < allowed


def test_the_gaussian_test_can_fail() -> None:
    """Half the variance, a shifted centre, and the other distribution are each seen."""
    draws = [discrete_gaussian(Fraction(64)) for _ in range(DRAWS)]
    assert discrete_gaussian_p(draws, 8 * math.sqrt(2)) < IMPOSSIBLE
    assert discrete_gaussian_p(draws, 8.0, centre=2) < IMPOSSIBLE
    assert discrete_laplace_p(draws, 8.0) < IMPOSSIBLE
    assert discrete_gaussian_p([discrete_laplace(Fraction(8)) for _ in range(DRAWS)], 8 * math.sqrt(2)) < IMPOSSIBLE


def test_the_gaussian_tail_is_proven_and_not_far_off() -> None:
    for variance in (Fraction(1, 3), Fraction(100), Fraction(10**12, 7)):
        bound = gaussian_bound(variance)
        assert 2 * math.exp(-(bound**2) / (2 * float(variance))) < 2**-64
        assert bound < 10 * math.sqrt(variance) + 2


def test_gaussian_error_against_the_sum_over_the_distribution() -> None:
    for variance in (0.2, 1.0, 15.0, 40.0):
        weights = {z: math.exp(-z * z / (2 * variance)) for z in range(-300, 301)}
        exact = (sum(z * z * weight for z, weight in weights.items()) / sum(weights.values())) ** 0.5
        assert math.isclose(gaussian_error(Fraction(variance)), exact, rel_tol=1e-12)


@pytest.mark.parametrize(("sensitivity", "rho"), [(0, 1), (1, 0), (-1, 5), (MAX_SCALE, 499_999)])
def test_variances_that_protect_nobody_or_fit_nowhere(sensitivity: int, rho: int) -> None:
    with pytest.raises(ParameterError, match="noise: expected"):
        gaussian_variance(sensitivity, rho)
    for use in (discrete_gaussian, gaussian_error):
        with pytest.raises(ParameterError, match="expected a variance"):
            use(Fraction(MAX_SCALE**2 + 1))
