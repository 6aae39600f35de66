"""The group that both files' commands belong to, and what they share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.console import group
from marketplace.console.values import parse_address, parse_id
from marketplace.documents.identifiers import Kind
from marketplace.errors import InvalidInputError
from marketplace.sdk.foreign import parse_json

app = group("Register data, confirm rights, move titles and shares. 数据确权、登记与转让")
Asset = Annotated[
    str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
]
To = Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="who receives it 受让方")]
Reason = Annotated[str, typer.Option(help="the ground; its digest goes onto the ledger 理由")]
Output = Annotated[Path, typer.Option(help="file for the other side 输出文件")]


def read_json(path: Path) -> Any:
    """A JSON file of the caller.

    Raises:
        InvalidInputError: it is not JSON, or nested too deep.
    """
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError("file_not_json", f"{path} is not JSON: {error}", zh=f"{path} 不是 JSON 文件") from error
