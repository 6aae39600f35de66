"""Plans on a real Dask cluster: the same bytes; a worker or the scheduler may go."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.compute import open_compute
from marketplace.compute.cluster import Cluster
from marketplace.compute.columns import WorkersColumns
from marketplace.errors import PortError, VerificationError
from marketplace.queries.evaluation import evaluate_plan, number_entry
from tests.dask_cluster import dask_cluster
from tests.sealed_plans import Sealed, seal_columns
from tests.unit.compute.test_processes import some_numbers


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return seal_columns(tmp_path_factory.mktemp("blobs"))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with dask_cluster(tmp_path) as found:
        yield found


def test_the_bytes_are_the_same_and_a_lost_worker_is_survived(sealed: Sealed, address: str) -> None:
    with open_compute(f"dask:{address}") as opened:
        columns = opened(sealed.folder, sealed.fetch, False)
        for seed in range(6):
            plan = some_numbers(seed, 5)
            whole = [number_entry(number) for number in sealed.uncut(plan)]
            assert [number_entry(number) for number in evaluate_plan(sealed.manifest, plan, columns)] == whole
    cluster = Cluster(address)
    columns = WorkersColumns(cluster, sealed.folder, sealed.fetch)
    processes = cluster._client().run(os.getpid)
    assert (len(processes), columns.workers) == (2, 2)
    plan = some_numbers(9, 9)
    whole = [number_entry(number) for number in sealed.uncut(plan)]
    found = evaluate_plan(sealed.manifest, plan, columns)
    first = next(found)
    os.kill(min(processes.values()), signal.SIGKILL)
    assert [number_entry(number) for number in (first, *found)] == whole
    cluster.close()
    cluster.close()


def test_what_a_worker_refuses_is_raised_here(sealed: Sealed, address: str, tmp_path: Path) -> None:
    def spoil(blob: str) -> bytes:
        (tmp_path / blob[2:]).write_bytes(b"damaged")
        return b"damaged"

    with open_compute(f"dask:{address}") as opened:
        columns = opened(tmp_path, spoil, False)
        with pytest.raises(VerificationError) as caught:
            list(evaluate_plan(sealed.manifest, some_numbers(1, 2), columns))
    assert caught.value.code == "blob_altered"


def test_a_lost_scheduler_is_named_and_a_new_one_found(sealed: Sealed, tmp_path: Path) -> None:
    with dask_cluster(tmp_path) as address:
        cluster = Cluster(address)
        columns = WorkersColumns(cluster, sealed.folder, sealed.fetch)
        assert list(evaluate_plan(sealed.manifest, some_numbers(1, 2), columns))
    with pytest.raises(PortError) as caught:
        list(evaluate_plan(sealed.manifest, some_numbers(1, 2), columns))
    assert caught.value.code == "compute_unreachable"
    cluster.close()
