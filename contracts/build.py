#!/usr/bin/env python3
"""Compile the contracts and write what Python needs of them into marketplace/artifacts/<Name>.json.

    contracts/build.py           write
    contracts/build.py --check   fail if a committed artifact is not what the sources give

Needs node and `npm ci` in contracts/. The output depends on the sources, the compiler and SETTINGS alone.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "marketplace" / "artifacts"
CONTRACTS = (
    "Participants",
    "Rights",
    "Titles",
    "Listings",
    "Agreements",
    "SettlementToken",
    "Orders",
    "Evidence",
    "Clearing",
    "Keys",
    "Registrations",
    "Deliveries",
    "Lineage",
)
# The same as in foundry.toml. Without metadata the bytecode does not depend on comments or on where the sources lie.
SETTINGS: dict[str, Any] = {
    "evmVersion": "london",
    "optimizer": {"enabled": True, "runs": 1000},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}


def run_compiler(*arguments: str, stdin: str = "") -> str:
    """What the compiler prints."""
    command = ["node", str(HERE / "solc-shim.js"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout  # noqa: S603


def read_sources() -> dict[str, Any]:
    """Our sources and OpenZeppelin's, by the names that import statements use."""
    library = HERE / "node_modules" / "@openzeppelin"
    ours = {str(path.relative_to(HERE)): path for path in sorted((HERE / "src").rglob("*.sol"))}
    theirs = {f"@openzeppelin/{path.relative_to(library)}": path for path in sorted(library.rglob("*.sol"))}
    return {name: {"content": path.read_text(encoding="utf-8")} for name, path in (ours | theirs).items()}


def compile_contracts() -> dict[str, Any]:
    """Standard-JSON output for CONTRACTS.

    Raises:
        SystemExit: the compiler has errors or warnings.
    """
    wanted = {f"src/{name}.sol": {name: ["abi", "evm.bytecode.object"]} for name in CONTRACTS}
    request = {
        "language": "Solidity",
        "sources": read_sources(),
        "settings": {**SETTINGS, "outputSelection": wanted},
    }
    answer: dict[str, Any] = json.loads(run_compiler("--standard-json", stdin=json.dumps(request)))
    problems = [problem for problem in answer.get("errors", ()) if _is_ours(problem)]
    complaints = [problem["formattedMessage"] for problem in problems]
    if complaints:
        raise SystemExit("\n".join(complaints))
    return answer


def _is_ours(problem: dict[str, Any]) -> bool:
    """Any error, and warnings about our own sources; OpenZeppelin's warnings are known to OpenZeppelin."""
    place = problem.get("sourceLocation", {}).get("file", "src/")
    return problem["severity"] == "error" or str(place).startswith("src/")


def make_artifacts() -> dict[Path, str]:
    """Artifact text by path."""
    version = run_compiler("--version").split("Version: ")[1].split("+")[0]
    answer = compile_contracts()
    artifacts = {}
    for name in CONTRACTS:
        built = answer["contracts"][f"src/{name}.sol"][name]
        artifact = {
            "name": name,
            "abi": built["abi"],
            "bytecode": "0x" + built["evm"]["bytecode"]["object"],
            "compiler": {"name": "solc", "version": version, "settings": SETTINGS},
        }
        artifacts[TARGET / f"{name}.json"] = json.dumps(artifact, indent=1, sort_keys=True) + "\n"
    return artifacts


def main() -> None:
    """Write the artifacts, or with --check compare them."""
    artifacts = make_artifacts()
    if "--check" not in sys.argv[1:]:
        for path, text in artifacts.items():
            path.write_text(text, encoding="utf-8")
        return
    stale = [path.name for path, text in artifacts.items() if not path.exists() or path.read_text("utf-8") != text]
    if stale:
        raise SystemExit(f"stale: {', '.join(stale)}; run contracts/build.py and commit the result")
    print("the committed artifacts are what the sources give")  # noqa: T201


if __name__ == "__main__":
    main()
