"""The code itself: innocents are not named, the guilty are, and a threshold holds what it promises."""

from random import Random

import pytest

from crypto import fingerprint
from crypto.errors import ParameterError

CODE = fingerprint.Code(b"c" * 32)
PLACES = [str(i).encode() for i in range(2_000)]


def copy_key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_copy_speaks_against_itself_and_no_other() -> None:
    seen = [(place, CODE.bit(copy_key(1), place)) for place in PLACES]
    limit = fingerprint.threshold(len(seen), 1e-6)
    scores = {number: CODE.accuse(copy_key(number), seen) for number in range(1, 30)}
    assert [number for number, score in scores.items() if score > limit] == [1]
    assert scores[1] > 2 * limit


def test_innocent_scores_have_mean_zero_and_the_variance_of_their_places() -> None:
    """Whatever bits are shown: here all ones, the choice that a biased code punishes most."""
    seen = [(place, 1) for place in PLACES[:500]]
    scores = [CODE.accuse(copy_key(number), seen) for number in range(10, 210)]
    mean = sum(scores) / len(scores)
    variance = sum((score - mean) ** 2 for score in scores) / len(scores)
    assert abs(mean) < 4 * (500 / len(scores)) ** 0.5
    assert 300 < variance < 800


def test_two_who_mix_their_copies_are_both_named() -> None:
    random = Random(7)
    seen = [(place, CODE.bit(copy_key(random.choice([1, 2])), place)) for place in PLACES]
    limit = fingerprint.threshold(len(seen), 1e-6)
    assert all(CODE.accuse(copy_key(number), seen) > limit for number in (1, 2))
    assert all(CODE.accuse(copy_key(number), seen) < limit for number in range(3, 20))


def test_biases_stay_within_their_bounds() -> None:
    biases = [CODE.bias(place) for place in PLACES]
    assert min(biases) >= 0.0199
    assert max(biases) <= 0.9801
    assert 0.45 < sum(biases) / len(biases) < 0.55


def test_the_threshold_is_bernsteins() -> None:
    assert fingerprint.threshold(0, 1e-6) == pytest.approx(2 * 13.8155 * fingerprint.BOUND / 3, rel=1e-3)
    assert fingerprint.threshold(10_000, 1e-6) < 3 * fingerprint.threshold(1_000, 1e-6) * 1.1


@pytest.mark.parametrize("chance", [0.0, 1.0, -1.0])
def test_refuses_a_chance_that_is_none(chance: float) -> None:
    with pytest.raises(ParameterError):
        fingerprint.threshold(10, chance)


def test_refuses_a_short_secret() -> None:
    with pytest.raises(ParameterError):
        fingerprint.Code(b"short")
    with pytest.raises(ParameterError):
        CODE.accuse(b"short", [])
