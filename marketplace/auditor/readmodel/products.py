"""The read model of products and consents as it must be, derived from the events that the replay derived."""

from collections.abc import Callable
from typing import Any

from marketplace.types import ConsentStatus

Row = dict[str, Any]
KEYS: dict[str, tuple[str, ...]] = {
    "lineage_declarations": ("assetId",),
    "lineage_inputs": ("assetId", "inputId"),
    "lineage_consents": ("assetId", "inputId"),
}


def _declared(tables: Any, args: Row, at: Row) -> None:
    key = args["assetId"]
    own = {name: args[name] for name in ("assetId", "holder", "agreementDigest")}
    tables.put("lineage_declarations", own | at)
    for place, (name, title, bps) in enumerate(zip(args["inputs"], args["titles"], args["bps"], strict=True)):
        row = {"assetId": key, "inputId": name, "place": place, "titleId": title, "bps": bps}
        tables.put("lineage_inputs", row | at)


def _consented(tables: Any, args: Row, at: Row) -> None:
    values = {name: args[name] for name in ("assetId", "inputId", "holder", "titleId", "validUntil", "version")}
    tables.put("lineage_consents", values | {"status": int(ConsentStatus.GIVEN)} | at)


def _withdrawn(tables: Any, args: Row, at: Row) -> None:
    values = {"status": int(ConsentStatus.WITHDRAWN), "version": args["version"]}
    tables.change("lineage_consents", (args["assetId"], args["inputId"]), values | at)


CHANGES: dict[str, Callable[[Any, Row, Row], None]] = {
    "LineageDeclared": _declared,
    "ConsentGiven": _consented,
    "ConsentWithdrawn": _withdrawn,
}
