"""One value with its error, and the released integers that a computation reads, by the role that they play in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.queries.planning.statistics import Need


@dataclass(frozen=True)
class Figure:
    """One value of an answer.

    Args:
        value: in the measure's unit (its square for VARIANCE); None where no rows are left to divide by, or the noise
            is larger than the spread to take the root of.
        error: standard error of `value`, in the same unit; None with `value`.
        low, high: ends of an interval of errors, where there is one (QUANTILE).
    """

    value: int | float | None
    error: float | None
    low: float | None = None
    high: float | None = None


NOTHING = Figure(None, None)


@dataclass(frozen=True)
class Reading:
    """Released integers and the standard deviations of their noise.

    Args:
        values: by role, with the common factor that was taken out of the statistic put back.
        noise: by role, in the same unit.
    """

    values: Mapping[str, int]
    noise: Mapping[str, float]

    @classmethod
    def of(cls, needs: Mapping[str, Need], numbers: Mapping[str, int], noise: Mapping[str, float]) -> "Reading":
        """The reading of one computation, from the numbers of one group."""
        values = {role: need.multiple * numbers[need.statistic.name] for role, need in needs.items()}
        return cls(values, {role: need.multiple * noise[need.statistic.name] for role, need in needs.items()})

    def __getitem__(self, role: str) -> int:
        return self.values[role]

    def product(self, first: str, second: str) -> str:
        """The role of the sum of products of two measures, whichever of them the joint names first."""
        role = f"{first}*{second}"
        return role if role in self.values else f"{second}*{first}"

    def error(self, slopes: Mapping[str, float]) -> float:
        """Standard error of what has these derivatives."""
        return math.hypot(*(slope * self.noise[role] for role, slope in slopes.items()))

    def figure(self, value: int | float, slopes: Mapping[str, float], unit: int = 1) -> Figure:
        """A value with its error; `unit` integer units make one."""
        shown = value if unit == 1 else value / unit
        return Figure(shown, self.error(slopes) / unit)
