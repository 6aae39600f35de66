"""`marketplace keys`: the participant's own keys and folder."""

from pathlib import Path
from typing import Annotated

import typer

from crypto import keystore
from marketplace.console import Run, command, group
from marketplace.errors import ConfigurationError
from marketplace.sdk.home import Home, files
from marketplace.sdk.home.hardening import close_process
from marketplace.sdk.home.keys import create_keystore, load_keys, public_facts
from marketplace.sdk.opening import open_client, open_keys, password

app = group("Your keys and your folder; no key ever leaves it. 密钥与工作目录")
WorkFactor = Annotated[
    int,
    typer.Option(
        min=keystore.MIN_WORK_FACTOR, max=keystore.MAX_WORK_FACTOR, help="log2 of the password's cost 口令强化"
    ),
]


@command(app)
def new(run: Run, work_factor: WorkFactor = keystore.DEFAULT_WORK_FACTOR) -> None:
    """Make a keystore in your folder: one seed, encrypted; all your keys follow from it. 新建密钥

    The password comes from MARKETPLACE_PASSWORD, from the file MARKETPLACE_PASSWORD_FILE, or from your keyboard.

    Example: marketplace keys new --home ./supplier
    """
    home = Home.locate(run.home)
    close_process()
    keys = create_keystore(home.keystore, password(run, twice=True), work_factor)
    run.result(
        {**public_facts(keys), "keystore": str(home.keystore)},
        "made; back up the file and remember the password: nobody can restore them",
        "已创建；请备份该文件并牢记口令，任何人都无法恢复",
    )


@command(app)
def show(run: Run) -> None:
    """Your address and public keys. 查看公钥

    Example: marketplace keys show
    """
    run.result(public_facts(open_keys(run)), "your public keys", "您的公钥")


@command(app, "import")
def import_(
    run: Run,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an Ethereum V3 keystore file 密钥文件")],
) -> None:
    """Take over a keystore file of an Ethereum wallet; its password must open it. 导入密钥

    Example: marketplace keys import ~/wallet/UTC--2026-01-01.json
    """
    home = Home.locate(run.home)
    if home.keystore.exists():
        raise ConfigurationError("keystore_exists", f"{home.keystore} holds keys already", zh="该目录已有密钥")
    content = file.read_bytes()
    close_process()
    keys = load_keys(content, password(run))
    files.write_private(home.keystore, content)
    run.result({**public_facts(keys), "keystore": str(home.keystore)}, "imported", "已导入")


@command(app)
def pin(run: Run) -> None:
    """Show the service that this folder trusts: chain, contracts, log key; pins it on first use. 固定服务端配置

    Example: marketplace keys pin --url https://exchange.example
    """
    with open_client(run, with_keys=False) as client:
        found = {"url": client.url, **client.profile.pin.as_dict()}
    run.result(found, "pinned; any change will be refused", "已固定；任何变化都会被拒绝")
