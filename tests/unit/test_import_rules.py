"""Who may import whom. The rule is this table; the test reads every import of the source tree and compares.

| room                         | may import, of ours                                                        |
| ---------------------------- | -------------------------------------------------------------------------- |
| crypto                       | crypto                                                                     |
| vocabulary                   | crypto, vocabulary                                                         |
| stage rules (pure)           | crypto, vocabulary, stage rules                                            |
| replay                       | crypto, vocabulary, stage rules                                            |
| storage                      | crypto, vocabulary, storage, and in storage/metadata.py every tables.py    |
| ledger                       | crypto, vocabulary, stage rules, replay, storage, ledger                   |
| stage tables/service/routes  | crypto, vocabulary, replay, storage, ledger, settings, web, any stage's     |
|                              | rules and tables; services of itself, of stages before it, and of evidence |
| compute                      | crypto, vocabulary, stage rules, compute                                   |
| sdk                          | crypto, vocabulary, stage rules, sdk                                       |
| vault, panel                 | crypto, vocabulary, stage rules, sdk, itself                               |
| gateway                      | crypto, vocabulary, stage rules, sdk, web, itself                          |
| auditor                      | crypto, vocabulary, stage rules, replay, itself (its command also sdk)     |
| commands                     | vocabulary, stage rules, sdk, console, compute, commands of its own stage,  |
|                              | and lazily the program they start                                           |
| app, chores, cli, serve      | everything                                                                 |

Only the ledger room may import web3, and only crypto/seal may import tenseal. Pure rooms (crypto, vocabulary, rules,
replay) and the auditor import neither a database nor a web server nor a web client.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = (
    "participants",
    "rights",
    "registrations",
    "lineage",
    "listings",
    "agreements",
    "orders",
    "api",
    "queries",
    "settlement",
    "clearing",
    "deliveries",
    "identifiers",
    "evidence",
    "webhooks",
)
IMPURE = {"tables", "service", "routes", "commands", "pages", "projections", "bundle", "inbox", "log", "issuing"}
VOCABULARY = {
    "errors",
    "types",
    "intents",
    "documents",
    "events",
    "abi",
    "calls",
    "refusals",
    "rulebooks",
    "procedures",
    "words",
    "artifacts",
    "deployment",
    "pricing",
    "quantities",
    "currencies",
}
WIRING = {"app", "chores", "cli", "serve"}
QUERIES = (
    *("language", "planning", "cohort", "permission", "protocol", "evaluation", "answers"),
    *("explain", "service", "inbox", "routes", "commands"),
)
"""The rooms of queries, each of which uses only those before it; tables and timings use none."""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                inner = ROOT / node.module.replace(".", "/") / alias.name
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def _room(module: str) -> str:
    """The room of a dotted module name of ours."""
    parts = module.split(".")
    if parts[0] == "crypto":
        return "crypto"
    if len(parts) == 1:
        return "vocabulary"
    name = parts[1]
    if name in STAGES:
        if len(parts) == 2:
            return "rules"
        return f"{parts[2]}:{name}" if parts[2] in IMPURE else "rules"
    return "vocabulary" if name in VOCABULARY else "wiring" if name in WIRING else name


def _allowed(room: str, module: str) -> set[str]:
    base = {"crypto"}
    shared = {"crypto", "vocabulary", "rules"}
    kind, _, stage = room.partition(":")
    if kind == "commands":
        agents = {"vault", "panel", "gateway", "auditor"}
        return shared | agents | {room, "sdk", "console", "wiring", "ledger", "storage", "settings"}
    if stage:
        earlier = STAGES[: STAGES.index(stage) + 1]
        services = {f"{part}:{name}" for name in (*earlier, "evidence") for part in IMPURE - {"commands", "routes"}}
        tables = {f"tables:{name}" for name in STAGES}
        return shared | {"replay", "storage", "ledger", "settings", "web"} | services | tables
    rooms: dict[str, set[str]] = {
        "crypto": base,
        "vocabulary": base | {"vocabulary"},
        "rules": shared,
        "replay": shared | {"replay"},
        "settings": shared,
        "console": shared | {"console"},
        "web": shared | {"settings", "storage", "web"},
        "storage": base | {"vocabulary", "storage"},
        "ledger": shared | {"replay", "storage", "ledger", "settings"},
        "compute": shared | {"compute"},
        "sdk": shared | {"sdk"},
        "vault": shared | {"sdk", "vault"},
        "panel": shared | {"sdk", "panel"},
        "gateway": shared | {"sdk", "web", "gateway"},
        "auditor": shared | {"replay", "auditor"},
    }
    allowed = rooms.get(room, set())
    if module == "marketplace.storage.metadata":
        allowed = allowed | {"ledger"} | {f"tables:{name}" for name in STAGES}
    if module.endswith(".commands"):
        allowed = allowed | {"sdk", "console", "compute"}
    return allowed


def _sources() -> list[Path]:
    return sorted(
        path
        for top in ("crypto", "marketplace")
        for path in (ROOT / top).rglob("*.py")
        if "migrations" not in path.parts
    )


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_imports_stay_within_the_rooms(path: Path) -> None:
    module = _name(path)
    room = _room(module)
    if room == "wiring":
        return
    ours = [name for name in _imports(path) if name.split(".")[0] in ("crypto", "marketplace")]
    wrong = sorted(name for name in ours if _room(name) not in _allowed(room, module))
    assert not wrong, f"{module} ({room}) may not import {wrong}"


def test_rooms_of_queries_use_only_those_before_them() -> None:
    met = set()
    for path in sorted((ROOT / "marketplace" / "queries").rglob("*.py")):
        room = path.relative_to(ROOT / "marketplace" / "queries").with_suffix("").parts[0]
        met.add(room)
        used = {name.split(".")[2] for name in _imports(path) if name.startswith("marketplace.queries.")}
        earlier = {room, "tables", "timings", *QUERIES[: QUERIES.index(room) if room in QUERIES else 0]}
        assert used <= earlier, f"{_name(path)} may not import {used - earlier}"
    assert met == {*QUERIES, "tables", "timings", "__init__"}


@pytest.mark.parametrize(("room", "uses"), [("home", {"home"}), ("http", {"home", "http"})])
def test_verbs_of_the_sdk_rest_on_home_and_http(room: str, uses: set[str]) -> None:
    files = sorted((ROOT / "marketplace" / "sdk" / room).rglob("*.py"))
    used = {name.split(".")[2] for path in files for name in _imports(path) if name.startswith("marketplace.sdk.")}
    assert files
    assert used <= uses


def test_only_one_room_knows_each_heavy_library() -> None:
    homes = {"web3": "marketplace.ledger", "tenseal": "crypto.seal", "fastapi": "marketplace"}
    for path in _sources():
        for name in _imports(path):
            home = homes.get(name.split(".")[0])
            assert home is None or _name(path).startswith(home), f"{_name(path)} imports {name}; only {home} may"


def test_pure_rooms_touch_no_database_and_no_network() -> None:
    foreign = {"sqlmodel", "sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "httpx", "web3"}
    for path in _sources():
        pure = _room(_name(path)) in ("crypto", "vocabulary", "rules", "replay")
        audits = _room(_name(path)) == "auditor" and path.name not in ("commands.py", "live.py")
        found = {name.split(".")[0] for name in _imports(path)} & foreign
        assert not ((pure or audits) and found), f"{_name(path)} imports {found}"
