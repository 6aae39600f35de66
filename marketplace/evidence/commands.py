"""`marketplace evidence`: the log, its checkpoints, and bundles for the auditor."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.sdk import evidence
from marketplace.sdk.opening import open_client

app = group("The append-only log: checkpoints, entries, bundles. 存证与取证")


@command(app)
def checkpoint(run: Run) -> None:
    """Fetch the newest checkpoint; it must be signed and extend the last one you saw. 检查点

    Example: marketplace evidence checkpoint
    """
    with open_client(run, with_keys=False) as client:
        accepted = evidence.checkpoint(client)
    known = accepted.previous_size
    en = "first seen" if known is None else f"extends the {known} entries seen before"
    zh = "首次看到" if known is None else f"是此前 {known} 条记录的延续"
    found = accepted.as_dict()
    if run.as_json:
        run.json(found)
        return
    run.say(f"signed, {en}", f"签名有效，{zh}")
    run.facts({name: found[name] for name in ("origin", "size", "root")})


@command(app)
def entry(run: Run, position: Annotated[int, typer.Argument(min=0, help="from 0 序号")]) -> None:
    """One entry of the log, proved to be in it. 日志条目

    Example: marketplace evidence entry 0
    """
    with open_client(run, with_keys=False) as client:
        found = evidence.verify_entry(client, position)
    run.result(found, f"entry {position} is in the log", f"条目 {position} 在日志中")


@command(app)
def bundle(
    run: Run, output: Annotated[Path, typer.Argument(dir_okay=False, help="the zip file to write 输出文件")]
) -> None:
    """Download everything an auditor needs, as one zip. 下载证据包

    Example: marketplace evidence bundle evidence.zip && marketplace audit evidence.zip
    """
    with open_client(run) as client, run.progress("downloading", "下载中") as advance:
        size = evidence.download_bundle(client, output, advance)
    run.result({"file": str(output), "bytes": size}, f"wrote {output}", f"已写入 {output}")
