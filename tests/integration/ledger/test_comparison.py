"""Both ways that `scripts/bench ledger` compares do the same work, whatever the hour and however far a node's clock
stands behind ours: a node that takes long to start counts from the moment at which it began.
"""

import time
from pathlib import Path

import pytest

from scripts.benchmarks.ledger import WORKS, Work, automatic_node, measure_loop, measure_pipeline

DAY = 86_400


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_the_loop_is_confirmed_by_a_node_whose_clock_is_late(tmp_path: Path, work: Work) -> None:
    with automatic_node(tmp_path, start=int(time.time()) - DAY) as url:
        assert measure_loop(work, url, 2, tuned=True).rate > 0


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_the_pipeline_does_the_same_work(tmp_path: Path, work: Work) -> None:
    assert measure_pipeline(work, tmp_path, 2, group=3).rate > 0
