"""A history of registrations and all that happens to them gives one register: rules, contracts, read model, auditor."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from marketplace.errors import VerificationError
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.rebuild import check
from marketplace.storage.engine import session
from tests.histories import BUILDERS
from tests.registers import Course, DifferentRegistersError, Played

REGISTRATIONS, VERBS = 45, 0.6 * len(BUILDERS)
pytestmark = pytest.mark.timeout(900)  # the history is played once, before the first test


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with closing(Played(tmp_path_factory.mktemp("registers"), seed=10)) as made:
        made.open_market()
        made.play(_is_far, Course(width=12, staying=0.85))
        yield made


def _is_far(so_far: Played) -> bool:
    return so_far.registrations() >= REGISTRATIONS and len(so_far.tally.done) > VERBS


def test_the_four_registers_are_one(played: Played) -> None:
    compared = played.compare()
    assert compared["fields of storage"] > 10 * REGISTRATIONS
    assert compared["rows"] > 3 * REGISTRATIONS
    assert sum(played.tally.refused.values()) > 50
    assert len(played.tally.codes) > 10


def test_the_history_takes_most_verbs(played: Played) -> None:
    """The comparison is worth what it reached; the rare ones are for the long run of `scripts/bench history`."""
    assert len(set(played.tally.done)) > VERBS, set(BUILDERS) - set(played.tally.done)


ALTERED = {
    "participants": "UPDATE participants SET roles = roles + 1 WHERE account = (SELECT min(account) FROM participants)",
    "assets": "UPDATE assets SET level = level + 1 WHERE asset_id = (SELECT min(asset_id) FROM assets)",
    "titles": "UPDATE titles SET holder = lower('0x' || hex(zeroblob(20))) "
    "WHERE title_id = (SELECT min(title_id) FROM titles)",
    "shares": "UPDATE shares SET bps = bps + 1 WHERE asset_id = (SELECT min(asset_id) FROM shares)",
}


@pytest.mark.parametrize("table", ALTERED)
def test_a_register_that_differs_is_found_three_times(played: Played, table: str) -> None:
    with session(played.engine) as opened:
        before = opened.execute(text(f"SELECT * FROM {table}")).mappings().all()
        opened.execute(text(ALTERED[table]))
    try:
        with pytest.raises(DifferentRegistersError, match=table.rstrip("s")):
            played.compare_contracts()
        assert {finding.code for finding in played.audit().findings} == {"row_field"}
        with pytest.raises(VerificationError, match=table):
            check(played.engine, PROJECTORS)
    finally:
        with session(played.engine) as opened:
            opened.execute(text(f"DELETE FROM {table}"))
            names = ", ".join(before[0].keys())
            values = ", ".join(f":{name}" for name in before[0])
            opened.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), [dict(row) for row in before])
