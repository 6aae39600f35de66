"""The group that both files' commands belong to, and what they share."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import group
from marketplace.console.usage import BadValue
from marketplace.console.values import parse_address, parse_id
from marketplace.documents.identifiers import Kind
from marketplace.types import TitleMark

app = group("Register data, confirm rights, move titles and shares. 数据确权、登记与转让")
Asset = Annotated[
    str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
]
To = Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="who receives it 受让方")]
Output = Annotated[Path, typer.Option(help="file for the other side 输出文件")]
Lifted = Annotated[str | None, typer.Option("--mark", help="SEIZED or CONTROLLED, where both stand 解除哪一项")]


def lifted(mark: str | None) -> TitleMark | None:
    """Which mark an order lifts; None where it is not said."""
    if mark is None or mark in ("SEIZED", "CONTROLLED"):
        return TitleMark[mark] if mark else None
    raise BadValue(f"SEIZED or CONTROLLED, not {mark!r}", f"应为 SEIZED 或 CONTROLLED，而非 {mark!r}", "--mark")
