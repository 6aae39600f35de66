"""The demonstration itself: what the README promises a newcomer, with every party a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(600)
def test_one_order_travels_the_whole_way(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.demonstration", "--keep", str(tmp_path / "stage")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    told = done.stdout
    assert "336,776 flights sealed" in told
    assert "asked again: the same answer, epsilon 0" in told
    for code in (
        "cohort_too_small",
        "cohort_difference_too_small",
        "order_budget_exhausted",
        "budget_exceeded",
        "computation_not_permitted",
        "purpose_not_permitted",
    ):
        assert f"✗ {code}:" in told, code
    assert told.count("passed, 0 findings") == 2
    assert told.count("→ found in step") == 4
    assert told.count("→ found in step 6: row_field:") == 2
    assert told.count("→ found in step 8: log_root:") == 1
    assert told.count("→ found in step 9: blob_digest:") == 1
    assert "with nothing changed: passed" in told
