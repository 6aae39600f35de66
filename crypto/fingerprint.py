"""A code that names whose copy leaked, also from parts of it and where several owners mixed theirs: Tardos' code.

Every marked place of a work carries one bit. Place j has a secret bias p_j, the same in all copies; a copy's bit is 1
with probability p_j. Whoever compares copies sees where they differ, but where they agree there is nothing to see, and
that is what gives each of them away.

Rules of this file:
  - Bias and bits follow from secrets and the place's name by HMAC-SHA256, so a place needs no number: what is left of a
    work, in any order, can be read.
  - An accusation is a sum over the places that are left. For a copy that had no part in it each term has mean 0,
    variance 1 and is at most BOUND, whatever the guilty did, because their choice cannot depend on its bits.
    Bernstein's inequality then bounds how often an innocent copy is named; no assumption about the attack enters.

Assumes: HMAC-SHA256 is a pseudorandom function; the guilty know no bias. Leaks: a copy's bits to whoever has it.
Withstands, at the rate stated: loss of places, reordering, and mixing of copies, with a number of places that grows
with the square of the number of mixed copies. Does not withstand: all bits drawn anew; then nobody is named.
Source: G. Tardos, Optimal probabilistic fingerprint codes, STOC 2003; symmetric accusation of B. Skoric et al., 2008.
"""

import hmac
import math
from collections.abc import Iterable
from dataclasses import dataclass

from crypto.errors import ParameterError

KEY_BYTES = 32
_CUTOFF = 0.02  # biases stay within [0.02, 0.98]
_SCALE = 1 << 53
#: the largest term of an accusation
BOUND = math.sqrt((1 - _CUTOFF) / _CUTOFF)
_EDGE = math.asin(math.sqrt(_CUTOFF))


@dataclass(frozen=True)
class Code:
    """The places of one work.

    Args:
        secret: KEY_BYTES bytes, from which biases follow; the same for all copies.
    Raises:
        ParameterError: another length.
    """

    secret: bytes

    def __post_init__(self) -> None:
        _require_key(self.secret)

    def bias(self, place: bytes) -> float:
        """How likely a bit of `place` is 1, within [0.02, 0.98], by the arcsine density."""
        turn = _EDGE + _fraction(self.secret, b"bias", place) * (math.pi / 2 - 2 * _EDGE)
        return round(math.sin(turn) ** 2 * 1_000_000) / 1_000_000

    def bit(self, copy: bytes, place: bytes) -> int:
        """The bit of `place` in the copy with the secret `copy`, 0 or 1."""
        return int(_fraction(copy, b"bit", place) < self.bias(place))

    def accuse(self, copy: bytes, seen: Iterable[tuple[bytes, int]]) -> float:
        """How much what is seen speaks against a copy; compare with `threshold` of as many places.

        Args:
            copy: the copy's secret. seen: (place, bit), every place once.
        """
        _require_key(copy)
        total = 0.0
        for place, found in seen:
            bias = self.bias(place)
            own = int(_fraction(copy, b"bit", place) < bias)
            odds = math.sqrt((1 - bias) / bias) if found else math.sqrt(bias / (1 - bias))
            total += odds if own == found else -1 / odds
        return total


def threshold(places: int, chance: float) -> float:
    """The accusation that an innocent copy exceeds with a chance of at most `chance`.

    Args:
        places: how many bits were seen. chance: above 0 and below 1.
    Raises:
        ParameterError: `chance` is outside that.
    Source: Bernstein's inequality, P(S >= z) <= exp(-z^2 / (2 (n + BOUND z / 3))).
    """
    if not 0 < chance < 1:
        raise ParameterError(f"chance: expected between 0 and 1, got {chance}")
    weight = math.log(1 / chance)
    half = weight * BOUND / 3
    return half + math.sqrt(half * half + 2 * weight * places)


def _fraction(key: bytes, label: bytes, place: bytes) -> float:
    """A number in [0, 1) that follows from key and place."""
    drawn = hmac.digest(key, label + b"\0" + place, "sha256")
    return (int.from_bytes(drawn[:8], "big") >> 11) / _SCALE


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ParameterError(f"expected a secret of {KEY_BYTES} bytes, got {len(key)}")
