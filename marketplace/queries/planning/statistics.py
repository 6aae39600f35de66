"""What each computation needs: STATISTICS, whole-number combinations of sealed columns that are added up over cells.

COUNT, SUM, MEAN, VARIANCE, STDDEV, HISTOGRAM and QUANTILE rest on the rows where their one measure is present. What
takes several measures rests on the rows where ALL of them are present (complete cases), and the sealed data must hold
their cross products: a declared joint. The smallest joint that contains the measures is taken, the first of two equal
ones, and rows count where every measure OF THE JOINT is present. A score needs no cross products, so where no value of
its measures is missing anywhere it rests on the plain columns, which every form of sealing has.

Two ways of asking for the same integer are one statistic: common factors of coefficients and of weights are taken out
and put back when the answer is computed.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

from crypto.canonical import sha256
from marketplace.documents import bin_count, missing_counts
from marketplace.errors import RuleError
from marketplace.queries.language.lexicon import choices, measure, positions
from marketplace.queries.language.lexicon import dimension as declared_dimension
from marketplace.queries.language.terms import QuantileTerm, RegressionTerm, ScoreTerm, Term, WeightedTerm
from marketplace.words import Words

Manifest = Mapping[str, Any]
Parts = tuple[tuple[str, int], ...]
"""Columns with their coefficients; no coefficient is zero."""


@dataclass(frozen=True)
class Weighting:
    """A whole number for every category of a dimension."""

    dimension: str
    weights: tuple[int, ...]


@dataclass(frozen=True)
class Statistic:
    """A kind of released integer: over the cells of a group, the sum of weight times coefficient times column.

    Args:
        parts: columns with coefficients. weighting: of the cells; None weighs every cell one.
    """

    parts: Parts
    weighting: Weighting | None = None

    @cached_property
    def name(self) -> str:
        """Names it within a data set: the column itself where it is one, else the combination."""
        shown = "".join(_part_name(*part, first=not index) for index, part in enumerate(self.parts))
        if self.weighting is None:
            return shown
        listed = ",".join(map(str, self.weighting.weights))
        return f"({shown})*{self.weighting.dimension}#{sha256(listed.encode()).hex()[:16]}"

    @property
    def family(self) -> str:
        """Statistics of one family are never touched by the same row twice: it lies in one bin of a measure."""
        column = self.parts[0][0]
        return column.rpartition(":")[0] if column.startswith("bin:") else self.name


@dataclass(frozen=True)
class Need:
    """A statistic and the factor that was taken out of it: what is wanted is `multiple` times what is released."""

    statistic: Statistic
    multiple: int = 1


def needs(manifest: Manifest, term: Term) -> dict[str, Need]:
    """The statistics that a computation needs, by the role that they play in it (see answers/accuracy.py).

    Raises:
        InvalidInputError: `unknown_measure`, `unknown_dimension`, `unknown_category`, `measure_in_filter`.
        RuleError: `joint_not_declared`, `bins_not_declared`.
    """
    for name in term.measures:
        measure(manifest, name)
    if isinstance(term, ScoreTerm):
        return _score(manifest, term)
    if isinstance(term, WeightedTerm):
        return _weighted(manifest, term)
    if isinstance(term, RegressionTerm) or term.op in ("COVARIANCE", "CORRELATION"):
        return _joint(manifest, term)
    if isinstance(term, QuantileTerm) or term.op == "HISTOGRAM":
        return _bins(manifest, term)
    if term.measure is None:
        return {"n": plain("rows")}
    return {role: plain(f"{part}:{term.measure}") for role, part in _SINGLE[term.op].items()}


_SINGLE = {
    "COUNT": {"n": "n"},
    "SUM": {"s": "sum"},
    "MEAN": {"n": "n", "s": "sum"},
    "VARIANCE": {"n": "n", "s": "sum", "q": "sumsq"},
    "STDDEV": {"n": "n", "s": "sum", "q": "sumsq"},
}


def plain(column: str) -> Need:
    """One column as it is."""
    return Need(Statistic(((column, 1),)))


def combined(parts: Sequence[tuple[str, int]], weighting: Weighting | None = None) -> Need:
    """A combination of columns without its common factors, which become the need's multiple."""
    common = gcd(*(factor for _, factor in parts))
    reduced = tuple((column, factor // common) for column, factor in parts if factor)
    if weighting is None:
        return Need(Statistic(reduced), common)
    shared = gcd(*weighting.weights) or 1
    lighter = Weighting(weighting.dimension, tuple(weight // shared for weight in weighting.weights))
    same = set(lighter.weights) == {1}
    return Need(Statistic(reduced, None if same else lighter), common * shared)


def joint_of(manifest: Manifest, names: Sequence[str]) -> int:
    """Position of the smallest declared joint that contains the measures, the first of two equal ones.

    Raises:
        RuleError: `joint_not_declared`.
    """
    fitting = [index for index, joint in enumerate(manifest["joints"]) if set(names) <= set(joint)]
    if not fitting:
        raise RuleError(
            "joint_not_declared",
            f"the data set was sealed without the cross products of {', '.join(names)}",
            zh=f"数据集密封时未声明 {'、'.join(names)} 的联合统计",
            rule="queries.forms",
            expected=choices(" + ".join(joint) for joint in manifest["joints"])
            or Words("no joint is declared", "未声明联合统计"),
            got=" + ".join(names),
            hint="a supplier declares joints when it seals: measures whose cross products may be asked for",
            hint_zh="联合统计须由供方在密封时声明",
        )
    return min(fitting, key=lambda index: len(manifest["joints"][index]))


def _joint(manifest: Manifest, term: Term) -> dict[str, Need]:
    position = joint_of(manifest, term.measures)
    members = list(manifest["joints"][position])
    found = {"n": plain(f"n@{position}")}
    found |= {name: plain(f"sum@{position}:{name}") for name in term.measures}
    pairs = itertools.combinations_with_replacement(sorted(term.measures, key=members.index), 2)
    for first, second in pairs:
        if term.op != "COVARIANCE" or first != second:
            found[f"{first}*{second}"] = plain(f"cross@{position}:{first}:{second}")
    return found


def _bins(manifest: Manifest, term: Term) -> dict[str, Need]:
    assert term.measure is not None
    count = bin_count(measure(manifest, term.measure))
    if not count:
        raise RuleError(
            "bins_not_declared",
            f"{term.measure} was sealed without bins",
            zh=f"度量 {term.measure} 密封时未声明分箱",
            rule="queries.forms",
            expected=choices(item["name"] for item in manifest["measures"] if bin_count(item))
            or Words("no measure has bins", "没有分箱的指标"),
            got=term.measure,
            hint="a supplier declares the edges of bins when it seals",
            hint_zh="分箱边界须由供方在密封时声明",
        )
    return {str(index): plain(f"bin:{term.measure}:{index}") for index in range(count)}


def _score(manifest: Manifest, term: ScoreTerm) -> dict[str, Need]:
    scales = {name: int(measure(manifest, name)["scale"]) for name in term.measures}
    finest = max(scales.values())
    missing = missing_counts(manifest)
    if len(scales) == 1 or not any(missing[name] for name in scales):
        first = min(scales, key=[item["name"] for item in manifest["measures"]].index)
        counted, added = f"n:{first}", "sum:{}"
    else:
        position = joint_of(manifest, term.measures)
        counted, added = f"n@{position}", f"sum@{position}:{{}}"
    parts = [(added.format(name), factor * 10 ** (finest - scales[name])) for name, factor in term.coefficients]
    if term.intercept:
        parts.append((counted, term.intercept * 10**finest))
    found = {"s": combined(sorted(parts, key=lambda part: column_order(manifest, part[0])))}
    return {**found, "n": plain(counted)} if term.statistic == "MEAN" else found


def score_unit(manifest: Manifest, term: ScoreTerm) -> int:
    """By how much a score's integers are larger than the score."""
    return int(10 ** (term.scale + max(int(measure(manifest, name)["scale"]) for name in term.measures)))


def _weighted(manifest: Manifest, term: WeightedTerm) -> dict[str, Need]:
    categories = declared_dimension(manifest, term.dimension)["categories"]
    weights = [0] * len(categories)
    named = positions(manifest, term.dimension, [name for name, _ in term.weights])
    for place, (_, weight) in zip(named, term.weights, strict=True):
        weights[place] = weight
    weighting = Weighting(term.dimension, tuple(weights))
    found = {"s": combined([(f"sum:{term.measure}", 1)], weighting)}
    return {**found, "n": combined([(f"n:{term.measure}", 1)], weighting)} if term.op == "WMEAN" else found


def column_order(manifest: Manifest, column: str) -> tuple[int, ...]:
    """A key that sorts columns as a manifest lists them."""
    kind, _, rest = column.partition(":")
    kind, _, joint = kind.partition("@")
    if joint:
        members = manifest["joints"][int(joint)]
        named = [members.index(name) for name in rest.split(":") if name]
        return (2, int(joint), ("n", "sum", "cross").index(kind), *named)
    if kind == "rows":
        return (0,)
    name, _, index = rest.partition(":")
    order = [item["name"] for item in manifest["measures"]].index(name)
    return (1, order, ("n", "sum", "sumsq", "bin").index(kind), int(index or 0))


def statistic_order(manifest: Manifest, statistic: Statistic) -> tuple[object, ...]:
    """A key that sorts statistics the same way however they were asked for."""
    keyed = tuple((column_order(manifest, column), factor) for column, factor in statistic.parts)
    weighting = statistic.weighting
    return (weighting is not None, len(keyed), keyed, (weighting.dimension, weighting.weights) if weighting else ())


def presence(column: str) -> str:
    """Which rows a column counts: "" for all, a measure's name for those that have it, "@j" for those of joint j."""
    kind, _, rest = column.partition(":")
    kind, _, joint = kind.partition("@")
    return f"@{joint}" if joint else rest.partition(":")[0]


def _part_name(column: str, factor: int, *, first: bool) -> str:
    sign = "-" if factor < 0 else "" if first else "+"
    return f"{sign}{column}" if abs(factor) == 1 else f"{sign}{abs(factor)}*{column}"
