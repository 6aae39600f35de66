"""Every form of sealing, evaluated in one piece or in several, gives the same bytes."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from marketplace.compute.cluster import Cluster
from marketplace.compute.columns import Workers, WorkersColumns
from marketplace.compute.processes import Processes
from marketplace.queries.evaluation import EVALUATORS, SUMS, SealedColumns, evaluate_plan, number_entry
from marketplace.queries.evaluation.data import Share
from marketplace.queries.evaluation.pieces import Piece, cut_plan
from marketplace.queries.planning.numbers import Number
from marketplace.queries.planning.plan import make_plan
from tests.dask_cluster import dask_cluster
from tests.hidden_market import hidden_rows, open_hidden_market
from tests.sealed_market import SCHEMA, Market, open_market

PADDED = SCHEMA | {"forms": ["rows"], "rows": {"perCell": 2500}}
BY_CARRIER = "SELECT carrier, COUNT(*), SUM(fare) FROM f WHERE month IN ('1', '2') GROUP BY carrier"


@pytest.fixture(scope="module", params=["processes", "dask"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Two worker processes of this machine, and two of a Dask cluster."""
    if request.param == "processes":
        workers = Processes(2)
        yield workers
        workers.close()
        return
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as address:
        cluster = Cluster(address)
        yield cluster
        cluster.close()


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Two chunks of rows, and the beginning of a third."""
    return open_hidden_market(tmp_path_factory.mktemp("hidden"), hidden_rows(16_800), forms=["products"])


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("padded"), PADDED)


def entries_spread_and_not(market: Market, sql: str, two: Workers) -> list[dict[str, str | None]]:
    """What both say of each number, after comparing it."""
    plan, dataset = make_plan(market.manifest, market.query(market.order(), sql)), market.dataset
    spread = WorkersColumns(two, dataset.blobs, dataset.blob)
    found = [
        [number_entry(number) for number in evaluate_plan(market.manifest, plan, columns)]
        for columns in (SealedColumns(dataset.blob), spread)
    ]
    assert found[0] == found[1]
    assert len(list(cut_plan(market.manifest, plan, 2))) > 1
    return found[0]


@pytest.mark.parametrize("sql", ["SELECT SUM(fare) FROM f WHERE carrier = 'AA'", BY_CARRIER])
def test_products_are_spread_by_chunks_or_by_numbers(hidden: Market, two: Workers, sql: str) -> None:
    assert all(entry["c1"] for entry in entries_spread_and_not(hidden, sql, two))


@pytest.mark.parametrize("sql", ["SELECT SUM(fare) FROM f WHERE origin <> 'JFK'", BY_CARRIER])
def test_padded_rows_are_spread_by_chunks_or_by_numbers(padded: Market, two: Workers, sql: str) -> None:
    assert all(entry["c1"] is None for entry in entries_spread_and_not(padded, sql, two))


def test_a_chunk_without_any_row_of_a_number_adds_nothing(hidden: Market, two: Workers, tmp_path: Path) -> None:
    first = "SELECT SUM(fare) FROM f WHERE carrier = 'B6' AND origin = 'EWR' AND month = '1'"
    assert len(entries_spread_and_not(hidden, first, two)) == 1


def test_every_form_that_is_evaluated_can_be_added_up() -> None:
    assert SUMS.keys() == EVALUATORS.keys()


def test_a_piece_travels_with_its_cells_shared_and_neighbours_as_a_range() -> None:
    neighbours, scattered, weights = np.arange(10, 1_000_010), np.array([1, 5, 6]), np.array([2, 3, 4])
    numbers = (
        Number(("a",), "n", (("rows", 1),), neighbours),
        Number(("a",), "s", (("sum:x", 1),), neighbours),
        Number(("b",), "s", (("sum:x", 2),), scattered, weights),
    )
    sent = pickle.dumps(Piece({"forms": []}, 0, numbers, 4, Share(1, 3)))
    came = pickle.loads(sent)
    assert len(sent) < 2000
    assert (came.manifest, came.form, came.start, came.share) == ({"forms": []}, 0, 4, Share(1, 3))
    assert came.numbers == numbers
    assert all(np.array_equal(mine.cells, theirs.cells) for mine, theirs in zip(came.numbers, numbers, strict=True))
    assert came.numbers[0].cells is came.numbers[1].cells
    assert np.array_equal(came.numbers[2].weights, weights)
