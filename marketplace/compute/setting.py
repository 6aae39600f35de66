"""The setting: `inline`, `processes:N` or `dask:tcp://host:port`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from marketplace.compute.cluster import Cluster
from marketplace.compute.columns import Workers, WorkersColumns
from marketplace.compute.processes import Processes
from marketplace.errors import ConfigurationError
from marketplace.queries.evaluation import OpenColumns, open_here
from marketplace.words import Words

MOST_PROCESSES = 256
_PROCESSES = re.compile(r"processes:([1-9]\d{0,2})")
_CLUSTER = re.compile(r"dask:((?:tcp|tls)://[^\s/:@]+:\d{1,5}|(?:tcp|tls)://\[[0-9a-fA-F:]+\]:\d{1,5})")


@contextmanager
def open_compute(setting: str) -> Iterator[OpenColumns]:
    """Opens sealed columns for evaluation as the setting asks; its processes and connections end with the block.

    Raises:
        ConfigurationError: `compute_invalid`; `cluster_missing`, the extra is not installed.
        PortError: `compute_unreachable`, there is no scheduler at the address.
    """
    workers = _workers(setting)
    if workers is None:
        yield open_here
        return
    try:
        yield lambda folder, fetch, foreign: WorkersColumns(workers, folder, fetch, foreign=foreign)
    finally:
        workers.close()


def _workers(setting: str) -> Workers | None:
    if setting == "inline":
        return None
    processes, cluster = _PROCESSES.fullmatch(setting), _CLUSTER.fullmatch(setting)
    if processes and int(processes[1]) <= MOST_PROCESSES:
        return Processes(int(processes[1]))
    if cluster:
        return Cluster(cluster[1])
    raise ConfigurationError(
        "compute_invalid",
        "this is no way to evaluate plans",
        zh="无法识别的计算方式",
        expected=Words(
            f"inline, processes:N with N from 1 to {MOST_PROCESSES}, dask:tcp://host:port or dask:tls://host:port",
            f"inline、processes:N（N 为 1 至 {MOST_PROCESSES}）、dask:tcp://主机:端口 或 dask:tls://主机:端口",
        ),
        got=setting,
        hint="set --compute or MARKETPLACE_COMPUTE; processes:N with the number of cores is a good start",
        hint_zh="请设置 --compute 或 MARKETPLACE_COMPUTE;可先用 processes:N,N 取核数",
    )
