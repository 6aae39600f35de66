"""The pages that are written from the program are what the program says."""

import subprocess
import sys
from pathlib import Path

from marketplace.app import ROUTERS
from marketplace.web.access import ACCESS

ROOT = Path(__file__).resolve().parents[3]


def test_the_written_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate-docs"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_operation_has_an_entry_that_says_who_may_call_it() -> None:
    names = {str(getattr(route, "name", "")) for router in ROUTERS for route in router.routes}
    assert names - ACCESS.keys() == set(), "say who may call it, and whose object it touches: marketplace/web/access.py"
    assert ACCESS.keys() - names == set(), "marketplace/web/access.py names an operation that is not there"
