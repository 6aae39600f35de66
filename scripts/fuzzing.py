"""Coverage-guided fuzzing of one target, or of all in turn: see scripts/fuzz.

libFuzzer keeps what reaches new code in a corpus folder, so a later run goes on from there. A finding is written beside
it as crash-<digest> (or oom-, timeout-) and is run again by --replay.
"""

# ruff: noqa: PLC0415, S311 - what is instrumented is imported late; what is random here protects nothing
import argparse
import os
import subprocess
import sys
from pathlib import Path
from random import Random

INSTRUMENTED = ["crypto", "marketplace", "sqlglot", "rfc8785", "base58", "eth_abi"]
FOLDER = Path(os.environ.get("MARKETPLACE_FUZZ", ".fuzz"))
MEMORY_MB = 2_048
SECONDS_PER_INPUT = 10


def main() -> int:
    """Read the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", default="all", help="a name of tests/fuzz/targets.py, or all")
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="for each target")
    parser.add_argument("--replay", type=Path, help="run this one input again and show what it raises")
    given = parser.parse_args()
    if given.replay:
        return _replay(given.target, given.replay)
    if given.target == "all":
        from tests.fuzz.targets import TARGETS

        return max(_child(name, given.seconds) for name in TARGETS)
    _fuzz(given.target, given.seconds)
    return 0


def _child(name: str, seconds: int) -> int:
    """libFuzzer ends its process, so each target has one."""
    command = [sys.executable, "-m", "scripts.fuzzing", name, str(seconds)]
    return abs(subprocess.run(command, check=False).returncode)


def _replay(name: str, path: Path) -> int:
    from tests.fuzz.targets import REFUSALS, TARGETS

    try:
        TARGETS[name].read(path.read_bytes())
        print(f"{name}: read")
    except REFUSALS as error:
        print(f"{name}: refused: {error}")
    return 0


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS, run
    from tests.fuzz.mutations import mutate

    corpus, findings = FOLDER / "corpus" / name, FOLDER / "findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{index:03}").write_bytes(seed)

    def one(data: bytes) -> None:
        run(name, data)

    def changed(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        made = mutate(name, data, random) if random.random() < 0.5 else atheris.Mutate(data, len(data) + 64)
        return bytes(made[:max_size])

    largest = max(map(len, TARGETS[name].seeds()))
    options = [
        "-print_final_stats=1",
        f"-max_total_time={seconds}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={4 * largest + 4096}",
        f"-artifact_prefix={findings}/",
    ]
    print(f"== {name}", flush=True)
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
