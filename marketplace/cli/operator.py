"""`marketplace operator`: what the exchange's operator does before serving."""

from pathlib import Path
from typing import Annotated

import typer

from crypto.keystore import Keys
from crypto.typed_data import address_of
from marketplace.console import Run, command, group
from marketplace.sdk import participants
from marketplace.sdk.opening import open_client
from marketplace.settings import load_settings, make_operator_keys
from marketplace.types import Role

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


@command(app)
def join(
    run: Run,
    name: Annotated[str, typer.Option(help="name in English or pinyin 英文名称")],
    name_zh: Annotated[str, typer.Option(help="name in Chinese; the English one if empty 中文名称")] = "",
    credit_code: Annotated[
        str | None, typer.Option(help="unified social credit code of whoever operates it 运营方统一社会信用代码")
    ] = None,
) -> None:
    """Apply for the exchange itself, with the exchange key; anchors begin once a registrar has admitted it. 运营方入场

    Example: MARKETPLACE_SECRETS_DIR=./secrets marketplace operator join --name "City Data Exchange"
    """
    keys = Keys(bytes.fromhex(load_settings().exchange_key.get_secret_value()))
    with open_client(run, keys=keys) as client:
        result = participants.join(client, Role.EXCHANGE, name, name_zh or name, credit_code)
    run.result(result, "applied; a registrar must admit the exchange now", "已提交申请，等待登记机构准入")
