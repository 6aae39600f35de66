"""`marketplace panel`: a compute node. It evaluates on ciphertext and signs; it holds no key to the data."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from marketplace.compute import open_compute
from marketplace.compute.option import ComputeOption
from marketplace.console import Run, command, group
from marketplace.panel.agent import PanelAgent
from marketplace.panel.evaluate import PanelNode
from marketplace.queries import timings
from marketplace.sdk import panel
from marketplace.sdk.home import Home, files
from marketplace.sdk.home.blobs import BlobCache
from marketplace.sdk.opening import open_client, open_keys, until_stopped, wait_for_service

app = group("A compute node on sealed data. 计算节点")


def _count(held: dict[str, Any]) -> str:
    return str(held["count"])


_STANDING: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("address", "node", "节点", str),
    ("asked", "asked", "被询问", str),
    ("answered", "answered", "作答", str),
    ("agreed", "agreed", "一致", str),
    ("differed", "differed", "不一致", _count),
    ("equivocated", "equivocated", "自相矛盾", _count),
    ("late", "late*", "迟到*", _count),
    ("absent", "absent*", "缺席*", _count),
)


@command(app)
def register(run: Run) -> None:
    """Publish your BLS key with its proof of possession, so that sellers can name your node. 登记节点公钥

    Example: marketplace panel register
    """
    with open_client(run) as client:
        result = panel.register_key(client)
    run.result(result, "published", "已登记")


@command(app)
def nodes(run: Run) -> None:
    """The panel's nodes; each has proved that it holds its key. 节点名录

    Example: marketplace panel nodes
    """
    with open_client(run, with_keys=False) as client:
        found = panel.list_nodes(client)
    run.rows(found, (("address", "node", "节点", str), ("bls", "BLS key", "BLS 公钥", str)))


@command(app)
def standing(
    run: Run,
    verify: Annotated[
        bool, typer.Option("--verify", help="check each named entry against the log's root 核验条目")
    ] = False,
) -> None:
    """How the nodes stand: answers, agreement, and what is held against each. 节点信誉

    Differing and equivocating are proven by the node's own signature; late and absent are the operator's word. With
    --json also the positions of the log's entries that say so.

    Example: marketplace panel standing --verify
    """
    with open_client(run, with_keys=False) as client:
        found = panel.standing(client)
        checked = panel.verify_standing(client, found) if verify else 0
    run.rows(found, _STANDING)
    if verify:
        run.log(f"{checked} entries are in the log", f"{checked} 个条目均在日志中")


@command(app, "run")
def run_(
    run: Run,
    compute: ComputeOption = "inline",
    show_timings: Annotated[bool, typer.Option("--timings", help="log where each query's time goes 计时")] = False,
) -> None:
    """Evaluate queries on ciphertext and sign the results. Opens no port. 运行节点

    It waits while the service is away. Stop it with Ctrl-C.

    Example: marketplace panel run
    """
    if show_timings:
        timings.show()
    keys = open_keys(run)
    cache = files.make_private_folder(Home.locate(run.home).path / "blobs")
    with open_compute(compute) as opened, open_client(run, keys=keys) as client, until_stopped() as stop:
        if not wait_for_service(client, stop, run.log):
            return
        node = PanelNode(keys, opened(cache, BlobCache(cache, client.get_blob).get, True))
        run.log(f"node {keys.address} waits for queries", f"节点 {keys.address} 等待查询")
        PanelAgent(client, node, run.log).run(stop)
