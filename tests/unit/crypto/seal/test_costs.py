"""What sealing may cost at rest and in memory, measured in a process of its own."""

import pytest

from crypto.seal.parameters import Profile
from crypto.seal.wire import blob_size
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.sealing.steps import seal_alone
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS


@pytest.mark.parametrize(("profile", "allowed"), [(ROWS, 9), (CELLS, 24.1)], ids=[p.name for p in reversed(BOTH)])
def test_bytes_per_value_at_rest(profile: Profile, allowed: float) -> None:
    assert blob_size(profile) / profile.degree <= allowed


def test_sealing_four_million_values_stays_far_below_a_gibibyte() -> None:
    _, peak = alone(seal_alone, 1_000_000, 4)
    assert int(peak) < 1024 / 4
