"""A process that opened keys leaves no core and is closed to other processes of its user; a plain one is not.

Each case is a process of its own. Where the tests run as root they drop to an ordinary user first, since root may read
everything; dropping makes a process undumpable, so the plain state is restored before the case begins.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECRET = b"a planted key, thirty-two bytes!"
BEGIN = """
import ctypes, json, os, resource, sys
from marketplace.sdk.home import hardening
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
if sys.argv[1] == "closed":
    hardening.close_process()
"""
HOLD = (
    BEGIN
    + """
secret = bytes(byte ^ 1 for byte in bytes.fromhex(sys.argv[2]))
print(json.dumps([os.getpid(), ctypes.cast(ctypes.c_char_p(secret), ctypes.c_void_p).value]), flush=True)
sys.stdin.read()
"""
)
READ = (
    BEGIN
    + """
try:
    with open(f"/proc/{sys.argv[2]}/mem", "rb") as memory:
        memory.seek(int(sys.argv[3]))
        print(memory.read(32).hex())
except OSError as error:
    print(type(error).__name__)
"""
)
ABORT = (
    BEGIN
    + """
limit = resource.getrlimit(resource.RLIMIT_CORE)
print(json.dumps({"limit": limit, "dumpable": hardening.is_dumpable()}), flush=True)
os.abort()
"""
)


def start(script: str, *arguments: object, cwd: Path = ROOT) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def memory_seen_by_another(state: str) -> str:
    """What another process of the same user reads at the place of the secret."""
    hidden = bytes(byte ^ 1 for byte in SECRET).hex()
    with start(HOLD, state, hidden) as holder:
        assert holder.stdout is not None
        pid, address = json.loads(holder.stdout.readline())
        seen, _ = start(READ, "plain", pid, address).communicate(timeout=60)
        holder.communicate(timeout=60)
    return seen.strip()


def test_another_process_of_the_user_cannot_read_the_memory() -> None:
    assert memory_seen_by_another("closed") == "PermissionError"


def test_without_closing_the_key_is_read_from_outside() -> None:
    assert bytes.fromhex(memory_seen_by_another("plain")) == SECRET


def test_a_crash_leaves_no_core(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with start(ABORT, "closed", cwd=tmp_path) as crashing:
        out, _ = crashing.communicate(timeout=60)
        assert crashing.returncode == -signal.SIGABRT
    assert json.loads(out) == {"limit": [0, 0], "dumpable": False}
    assert list(tmp_path.iterdir()) == []


def test_every_command_that_opens_keys_is_closed(tmp_path: Path) -> None:
    """`keys new` and `keys show` stand for all: every command opens keys by one of these two ways."""
    script = """
import json, resource, sys
from marketplace.cli import main
from marketplace.sdk.home import hardening
before = hardening.is_dumpable()
assert main(sys.argv[1:]) == 0
print(json.dumps([before, hardening.is_dumpable(), resource.getrlimit(resource.RLIMIT_CORE)]))
"""
    environment = {**os.environ, "MARKETPLACE_PASSWORD": "correct horse", "MARKETPLACE_HOME": str(tmp_path / "home")}
    for verb in (["keys", "new", "--work-factor", "12"], ["keys", "show"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *verb], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
        )
        assert json.loads(done.stdout.splitlines()[-1]) == [True, False, [0, 0]]


def test_memory_is_locked_only_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit the process would fail later, when it reaches it; so nothing is asked for and the caller is told."""
    from marketplace.sdk.home import hardening

    monkeypatch.setattr("resource.getrlimit", lambda _: (1 << 20, 1 << 20))
    assert not hardening.lock_memory()


def test_locked_memory_shows_in_the_process_status() -> None:
    script = """
import resource
from pathlib import Path
from marketplace.sdk.home import hardening
agreed = hardening.lock_memory()
locked = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck"))
unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
print(agreed, unlimited, int(locked.split()[1]) > 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    agreed, unlimited, locked = (word == "True" for word in done.stdout.split())
    assert agreed == locked
    assert unlimited or not agreed
