"""Killed at 200 steps of order, voucher, settlement and batch: the balances are those of nobody killed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
POINTS = 200


@pytest.mark.timeout(1_500)
def test_killed_at_any_step_every_balance_is_the_same() -> None:
    """All of them: `python -m tests.integration.ledger.sweep`. A process of its own, because it forks."""
    command = [sys.executable, "-m", "tests.integration.ledger.sweep", str(POINTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    told = re.fullmatch(r"killed at (\d+) of (\d+) steps; every balance as without a kill\n", done.stdout)
    assert told, done.stdout
    assert int(told[1]) == POINTS < int(told[2])
