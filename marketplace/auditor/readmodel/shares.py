"""The read model of revenue shares as it must be, derived from the events that the replay derived."""

from collections.abc import Callable
from typing import Any

from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST

Row = dict[str, Any]
KEYS: dict[str, tuple[str, ...]] = {"shares": ("assetId", "holder"), "share_encumbrances": ("assetId", "holder")}


def _transferred(tables: Any, args: Row, at: Row) -> None:
    _move(tables, args, at)
    tables.change("assets", (args["assetId"],), {"shareVersion": args["version"]} | at)


def _pledged(tables: Any, args: Row, at: Row) -> None:
    _weigh(tables, args, {name: args[name] for name in ("pledgee", "bps", "debtDigest")} | at)


def _released(tables: Any, args: Row, at: Row) -> None:
    _weigh(tables, args, {"bps": 0} | at)


def _enforced(tables: Any, args: Row, at: Row) -> None:
    _move(tables, args, at)
    _weigh(tables, args | {"holder": args["from"]}, {"bps": 0} | at)
    version = tables.rows["assets"][args["assetId"],]["shareVersion"] + 1
    tables.change("assets", (args["assetId"],), {"shareVersion": version} | at)


def _encumbered(tables: Any, args: Row, at: Row) -> None:
    _weigh(tables, args, {"marks": args["marks"]} | at)


def _move(tables: Any, args: Row, at: Row) -> None:
    asset, shares = args["assetId"], tables.rows["shares"]
    for holder, change in ((args["from"], -args["bps"]), (args["to"], args["bps"])):
        before = shares.get((asset, holder), {"bps": 0})["bps"]
        tables.put("shares", {"assetId": asset, "holder": holder, "bps": before + change} | at)
    if shares[asset, args["from"]]["bps"] == 0:
        del shares[asset, args["from"]]


def _weigh(tables: Any, args: Row, values: Row) -> None:
    key = (args["assetId"], args["holder"])
    unpledged = {"pledgee": ZERO_ADDRESS, "bps": 0, "debtDigest": ZERO_DIGEST, "marks": 0}
    row = tables.rows["share_encumbrances"].get(key) or {"assetId": key[0], "holder": key[1]} | unpledged
    tables.put("share_encumbrances", row | values | {"version": args["version"]})


CHANGES: dict[str, Callable[[Any, Row, Row], None]] = {
    "ShareTransferred": _transferred,
    "SharePledged": _pledged,
    "ShareReleased": _released,
    "ShareEnforced": _enforced,
    "ShareEncumbered": _encumbered,
}
