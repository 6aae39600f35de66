"""Terms of calls as a seller writes them, in TOML: what TOML has no word for, null, is left out.

purposes = ["TRANSPORT"]
regions = ["CN"]                      # anywhere if left out
fields = ["origin", "delay"]          # columns on offer; all if left out

[service]
qps = 20                              # calls a second
period = "MONTH"                      # of quota and service records: DAY, WEEK, MONTH, QUARTER, YEAR, in China
quota = 9999                          # calls a period; no limit if left out, or 9999 as the exchange's manual has it
latencyMs = 200                       # base latency: 95 of 100 answers come within it
timeoutSeconds = 5                    # a call that takes longer fails, and costs nothing
availabilityBps = 9990                # answered of all calls, in hundredths of a percent

[plan]                                # as marketplace.documents.plans; money in fen
mode = "PER_HIT"
scheme = "GRADUATED"
tiers = [{ upTo = 100, unitPrice = 30 }, { unitPrice = 20 }]

[[operations]]
name = "flight"
kind = "LOOKUP"                       # by key; or "PAGE", by filters = [{ column = "delay", tests = ["GE"] }]
keys = ["id"]
columns = ["origin", "delay"]         # what it gives out
most = 10                             # records in one answer
"""

import tomllib
from dataclasses import dataclass
from typing import Any

from marketplace.documents import Document, validate_plan
from marketplace.documents.api import UNLIMITED
from marketplace.errors import InvalidInputError
from marketplace.pricing import rulebook
from marketplace.words import Words


@dataclass(frozen=True)
class Declared:
    """What the file says, in the shapes of documents; their shapes are checked with the terms."""

    plan: Document
    delivery: Document
    purposes: list[str]
    regions: list[str]
    fields: list[str]


def parse_declared(text: str) -> Declared:
    """Terms of calls from TOML.

    Raises:
        InvalidInputError: `api_terms`: it is no TOML, or lacks a part. `malformed_document`: the plan has no such form.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unfit(Words(str(error), "不是有效的 TOML")) from error
    known = {"purposes", "regions", "fields", "service", "plan", "operations"}
    if wrong := sorted((found.keys() - known) | ({"purposes", "service", "plan", "operations"} - found.keys())):
        raise _unfit(Words(f"unknown or missing: {', '.join(wrong)}", f"多余或缺少：{'、'.join(wrong)}"))
    service, operations = found["service"], found["operations"]
    if not (isinstance(service, dict) and isinstance(found["plan"], dict) and isinstance(operations, list)):
        raise _unfit(
            Words("[service], [plan] and [[operations]] are tables", "[service]、[plan] 与 [[operations]] 须为表")
        )
    return Declared(
        plan=_plan(found["plan"]),
        delivery={
            "mode": "API",
            "operations": [{"keys": [], "filters": [], **item} for item in operations if isinstance(item, dict)],
            **service,
            "quota": _limit(service.get("quota")),
        },
        purposes=[str(word).upper() for word in found["purposes"]],
        regions=list(found.get("regions", [])),
        fields=list(found.get("fields", [])),
    )


def _plan(table: dict[str, Any]) -> Document:
    plan: Document = {"rulebook": rulebook.CURRENT, "publicData": None, **table}
    if isinstance(table.get("tiers"), list):
        plan["tiers"] = [{"upTo": None, **tier} if isinstance(tier, dict) else tier for tier in table["tiers"]]
    if table.get("mode") == "PER_PERIOD":
        plan |= {"quota": _limit(table.get("quota")), "overage": table.get("overage")}
    return validate_plan(plan)


def _limit(calls: object) -> object:
    return None if calls == UNLIMITED else calls


def _unfit(what: Words) -> InvalidInputError:
    return InvalidInputError(
        "api_terms",
        f"the terms of calls cannot be read: {what.en}",
        zh=f"无法读取接口条款：{what.zh}",
        rule="api.terms_are_complete",
        expected=Words(
            "TOML with purposes, [service], [plan] and [[operations]]",
            "含 purposes、[service]、[plan] 与 [[operations]] 的 TOML",
        ),
        got=what,
        hint="see the example in docs/architecture/deliveries.md",
        hint_zh="示例见 docs/architecture/deliveries.md",
    )
