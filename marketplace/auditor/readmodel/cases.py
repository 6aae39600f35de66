"""The read model of registration cases as it must be, derived from the events that the replay derived."""

from collections.abc import Callable
from typing import Any

from marketplace.documents.ids import title_id
from marketplace.procedures import BESIDE, CaseState, Kind, Step
from marketplace.registrations.codes import from_ledger
from marketplace.rights.title_records import ROOTS
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST

Row = dict[str, Any]
KEYS: dict[str, tuple[str, ...]] = {
    "registration_cases": ("caseId",),
    "registration_acts": ("caseId", "version"),
    "register_entries": ("assetId",),
    "rulebook_in_force": ("subject",),
}
_FILED = (
    *("caseId", "assetId", "applicant", "counterparty", "kind", "procedure", "formDigest", "nonPublicationDigest"),
    *("depositDigest", "rulebookDigest", "statedAt", "dueAt", "decideBy"),
)
_NOTHING_YET = {"acceptedAt": 0, "pausedAt": 0, "noticeEnd": 0, "depositedAt": 0, "extended": 0}


def filed(tables: Any, args: Row, at: Row) -> None:
    """A case, its first line, and the entry that names it."""
    filing = args["filing"]
    state = int(CaseState.DRAFT if filing["kind"] == Kind.TRANSFER else CaseState.SUBMITTED)
    own = {name: filing[name] for name in _FILED}
    start = {"objector": ZERO_ADDRESS, "state": state, "filedAt": filing["statedAt"], "version": 1}
    tables.put("registration_cases", own | _NOTHING_YET | start | at)
    line = {name: filing[name] for name in ("caseId", "statedAt", "dueAt", "decideBy")}
    line |= {"version": 1, "step": 0, "state": state, "actor": filing["applicant"]}
    tables.put("registration_acts", line | {"evidenceDigest": filing["formDigest"]} | at)
    if filing["procedure"] not in BESIDE:
        entry = tables.rows["register_entries"].get((filing["assetId"],)) or {
            **{"assetId": filing["assetId"], "holder": ZERO_ADDRESS, "validUntil": 0, "disputes": 0, "upheld": 0},
            **dict.fromkeys(("certificateDigest", "certifiedCase", "formDigest"), ZERO_DIGEST),
            **{"shareVersion": 0, "moves": 0, "code": ""},
        }
        tables.put("register_entries", entry | {"latestCase": filing["caseId"]} | at)


def acted(tables: Any, args: Row, at: Row) -> None:
    """The case after a signed step, and the step's line."""
    step, stated = args["step"], args["statedAt"]
    values: Row = {name: args[name] for name in ("state", "version", "statedAt", "decideBy")}
    if args["dueAt"]:
        values["dueAt"] = args["dueAt"]
    by_step: dict[int, Row] = {
        Step.ACCEPT: {"acceptedAt": stated},
        Step.REQUEST_SUPPLEMENT: {"pausedAt": stated},
        Step.OBJECT: {"pausedAt": stated, "objector": args["actor"]},
        Step.SUPPLEMENT: {"pausedAt": 0},
        Step.REJECT: {"pausedAt": 0, "noticeEnd": args["dueAt"]},
        Step.OPEN_NOTICE: {"noticeEnd": args["dueAt"]},
        Step.RESUBMIT: {"formDigest": args["evidenceDigest"]},
        Step.EXTEND: {"extended": 1},
        Step.DEPOSIT: {"depositedAt": stated},
    }
    tables.change("registration_cases", (args["caseId"],), values | by_step.get(step, {}) | at)
    names = ("caseId", "version", "step", "state", "actor", "evidenceDigest", "statedAt", "dueAt", "decideBy")
    tables.put("registration_acts", {name: args[name] for name in names} | at)


def expired(tables: Any, args: Row, at: Row) -> None:
    """A step that nobody signs."""
    tables.change("registration_cases", (args["caseId"],), {n: args[n] for n in ("state", "version")} | at)
    case = tables.rows["registration_cases"][args["caseId"],]
    line = {name: args[name] for name in ("caseId", "version", "step", "state")}
    line |= {"actor": ZERO_ADDRESS, "evidenceDigest": ZERO_DIGEST, "statedAt": 0, "dueAt": 0}
    line |= {"decideBy": case["decideBy"]}
    tables.put("registration_acts", line | at)


def certified(tables: Any, args: Row, at: Row) -> None:
    """The end of a case, and the entry's certificate."""
    state = int(CaseState.CERTIFIED)
    tables.change("registration_cases", (args["caseId"],), {"state": state, "version": args["version"]} | at)
    case = tables.rows["registration_cases"][args["caseId"],]
    line = {"caseId": args["caseId"], "version": args["version"], "step": int(Step.CERTIFY), "state": state}
    line |= {"actor": args["registrar"], "evidenceDigest": args["certificateDigest"]}
    tables.put("registration_acts", line | {"statedAt": 0, "dueAt": 0, "decideBy": case["decideBy"]} | at)
    values = {name: args[name] for name in ("holder", "validUntil", "certificateDigest")}
    values |= {"code": from_ledger(args["code"]), "certifiedCase": args["caseId"]}
    if case["kind"] == Kind.TRANSFER:
        tables.change("assets", (args["assetId"],), {"holder": args["holder"]} | at)
    if case["kind"] != Kind.RENEWAL:
        values["formDigest"] = case["formDigest"]
    titles = (tables.rows["titles"].get((title_id(args["assetId"], kind),)) for kind in ROOTS)
    values["moves"] = sum(title["moves"] for title in titles if title is not None)
    values["shareVersion"] = tables.rows["assets"][args["assetId"],]["shareVersion"]
    tables.change("register_entries", (args["assetId"],), values | at)


def dispute_marked(tables: Any, args: Row, at: Row) -> None:
    """The entry's marks."""
    tables.change("register_entries", (args["assetId"],), {"disputes": args["disputes"], "upheld": args["upheld"]} | at)


def rulebook_adopted(tables: Any, args: Row, at: Row) -> None:
    """The rulebook of later cases."""
    row = {"subject": "registration", "rulebookDigest": args["rulebookDigest"]}
    tables.put("rulebook_in_force", row | at)


CHANGES: dict[str, Callable[[Any, Row, Row], None]] = {
    "Filed": filed,
    "Acted": acted,
    "Expired": expired,
    "Certified": certified,
    "DisputeMarked": dispute_marked,
    "RulebookAdopted": rulebook_adopted,
}
