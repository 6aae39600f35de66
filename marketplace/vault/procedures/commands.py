"""Commands of `marketplace vault` for lost machines, worn-out keys and copied halves."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from crypto.keystore import Keys
from marketplace.console import Run, command
from marketplace.console.values import parse_address, parse_digest
from marketplace.documents.ids import asset_id
from marketplace.errors import InvalidInputError, RuleError
from marketplace.quantities import epsilon
from marketplace.sdk import evidence
from marketplace.sdk.home import Home
from marketplace.sdk.home.hardening import close_process
from marketplace.sdk.keyproofs import book_of
from marketplace.sdk.opening import open_client, open_keys, password
from marketplace.vault.decisions.recovery import Recovery
from marketplace.vault.decisions.refusing import GIVEN_UP, signed_refusal
from marketplace.vault.keeping.backup import LEDGER, read_backup, write_backup
from marketplace.vault.keeping.custody import card_of
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.refreshing import refresh as refresh_half
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.categories import Progress
from marketplace.vault.sealing.resealing import reseal as reseal_rows
from marketplace.vault.sealing.schema import load_schema
from marketplace.vault.shared.commands import (
    CardFile,
    Manifest,
    SchemaFile,
    Upload,
    deposit_of,
    seal_and_tell,
    vault_path,
)
from marketplace.words import Words

Sources = Annotated[
    list[str],
    typer.Option("--rows", metavar="BATCH=FILE", help="a batch and the file it was sealed from 批次及其数据文件"),
]


def register(app: typer.Typer) -> None:
    """Add these commands to `marketplace vault`."""
    for verb in (card, abandon, reseal, refresh, backup, restore, recover):
        command(app)(verb)


def card(run: Run, file: Annotated[Path, typer.Argument(dir_okay=False, help="where to write it 名片文件")]) -> None:
    """Write your card, which a custodian lends its half to: address and public key. 生成供方名片

    Example: marketplace vault card supplier-card.json
    """
    made = card_of(open_keys(run))
    file.write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    run.result({**made, "file": str(file)}, "written; compare the recipient by telephone", "已写出；请通过电话核对公钥")


def abandon(
    run: Run, query: Annotated[str, typer.Argument(parser=parse_digest, help="digest of the query 查询摘要")]
) -> None:
    """Give up an answer that your custodian does not complete, because it is lost. 放弃未完成的答复

    The order goes on, or can be closed. The call is not paid for; its epsilon stays spent, since your share has left.

    Example: marketplace vault abandon 0x5f…5f
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client:
        asked = client.get_document(query)
        store = PrivacyStore(vault_path(run) / LEDGER, Cipher(keys.seed))
        error = RuleError(
            GIVEN_UP,
            "the custodian does not complete this answer",
            zh="托管方未能完成该答复",
            rule="vault.custodian",
            expected=Words("the custodian's share", "托管方持有的份额"),
            hint="ask again once the supplier has a custodian; this call costs nothing",
            hint_zh="请待供方恢复托管方后重新查询；本次调用不收费",
        )
        with store.exclusive() as account:
            spent = account.spent(asked["order"])
        nothing = dict.fromkeys(("leftOrder", "spentBuyer", "leftBuyer", "spentAsset", "leftAsset"), 0)
        refusal = signed_refusal(asked, error, {"spentOrder": spent, **nothing}, keys, client.deployment)
        state = client.post("/vault/refusals", {"refusal": refusal}, repeatable=True)["state"]
    run.result({"query": query, "state": state}, "given up", "已放弃")


def reseal(  # noqa: PLR0917 - one parameter for each argument and option
    run: Run,
    manifest: Manifest,
    rows: Sources,
    schema: SchemaFile,
    release_key: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            parser=parse_address,
            help="address that signs releases from now on; yours if none 新的释放签名地址",
        ),
    ] = None,
    custodian: CardFile = None,
    upload: Upload = True,
) -> None:
    """Seal the same rows again under a new key: a new version in the same series and budget. 重新密封

    Example: marketplace vault reseal 0x5f…5f --rows first=flights.csv --schema flights.toml --custodian card.json
    """
    sources = dict(map(_source, rows))

    def work(keys: Keys, vault: VaultFolder, report: Progress) -> Dataset:
        return reseal_rows(
            sources,
            load_schema(schema),
            vault,
            vault.open(manifest),
            release_key=release_key or keys.address,
            deposit=deposit_of(keys, custodian),
            now=int(time.time()),
            progress=report,
        )

    seal_and_tell(run, work, upload)


def refresh(
    run: Run,
    manifest: Manifest,
    custodian: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="card of the data set's custodian 托管方名片")
    ],
) -> None:
    """New halves of a split key, without sealing again: a copied half is worth nothing afterwards. 更新半密钥

    Vault and custodian may be at work; until the custodian took the file, queries are refused.

    Example: marketplace vault refresh 0x5f…5f --custodian card.json
    """
    keys = open_keys(run)
    vault, deposit = VaultFolder(vault_path(run), Cipher(keys.seed)), deposit_of(keys, custodian)
    assert deposit is not None
    moved = refresh_half(vault, vault.open(manifest), deposit)
    facts = {"manifestDigest": moved.digest, "generation": moved.generation, "custodyFile": str(moved.custody_file)}
    run.result(facts, "refreshed; now: marketplace custodian take FILE", "已更新；请执行 marketplace custodian take")


def backup(
    run: Run, file: Annotated[Path, typer.Argument(dir_okay=False, help="the backup to write 备份文件")]
) -> None:
    """Write your whole folder into one encrypted file: keystore, data sets, account. Keep it elsewhere. 备份

    Example: marketplace vault backup /mnt/safe/vault-2026-11.bak
    """
    keys = open_keys(run)
    count = write_backup(Home.locate(run.home).path, keys, file)
    run.result(
        {"file": str(file), "files": count, "bytes": file.stat().st_size, "address": keys.address},
        "written; it opens with your keystore's password alone",
        "已写出；仅凭密钥库口令可打开",
    )


def restore(
    run: Run, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the backup 备份文件")]
) -> None:
    """Put a backup into an empty folder. What was released after it was written is not in its account. 恢复

    Example: marketplace vault restore /mnt/safe/vault-2026-11.bak --home ./vault-new
    """
    close_process()
    home = Home.locate(run.home).path
    keys = read_backup(file, password(run), home)
    run.result({"home": str(home), "address": keys.address}, "restored", "已恢复")


def recover(run: Run) -> None:
    """Enter again what your account lacks, after an old copy was put back: every release you signed. 补全账户

    Stop the vault first. It reads the log, checks it against its signed root, and takes from the service the documents
    of every release that is signed with your key. Shares cannot be had again: such a question is refused from then on.

    Example: marketplace vault recover
    """
    keys = open_keys(run)
    path, cipher = vault_path(run), Cipher(keys.seed)
    folder = VaultFolder(path, cipher)
    with open_client(run, keys=keys) as client, run.progress("reading the log", "读取日志中"):
        held = [folder.open(name) for name in folder.names()]
        work = Recovery(
            PrivacyStore(path / LEDGER, cipher),
            client.deployment,
            {asset_id(item.manifest["holder"], item.digest): item.manifest for item in held},
            {item.manifest["releaseKey"] for item in held},
            client.get_document,
            folder.sets_of,
            lambda account: book_of(client, account),
        )
        found = work.recover(evidence.entries(client))
    run.result(
        {"releases": found.releases, "charged": found.charged},
        f"entered {found.releases} releases that had charged {epsilon(found.charged)}",
        f"已补录 {found.releases} 项发布，合计预算 {epsilon(found.charged)}",
    )


def _source(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if not name or not Path(file).is_file():
        raise InvalidInputError(
            "rows_unknown", f"{text} names no file", zh=f"{text} 未指向文件", expected="BATCH=FILE", got=text
        )
    return name, Path(file)
