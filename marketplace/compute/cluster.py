"""A Dask cluster: workers on other machines that have this program installed and see the folder of blobs.

Dask's scheduler and workers run whatever pickled code reaches them, and so does this client with what they answer. So
the cluster must be one's own, on a network that nobody else reaches, or under TLS (`tls://`, with the certificates that
Dask's own configuration names). See docs/decisions/0023.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from marketplace.compute.columns import Errand, Ticket, Workers, lost
from marketplace.compute.worker import run_errand
from marketplace.errors import ConfigurationError, PortError
from marketplace.queries.protocol.opening import Sealed

CONNECT_SECONDS = 10


class Cluster(Workers):
    """The cluster of one scheduler.

    Args:
        address: of the scheduler, `tcp://host:port` or `tls://host:port`.
    Raises:
        ConfigurationError: `cluster_missing`. PortError: `compute_unreachable`.
    """

    def __init__(self, address: str) -> None:
        self._distributed, self._address = _library(), address
        self._known: Any = None
        self._client()

    @property
    def count(self) -> int:
        """Worker processes there are just now, at least 1; threads of one would wait for each other."""
        with self.translating():
            return max(1, len(self._client().nthreads()))

    def send(self, errand: Errand) -> Ticket:
        """As `Workers.send`."""
        with self.translating():
            return _Promise(self, self._client().submit(run_errand, errand, pure=False))

    def close(self) -> None:
        """As `Workers.close`; the cluster goes on."""
        if self._known is not None:
            self._known.close(timeout=CONNECT_SECONDS)
        self._known = None

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Raises our errors for the cluster's. A connection that was lost is made anew by the next errand."""
        found = self._distributed
        try:
            yield
        except found.scheduler.KilledWorker as error:
            raise lost(error) from None
        except (found.client.FutureCancelledError, TimeoutError, OSError) as error:  # CommClosedError is an OSError
            self.close()
            raise self._unreachable(error) from None

    def _client(self) -> Any:
        if self._known is None or self._known.status not in ("running", "connecting"):
            try:
                self._known = self._distributed.Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, TimeoutError) as error:
                raise self._unreachable(error) from error
        return self._known

    def _unreachable(self, error: BaseException) -> PortError:
        return PortError(
            "compute_unreachable",
            f"the Dask cluster at {self._address} cannot be reached: {error}",
            zh=f"无法连接 Dask 集群 {self._address}",
            got=str(error),
            hint="start its scheduler and workers (dask scheduler, dask worker), or set --compute processes:N",
            hint_zh="请启动调度器与计算进程(dask scheduler、dask worker),或设置 --compute processes:N",
        )


class _Promise(Ticket):
    def __init__(self, cluster: Cluster, future: Any) -> None:
        self._cluster, self._future = cluster, future

    def result(self) -> Sequence[Sealed]:
        with self._cluster.translating():
            return list(self._future.result())

    def drop(self) -> None:
        self._future.cancel()


def _library() -> Any:
    try:
        import distributed  # noqa: PLC0415 - an extra: most nodes do without
    except ImportError as error:
        raise ConfigurationError(
            "cluster_missing",
            "evaluating on a Dask cluster needs the extra `cluster`",
            zh="使用 Dask 集群需要安装附加组件 cluster",
            expected="distributed",
            hint="pip install 'trusted-data-marketplace[cluster]', the same version as on the cluster",
            hint_zh="请执行 pip install 'trusted-data-marketplace[cluster]',版本与集群一致",
        ) from error
    return distributed
