"""Plans spread over processes: the same bytes, whatever dies; nothing secret with the workers; nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.seal.release import open_number
from marketplace.compute.columns import Errand, WorkersColumns
from marketplace.compute.processes import Processes
from marketplace.errors import PortError, VerificationError
from marketplace.queries.evaluation import SealedColumns, evaluate_piece, evaluate_plan, number_entry
from marketplace.queries.evaluation.pieces import cut_plan
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.sdk.home.blobs import BlobCache
from tests.sealed_plans import Sealed, plan_of, seal_columns

SIZE = 20_300


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return seal_columns(tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    workers = Processes(2)
    yield workers
    workers.close()


def gone(pid: int) -> bool:
    """Whether no process has this id, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 30
    while not gone(pid):
        assert time.monotonic() < end
        time.sleep(0.02)


def some_numbers(seed: int, count: int) -> Plan:
    """Ranges and scattered cells, with and without weights, of one column or a combination; some share their cells."""
    generator = np.random.default_rng(seed)
    numbers: list[Number] = []
    for place in range(count):
        start, stop = sorted(generator.integers(0, SIZE + 1, 2).tolist())
        cells = np.arange(start, max(stop, start + 1) if start < SIZE else SIZE, dtype=np.int64)
        cells = cells if cells.size else np.array([0])
        if generator.integers(2):
            cells = cells[generator.random(cells.size) < 0.3] if cells.size > 20 else cells
        weights = generator.integers(1, 9, cells.size) if generator.integers(2) else None
        if numbers and generator.integers(3) == 0:
            cells, weights = numbers[-1].cells, numbers[-1].weights
        parts = [(("a", 1),), (("b", 1),), (("a", 2), ("b", -3))][int(generator.integers(3))]
        numbers.append(Number((), f"s{place}", parts, cells, weights))
    return plan_of(numbers)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), capacity=st.integers(1, 8))
def test_cut_or_not_kept_or_not_here_or_elsewhere_the_bytes_are_the_same(
    sealed: Sealed, two: Processes, seed: int, count: int, capacity: int
) -> None:
    plan = some_numbers(seed, count)
    whole = [number_entry(number) for number in sealed.uncut(plan)]
    for columns in (SealedColumns(sealed.fetch, capacity), WorkersColumns(two, sealed.folder, sealed.fetch)):
        assert [number_entry(number) for number in evaluate_plan(sealed.manifest, plan, columns)] == whole


def test_the_numbers_open_to_the_truth(sealed: Sealed, two: Processes) -> None:
    plan = some_numbers(11, 8)
    found: Any = evaluate_plan(sealed.manifest, plan, WorkersColumns(two, sealed.folder, sealed.fetch))
    for entry, number in zip(plan.numbers, found, strict=True):
        assert open_number(sealed.key, number) == sealed.true(entry)


def test_a_plan_of_many_numbers_on_one_chunk_is_divided_too(tmp_path: Path, two: Processes) -> None:
    small = seal_columns(tmp_path, (10, 20))
    numbers = [Number((), str(cell), (("a", 1),), np.array([cell]), None) for cell in range(150)]
    pieces = list(cut_plan(small.manifest, plan_of(numbers), two.count))
    assert len({piece.home % 2 for piece in pieces}) == 2
    found: Any = evaluate_plan(small.manifest, plan_of(numbers), WorkersColumns(two, small.folder, small.fetch))
    assert [open_number(small.key, number) for number in found] == [small.true(number) for number in numbers]


def test_a_killed_worker_is_replaced_and_its_piece_evaluated_again(sealed: Sealed, two: Processes) -> None:
    plan = some_numbers(3, 6)
    columns = WorkersColumns(two, sealed.folder, sealed.fetch)
    whole = [number_entry(number) for number in evaluate_plan(sealed.manifest, plan, columns)]
    before = two.pids
    for pid in before:  # stopped, so that each has a piece in hand when it dies
        os.kill(pid, signal.SIGSTOP)
    pieces = list(cut_plan(sealed.manifest, plan, 2))
    tickets = [two.send(Errand(piece, str(sealed.folder), foreign=True)) for piece in pieces]
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    here = SealedColumns(sealed.fetch)
    for piece, ticket in zip(pieces, tickets, strict=True):
        mine = map(number_entry, evaluate_piece(piece, here))
        assert list(map(number_entry, ticket.result())) == list(mine)
    assert all(gone(pid) for pid in before)
    assert not set(two.pids) & set(before)
    assert [number_entry(number) for number in evaluate_plan(sealed.manifest, plan, columns)] == whole


def test_workers_that_die_every_time_are_given_up(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.compute.processes.PROGRAM", "import os; os._exit(9)")
    workers = Processes(1)
    columns = WorkersColumns(workers, sealed.folder, sealed.fetch)
    with pytest.raises(PortError) as caught:
        list(evaluate_plan(sealed.manifest, some_numbers(1, 1), columns))
    assert (caught.value.code, "exit code 9" in str(caught.value)) == ("compute_lost", True)
    monkeypatch.undo()
    assert list(evaluate_plan(sealed.manifest, some_numbers(1, 1), columns))
    workers.close()


def test_an_error_of_another_family_is_named_and_the_worker_lives_on(sealed: Sealed, two: Processes) -> None:
    columns, plan = WorkersColumns(two, sealed.folder, sealed.fetch), some_numbers(5, 3)
    list(evaluate_plan(sealed.manifest, plan, columns))
    before = two.pids
    (piece, *_) = cut_plan(sealed.manifest, plan, 2)
    with pytest.raises(PortError) as caught:
        two.send(Errand(replace(piece, form=7), str(sealed.folder), foreign=False)).result()
    assert (caught.value.code, "IndexError" in str(caught.value)) == ("compute_failed", True)
    assert list(evaluate_plan(sealed.manifest, plan, columns))
    assert two.pids == before


def test_a_plan_that_is_given_up_leaves_the_workers_free(sealed: Sealed, two: Processes) -> None:
    columns = WorkersColumns(two, sealed.folder, sealed.fetch)
    first = evaluate_plan(sealed.manifest, some_numbers(2, 9), columns)
    next(first)
    first.close()  # type: ignore[attr-defined]
    assert len(list(evaluate_plan(sealed.manifest, some_numbers(4, 2), columns))) == 2


def test_what_a_worker_refuses_is_raised_here(sealed: Sealed, two: Processes) -> None:
    dimensions = [dict(item) for item in sealed.manifest["dimensions"]]
    dimensions[0]["categories"] = dimensions[0]["categories"][:-1]
    columns = WorkersColumns(two, sealed.folder, sealed.fetch)
    number = Number((), "s", (("a", 1),), np.arange(20_000), None)
    with pytest.raises(VerificationError) as caught:
        list(evaluate_plan({**sealed.manifest, "dimensions": dimensions}, plan_of([number]), columns))
    assert (caught.value.code, caught.value.expected) == ("column_incomplete", 20_097)


def test_a_damaged_or_missing_copy_is_fetched_again(sealed: Sealed, two: Processes, tmp_path: Path) -> None:
    cache = BlobCache(tmp_path / "blobs", sealed.fetch)
    columns = WorkersColumns(two, tmp_path / "blobs", cache.get)
    plan = some_numbers(6, 3)
    whole = [number_entry(number) for number in sealed.uncut(plan)]
    pieces = cut_plan(sealed.manifest, plan, 2)
    damaged, *_ = sorted({blob for piece in pieces for blob in piece.blobs})
    (tmp_path / "blobs" / damaged[2:]).write_bytes(b"damaged")
    assert [number_entry(number) for number in evaluate_plan(sealed.manifest, plan, columns)] == whole


def test_a_copy_that_cannot_be_mended_is_refused(sealed: Sealed, two: Processes, tmp_path: Path) -> None:
    number = Number((), "s", (("a", 1),), np.array([0]), None)
    (piece, *_) = cut_plan(sealed.manifest, plan_of([number]), 2)
    (tmp_path / piece.blobs[0][2:]).write_bytes(b"damaged")
    with pytest.raises(VerificationError) as caught:
        list(evaluate_plan(sealed.manifest, plan_of([number]), WorkersColumns(two, tmp_path, lambda _: b"damaged")))
    assert caught.value.code == "blob_altered"


def test_workers_have_no_setting_of_ours_in_their_environment(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "correct horse")
    monkeypatch.setenv("SOME_TOKEN", "battery staple")
    workers = Processes(1)
    list(evaluate_plan(sealed.manifest, some_numbers(1, 1), WorkersColumns(workers, sealed.folder, sealed.fetch)))
    (pid,) = workers.pids
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    workers.close()
    assert b"PATH=" in environment
    assert not {word for word in (b"MARKETPLACE_", b"horse", b"staple") if word in environment}
    assert gone(pid)


def test_ctrl_c_is_for_the_node_not_for_its_workers(sealed: Sealed) -> None:
    workers = Processes(1)
    columns = WorkersColumns(workers, sealed.folder, sealed.fetch)
    list(evaluate_plan(sealed.manifest, some_numbers(1, 1), columns))
    (pid,) = workers.pids
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert list(evaluate_plan(sealed.manifest, some_numbers(2, 2), columns))
    assert workers.pids == [pid]
    workers.close()
    workers.close()
    assert gone(pid)
    with pytest.raises(PortError):
        list(evaluate_plan(sealed.manifest, some_numbers(2, 2), columns))


OWNER = """
import sys, time
from pathlib import Path
from typing import Any
from marketplace.compute.processes import Processes
from marketplace.compute.columns import WorkersColumns
from marketplace.queries.evaluation import evaluate_plan
from tests.sealed_plans import seal_columns
from tests.unit.compute.test_processes import some_numbers
sealed, workers = seal_columns(Path(sys.argv[1])), Processes(2)
list(evaluate_plan(sealed.manifest, some_numbers(1, 9), WorkersColumns(workers, sealed.folder, sealed.fetch)))
print(*workers.pids, flush=True)
time.sleep(600)
"""


def test_workers_end_with_their_owner_however_it_ends(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = list(map(int, owner.stdout.readline().split()))
    assert len(pids) == 2
    owner.kill()
    owner.communicate()
    for pid in pids:
        wait_until_gone(pid)
