"""`marketplace vault`: the supplier's side. The data and the key that opens it never leave this machine."""

import time
from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.values import parse_address
from marketplace.documents import Document, all_chunks, missing_counts, row_count
from marketplace.queries import timings
from marketplace.sdk import files
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home
from marketplace.sdk.opening import open_client, open_keys, until_stopped, wait_for_service
from marketplace.vault.agent import VaultAgent
from marketplace.vault.folder import Dataset, VaultFolder
from marketplace.vault.release import Vault
from marketplace.vault.schema import load_schema
from marketplace.vault.sealing import seal_file
from marketplace.vault.secrecy import Cipher
from marketplace.vault.store import PrivacyStore

app = group("The supplier's vault: seal data, release answers. 供方数据保险库")
STORE = "ledger.sqlite"
STAGES = {
    "listing": ("listing categories", "读取取值"),
    "reading": ("reading rows", "读取数据"),
    "sealing": ("sealing cells", "加密"),
    "uploading": ("uploading ciphertext", "上传密文"),
}


@command(app)
def seal(
    run: Run,
    data: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or Parquet file 数据文件")],
    schema: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="what its columns are, TOML or JSON 数据描述")
    ],
    release_key: Annotated[
        str | None, typer.Option(help="address that signs releases; yours if none 释放签名地址")
    ] = None,
    upload: Annotated[bool, typer.Option(help="upload the ciphertext and the manifest 上传密文")] = True,
) -> None:
    """Seal a data set on this machine and upload its ciphertext. 加密封存

    Rows are read in batches; only sealed cell statistics and the manifest leave. Then: marketplace rights register
    MANIFEST

    Example: marketplace vault seal flights.csv --schema flights.toml
    """
    keys = open_keys(run)
    vault = VaultFolder(vault_path(run), Cipher(keys.seed))
    signer = parse_address(release_key) if release_key else keys.address
    with run.stages(STAGES) as report:
        dataset = seal_file(
            data,
            load_schema(schema),
            vault,
            holder=keys.address,
            release_key=signer,
            now=int(time.time()),
            progress=report,
        )
        if upload:
            with open_client(run, keys=keys) as client:
                upload_dataset(client, dataset, report)
    path = dataset.path / "manifest.json"
    manifest = dataset.manifest
    rows, missing = row_count(manifest), missing_counts(manifest)
    facts = {"manifest": str(path), "manifestDigest": dataset.digest, "rows": rows}
    facts |= {"missing": missing, "bytes": sealed_bytes(manifest), "uploaded": upload}
    run.result(facts, f"sealed {rows:,} rows", f"已封存 {rows:,} 行")
    run.facts({run.tr(f"missing {name}", f"缺失 {name}"): count for name, count in missing.items()})


@command(app)
def upload(run: Run, manifest: Annotated[str, typer.Argument(help="digest of the manifest 清单摘要")]) -> None:
    """Upload a sealed data set's ciphertext again; what is there already costs nothing. 重新上传

    Example: marketplace vault upload 0x5f…5f
    """
    keys = open_keys(run)
    dataset = VaultFolder(vault_path(run), Cipher(keys.seed)).open(manifest)
    with open_client(run, keys=keys) as client, run.stages(STAGES) as report:
        upload_dataset(client, dataset, report)
    run.result({"manifestDigest": dataset.digest, "bytes": sealed_bytes(dataset.manifest)}, "uploaded", "已上传")


@command(app, "list")
def list_(run: Run) -> None:
    """Data sets in this vault. 已封存数据

    Example: marketplace vault list
    """
    vault = VaultFolder(vault_path(run), Cipher(open_keys(run).seed))
    found = [{"manifest": name, **_facts(vault.open(name).manifest)} for name in vault.names()]
    columns = (("manifest", "manifest", "清单", str), ("title", "title", "名称", str), ("rows", "rows", "行数", str))
    run.rows(found, columns)


@command(app, "run")
def run_(
    run: Run,
    seller: Annotated[
        list[str] | None,
        typer.Option(help="address besides yours whose listings count, e.g. the new holder of OPERATE 认可的其他卖方"),
    ] = None,
    show_timings: Annotated[bool, typer.Option("--timings", help="log where each query's time goes 计时")] = False,
) -> None:
    """Release answers: ask the service for attested queries, check each, decide. Opens no port. 运行保险库

    Start it on the machine that holds the data; it waits while the service is away. Stop it with Ctrl-C.

    Example: marketplace vault run
    """
    if show_timings:
        timings.show()
    keys = open_keys(run)
    cipher, path = Cipher(keys.seed), vault_path(run)
    with open_client(run, keys=keys) as client, until_stopped() as stop:
        if not wait_for_service(client, stop, run.log):
            return
        store = PrivacyStore(path / STORE, cipher)
        sellers = [parse_address(item) for item in seller or ()]
        vault = Vault(keys, VaultFolder(path, cipher), store, client.deployment, sellers)
        run.log(f"vault {keys.address} waits for queries", f"保险库 {keys.address} 等待查询")
        if not vault.folder.names():
            run.log(f"no data set is sealed in {path} yet", f"{path} 中还没有已封存的数据集")
        VaultAgent(client, vault, run.log).run(stop)


def vault_path(run: Run) -> Path:
    """The vault's folder inside the home folder, closed to others."""
    return files.make_private_folder(Home.locate(run.home).path / "vault")


def upload_dataset(client: Client, dataset: Dataset, report: object) -> None:
    """Upload every blob, then the manifest that names them, so that a manifest is never there without its blobs."""
    chunks = list(all_chunks(dataset.manifest))
    assert callable(report)
    for done, chunk in enumerate(chunks, 1):
        client.put_blob(dataset.blob(chunk["blob"]))
        report("uploading", done, len(chunks))
    client.put_document(dataset.manifest)


def sealed_bytes(manifest: Document) -> int:
    """Size of all sealed blobs."""
    return sum(chunk["size"] for chunk in all_chunks(manifest))


def _facts(manifest: Document) -> dict[str, object]:
    return {"title": manifest["title"]["en"], "rows": row_count(manifest), "bytes": sealed_bytes(manifest)}
