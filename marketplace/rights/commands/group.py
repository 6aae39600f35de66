"""The group that both files' commands belong to, and what they share."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import group
from marketplace.console.values import parse_address, parse_id
from marketplace.documents.identifiers import Kind

app = group("Register data, confirm rights, move titles and shares. 数据确权、登记与转让")
Asset = Annotated[
    str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
]
To = Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="who receives it 受让方")]
Output = Annotated[Path, typer.Option(help="file for the other side 输出文件")]
