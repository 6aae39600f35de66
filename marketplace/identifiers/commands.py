"""`marketplace resolve`: what an identifier stands for."""

from typing import Annotated

import typer

from marketplace.console import Run, command
from marketplace.documents import Document
from marketplace.documents.identifiers import Kind
from marketplace.identifiers.showing import page
from marketplace.sdk import identifiers
from marketplace.sdk.opening import open_client

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@command(app, "resolve")
def resolve(
    run: Run,
    text: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="identifier, code of a certificate, 0x… id, or DID 标识、凭证编码、编号或 DID"
        ),
    ],
    did: Annotated[bool, typer.Option("--did", help="its DID document 输出 DID 文档")] = False,
    sign_in: Annotated[bool, typer.Option("--sign-in", help="as a party, to see your orders 以相关方身份")] = False,
) -> None:
    """What an identifier, an id or a DID stands for, checked against the documents behind it. 标识解析

    What is over (delisted, expired, settled) is still found, and says so. An order is found by its parties: its
    identifier signs in by itself, its 0x… id needs --sign-in.

    Example: marketplace resolve 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --did
    """
    with_keys = sign_in or any(text.strip().lower().startswith(f"{kind}1") for kind in (Kind.ORDER, Kind.TRADE))
    with open_client(run, with_keys=with_keys) as client:
        if did or text.startswith("did:"):
            run.document(identifiers.resolve_did(client, text.strip()))
            return
        record = identifiers.resolve(client, text.strip())
    if run.as_json:
        run.json(record)
        return
    _show(run, record)


def _show(run: Run, record: Document) -> None:
    shown, language = page(record), run.language
    run.say(f"{shown['kind']['en']} · {shown['heading']['en']}", f"{shown['kind']['zh']} · {shown['heading']['zh']}")
    lines = [*shown["lines"], *({"label": link["label"], "value": link["text"]} for link in shown["links"])]
    columns = (("label", "what", "项目", str), ("value", "says", "内容", str))
    run.rows([{name: line[name][language] for name in ("label", "value")} for line in lines], columns)
