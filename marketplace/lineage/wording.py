"""What is signed about inputs of products, in words. Pure."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import Document, iso_time
from marketplace.words import Words

Line = tuple[Words, Words]
"""What a line is about, and what it says."""


def of_consent(
    product: tuple[str, Document], source: tuple[str, Document], title: Mapping[str, Any], bps: int, until: int
) -> list[Line]:
    """What a GiveConsent allows.

    Args:
        product, source: id and manifest of the product and of its input.
        title: under which the input is operated.
        bps: the input's part of the product's net income, in basis points. until: unix seconds.
    """
    percent = f"{bps / 100:g} %"
    return [
        (Words("act", "行为"), Words("consent that the product is sold", "同意产品挂牌交易")),
        (Words("product", "产品"), _data(*product)),
        (Words("made of", "来源"), _data(*source)),
        (Words("the input's part", "来源所得"), Words(f"{percent} of the net income", f"净收入的 {percent}")),
        (Words("until", "有效期至"), _same(iso_time(until))),
        (Words("under title", "所依权利"), _title(title)),
    ]


def _data(name: str, manifest: Document) -> Words:
    return Words(f"{manifest['title']['en']} ({name})", f"{manifest['title']['zh']}（{name}）")


def _title(title: Mapping[str, Any]) -> Words:
    name, end = title["titleId"], iso_time(title["validUntil"])
    return Words(f"{name}, which itself ends at {end}", f"{name}，其于 {end} 到期")


def _same(text: str) -> Words:
    return Words(text, text)
