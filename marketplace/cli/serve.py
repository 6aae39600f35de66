"""`marketplace serve`: the exchange."""

import logging
import os
from typing import Annotated

import typer

from marketplace.console import Run
from marketplace.console.command import Command, as_command
from marketplace.serve import serve as run_service
from marketplace.settings import load_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
Host = Annotated[str | None, typer.Option(help="address to listen on 监听地址")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port 端口")]


def serve(run: Run, host: Host = None, port: Port = None) -> None:
    """Run the exchange: API, ledger node, worker. 启动服务

    Everything else is a setting: see docs, or MARKETPLACE_<NAME> and MARKETPLACE_SECRETS_DIR. Stop it with Ctrl-C.

    Example: MARKETPLACE_SECRETS_DIR=./secrets MARKETPLACE_GENESIS_REGISTRAR=0x7099…79c8 marketplace serve
    """
    given: dict[str, object] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    if port and not os.environ.get("MARKETPLACE_PUBLIC_URL"):
        given["public_url"] = f"http://{host or '127.0.0.1'}:{port}"
    settings = load_settings(**given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run.log(f"starting {settings.public_url}", f"正在启动 {settings.public_url}")
    run_service(settings)


app.command(cls=Command)(as_command(serve))
