"""Where a paper is written: as a signed credential, or printed."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from marketplace.documents import Document

Output = Annotated[Path | None, typer.Option(help="write the signed credential to this file 保存签名凭证")]
Pdf = Annotated[Path | None, typer.Option(help="print it into this file, A4 with QR code 打印为 PDF")]
Period = Annotated[str, typer.Option(metavar="YYYY-MM", help="month 账期")]


def save(signed: Document, output: Path | None, pdf: Path | None) -> None:
    """Write a credential that was verified."""
    if output is not None:
        output.write_text(json.dumps(signed, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if pdf is not None:
        from marketplace.settlement.papers.printing import print_paper  # noqa: PLC0415 - fonts and layout, only for this

        pdf.write_bytes(print_paper(signed, int(time.time())))
