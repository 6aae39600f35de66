"""`marketplace audit`: verify a bundle, or a running market, and say what does not hold."""

import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from marketplace.auditor import live, trust
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.papers_in_hand import MAX_PAPER, Paper
from marketplace.auditor.printing import print_report
from marketplace.auditor.register import register_at
from marketplace.auditor.register_printing import print_register
from marketplace.auditor.trust import Seen, Trust
from marketplace.auditor.verifier import DEFAULT_SAMPLE, audit
from marketplace.console import Run, command
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.refusals.reasons import reason_of
from marketplace.sdk import evidence
from marketplace.sdk.home import Home, Pin
from marketplace.sdk.http.foreign import parse_json
from marketplace.sdk.opening import open_client
from marketplace.words import Words

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@command(app, "audit")
def run_audit(
    run: Run,
    *,
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE|URL", help="zip, folder, or the service's address 证据包或网址")
    ],
    trust_file: Annotated[
        Path | None, typer.Option("--trust", exists=True, dir_okay=False, help="your roots of trust, TOML 信任根")
    ] = None,
    reexecute: Annotated[int, typer.Option(min=0, help="answers to compute again 重算数量")] = DEFAULT_SAMPLE,
    full: Annotated[bool, typer.Option("--full", help="compute every answer again 全部重算")] = False,
    rpc: Annotated[str | None, typer.Option(help="a ledger node to compare with, JSON-RPC address 账本节点")] = None,
    register: Annotated[
        bool, typer.Option("--register", help="show who held what, instead of a whole audit 重演登记簿")
    ] = False,
    at: Annotated[int | None, typer.Option(min=0, help="the register at this block; the last 登记簿所在区块")] = None,
    asset: Annotated[str | None, typer.Option(help="the register of this asset alone 仅该资产")] = None,
    paper: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="a statement, invoice or trade voucher to check 待核凭证"),
    ] = None,
) -> None:
    """Derive every right, every fen and every answer again, trusting nobody. 审计

    Needs nothing of the service but its evidence, and your own roots of trust. Without --trust the pin in your folder
    is used; what neither pins is taken from the bundle, and the report says so. Exit code 7 when anything is wrong.

    --register rebuilds participants, assets, cases and titles from the signed intents up to a block, each with the acts
    behind it and who signed them.

    --paper compares a statement, an invoice or a trade voucher, signed or as data, with what the ledger gives.

    Example: marketplace audit evidence.zip --trust trust.toml --full
    Example: marketplace audit evidence.zip --trust trust.toml --paper voucher.json
    Example: marketplace audit evidence.zip --register --at 120 --asset 0x…
    """
    sample = None if full else reexecute
    showed = register or at is not None or asset is not None
    papers = _papers(paper or [], showed)
    if showed:
        report = _register(run, bundle, trust_file, at, asset)
    elif bundle.startswith(("http://", "https://")):
        report = _audit_service(run, bundle, trust_file, sample=sample, rpc=rpc, papers=papers)
    else:
        roots = trust.load(trust_file) if trust_file else _pinned(run)
        report = _audit_path(Path(bundle), roots, sample, _with_block(Seen(), rpc), papers)
    if not showed:
        print_report(run, report)
    if not report.passed:
        raise VerificationError(
            "audit_failed",
            f"{report.total} findings: the evidence does not hold",
            zh=f"发现 {report.total} 项问题：证据不成立",
            hint="keep the bundle: it is the evidence; then ask the operator for an explanation",
            hint_zh="请保留证据包，并要求运营方解释",
        )


def _register(run: Run, bundle: str, trust_file: Path | None, at: int | None, asset: str | None) -> Report:
    """Show the register of a bundle, or of a running market's."""
    if not bundle.startswith(("http://", "https://")):
        return _show_register(run, Path(bundle), trust.load(trust_file) if trust_file else _pinned(run), at, asset)
    run.url = bundle
    with open_client(run) as client, tempfile.TemporaryDirectory() as folder:
        roots = trust.load(trust_file) if trust_file else _of_pin(client.profile.pin)
        path = Path(folder) / "evidence.zip"
        evidence.download_bundle(client, path)
        return _show_register(run, path, roots, at, asset)


def _show_register(run: Run, path: Path, roots: Trust, at: int | None, asset: str | None) -> Report:
    with open_bundle(path) as opened:
        report, found = register_at(opened, roots, at=at, asset=asset)
    print_register(run, report, found)
    return report


def _audit_service(
    run: Run, url: str, trust_file: Path | None, *, sample: int | None, rpc: str | None, papers: Sequence[Paper]
) -> Report:
    """Audit what a running market gives out; what is looked at before the download must be in it."""
    run.url = url
    with open_client(run) as client, tempfile.TemporaryDirectory() as folder:
        roots = trust.load(trust_file) if trust_file else _of_pin(client.profile.pin)
        head = evidence.checkpoint(client).checkpoint
        seen = _with_block(Seen(checkpoints=((head.size, head.root, f"{url} before the download"),)), rpc)
        path = Path(folder) / "evidence.zip"
        evidence.download_bundle(client, path)
        return _audit_path(path, roots, sample, seen, papers)


def _audit_path(path: Path, roots: Trust, sample: int | None, seen: Seen, papers: Sequence[Paper]) -> Report:
    with open_bundle(path) as opened:
        return audit(opened, roots, reexecute=sample, seen=seen, processes=os.cpu_count() or 1, papers=papers)


def _papers(paths: Sequence[Path], showed: bool) -> list[Paper]:
    """Papers in files that somebody else wrote.

    Raises:
        InvalidInputError: `papers_need_the_audit`, `paper_unreadable`.
    """
    if paths and showed:
        raise InvalidInputError(
            "papers_need_the_audit",
            "papers are compared by the whole audit, not beside a register",
            zh="凭证须由完整审计核对，不能与登记簿重演同用",
            hint="leave out --register, --at and --asset",
            hint_zh="请去掉 --register、--at 与 --asset",
        )
    return [Paper(path.name, _read_paper(path), int(time.time())) for path in paths]


def _read_paper(path: Path) -> object:
    with path.open("rb") as file:
        content = file.read(MAX_PAPER + 1)
    if len(content) > MAX_PAPER:
        raise _unreadable(path, Words(f"it is larger than {MAX_PAPER} bytes", f"文件超过 {MAX_PAPER} 字节"))
    try:
        parse_json(content)  # refuses what would end this process
        value: object = json.loads(content, object_pairs_hook=_once)
    except ValueError as error:
        raise _unreadable(path, reason_of(error)) from None
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose names are all different: of two equal ones, two readers may take another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _unreadable(path: Path, reason: Words) -> InvalidInputError:
    return InvalidInputError(
        "paper_unreadable",
        f"{path.name} is no paper: {reason.en}",
        zh=f"无法读取凭证文件 {path.name}：{reason.zh}",
        got=reason,
        hint="give the JSON file that was saved with --output, or the data itself",
        hint_zh="请提供以 --output 保存的 JSON 文件或凭证数据",
    )


def _with_block(seen: Seen, rpc: str | None) -> Seen:
    return Seen(seen.checkpoints, (live.ledger_block(rpc),)) if rpc else seen


def _pinned(run: Run) -> Trust:
    """What this folder pinned when it first met the service; nothing without a folder."""
    pin = Home.locate(run.home).pin()
    return _of_pin(pin) if pin else Trust()


def _of_pin(pin: Pin) -> Trust:
    return Trust(chain_id=pin.chain_id, contracts=dict(pin.contracts), log_origin=pin.log_origin, log_key=pin.log_key)
