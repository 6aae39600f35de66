"""What a manifest declares, by name, with errors that name the choices."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from marketplace.errors import InvalidInputError

_SHOWN = 24  # choices that an error lists


def choices(names: Iterable[str]) -> str:
    """At most 24 names for an error message."""
    listed = list(names)
    more = f", … ({len(listed)} in all)" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def dimension(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The dimension `name`.

    Raises:
        InvalidInputError: `measure_in_filter` when the name is a measure's, else `unknown_dimension`.
    """
    known = {item["name"]: item for item in manifest["dimensions"]}
    if name in known:
        return cast(Mapping[str, Any], known[name])
    if name in {item["name"] for item in manifest["measures"]}:
        raise InvalidInputError(
            "measure_in_filter",
            f"{name} is a sealed measure; filters and groups are over dimensions only",
            zh=f"{name} 是密封的度量;筛选与分组仅限维度",
            rule="queries.algebra",
            expected=choices(known),
            got=name,
            hint="rows with a missing value are COUNT(*) less COUNT(measure)",
            hint_zh="缺失值行数为 COUNT(*) 减 COUNT(度量)",
        )
    raise _unknown("dimension", "维度", name, known)


def measure(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The measure `name`.

    Raises:
        InvalidInputError: `unknown_measure`.
    """
    known = {item["name"]: item for item in manifest["measures"]}
    if name not in known:
        raise _unknown("measure", "度量", name, known)
    return cast(Mapping[str, Any], known[name])


def positions(manifest: Mapping[str, Any], name: str, values: Iterable[str]) -> list[int]:
    """Positions of the categories `values` in the list of dimension `name`.

    Raises:
        InvalidInputError: `unknown_category`, or as `dimension`.
    """
    categories = dimension(manifest, name)["categories"]
    place = {category: index for index, category in enumerate(categories)}
    for value in values:
        if value not in place:
            raise InvalidInputError(
                "unknown_category",
                f"{name} has no category {value!r}",
                zh=f"维度 {name} 没有类别 {value!r}",
                rule="queries.algebra",
                expected=choices(categories),
                got=value,
            )
    return [place[value] for value in values]


def _unknown(kind: str, kind_zh: str, name: str, known: Iterable[str]) -> InvalidInputError:
    return InvalidInputError(
        f"unknown_{kind}",
        f"the data set declares no {kind} {name!r}",
        zh=f"数据集未声明{kind_zh} {name!r}",
        rule="queries.algebra",
        expected=choices(known),
        got=name,
    )
