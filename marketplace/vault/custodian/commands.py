"""`marketplace custodian`: holds the other half of a sealing key, on a machine that is not the supplier's vault."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crypto.canonical import canonical_json, load_json
from marketplace.compute import open_compute
from marketplace.compute.option import ComputeOption
from marketplace.console import Run, command, group
from marketplace.console.usage import BadValue
from marketplace.console.values import parse_address, parse_digest, parse_epsilon
from marketplace.documents import digest
from marketplace.documents.ids import asset_id
from marketplace.errors import InvalidInputError
from marketplace.quantities import epsilon
from marketplace.queries.protocol.requests import Requests
from marketplace.sdk import evidence
from marketplace.sdk.home import Home, files
from marketplace.sdk.home.blobs import BlobCache
from marketplace.sdk.home.hardening import lock_memory
from marketplace.sdk.keyproofs import book_of
from marketplace.sdk.opening import open_client, open_keys, until_stopped, wait_for_service
from marketplace.vault.agent import VaultAgent
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.cases import Word
from marketplace.vault.decisions.recovery import Recovery
from marketplace.vault.keeping.custody import MAX_FILE, card_of, make_lending, open_package, read_card
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.shared.commands import Forgets, ForgottenAccount, Registrars, forget
from marketplace.words import Words, one_of

Trust = Annotated[
    str,
    typer.Option(
        metavar="rederive|attested",
        help="evaluate every result yourself, or take the panel's word and evaluate nothing 自行重算或采信计算节点",
    ),
]
Nodes = Annotated[list[str] | None, typer.Option("--node", help="BLS key of a node whose word counts 采信的节点公钥")]
app = group("A custodian: holds half of a sealing key, opens no port. 密钥托管方")
STORE = "ledger.sqlite"


@command(app)
def card(run: Run, file: Annotated[Path, typer.Argument(dir_okay=False, help="where to write it 名片文件")]) -> None:
    """Write your card, which the supplier seals with: address and public key. Hand it over yourself. 生成托管方名片

    Example: marketplace custodian card card.json
    """
    made = card_of(open_keys(run))
    file.write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    run.result({**made, "file": str(file)}, "written; compare the recipient by telephone", "已写出；请通过电话核对公钥")


@command(app)
def take(
    run: Run,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the vault's custody file 托管文件")],
) -> None:
    """Take over the half in a vault's custody file, or refresh the half that is here. 接收半密钥

    Example: marketplace custodian take custody-0.json
    """
    if file.stat().st_size > MAX_FILE:
        raise BadValue(f"{file} is larger than any custody file", f"{file} 大于任何托管文件", "FILE")
    keys = open_keys(run)
    halves = CustodianFolder(custodian_path(run), Cipher(keys.seed))
    name = halves.take(open_package(load_json(file.read_bytes(), max_bytes=MAX_FILE), keys))
    held = halves.open(name)
    facts = {"manifest": name, "title": held.manifest["title"]["en"], "generation": held.generation}
    run.result(facts, "held; delete the file", "已接收；请删除该文件")


@command(app)
def lend(
    run: Run,
    manifest: Annotated[str, typer.Argument(parser=parse_digest, help="digest of the manifest 清单摘要")],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="the file to write 出借文件")],
    to: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="card of the supplier's vault 供方名片")],
) -> None:
    """Lend your half to the vault, which then has the whole key for as long as it seals a batch. 出借半密钥

    The vault deletes the file when it has sealed. The batch's version comes with a custody file that moves both halves.

    Example: marketplace custodian lend 0x5f…5f lent.json --to supplier-card.json
    """
    keys = open_keys(run)
    held = CustodianFolder(custodian_path(run), Cipher(keys.seed)).open(manifest)
    lent = make_lending(held.manifest, held.generation, held.ring, read_card(load_json(to.read_bytes())), keys)
    files.write_private(file, canonical_json(lent))
    facts = {"manifest": manifest, "generation": held.generation, "file": str(file)}
    run.result(facts, "lent; the vault can open the data until it has sealed", "已出借；密封完成前金库可打开数据")


@command(app, "list")
def list_(run: Run) -> None:
    """Halves that you hold. 半密钥名录

    Example: marketplace custodian list
    """
    halves = CustodianFolder(custodian_path(run), Cipher(open_keys(run).seed))
    held = [halves.open(name) for name in halves.names()]
    rows = [{"manifest": h.digest, "title": h.manifest["title"]["en"], "generation": h.generation} for h in held]
    names = (("manifest", "manifest", "清单"), ("title", "title", "名称"), ("generation", "generation", "代次"))
    run.rows(rows, [(*name, str) for name in names])


@command(app, "run")
def run_(
    run: Run,
    *,
    seller: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            parser=parse_address,
            help="address besides the holder's whose listings count 认可的其他卖方",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            parser=parse_epsilon, metavar="EPSILON", help="most that any data set may spend here 本地预算上限"
        ),
    ] = None,
    registrar: Registrars = None,
    trust: Trust = "rederive",
    node: Nodes = None,
    compute: ComputeOption = "inline",
) -> None:
    """Add your share to what vaults released: check each for yourself, then sign. Opens no port. 运行托管方

    It waits while the service is away. Stop it with Ctrl-C.

    Example: marketplace custodian run --limit 20
    """
    if trust == "attested" and not node:
        raise InvalidInputError(
            "nodes_missing",
            "a custodian takes the word of nodes that it knows by their keys alone",
            zh="托管方只采信已知公钥的计算节点",
            rule="custodian.attested",
            expected=Words("--node BLS key, for every node of the panel", "为每个计算节点提供 --node BLS 公钥"),
            hint="list them with: marketplace panel nodes; compare them by another channel",
            hint_zh="请执行 marketplace panel nodes 查询,并通过其他渠道核对",
        )
    keys = open_keys(run)
    cipher, path = Cipher(keys.seed), custodian_path(run)
    with open_compute(compute) as opened, open_client(run, keys=keys) as client, until_stopped() as stop:
        word = word_of(trust, node, client.get_request)
        if not wait_for_service(client, stop, run.log):
            return
        tell_memory(run)
        cache = files.make_private_folder(path / "blobs")
        columns = opened(cache, BlobCache(cache, client.get_blob).get, True)
        sellers = list(seller or ())
        registrars = [*client.registrars, *(registrar or ())]
        store = PrivacyStore(path / STORE, cipher)
        halves = CustodianFolder(path, cipher)
        custodian = Custodian(
            keys,
            halves,
            store,
            client.deployment,
            columns=columns,
            sellers=sellers,
            limit=limit,
            word=word,
            registrars=registrars,
        )
        run.log(f"custodian {keys.address} waits for releases", f"托管方 {keys.address} 等待发布")
        VaultAgent(client, custodian, run.log, desk="custodian").run(stop)


@command(app, "forget-keys")
def forget_keys(run: Run, account: ForgottenAccount, *, yes: Forgets = False) -> None:
    """Forget what was shown here of an account's keys; another history counts from then on. 忘记密钥历史

    It refuses with keys_left_out while a history is shorter than one that was shown before: right, unless the exchange
    was put back from an old copy.

    Example: marketplace custodian forget-keys 0x3b…9c --yes
    """
    forget(run, custodian_path(run) / STORE, account, confirmed=yes)


@command(app)
def recover(run: Run) -> None:
    """Enter again what your account lacks, after an old copy was put back: every release you signed. 补全账户

    Stop the custodian first. As `marketplace vault recover`.

    Example: marketplace custodian recover
    """
    keys = open_keys(run)
    path, cipher = custodian_path(run), Cipher(keys.seed)
    halves = CustodianFolder(path, cipher)
    with open_client(run, keys=keys) as client, run.progress("reading the log", "读取日志中"):
        held = [halves.open(name).manifest for name in halves.names()]
        work = Recovery(
            PrivacyStore(path / STORE, cipher),
            client.deployment,
            {asset_id(manifest["holder"], digest(manifest)): manifest for manifest in held},
            {keys.address},
            client.get_document,
            lambda *_: (),  # a custodian keeps no cell sets
            lambda account: book_of(client, account),
        )
        found = work.recover(evidence.entries(client))
    run.result(
        {"releases": found.releases, "charged": found.charged},
        f"entered {found.releases} releases that had charged {epsilon(found.charged)}",
        f"已补录 {found.releases} 项发布，合计预算 {epsilon(found.charged)}",
    )


def word_of(trust: str, nodes: list[str] | None, requests: Requests) -> Word | None:
    """What --trust and --node ask for.

    Raises:
        InvalidInputError: `trust_unknown`.
    """
    if trust not in ("rederive", "attested"):
        raise InvalidInputError(
            "trust_unknown",
            f"{trust} is no way to trust",
            zh="未知的信任方式",
            expected=one_of(("rederive", "attested")),
            got=trust,
        )
    return Word(requests, frozenset(nodes or ())) if trust == "attested" else None


def tell_memory(run: Run) -> None:
    """Ask that this process is not swapped out, and say what came of it."""
    if lock_memory():
        run.log("memory is locked: keys are not written to swap", "内存已锁定：密钥不会写入交换区")
    else:
        run.log(
            "memory may be swapped: encrypt the swap, or allow unlimited locked memory (LimitMEMLOCK=infinity)",
            "内存可能被换出：请加密交换区，或允许无限制锁定内存",
        )


def custodian_path(run: Run) -> Path:
    """The custodian's folder inside the home folder, closed to others."""
    return files.make_private_folder(Home.locate(run.home).path / "custodian")
