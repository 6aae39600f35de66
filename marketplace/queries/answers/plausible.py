"""What a released number can be if the data lie within their declared bounds; the buyer's check of every answer.

Bounds, weights and number of rows are public, and so is the noise but for a probability below 2^-64. A number outside
was not made from such data: the supplier sealed values beyond its bounds so that a total wrapped, or a share was made
up. A number inside may still be false; what was sealed is fixed by registration, not proven.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from crypto.seal.headroom import noise_bound
from marketplace.documents import key_holders, row_count
from marketplace.errors import VerificationError
from marketplace.queries.planning.noise import plan_noise
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.planning.sensitivity import Range, row_range

Manifest = Mapping[str, Any]


def possible_range(manifest: Manifest, plan: Plan) -> dict[str, Range]:
    """Least and largest value of the numbers of each statistic, noise of all holders of the key included."""
    noises, found = plan_noise(manifest, plan), dict[str, Range]()
    numbers: dict[str, list[Number]] = {}
    for number in plan.numbers:
        numbers.setdefault(number.statistic, []).append(number)
    for statistic in plan.statistics:
        (low, high), rows = row_range(manifest, statistic), row_count(manifest)
        lightest, heaviest = _weights(numbers[statistic.name])
        noise = key_holders(manifest) * noise_bound(noises[statistic.name].reserve)
        least, most = heaviest * low + lightest * high, heaviest * high + lightest * low
        found[statistic.name] = rows * least - noise, rows * most + noise
    return found


def check_plausible(manifest: Manifest, plan: Plan, numbers: Iterable[Mapping[str, int]]) -> None:
    """Check the released numbers of every group.

    Raises:
        VerificationError: `number_out_of_range`, with the statistic and its range.
    """
    ranges = possible_range(manifest, plan)
    for group in numbers:
        for name, value in group.items():
            low, high = ranges[name]
            if not low <= value <= high:
                raise VerificationError(
                    "number_out_of_range",
                    f"{name} is outside what the declared bounds and the noise allow",
                    zh=f"{name} 超出声明界限与噪声所允许的范围",
                    rule="queries.plausible",
                    expected=f"{low} to {high}",
                    hint="keep the answer's documents: they show it; the supplier sealed values beyond its bounds,"
                    " or a holder of the key made its share up",
                    hint_zh="请保留答复的全部文件作为证据:供方密封了超出声明界限的数值,或密钥持有方伪造了份额",
                )


def _weights(numbers: Iterable[Number]) -> tuple[int, int]:
    """Least weight of a row, at most 0, and largest, at least 0."""
    lightest = heaviest = 0
    for number in numbers:
        lowest, highest = (1, 1) if number.weights is None else (int(number.weights.min()), int(number.weights.max()))
        lightest, heaviest = min(lightest, lowest), max(heaviest, highest)
    return lightest, heaviest
