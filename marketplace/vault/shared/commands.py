"""Options and steps that several commands of `marketplace vault` have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from crypto.canonical import load_json
from crypto.keystore import Keys
from marketplace.console import Run
from marketplace.console.values import parse_address, parse_digest
from marketplace.documents import digest, missing_counts, row_count
from marketplace.errors import RuleError
from marketplace.sdk.home import Home, files
from marketplace.sdk.opening import open_client, open_keys
from marketplace.vault.keeping.custody import MAX_FILE, Deposit, open_lending, read_card
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.categories import Progress
from marketplace.vault.sealing.uploading import sealed_bytes, upload_dataset

STORE = "ledger.sqlite"
STAGES = {
    "listing": ("listing categories", "读取取值"),
    "reading": ("reading rows", "读取数据"),
    "sealing": ("sealing cells", "加密"),
    "placing": ("sorting rows", "排序"),
    "sealing rows": ("sealing rows", "逐行加密"),
    "uploading": ("uploading ciphertext", "上传密文"),
}


Data = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or Parquet file 数据文件")]
SchemaFile = Annotated[
    Path,
    typer.Option("--schema", exists=True, dir_okay=False, help="what its columns are, TOML or JSON 数据描述"),
]
Manifest = Annotated[
    str, typer.Argument(metavar="MANIFEST", parser=parse_digest, help="digest of the newest version 最新版本的清单摘要")
]
Batch = Annotated[str, typer.Option("--batch", help="name of the batch 批次名称")]
CardFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="card of who is to hold half of the key 托管方名片"),
]
LentFile = Annotated[
    Path | None,
    typer.Option("--lent", exists=True, dir_okay=False, help="half that the custodian lent 托管方出借的半密钥"),
]
Registrars = Annotated[
    list[str] | None,
    typer.Option(
        "--registrar",
        metavar="ADDRESS",
        parser=parse_address,
        help="registrar whose recoveries of accounts count 认可的登记机构 \\[MARKETPLACE_REGISTRARS]",
    ),
]
ForgottenAccount = Annotated[str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="whose keys 账户地址")]
Forgets = Annotated[bool, typer.Option("--yes", help="you have heard why the history is shorter 已核实原因")]
Upload = Annotated[bool, typer.Option(help="upload the ciphertext and the manifest 上传密文")]


def forget(run: Run, path: Path, account: str, *, confirmed: bool) -> None:
    """Forget what was shown of an account's keys, if the owner says that it knows what that means.

    Raises:
        RuleError: `keys_forgetting_unconfirmed`.
    """
    if not confirmed:
        raise RuleError(
            "keys_forgetting_unconfirmed",
            "after that, a history of keys that leaves out the last changes is believed, and an ended key signs again",
            zh="此后若出示的密钥历史缺失最近变更，也将被采信，已失效的密钥可能重新被接受",
            rule="vault.keys_are_not_forgotten",
            hint="first hear from the account's owner, or an audited bundle, why the history is shorter; then --yes",
            hint_zh="请先向账户所有人或经审计的证据包核实历史变短的原因，再加 --yes",
        )
    changes = PrivacyStore(path, Cipher(open_keys(run).seed)).forget_keys(account) if path.is_file() else 0
    run.notice(
        run.tr(
            "the next history that is shown of these keys is believed as it is; see that it is the account's",
            "下一次出示的密钥历史将直接采信，请核实其属于该账户",
        )
    )
    run.result({"account": account, "forgotten": changes}, f"forgot {changes} changes", f"已忘记 {changes} 项变更")


def vault_path(run: Run) -> Path:
    """The vault's folder inside the home folder, closed to others."""
    return files.make_private_folder(Home.locate(run.home).path / "vault")


def deposit_of(keys: Keys, card: Path | None, lent: Path | None = None, base: Dataset | None = None) -> Deposit | None:
    """What making files for the custodian of this card takes; None without a card.

    Args:
        lent: file with the half that the custodian lent for changing `base`.
    Raises:
        RuleError: `generation_differs`, the lent half is not of the base's generation.
    """
    if card is None:
        return None
    half = open_lending(load_json(lent.read_bytes(), max_bytes=MAX_FILE), keys) if lent else None
    if half and base and (digest(half.manifest), half.generation) != (base.digest, base.generation):
        raise RuleError(
            "generation_differs",
            "the lent half does not belong to the vault's",
            zh="出借的半密钥与金库的不配套",
            rule="vault.generations",
            expected=f"{base.digest}, generation {base.generation}",
            got=f"{digest(half.manifest)}, generation {half.generation}",
            hint="lend the half anew with `marketplace custodian lend`, after the last refresh was taken",
            hint_zh="请在完成最近一次更新后，用 `marketplace custodian lend` 重新出借",
        )
    return Deposit(read_card(load_json(card.read_bytes())), keys, half.half if half else None)


def forget_lent(lent: Path | None) -> None:
    """Remove the file with the lent half: with it and the vault's half of the version before, the key is whole."""
    if lent is not None:
        lent.unlink()


def seal_and_tell(run: Run, work: Callable[[Keys, VaultFolder, Progress], Dataset], upload: bool) -> None:
    """Do the work, upload what it gives, and say what was sealed."""
    keys = open_keys(run)
    vault = VaultFolder(vault_path(run), Cipher(keys.seed))
    with run.stages(STAGES) as report:
        dataset = work(keys, vault, report)
        if upload:
            with open_client(run, keys=keys) as client:
                upload_dataset(client, dataset, report)
    path, manifest = dataset.path / "manifest.json", dataset.manifest
    rows, missing = row_count(manifest), missing_counts(manifest)
    facts = {"manifest": str(path), "manifestDigest": dataset.digest, "rows": rows}
    facts |= {"missing": missing, "bytes": sealed_bytes(manifest), "uploaded": upload}
    facts |= {"custodyFile": str(dataset.custody_file)} if manifest["custodian"] else {}
    run.result(facts, f"sealed {rows:,} rows", f"已封存 {rows:,} 行")
    run.facts({run.tr(f"missing {name}", f"缺失 {name}"): count for name, count in missing.items()})
