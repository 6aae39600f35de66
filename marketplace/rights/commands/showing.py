"""How titles and revenue shares are shown in a terminal."""

from typing import Any

from marketplace.console.naming import NOTHING, Listed, named, said
from marketplace.console.values import moment
from marketplace.types import TitleKind, TitleMark
from marketplace.words import IN_FORCE, Words, joined, of_bits

_CAUSE = named(IN_FORCE, str)


def standing_of(standing: dict[str, Any]) -> Words:
    """Whether a title is in force and what it died with, and whether it, or one above it, is seized or controlled."""
    cause, ancestor = _CAUSE(standing["word"]), standing["ancestor"]
    said = [Words(f"{cause.en} ({ancestor})", f"{cause.zh}（{ancestor}）") if ancestor else cause]
    said += [Words(f"seized or controlled: {name}", f"被查封或管控：{name}") for name in standing["encumbered"]]
    return joined(said)


TITLES = (
    ("titleId", "title", "权利编号", str),
    ("kind", "right", "权利", named(TitleKind, str)),
    ("holder", "holder", "权利人", str),
    ("marks", "marks", "标记", Listed(TitleMark)),
    ("validUntil", "valid until", "有效期至", moment),
    ("standing", "standing", "状态", standing_of),
)
SHARES = (
    ("holder", "share holder", "收益方", str),
    ("bps", "basis points", "基点", str),
    ("weight", "pledged or seized", "质押或限制", said),
)


def weight_of(share: dict[str, Any]) -> Words:
    """What weighs on a share, for a table."""
    weights = of_bits(TitleMark, share["marks"] & (TitleMark.SEIZED | TitleMark.CONTROLLED), NOTHING)
    if not share["pledgedBps"]:
        return weights
    pledge = f"{share['pledgedBps']} -> {share['pledgee']}"
    return joined([*([] if weights == NOTHING else [weights]), Words(pledge, pledge)])
