"""The pages that are written from the program are what the program says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_written_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate-docs"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
