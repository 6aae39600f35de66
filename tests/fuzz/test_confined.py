"""A foreign blob that breaks the native loader breaks a process made for that, and is refused by name."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import sha256, to_hex
from crypto.errors import LoaderDied, LoaderUnavailable
from crypto.seal.confined import ConfinedLoader
from crypto.seal.parameters import CELLS, ROWS
from marketplace.documents import Document
from marketplace.documents.columns import ciphertext_root, column_chunks
from marketplace.errors import PortError, VerificationError
from marketplace.panel.evaluate import PanelNode
from marketplace.queries.evaluation import SealedColumns
from tests.fuzz import seeds
from tests.sealed_market import Market, keys

HOSTILE = "tests.fuzz.hostile_loaders:serve"
SQL = "SELECT COUNT(*), SUM(delay) FROM t"


@pytest.fixture(scope="module")
def hostile() -> Iterator[ConfinedLoader]:
    loader = ConfinedLoader(HOSTILE, patience=20)
    yield loader
    loader.close()


@pytest.fixture(scope="module")
def loader() -> Iterator[ConfinedLoader]:
    made = ConfinedLoader()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("segfault", f"signal {signal.SIGSEGV.value}"),
        ("abort", f"signal {signal.SIGABRT.value}"),
        ("loop", f"signal {signal.SIGXCPU.value}"),
        ("memory", "status 1"),  # MemoryError, not as much as it asked for
        ("file", f"signal {signal.SIGXFSZ.value}|status 1"),
        ("files", "status 1"),
    ],
)
def test_a_loader_that_dies_of_a_blob(hostile: ConfinedLoader, word: str, how: str) -> None:
    with pytest.raises(LoaderDied, match=f"did not survive this blob, in 2 fresh processes: ({how})$"):
        hostile.check(CELLS.name, word, word.encode())
    hostile.check(CELLS.name, f"after {word}", b"harmless")


def test_a_loader_that_waits_for_ever() -> None:
    loader = ConfinedLoader(HOSTILE, patience=1)
    with pytest.raises(LoaderDied, match=f"signal {signal.SIGKILL.value}"):
        loader.check(CELLS.name, "sleep", b"sleep")
    loader.close()


def test_what_somebody_else_killed_is_tried_again(hostile: ConfinedLoader, tmp_path: Path) -> None:
    mark = tmp_path / "tried"
    hostile.check(CELLS.name, "once", b"once " + str(mark).encode())
    assert mark.exists()


def test_a_killed_loader_is_started_again(hostile: ConfinedLoader) -> None:
    hostile.check(CELLS.name, "first", b"harmless")
    assert hostile._process is not None
    os.kill(hostile._process.pid, signal.SIGKILL)
    hostile.check(CELLS.name, "second", b"harmless")


def test_it_inherits_neither_environment_nor_files_nor_a_core(
    hostile: ConfinedLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "secret")
    with Path(__file__).open("rb") as ours:
        os.set_inheritable(ours.fileno(), True)
        hostile.close()
        hostile.check(CELLS.name, "environment", b"environment")
    assert hostile._process is not None
    own = Path(f"/proc/{hostile._process.pid}")
    assert len(list((own / "fd").iterdir())) <= 3
    limits = (own / "limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]
    assert "NoNewPrivs:\t1" in (own / "status").read_text()


def test_it_reaches_no_network_where_the_system_grants_namespaces(hostile: ConfinedLoader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        blob = f"network {server.getsockname()[1]}".encode()
        with pytest.raises(LoaderDied, match=_how_a_connection_ends()):
            hostile.check(CELLS.name, "network", blob)


def _how_a_connection_ends() -> str:
    """Status 1 where it failed; 77 where the system has no namespaces for this user, as decision 0022 says."""
    granted = os.system("unshare --user --net true 2>/dev/null") == 0
    return "status 1$" if granted else "status (1|77)$"


def test_a_loader_that_does_not_start() -> None:
    with pytest.raises(LoaderUnavailable, match="does not start: status 1"):
        ConfinedLoader("no.such.module:serve").check(CELLS.name, "x", b"")


def test_each_blob_is_loaded_once(hostile: ConfinedLoader) -> None:
    """Shown by a second load that would die; a name is a digest, so no true caller has other bytes for it."""
    hostile.check(CELLS.name, "same", b"harmless")
    hostile.check(CELLS.name, "same", b"segfault")
    with pytest.raises(LoaderDied):
        hostile.check(ROWS.name, "same", b"segfault")


def test_real_blobs_pass_and_what_is_none_never_gets_to_seal(loader: ConfinedLoader) -> None:
    for profile, blob in seeds.blobs().items():
        loader.check(profile.name, profile.name, blob)
        loader.check(profile.name, profile.name + " cut", blob[:-1])
        loader.check(profile.name, profile.name + " ones", b"\xff" * len(blob))
    loader.check(CELLS.name, "empty", b"")
    loader.check(CELLS.name, "huge", bytes((1 << 24) + 1))
    loader.check("no-such-profile", "x", seeds.blobs()[CELLS])


class _Naming:
    """Lets every blob through but one, for which the hostile loader is asked to crash."""

    def __init__(self, loader: ConfinedLoader, bad: str) -> None:
        self.loader, self.bad = loader, bad

    def __call__(self, profile: str, name: str, data: bytes) -> None:
        self.loader.check(profile, name, b"segfault" if name == self.bad else data)


def test_a_panel_node_names_the_blob_and_answers_on(hostile: ConfinedLoader) -> None:
    market = seeds.market()
    order = market.order("confined")
    bad = column_chunks(market.manifest["batches"][0], 0, "sum:delay")[0]["blob"]
    node = PanelNode(keys("node 0"), SealedColumns(market.dataset.blob, probe=_Naming(hostile, bad)))
    query = market.query(order, SQL)
    with pytest.raises(VerificationError) as caught:
        node.evaluate(market.manifest, query)
    assert caught.value.code == "blob_breaks_loader"
    assert bad in caught.value.message
    assert caught.value.zh
    assert caught.value.hint
    other = market.query(order, "SELECT SUM(fare) FROM t")
    assert node.evaluate(market.manifest, other).result == market.nodes[0].evaluate(market.manifest, other).result


def test_with_the_true_loader_a_node_gives_the_same_result(loader: ConfinedLoader) -> None:
    market = seeds.market()
    query = market.query(market.order("same"), SQL)
    node = PanelNode(keys("node 0"), SealedColumns(market.dataset.blob, probe=loader.check))
    assert node.evaluate(market.manifest, query) == market.nodes[0].evaluate(market.manifest, query)


def test_a_blob_that_is_none_is_refused_as_before(loader: ConfinedLoader) -> None:
    market = seeds.market()
    manifest, content = _renamed(market, b"\xff" * 196_736)
    query = {**market.query(market.order("none"), SQL), "ciphertextRoot": ciphertext_root(manifest)}
    node = PanelNode(keys("node 0"), SealedColumns(lambda _: content, probe=loader.check))
    with pytest.raises(VerificationError) as caught:
        node.evaluate(manifest, query)
    assert caught.value.code == "blob_malformed"


def test_a_node_without_a_loader_does_no_work() -> None:
    market = seeds.market()
    probe = ConfinedLoader("no.such.module:serve").check
    node = PanelNode(keys("node 0"), SealedColumns(market.dataset.blob, probe=probe))
    with pytest.raises(PortError) as caught:
        node.evaluate(market.manifest, market.query(market.order("without"), SQL))
    assert (caught.value.code, caught.value.retryable) == ("loader_unavailable", True)


def _renamed(market: Market, content: bytes) -> tuple[Document, bytes]:
    """A manifest that names `content` as every blob, by its true digest."""
    (batch,) = market.manifest["batches"]
    chunk: dict[str, Any] = {"blob": to_hex(sha256(content)), "size": len(content)}
    columns = [{**column, "chunks": [chunk]} for column in batch["columns"]]
    return {**market.manifest, "batches": [{**batch, "columns": columns}]}, content
