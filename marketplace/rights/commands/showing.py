"""How titles and revenue shares are shown in a terminal."""

from typing import Any

from marketplace.console.naming import NOTHING, Listed, named, said
from marketplace.console.values import moment, short
from marketplace.types import TitleKind, TitleMark
from marketplace.words import Words, joined, of_bits

TITLES = (
    ("titleId", "title", "权利编号", short),
    ("kind", "right", "权利", named(TitleKind, str)),
    ("holder", "holder", "权利人", str),
    ("marks", "marks", "标记", Listed(TitleMark)),
    ("validUntil", "valid until", "有效期至", moment),
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
