"""`marketplace vault`: the supplier's side. The data and the key that opens it never leave this machine."""

import time
from typing import Annotated

import typer

from crypto.keystore import Keys
from marketplace.compute import open_compute
from marketplace.compute.option import ComputeOption
from marketplace.console import Run, command, group
from marketplace.console.values import parse_address
from marketplace.documents import Document, row_count
from marketplace.queries import timings
from marketplace.sdk.home import Home
from marketplace.sdk.opening import open_client, open_keys, until_stopped, wait_for_service
from marketplace.vault.agent import VaultAgent
from marketplace.vault.closing import Closing
from marketplace.vault.custodian.commands import Nodes, Trust, tell_memory, word_of
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.procedures.commands import register
from marketplace.vault.sealing.categories import Progress
from marketplace.vault.sealing.dataset import FIRST_BATCH, seal_file
from marketplace.vault.sealing.schema import load_schema
from marketplace.vault.sealing.updates import append_batch, correct_batch, withdraw_batch
from marketplace.vault.sealing.uploading import sealed_bytes, upload_dataset
from marketplace.vault.shared.commands import (
    STAGES,
    STORE,
    Batch,
    CardFile,
    Data,
    Forgets,
    ForgottenAccount,
    LentFile,
    Manifest,
    Registrars,
    SchemaFile,
    Upload,
    deposit_of,
    forget,
    forget_lent,
    seal_and_tell,
    vault_path,
)

app = group("The supplier's vault: seal data, release answers. 供方数据保险库")


@command(app)
def seal(  # noqa: PLR0917 - one parameter for each argument and option
    run: Run,
    data: Data,
    schema: SchemaFile,
    release_key: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", parser=parse_address, help="address that signs releases; yours if none 释放签名地址"
        ),
    ] = None,
    batch: Batch = FIRST_BATCH,
    custodian: CardFile = None,
    upload: Upload = True,
) -> None:
    """Seal a data set on this machine and upload its ciphertext. 加密封存

    Rows are read in batches; only sealed cell statistics and the manifest leave. After a kill the same command goes on
    where it was. Then: marketplace rights register MANIFEST

    Example: marketplace vault seal flights.csv --schema flights.toml
    """

    def work(keys: Keys, vault: VaultFolder, report: Progress) -> Dataset:
        signer = release_key or keys.address
        now, declared = int(time.time()), load_schema(schema)
        return seal_file(
            data,
            declared,
            vault,
            holder=Home.locate(run.home).account() or keys.address,
            release_key=signer,
            now=now,
            batch=batch,
            deposit=deposit_of(keys, custodian),
            progress=report,
        )

    seal_and_tell(run, work, upload)


@command(app)
def append(  # noqa: PLR0917 - one parameter for each argument and option
    run: Run,
    manifest: Manifest,
    data: Data,
    schema: SchemaFile,
    batch: Batch,
    custodian: CardFile = None,
    lent: LentFile = None,
    upload: Upload = True,
) -> None:
    """Add a batch of rows: a new version of the data set, to be registered like the first. 追加批次

    Example: marketplace vault append 0x5f…5f july.parquet --batch july --schema flights.toml
    """

    def work(keys: Keys, vault: VaultFolder, report: Progress) -> Dataset:
        base, now = vault.open(manifest), int(time.time())
        deposit = deposit_of(keys, custodian, lent, base)
        sealed = append_batch(data, load_schema(schema), vault, base, batch, now=now, progress=report, deposit=deposit)
        forget_lent(lent)
        return sealed

    seal_and_tell(run, work, upload)


@command(app)
def correct(  # noqa: PLR0917 - one parameter for each argument and option
    run: Run,
    manifest: Manifest,
    data: Data,
    schema: SchemaFile,
    batch: Batch,
    custodian: CardFile = None,
    lent: LentFile = None,
    upload: Upload = True,
) -> None:
    """Put other rows in place of a batch: a new version of the data set. 更正批次

    Example: marketplace vault correct 0x5f…5f july.parquet --batch july --schema flights.toml
    """

    def work(keys: Keys, vault: VaultFolder, report: Progress) -> Dataset:
        base, now = vault.open(manifest), int(time.time())
        deposit = deposit_of(keys, custodian, lent, base)
        sealed = correct_batch(data, load_schema(schema), vault, base, batch, now=now, progress=report, deposit=deposit)
        forget_lent(lent)
        return sealed

    seal_and_tell(run, work, upload)


@command(app)
def withdraw(run: Run, manifest: Manifest, batch: Batch, custodian: CardFile = None, upload: Upload = True) -> None:
    """Leave a batch out: a new version of the data set. Listings of earlier versions stand until delisted. 撤回批次

    Example: marketplace vault withdraw 0x5f…5f --batch july
    """

    def work(keys: Keys, vault: VaultFolder, _: Progress) -> Dataset:
        deposit = deposit_of(keys, custodian)
        return withdraw_batch(vault, vault.open(manifest), batch, now=int(time.time()), deposit=deposit)

    seal_and_tell(run, work, upload)


@command(app)
def upload(run: Run, manifest: Annotated[str, typer.Argument(help="digest of the manifest 清单摘要")]) -> None:
    """Upload a sealed data set's ciphertext again; what is there already costs nothing. 重新上传

    Example: marketplace vault upload 0x5f…5f
    """
    keys = open_keys(run)
    dataset = VaultFolder(vault_path(run), Cipher(keys.seed)).open(manifest)
    with open_client(run, keys=keys) as client, run.stages(STAGES) as report:
        upload_dataset(client, dataset, report, again=True)
    run.result({"manifestDigest": dataset.digest, "bytes": sealed_bytes(dataset.manifest)}, "uploaded", "已上传")


@command(app, "list")
def list_(run: Run) -> None:
    """Data sets in this vault. 已封存数据

    Example: marketplace vault list
    """
    vault = VaultFolder(vault_path(run), Cipher(open_keys(run).seed))
    found = [{"manifest": name, **_facts(vault.open(name).manifest)} for name in vault.names()]
    names = (("manifest", "manifest", "清单"), ("title", "title", "名称"), ("rows", "rows", "行数"))
    run.rows(found, [*((*name, str) for name in names), ("batches", "batches", "批次", ", ".join)])


@command(app, "run")
def run_(
    run: Run,
    *,
    seller: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            parser=parse_address,
            help="address besides yours whose listings count, e.g. the new holder of OPERATE 认可的其他卖方",
        ),
    ] = None,
    registrar: Registrars = None,
    trust: Trust = "rederive",
    node: Nodes = None,
    compute: ComputeOption = "inline",
    show_timings: Annotated[bool, typer.Option("--timings", help="log where each query's time goes 计时")] = False,
) -> None:
    """Release answers: ask the service for attested queries, check each, decide. Opens no port. 运行保险库

    It also closes an order of yours whose buyer ended the key of its last voucher, a day before that counts no more.
    买方终止凭证密钥的，保险库在凭证失效前自动结算其订单。
    Start it on the machine that holds the data; it waits while the service is away. Stop it with Ctrl-C.

    Example: marketplace vault run
    """
    if show_timings:
        timings.show()
    keys = open_keys(run)
    cipher, path = Cipher(keys.seed), vault_path(run)
    with open_compute(compute) as opened, open_client(run, keys=keys) as client, until_stopped() as stop:
        word = word_of(trust, node, client.get_request)
        if not wait_for_service(client, stop, run.log):
            return
        tell_memory(run)
        store = PrivacyStore(path / STORE, cipher)
        sellers = list(seller or ())
        registrars = [*client.registrars, *(registrar or ())]
        folder, ledger = VaultFolder(path, cipher), client.deployment
        vault = Vault(keys, folder, store, ledger, sellers, word=word, registrars=registrars, columns=opened)
        run.log(f"vault {keys.address} waits for queries", f"保险库 {keys.address} 等待查询")
        if not vault.folder.names():
            run.log(f"no data set is sealed in {path} yet", f"{path} 中还没有已封存的数据集")
        VaultAgent(client, vault, run.log, closing=Closing(client, store, run.log)).run(stop)


@command(app, "forget-keys")
def forget_keys(run: Run, account: ForgottenAccount, *, yes: Forgets = False) -> None:
    """Forget what was shown here of an account's keys; another history counts from then on. 忘记密钥历史

    It refuses with keys_left_out while a history is shorter than one that was shown before: right, unless the exchange
    was put back from an old copy.

    Example: marketplace vault forget-keys 0x3b…9c --yes
    """
    forget(run, vault_path(run) / STORE, account, confirmed=yes)


register(app)


def _facts(manifest: Document) -> dict[str, object]:
    facts = {"title": manifest["title"]["en"], "rows": row_count(manifest), "bytes": sealed_bytes(manifest)}
    return facts | {"previous": manifest["previous"], "batches": [item["name"] for item in manifest["batches"]]}
