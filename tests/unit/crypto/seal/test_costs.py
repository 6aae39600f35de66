"""What sealing may cost at rest and in memory, measured in a process of its own."""

import subprocess
import sys

import pytest

from crypto.seal.parameters import Profile
from crypto.seal.wire import blob_size
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS

GIBIBYTE_IN_KIB = 1 << 20
SEALING = "from scripts.benchmarks.sealing import seal_alone; seal_alone(1_000_000, 4)"


@pytest.mark.parametrize(("profile", "allowed"), [(ROWS, 9), (CELLS, 24.1)], ids=[p.name for p in reversed(BOTH)])
def test_bytes_per_value_at_rest(profile: Profile, allowed: float) -> None:
    assert blob_size(profile) / profile.degree <= allowed


def test_sealing_four_million_values_stays_far_below_a_gibibyte() -> None:
    peak = int(
        subprocess.run([sys.executable, "-c", SEALING], capture_output=True, text=True, check=True).stdout.split()[0]
    )
    assert peak < GIBIBYTE_IN_KIB / 4
