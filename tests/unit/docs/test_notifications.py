"""Every change of state has a decision: as what webhooks tell it, or why they do not."""

import ast
from pathlib import Path

from marketplace.auditor.usage import calls, panels, queries
from marketplace.replay import _VERBS
from marketplace.storage.metadata import metadata
from marketplace.webhooks import rules
from scripts.documentation import notifications

ROOT = Path(__file__).resolve().parents[3]


def test_every_act_on_the_ledger_has_a_decision() -> None:
    """That an act gives these events and no others is asked in tests/property/ledger/test_replay.py."""
    assert set(notifications.CHANGES) == set(_VERBS)
    for contract, verb in notifications.CHANGES:
        assert set(notifications.kinds_of(contract, verb)) <= set(rules.known_types()), (contract, verb)


def test_every_kind_is_told_to_somebody_and_every_event_has_an_act() -> None:
    ledger = dict(notifications.ledger_kinds())
    assert set(rules.known_types()) == {*ledger, *notifications.OTHERS}
    assert all(ledger.values())
    acts = {kind for contract, verb in notifications.CHANGES for kind in notifications.kinds_of(contract, verb)}
    assert set(ledger) - acts == {kind for kind in ledger if kind.endswith(".refused")} | {"settlement.transfer"}


def test_every_leaf_of_the_log_is_a_kind() -> None:
    assert set(rules.LEAVES) == {*queries.LEAVES, *panels.PANEL_LEAVES, *calls.CALL_LEAVES}


def test_every_table_of_the_service_has_a_decision() -> None:
    written = {name for name, table in metadata.tables.items() if not table.info.get("read_model")}
    assert set(notifications.KEPT) == written
    for name, told in notifications.KEPT.items():
        assert isinstance(told, str) or set(told) <= set(rules.known_types()), name


def test_only_known_notices_are_left() -> None:
    left = {kind for path in (ROOT / "marketplace").rglob("*.py") for kind in _told(ast.parse(path.read_text("utf-8")))}
    assert left == {*rules.NOTICES} - {rules.PING}


def _told(tree: ast.Module) -> set[str]:
    """Kinds of `tell(session, kind, …)`; a name stands for its value in webhooks.rules or in the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell":
            if len(node.args) < 4:  # another function of that name
                continue
            found |= _values(node.args[1])
    return found


def _values(kind: ast.expr) -> set[str]:
    if isinstance(kind, ast.Constant):
        return {str(kind.value)}
    if isinstance(kind, ast.Name):
        return {str(getattr(rules, kind.id))}
    assert ast.unparse(kind) == "f'agreements.{what}'", f"say what kinds {ast.unparse(kind)} may be"
    return {rules.PROPOSED, rules.WITHDRAWN, rules.DECLINED}
