"""The acts behind a register: what was done to each account, asset, case, title and input of a product, by whose
signature.
"""

from collections import defaultdict
from typing import Any

from marketplace.auditor.deeds import Deeds, facts_of
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.readmodel.rows import Placed, Row
from marketplace.documents import iso_time
from marketplace.documents.scopes import words_of
from marketplace.procedures import CaseState, Step

# Whose history an event belongs to: the first of these that it names.
_SUBJECTS = ("titleId", "caseId", "assetId", "account")
_ALSO_THE_ASSETS = ("Certified", "DisputeMarked")
CONTRACTS = ("Participants", "Keys", "Rights", "Titles", "Registrations", "Lineage")


def acts_of(replay: Replay) -> defaultdict[str, list[Row]]:
    """What was done to each, in order; an input of a product goes by `input_of`."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    deeds = Deeds()
    for placed in replay.derived:
        if placed.event.contract in CONTRACTS:
            act = _act(placed, deeds.of(placed.event), replay)
            for subject in _subjects(placed):
                found[subject].append(act)
    return found


def input_of(product: str, source: str) -> str:
    """Names an input of a product."""
    return f"{product} {source}"


def _subjects(placed: Placed) -> list[str]:
    args: dict[str, Any] = placed.event.args.get("filing") or placed.event.args
    if placed.event.contract == "Lineage":
        product, inputs = args["assetId"], args.get("inputs") or [args["inputId"]]
        return [product, *inputs, *(input_of(product, source) for source in inputs)]
    subjects = [args[name] for name in _SUBJECTS if name in args]
    return subjects if placed.event.name in _ALSO_THE_ASSETS else subjects[:1]


def _act(placed: Placed, deeds: list[str], replay: Replay) -> Row:
    args = placed.event.args
    more: Row = facts_of(args)
    if "step" in args:
        more |= {"step": Step(args["step"]).name, "state": CaseState(args["state"]).name}
        more |= {name: _time(args[name]) for name in ("statedAt", "dueAt", "decideBy") if name in args}
    if "marks" in args:
        more |= {"marks": words_of(args["marks"])}
    signatures = replay.signatures.get(placed.intent or "", [])
    return {
        "event": placed.event.name,
        "deeds": deeds,
        **more,
        "intent": placed.intent,
        "block": placed.block,
        "logIndex": placed.log_index,
        "time": iso_time(placed.timestamp),
        "signatures": [dict(signature.__dict__) for signature in signatures],
    }


def _time(seconds: int) -> str | None:
    return iso_time(seconds) if seconds else None
