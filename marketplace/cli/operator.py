"""`marketplace operator`: what the exchange's operator does before serving."""

from pathlib import Path
from typing import Annotated

import typer

from crypto.typed_data import address_of
from marketplace.console import Run, command, group
from marketplace.settings import make_operator_keys

app = group("The operator's own keys. 运营方")


@command(app)
def keys(
    run: Run, folder: Annotated[Path, typer.Argument(file_okay=False, help="folder for the key files 密钥目录")]
) -> None:
    """Make fresh relayer, exchange and log keys as files of mode 0600. 生成运营方密钥

    `marketplace serve` reads them from the folder that MARKETPLACE_SECRETS_DIR names. A key that is there is never
    overwritten.

    Example: marketplace operator keys ./secrets
    """
    paths = make_operator_keys(folder)
    found = {path.name.removeprefix("marketplace_"): str(path) for path in paths}
    exchange = next(path for path in paths if path.name.endswith("exchange_key"))
    found["exchange"] = address_of(bytes.fromhex(exchange.read_text("utf-8").strip()))
    run.result(
        found, f"made; now: export MARKETPLACE_SECRETS_DIR={folder}", f"已生成；请设置 MARKETPLACE_SECRETS_DIR={folder}"
    )
