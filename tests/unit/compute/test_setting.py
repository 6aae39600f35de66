"""The setting that says who evaluates."""

import sys
from pathlib import Path

import pytest

from marketplace.compute import open_compute
from marketplace.compute.columns import WorkersColumns
from marketplace.errors import ConfigurationError, PortError
from marketplace.queries.evaluation import SealedColumns
from tests.integration.service.town import free_port


def nothing(blob: str) -> bytes:
    raise AssertionError(blob)


@pytest.mark.parametrize(
    "setting",
    [
        *("", "threads:2", "processes", "processes:0", "processes:-1", "processes:257", "processes:2 ", "Inline"),
        *("dask", "dask:", "dask:local:2", "dask:http://host:1", "dask:tcp://host", "dask:tcp://a b:1"),
        *("dask:tcp://user@host:1", "dask:inproc://x:1", "dask:tcp://host:8786/x"),
    ],
)
def test_anything_else_is_refused_in_both_languages(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught, open_compute(setting):
        pass
    error = caught.value
    assert (error.code, error.got) == ("compute_invalid", setting)
    assert all((error.zh, error.expected, error.hint, error.hint_zh))


def test_inline_is_this_process_and_processes_are_others(tmp_path: Path) -> None:
    with open_compute("inline") as opened:
        assert type(opened(tmp_path, nothing, True)) is SealedColumns
    with open_compute("processes:3") as opened:
        columns = opened(tmp_path, nothing, True)
        assert isinstance(columns, WorkersColumns)
        assert columns.workers == 3


def test_without_the_extra_a_cluster_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError) as caught, open_compute("dask:tcp://127.0.0.1:1"):
        pass
    assert caught.value.code == "cluster_missing"
    assert "[cluster]" in caught.value.hint
    assert "[cluster]" in caught.value.hint_zh


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("marketplace.compute.cluster.CONNECT_SECONDS", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(PortError) as caught, open_compute(f"dask:{address}"):
        pass
    assert caught.value.code == "compute_unreachable"
    assert address in str(caught.value)
