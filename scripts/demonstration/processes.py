"""The parties as operating-system processes: long-running ones, and one CLI call at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MARKETPLACE = [sys.executable, "-m", "marketplace.cli"]
READY_SECONDS = 60.0


class Party:
    """One party: a folder of its own, a password of its own, and the processes it runs.

    Args:
        name: folder name under `stage`.
        stage: folder that holds all the parties' folders.
    """

    def __init__(self, name: str, stage: Path) -> None:
        self.name = name
        self.home = stage / name
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.extra: dict[str, str] = {}
        self.running: list[subprocess.Popen[bytes]] = []
        self._password = os.urandom(16).hex()

    def environment(self) -> dict[str, str]:
        """This party's environment: its folder, password and settings, and nothing of the others'."""
        # Ninety short processes: the first one's compiled modules serve the others.
        foreign = (key for key in os.environ if not key.startswith("MARKETPLACE_"))
        kept = {key: os.environ[key] for key in foreign if key != "PYTHONDONTWRITEBYTECODE"}
        own = {"MARKETPLACE_HOME": str(self.home), "MARKETPLACE_PASSWORD": self._password, "MARKETPLACE_LANG": "en"}
        return {**kept, **own, **self.extra}

    def call(self, *arguments: str) -> Any:
        """Run one CLI command with --json and return what it printed.

        Raises:
            RuntimeError: it was refused.
        """
        done = self._run(arguments)
        if done.returncode != 0:
            raise self._surprise(arguments, done)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments: str) -> Any:
        """Run one CLI command that a rule refuses, and return the refusal.

        Raises:
            RuntimeError: it went through.
        """
        done = self._run(arguments)
        if done.returncode == 0:
            raise self._surprise(arguments, done)
        return json.loads(done.stderr.strip().splitlines()[-1])

    def audit(self, evidence: str, trust: Path) -> Any:
        """The auditor's report on a bundle or a running exchange, whatever its verdict."""
        return json.loads(self._run(("audit", evidence, "--trust", str(trust), "--full")).stdout)

    def _run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [*MARKETPLACE, "--json", *arguments]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)

    def _surprise(self, arguments: Sequence[str], done: subprocess.CompletedProcess[str]) -> RuntimeError:
        printed = f"{done.stdout}\n{done.stderr}"
        return RuntimeError(f"{self.name}: marketplace {' '.join(arguments)} exited {done.returncode}\n{printed}")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a long-running command; its output goes to a log file in the party's folder."""
        with (self.home / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*MARKETPLACE, *arguments], env=self.environment(), stdout=log, stderr=subprocess.STDOUT
            )
        self.running.append(process)
        return process

    def stop(self) -> None:
        """Ask every process of this party to end, and wait for it."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        self.running.clear()


def wait_until(what: str, ready: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    """Poll `ready()` until it is true.

    Raises:
        RuntimeError: the process ended, or READY_SECONDS went by.
    """
    end = time.monotonic() + READY_SECONDS
    while not ready():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with exit code {process.returncode}")
        if time.monotonic() > end:
            raise RuntimeError(f"{what} was not ready after {READY_SECONDS:.0f} s")
        time.sleep(0.05)
